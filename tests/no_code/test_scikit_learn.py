"""scikit-learn without code: real models of several releases, each in its own environment."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import container_engine
import environment_cache
import pytest

from sendoff import Dataset, InferenceConfig, Model
from sendoff.sdk.data.types import PromoteHeadersBehavior
from sendoff.sdk.exceptions import WebserviceException
from sendoff.sdk.resource_configuration import ResourceConfiguration

from . import rig

pytestmark = pytest.mark.slow

NEWEST = rig.conda(rig.OURS, f"scikit-learn=={rig.SKLEARN}", "joblib", "pandas")
OLD = rig.conda("3.7", "scikit-learn==0.20.0", "joblib", "pandas", "numpy<1.20", "scipy<1.6")

RIDGE = """
import json, sys, joblib
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
X, y = load_diabetes(return_X_y=True)
model = Ridge().fit(X, y)
joblib.dump(model, sys.argv[1])
print(json.dumps({"rows": X[:3].tolist(), "predict": model.predict(X[:3]).tolist()}))
"""
PIPELINE = """
import json, sys, joblib, pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
iris = load_iris()
X = pd.DataFrame(iris.data, columns=["sepal length", "sepal width", "petal length", "petal width"])
X["place"] = ["north" if value > 5.8 else "south" for value in X["sepal length"]]
prepared = ColumnTransformer([("scale", StandardScaler(), list(X.columns[:4])), ("place", OneHotEncoder(), ["place"])])
model = make_pipeline(prepared, LogisticRegression(max_iter=500)).fit(X, iris.target_names[iris.target])
joblib.dump(model, sys.argv[1], compress=3)
few = X.iloc[[0, 70, 140]]
print(json.dumps({"records": few.to_dict("records"), "columns": list(X.columns), "rows": few.values.tolist(),
    "predict": model.predict(few).tolist(), "proba": model.predict_proba(few).tolist()}))
"""
OLD_FOREST = """
import json, sys
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.externals import joblib
X, y = load_iris(return_X_y=True)
model = RandomForestClassifier(n_estimators=5, random_state=0).fit(X, y)
joblib.dump(model, sys.argv[1])
print(json.dumps({"rows": X[::50].tolist(), "predict": model.predict(X[::50]).tolist(),
    "proba": model.predict_proba(X[::50]).tolist()}))
"""


@pytest.fixture
def pipeline(ws, work):
    facts = rig.train(NEWEST, PIPELINE, "pipeline.joblib", cwd=work)
    return Model.register(ws, "pipeline.joblib", "flowers", model_framework=Model.Framework.SCIKITLEARN), facts


def test_the_articles_sample_is_registered_deployed_and_asked(ws, work, deploy) -> None:
    facts = rig.train(NEWEST, RIDGE, "sklearn_regression_model.pkl", cwd=work)
    model = Model.register(
        workspace=ws,
        model_name="my-sklearn-model",
        model_path="./sklearn_regression_model.pkl",
        model_framework=Model.Framework.SCIKITLEARN,
        model_framework_version="0.19.1",
        resource_configuration=ResourceConfiguration(cpu=1, memory_in_gb=0.5),
        description="Ridge regression model to predict diabetes progression.",
        tags={"area": "diabetes", "type": "regression"},
    )
    asked = deploy(model, name="my-sklearn-service")
    payload = json.dumps({"data": facts["rows"], "method": "predict"})
    assert asked.service.run(payload) == pytest.approx(facts["predict"])
    assert asked.post({"data": facts["rows"]}) == pytest.approx(facts["predict"])
    # The label is not what the file says: the file is believed, and a warning says so.
    view = ws._client.service("demo", "my-sklearn-service")
    notes = " ".join(view.operation.notes)
    assert f"labelled scikit-learn 0.19.1, but its file was made by {rig.SKLEARN}" in notes
    assert (view.deployment.cpu_cores, view.deployment.memory_gb) == (1, 0.5)
    # What does not fit is the caller's mistake, in words.
    refused = asked.post({"data": [[1, 2]]})
    assert (refused["http"], refused["code"]) == (400, "input_invalid")
    assert "10 values" in refused["message"]
    assert asked.post({"data": [["a"] * 10]})["http"] == 400
    assert asked.post({"rows": []})["http"] == 400
    assert asked.post({"data": facts["rows"], "method": "predict_proba"})["hint"] == "it has predict"
    assert asked.raw("/score", b"\xff\xfe", Content_Type="application/json")[0] == 400
    document = asked.get("/swagger.json")
    rows = document["definitions"]["ServiceInput"]["properties"]["data"]["items"]
    assert (rows["minItems"], rows["maxItems"]) == (10, 10)
    tensor = {"name": "data", "shape": [1, 10], "datatype": "FP64", "data": facts["rows"][0]}
    inferred = asked.post({"inputs": [tensor]}, "/v2/models/my-sklearn-model/infer")
    assert inferred["outputs"][0]["data"] == pytest.approx(facts["predict"][:1])
    rig.fuzzed(asked, work)


def test_a_pipeline_honours_names_kinds_and_methods(pipeline, work, deploy) -> None:
    model, facts = pipeline
    asked = deploy(model)
    wanted = [pytest.approx(row) for row in facts["proba"]]
    assert asked.post({"data": facts["records"]}) == wanted
    shuffled = [dict(reversed(row.items())) for row in facts["records"]]
    assert asked.post({"data": shuffled}) == wanted
    assert asked.post({"data": facts["rows"]}) == wanted
    assert asked.post({"data": {"columns": facts["columns"], "data": facts["rows"]}}) == wanted
    by_column = {name: [row[name] for row in facts["records"]] for name in facts["columns"]}
    assert asked.post({"data": by_column}) == wanted
    assert asked.post({"data": {name: dict(enumerate(by_column[name])) for name in by_column}}) == wanted
    assert asked.post({"data": {f"row{at}": row for at, row in enumerate(facts["records"])}}) == wanted
    assert asked.post({"data": facts["records"], "method": "predict"}) == facts["predict"]
    lines = [",".join(facts["columns"]), *(",".join(map(str, row)) for row in facts["rows"])]
    status, content, _ = asked.raw("/score", "\n".join(lines).encode(), Content_Type="text/csv")
    assert (status, json.loads(content)) == (200, wanted)
    missing = asked.post({"data": [{"place": "north"}]})
    assert "sepal length" in missing["message"]
    unknown = asked.post({"data": [{**facts["records"][0], "place": "west"}]})
    assert (unknown["http"], "west" in unknown["message"]) == (400, True)
    described = asked.get("/swagger.json")["definitions"]["ServiceInput"]["properties"]
    assert described["data"]["items"]["properties"]["place"]["enum"] == ["north", "south"]
    assert described["method"]["default"] == "predict_proba"
    tensors = [
        {"name": name, "shape": [3], "datatype": "BYTES" if name == "place" else "FP64", "data": by_column[name]}
        for name in facts["columns"]
    ]
    inferred = asked.post({"inputs": tensors}, "/v2/models/no-code/infer")
    assert inferred["outputs"][0]["shape"] == [3, 3]
    rig.fuzzed(asked, work, version="3.1")


HOOKS = """
def preprocess(data):
    return {"data": [dict(place="north", **flower) for flower in data["flowers"]], "method": "predict"}

def postprocess(result):
    return {"names": [str(name).upper() for name in result]}

sample_input = {"flowers": [{"sepal length": 5.1, "sepal width": 3.5, "petal length": 1.4, "petal width": 0.2}]}
"""


def test_hooks_stand_before_and_behind_the_model_and_the_rest_stays(pipeline, work, deploy) -> None:
    model, facts = pipeline
    (work / "hooks.py").write_text(HOOKS)
    asked = deploy(model, InferenceConfig(entry_script="hooks.py"))
    flowers = [{name: value for name, value in row.items() if name != "place"} for row in facts["records"]]
    assert asked.post({"flowers": flowers}) == {"names": [name.upper() for name in facts["predict"]]}
    document = asked.get("/swagger.json")
    assert document["definitions"]["ServiceInput"]["example"]["flowers"][0]["sepal width"] == 3.5
    assert asked.get("/v2/models/flowers")["inputs"][0]["name"] == "sepal length"
    # The file is read again by reload, as an entry script is.
    (work / "hooks.py").write_text(HOOKS.replace("upper", "lower"))
    done = subprocess.run(
        [Path(sys.executable).with_name("sendoff"), "service", "reload", "-n", "no-code", "-w", "demo"]
    )
    assert done.returncode == 0
    assert asked.post({"flowers": flowers}) == {"names": facts["predict"]}


def test_an_update_of_the_model_alone_is_served_from_the_new_file(ws, pipeline, work, deploy) -> None:
    model, facts = pipeline
    asked = deploy(model)
    rig.train(NEWEST, RIDGE, "ridge.pkl", cwd=work)
    second = Model.register(ws, "ridge.pkl", "flowers", model_framework="scikitlearn")
    asked.service.update(models=[second])
    asked.service.wait_for_deployment(show_output=True)
    assert asked.post({"data": [[0.0] * 10]}) == [pytest.approx(152.13, abs=0.01)]
    assert asked.get("/v2/models/flowers")["versions"] == ["2"]
    assert facts


def test_a_pickle_of_scikit_learn_0_20_gets_its_own_release_and_python(ws, work, deploy) -> None:
    facts = rig.train(OLD, OLD_FOREST, "forest.pkl", cwd=work)
    model = Model.register(ws, "forest.pkl", "forest", model_framework=Model.Framework.SCIKITLEARN)
    asked = deploy(model)
    assert asked.post({"data": facts["rows"]}) == [pytest.approx(row) for row in facts["proba"]]
    assert asked.post({"data": facts["rows"], "method": "predict"}) == facts["predict"]
    lock = ws._client.service("demo", "no-code").environment
    assert lock.startswith("no-code-scikit-learn-0.20.0:")
    rows = asked.get("/swagger.json")["definitions"]["ServiceInput"]["properties"]["data"]["items"]
    assert rows["maxItems"] == 4


@pytest.mark.parametrize(
    ("framework", "version", "words"),
    [
        ("ScikitLearn", "0.16.1", "the oldest that runs here is 0.18"),
        ("ScikitLearn", "new", "no version"),
        ("Custom", None, "cannot be served without code"),
        ("TensorFlow", None, "SavedModel"),
        ("MLflow", None, "MLmodel"),
    ],
)
def test_what_cannot_be_served_is_refused_before_anything_starts(ws, work, framework, version, words) -> None:
    (work / "m.bin").write_bytes(b"nothing that states a version")
    model = Model.register(ws, "m.bin", "odd", model_framework=framework, model_framework_version=version)
    with pytest.raises(WebserviceException, match=words):
        Model.deploy(ws, "odd", [model])
    assert ws.webservices == {}


def test_a_package_needs_no_code_either(ws, pipeline, work) -> None:
    model, _ = pipeline
    package = Model.package(ws, [model], generate_dockerfile=True)
    package.wait_for_creation(show_output=True)
    package.save("context")
    files = {path.name for path in (work / "context").rglob("*") if path.is_file()}
    assert {"Dockerfile", "entry.py", "model.json", "estimator.py", "pipeline.joblib"} <= files


def test_the_command_line_needs_no_inference_configuration(ws, pipeline, work) -> None:
    def sendoff(*words: str) -> str:
        command = [str(Path(sys.executable).with_name("sendoff")), *words, "-w", "demo"]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    assert "can be deployed" in sendoff("model", "deploy", "-n", "flowers", "-m", "flowers", "--check")
    (work / "hooks.py").write_text(HOOKS)
    assert "can be deployed" in sendoff(
        "model", "deploy", "-n", "other", "-m", "flowers", "--es", "hooks.py", "--check"
    )


def test_a_profile_needs_no_code_either(ws, pipeline, work) -> None:
    model, facts = pipeline
    (work / "requests.txt").write_text("\n".join(json.dumps({"data": [row]}) for row in facts["records"]))
    store = ws.get_default_datastore()
    store.upload_files(["requests.txt"], target_path="samples")
    path = [(store, "samples/requests.txt")]
    data = Dataset.Tabular.from_delimited_files(path, separator="\n", header=PromoteHeadersBehavior.NO_HEADERS)
    requests = data.register(ws, "requests", create_new_version=True)
    profile = Model.profile(ws, "sizing", [model], None, input_dataset=requests, cpu=1.0, target="process")
    profile.wait_for_completion(True)
    assert profile.get_details()["recommendedMemoryInGB"] > 0


@pytest.fixture
def containers(monkeypatch, tmp_path) -> Iterator[None]:
    monkeypatch.setenv("SENDOFF_BASE_IMAGE", container_engine.base_image())
    monkeypatch.setenv("SENDOFF_ACI_TARGET", "docker")
    kinds = ("server", "interpreter", "packages")
    environment_cache.lend_layers(tmp_path / "home", kinds)
    yield
    environment_cache.keep_layers(tmp_path / "home", kinds)


def test_in_a_container_it_is_the_same(containers, ws, pipeline, work, deploy) -> None:
    model, facts = pipeline
    asked = deploy(model)
    assert ws._client.service("demo", "no-code").target == "docker"
    assert asked.post({"data": facts["records"], "method": "predict"}) == facts["predict"]
    asked.service.delete()
    ws._client.gc()  # its image goes with it
