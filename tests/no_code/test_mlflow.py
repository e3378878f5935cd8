"""MLflow folders without code: real ones, written by MLflow, asked in the forms of its own scoring server."""

from __future__ import annotations

import pytest

from sendoff import Model

from . import rig

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

MLFLOW = rig.conda(rig.OURS, "mlflow-skinny==3.17.2", f"scikit-learn=={rig.SKLEARN}", "pandas", "numpy", "cloudpickle")

MAKE = """
import json, os
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
import mlflow, mlflow.pyfunc, mlflow.sklearn, pandas as pd
from mlflow.models import infer_signature
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
iris = load_iris()
X = pd.DataFrame(iris.data, columns=["sl", "sw", "pl", "pw"])
model = LogisticRegression(max_iter=500).fit(X, iris.target)
wanted = ["scikit-learn==%s" % __import__("sklearn").__version__, "pandas", "numpy", "cloudpickle"]
mlflow.sklearn.save_model(model, "flowers", signature=infer_signature(X, model.predict(X)), pip_requirements=wanted,
    serialization_format="cloudpickle")

class Lengths(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return [len(text) for text in model_input["text"]]

mlflow.pyfunc.save_model("lengths", python_model=Lengths(), pip_requirements=wanted,
    signature=infer_signature(pd.DataFrame({"text": ["a"]}), [1]))
print(json.dumps({"rows": X[::60].values.tolist(), "predict": model.predict(X[::60]).tolist()}))
"""


def test_folders_of_a_known_flavour_and_of_any_python_function(ws, work, deploy) -> None:
    facts = rig.train(MLFLOW, MAKE, cwd=work)
    model = Model.register(ws, "flowers", "flowers", model_framework=Model.Framework.MLFLOW)
    detected = ws._client.model("demo", "flowers:1").detected
    assert (detected["scikit-learn"], detected["mlflow"]) == (rig.SKLEARN, "3.17.2")
    asked = deploy(model, name="flowers")
    wanted = {"predictions": facts["predict"]}
    names = ["sl", "sw", "pl", "pw"]
    records = [dict(zip(names, row, strict=True)) for row in facts["rows"]]
    for path in ("/score", "/invocations"):
        assert asked.post({"dataframe_records": records}, path) == wanted
        assert asked.post({"dataframe_split": {"columns": names, "data": facts["rows"]}}, path) == wanted
        assert asked.post({"inputs": facts["rows"]}, path) == wanted
        assert asked.post({"instances": records}, path) == wanted
    assert asked.post({"inputs": {name: [row[name] for row in records] for name in names}}) == wanted
    assert asked.post({"rows": 1})["http"] == 400
    assert asked.post({"dataframe_records": [{"sl": 1.0}]})["details"]["missing"] == ["sw", "pl", "pw"]
    lock = ws._client.service("demo", "flowers").environment
    assert lock.startswith("no-code-mlflow-")
    item = asked.get("/swagger.json")["definitions"]["ServiceInput"]["properties"]["dataframe_records"]["items"]
    assert item["required"] == names
    rig.fuzzed(asked, work)

    lengths = deploy(Model.register(ws, "lengths", "lengths", model_framework="mlflow"), name="lengths")
    assert lengths.post({"dataframe_records": [{"text": "four"}, {"text": ""}]}) == {"predictions": [4, 0]}
    assert lengths.post({"dataframe_split": {"columns": ["text"], "data": [["one"]]}}, "/invocations") == {
        "predictions": [3]
    }
    assert lengths.post({"dataframe_records": [{"words": "x"}]})["http"] == 400
