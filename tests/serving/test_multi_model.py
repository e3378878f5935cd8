"""Several models behind one script, by name: loaded when asked for, dropped when memory is short."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from .interpreters import environment, interpreter
from .running import Answer, Server, eventually

SCRIPT = """
    import json, os, pickle

    def init():
        global loads
        loads = []

    def init_model(name, version, path):
        if name == "broken": raise ValueError("secret")
        loads.append(name + ":" + version)
        with open(path, "rb") as file:
            return pickle.load(file)

    def run(data, model):
        return [model["name"], data, list(loads)]
"""


def deploy(root: Path, name: str, version: int, megabytes: int = 0) -> None:
    folder = root / name / str(version)
    folder.mkdir(parents=True)
    content = {"name": f"{name}{version}", "weights": os.urandom(megabytes * 1_000_000)}
    (folder / "model.pkl").write_bytes(pickle.dumps(content, 4))


def ask(server: Server, query: str = "", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return server.request("POST", f"/score{query}", "x", named)


@pytest.mark.parametrize("version", ["3.6", "3.13"])
def test_models_are_named_by_query_header_and_path(serve, tmp_path: Path, version: str) -> None:
    models = tmp_path / "models"
    for name, number in (("a", 1), ("a", 2), ("a", 10), ("b", 1), ("broken", 1)):
        deploy(models, name, number)
    server = serve(SCRIPT, "--model-dir", models, "--python", interpreter(version))
    assert ask(server, "?model=a").json == ["a10", "x", ["a:10"]]
    assert ask(server, "?model=a&version=2").json[0] == "a2"
    assert ask(server, x_sendoff_model="b").json[0] == "b1"
    assert ask(server, x_sendoff_model="a:1").json == ["a1", "x", ["a:10", "a:2", "b:1", "a:1"]]
    assert ask(server, "?model=a").json[2] == ["a:10", "a:2", "b:1", "a:1"]
    assert server.get("/score?model=b&n=5").json[:2] == ["b1", '{"n": 5}']

    body = {"inputs": [{"name": "data", "shape": [1], "datatype": "BYTES", "data": ["x"]}]}
    answer = server.request("POST", "/v2/models/a/versions/2/infer", json.dumps(body))
    assert (answer.json["model_name"], answer.json["model_version"]) == ("a", "2")
    assert '"a2"' in answer.json["outputs"][0]["data"][0]
    assert server.get("/v2/models/a").json["versions"] == ["10", "2", "1"]
    assert server.get("/v2/models/b/ready").json == {"name": "b", "ready": True}
    assert [one["name"] for one in server.get("/v2/models/b").json["inputs"]] == ["data"]

    nameless = ask(server)
    assert (nameless.status, nameless.json["code"]) == (400, "model_missing") and "a, b" in nameless.json["message"]
    for unknown in (ask(server, "?model=c"), ask(server, "?model=a&version=3"), ask(server, "?model=../a")):
        assert (unknown.status, unknown.json["code"]) == (404, "model_not_found")
    broken = ask(server, "?model=broken")
    assert (broken.status, broken.json["code"]) == (500, "run_failed") and "secret" not in broken.body.decode()
    assert ask(server, "?model=b").status == 200


def test_the_only_model_needs_no_name(start, make_bundle) -> None:
    bundle = make_bundle(SCRIPT, models=[{"name": "only", "version": 3, "path": "azureml-models/only/3"}])
    deploy(bundle / "app" / "azureml-models", "only", 3)
    server = start("--bundle", bundle)
    assert ask(server).json == ["only3", "x", ["only:3"]]


def test_the_least_recently_used_is_dropped_and_memory_stays_below_the_limit(serve, tmp_path: Path) -> None:
    models = tmp_path / "models"
    for name in "abcdef":
        deploy(models, name, 1, 40)
    deploy(models, "huge", 1, 120)
    server = serve(SCRIPT, "--model-dir", models, "--model-memory-mb", 100)

    def memory() -> float:
        text = server.get("/metrics").body.decode()
        return float(text.split('sendoff_worker_memory_bytes{worker="0"} ')[1].split()[0]) / 1e6

    empty = memory()
    for name in "ab":
        assert ask(server, f"?model={name}").json[0] == f"{name}1"
    assert memory() - empty > 75
    assert ask(server, "?model=a").json[2] == ["a:1", "b:1"]
    assert ask(server, "?model=c").json[2] == ["a:1", "b:1", "c:1"]
    assert ask(server, "?model=a").json[2] == ["a:1", "b:1", "c:1"]
    assert ask(server, "?model=b").json[2] == ["a:1", "b:1", "c:1", "b:1"]
    for name in "cdefabcdef":
        assert ask(server, f"?model={name}").status == 200
        assert memory() - empty < 115
    counted = server.get("/metrics").body.decode()
    assert 'sendoff_model_loads_total{model="b",version="1"} 3' in counted
    assert 'sendoff_model_unloads_total{model="a",version="1"} 2' in counted
    assert "\nsendoff_models_loaded 2\n" in counted
    assert float(counted.split("\nsendoff_model_load_seconds_total ")[1].split()[0]) > 0
    huge = ask(server, "?model=huge")
    assert (huge.status, huge.json["code"]) == (503, "model_too_large")
    assert ask(server, "?model=f").status == 200
    server.stop()
    assert "unloaded to make room" in server.log and "Model b:1 loaded in" in server.log


def test_a_worker_that_ends_has_no_model_loaded_any_more(serve, tmp_path: Path) -> None:
    deploy(tmp_path / "models", 'näme "quoted"', 1)
    server = serve(SCRIPT, "--model-dir", tmp_path / "models")
    assert "sendoff_model" not in server.get("/metrics").body.decode()
    assert ask(server).status == 200
    label = 'model="näme \\"quoted\\"",version="1"'
    assert f"sendoff_model_loads_total{{{label}}} 1" in server.get("/metrics").body.decode()
    lines = eventually(lambda: [line for line in server.lines if "loaded in" in line])
    worker = lines[0].split("[")[1].split("]")[0]
    os.kill(int(worker), 9)
    eventually(lambda: "\nsendoff_models_loaded 0\n" in server.get("/metrics").body.decode())
    eventually(lambda: ask(server).status == 200)
    text = server.get("/metrics").body.decode()
    assert f"sendoff_model_loads_total{{{label}}} 2" in text and "\nsendoff_models_loaded 1\n" in text


@pytest.mark.parametrize("version", ["3", "3.1"])
def test_without_a_model_the_documents_stay_valid_and_every_name_is_unknown(serve, version: str) -> None:
    from openapi_spec_validator import validate

    server = serve(SCRIPT)
    document = server.get(f"/swagger.json?version={version}").json
    validate(document)
    assert [path for path in document["paths"] if path.startswith("/v2/models")] == []
    unknown = server.get("/v2/models/ML%20service")
    assert unknown.status == 404 and "there is none" in unknown.json["error"]


def test_a_function_that_is_only_called_so_changes_nothing(serve) -> None:
    server = serve("def init(): init_model()\ndef init_model(): pass\ndef run(data): return data\n")
    assert ask(server).json == "x"


SCHEMA = """
import joblib, numpy as np
from inference_schema.schema_decorators import input_schema, output_schema
from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType
def init(): pass
def init_model(name, version, path): return joblib.load(path)
@input_schema('data', NumpyParameterType(np.array([[1.0, 2.0]])))
@output_schema(NumpyParameterType(np.array([1.5])))
def run(data, model):
    return model.predict(data)
"""


@pytest.mark.slow
def test_models_of_scikit_learn_behind_a_schema(start, tmp_path: Path) -> None:
    import subprocess

    python = environment("3.13", "scikit-learn", "inference-schema[numpy-support]")
    make = """
import joblib, os, sys
from sklearn.linear_model import Ridge
for name, slope in (("twice", 2.0), ("thrice", 3.0)):
    os.makedirs("models/%s/1" % name)
    joblib.dump(Ridge(alpha=1e-9).fit([[0, 0], [1, 0], [0, 1]], [0, slope, slope]), "models/%s/1/model.joblib" % name)
"""
    subprocess.run([python, "-c", make], cwd=tmp_path, check=True)
    (tmp_path / "score.py").write_text(SCHEMA)
    server = start("--entry-script", "score.py", "--model-dir", "models", "--python", python)
    tensor: dict[str, Any] = {"name": "data", "shape": [1, 2], "datatype": "FP64", "data": [1, 2]}
    for name, expected in (("twice", 6.0), ("thrice", 9.0)):
        scored = server.score({"data": [[1, 2]]}, x_sendoff_model=name)
        assert scored.json == pytest.approx([expected], abs=1e-3)
        answer = server.request("POST", f"/v2/models/{name}/infer", json.dumps({"inputs": [tensor]}))
        assert answer.json["outputs"][0]["data"] == pytest.approx([expected], abs=1e-3)
        assert answer.json["outputs"][0]["datatype"] == "FP64"
