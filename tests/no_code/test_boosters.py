"""XGBoost and LightGBM without code, from their own files and from pickles of their estimators."""

from __future__ import annotations

import pytest

from sendoff import Model

from . import rig

pytestmark = pytest.mark.slow

XGBOOST = rig.conda(rig.OURS, "xgboost-cpu", "numpy", "scikit-learn", "joblib", "pandas")
LIGHTGBM = rig.conda(rig.OURS, "lightgbm", "numpy")

MAKE_XGBOOST = """
import json, sys, joblib, numpy as np, xgboost
from sklearn.datasets import load_diabetes, load_iris
data = load_diabetes()
matrix = xgboost.DMatrix(data.data, label=data.target, feature_names=data.feature_names)
booster = xgboost.train({"max_depth": 3, "seed": 1}, matrix, num_boost_round=5)
booster.save_model("diabetes.json")
booster.save_model("diabetes.ubj")
X, y = load_iris(return_X_y=True)
classifier = xgboost.XGBClassifier(n_estimators=4).fit(X, y)
joblib.dump(classifier, "flowers.joblib")
few = xgboost.DMatrix(data.data[:2], feature_names=data.feature_names)
print(json.dumps({"version": xgboost.__version__, "rows": data.data[:2].tolist(), "names": data.feature_names,
    "predict": booster.predict(few).tolist(), "flowers": X[:2].tolist(),
    "proba": classifier.predict_proba(X[:2]).tolist()}))
"""
MAKE_LIGHTGBM = """
import json, lightgbm, numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(300, 3))
y = X[:, 0] * 2 + X[:, 2]
data = lightgbm.Dataset(X, y, feature_name=["a", "b", "c"])
booster = lightgbm.train({"objective": "regression", "verbosity": -1}, data, 10)
booster.save_model("model.txt")
print(json.dumps({"rows": X[:3].tolist(), "predict": booster.predict(X[:3]).tolist()}))
"""


def test_an_xgboost_model_states_its_release_and_answers_rows_and_records(ws, work, deploy) -> None:
    facts = rig.train(XGBOOST, MAKE_XGBOOST, cwd=work)
    for name in ("diabetes.json", "diabetes.ubj"):
        model = Model.register(ws, name, "diabetes", model_framework=Model.Framework.XGBOOST)
        assert ws._client.model("demo", model.id).detected["xgboost"] == facts["version"], name
    wanted = pytest.approx(facts["predict"], rel=1e-4)
    asked = deploy(model)
    assert asked.post({"data": facts["rows"]}) == wanted
    records = [dict(zip(facts["names"], row, strict=True)) for row in facts["rows"]]
    assert asked.post({"data": [dict(reversed(row.items())) for row in records]}) == wanted
    assert asked.post({"data": facts["rows"], "method": "predict_margin"}) == wanted
    assert asked.post({"data": [["a"] * 10]})["http"] == 400
    document = asked.get("/swagger.json")["definitions"]["ServiceInput"]["properties"]["data"]
    assert document["items"]["required"] == facts["names"]
    rig.fuzzed(asked, work)
    pickled = Model.register(ws, "flowers.joblib", "flowers", model_framework="XGBoost")
    asked = deploy(pickled, name="flowers")
    assert asked.post({"data": facts["flowers"]}) == [pytest.approx(row, rel=1e-4) for row in facts["proba"]]


def test_a_lightgbm_model_answers_by_its_columns(ws, work, deploy) -> None:
    facts = rig.train(LIGHTGBM, MAKE_LIGHTGBM, cwd=work)
    asked = deploy(Model.register(ws, "model.txt", "boosted", model_framework=Model.Framework.LIGHTGBM))
    wanted = pytest.approx(facts["predict"])
    assert asked.post({"data": facts["rows"]}) == wanted
    assert asked.post({"data": [{"c": c, "b": b, "a": a} for a, b, c in facts["rows"]]}) == wanted
    tensors = [
        {"name": name, "shape": [3], "datatype": "FP64", "data": [row[at] for row in facts["rows"]]}
        for at, name in enumerate("abc")
    ]
    assert asked.post({"inputs": tensors}, "/v2/models/boosted/infer")["outputs"][0]["data"] == wanted
    rig.fuzzed(asked, work)
