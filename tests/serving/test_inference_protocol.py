"""The Open Inference Protocol (V2) beside /score."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

from .interpreters import environment
from .running import Answer, Server, write_script

TEXT = """
    import json
    def init(): pass
    def run(data):
        if data == "fail": raise ValueError("secret")
        print("ran", data)
        return json.loads(data)
"""


def infer(server: Server, inputs: Any, path: str = "/v2/models/svc/infer", **more: Any) -> Answer:
    body = json.dumps({"inputs": inputs, **more})
    return server.request("POST", path, body, {"Content-Type": "application/json"})


def text(value: Any) -> list[dict[str, Any]]:
    return [{"name": "data", "shape": [1], "datatype": "BYTES", "data": [value]}]


@pytest.fixture
def plain(shared) -> Server:
    return shared(TEXT, "--service-name", "svc", "--service-version", "3")


def test_health_and_metadata(plain: Server) -> None:
    assert plain.get("/v2/health/live").json == {"live": True}
    assert plain.get("/v2/health/ready").json == {"ready": True}
    about = plain.get("/v2").json
    assert about["name"] == "sendoff-serving" and about["version"] and about["extensions"] == ["binary_tensor_data"]
    assert plain.get("/v2/models/svc/ready").json == {"name": "svc", "ready": True}
    assert plain.get("/v2/models/svc/versions/3").json == {
        "name": "svc",
        "versions": ["3"],
        "platform": "python",
        "inputs": [{"name": "data", "datatype": "BYTES", "shape": [1]}],
        "outputs": [],
    }


@pytest.mark.parametrize(
    ("result", "outputs"),
    [
        ([1, 2, 3], [("output", [3], "INT64", [1, 2, 3])]),
        ([[1.5, 2], [3, 4]], [("output", [2, 2], "FP64", [1.5, 2, 3, 4])]),
        (True, [("output", [1], "BOOL", [True])]),
        (["a", "b"], [("output", [2], "BYTES", ["a", "b"])]),
        ({"a": [1], "b": "x"}, [("a", [1], "INT64", [1]), ("b", [1], "BYTES", ["x"])]),
        ([{"a": 1, "b": 0.5}, {"a": 2, "b": 1}], [("a", [2], "INT64", [1, 2]), ("b", [2], "FP64", [0.5, 1])]),
        ([], [("output", [0], "FP64", [])]),
        (None, []),
    ],
)
def test_results_become_tensors(plain: Server, result: Any, outputs: list[Any]) -> None:
    answer = infer(plain, text(json.dumps(result)), id="42")
    assert answer.status == 200, answer.body
    assert answer.json["model_name"] == "svc" and answer.json["model_version"] == "3" and answer.json["id"] == "42"
    found = [(one["name"], one["shape"], one["datatype"], one["data"]) for one in answer.json["outputs"]]
    assert found == outputs


def test_what_no_tensor_can_hold_is_json_and_says_so(plain: Server) -> None:
    for value in ([[1], [2, 3]], [1, None], {"a": {"b": 1}}):
        made = infer(plain, text(json.dumps(value))).json["outputs"]
        assert len(made) == 1 and made[0]["parameters"] == {"content_type": "application/json"}
        assert (made[0]["shape"], made[0]["datatype"]) == ([1], "BYTES")
        assert json.loads(made[0]["data"][0]) in (value, {"b": 1})


def test_outputs_can_be_chosen(plain: Server) -> None:
    body = text('{"a": 1, "b": 2}')
    assert [one["name"] for one in infer(plain, body, outputs=[{"name": "b"}]).json["outputs"]] == ["b"]
    assert infer(plain, body, outputs=[{"name": "c"}]).status == 400


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ([], "inputs"),
        ("x", "inputs"),
        ([5], "object"),
        ([{"name": "data", "shape": [2], "datatype": "BYTES", "data": ["a"]}], "2 elements"),
        ([{"name": "data", "shape": [-1], "datatype": "BYTES", "data": ["a"]}], "shape"),
        ([{"name": "data", "shape": [True], "datatype": "BYTES", "data": ["a"]}], "shape"),
        ([{"name": "data", "shape": [1], "datatype": "TEXT", "data": ["a"]}], "datatype"),
        ([{"name": "data", "shape": [1], "datatype": "INT8", "data": [128]}], "INT8"),
        ([{"name": "data", "shape": [1], "datatype": "UINT8", "data": [-1]}], "UINT8"),
        ([{"name": "data", "shape": [1], "datatype": "FP32", "data": ["1"]}], "FP32"),
        ([{"name": "data", "shape": [1], "datatype": "INT64", "data": [5]}], "no schema"),
        ([{**text("a")[0], "name": name} for name in ("data", "other")], "'data'"),
        ([{"name": "data", "shape": [1000000000000, 0], "datatype": "BYTES", "data": []}], "one element"),
        (text("1") * 2, "twice"),
    ],
)
def test_a_request_that_is_wrong_is_told_what_is(plain: Server, inputs: Any, said: str) -> None:
    answer = infer(plain, inputs)
    assert (answer.status, answer.json["code"]) == (400, "tensor_invalid")
    assert said in answer.json["error"]


def test_errors_have_the_protocols_form(serve) -> None:
    plain = serve(TEXT, "--service-name", "svc", "--service-version", "3")
    for path, status in (
        ("/v2/models/other/infer", 404),
        ("/v2/models/svc/versions/4/infer", 404),
        ("/v2/models/svc/infer", 500),
    ):
        answer = infer(plain, text("fail"), path)
        assert answer.status == status and "secret" not in answer.json["error"], answer.body
    assert plain.get("/v2/models/other").status == plain.get("/v2/nothing").status == 404
    wrong = plain.get("/v2/models/svc/infer")
    assert wrong.status == 405 and wrong.headers["Allow"] == "POST" and wrong.json["error"]
    bad = plain.request("POST", "/v2/models/svc/infer", "{", {"Content-Type": "application/json"})
    assert bad.status == 400 and bad.json["code"] == "body_not_json"
    assert 'reason="run_failed"} 1' in plain.get("/metrics").body.decode()


def test_raw_scripts_say_that_they_take_none(serve) -> None:
    server = serve(
        """
        from azureml.contrib.services.aml_request import rawhttp
        def init(): pass
        @rawhttp
        def run(request): return 1
        """,
        "--service-name",
        "svc",
    )
    for answer in (infer(server, text("1")), server.get("/v2/models/svc")):
        assert (answer.status, answer.json["code"]) == (400, "protocol_unsupported")
    assert "/v2" not in server.get("/swagger.json?version=3").json["paths"]


def test_a_prefix_and_a_key_hold_for_it_too(serve, tmp_path: Path) -> None:
    import hashlib

    auth = tmp_path / "auth.json"
    keys = [{"name": "primary", "sha256": hashlib.sha256(b"key").hexdigest()}]
    auth.write_text(json.dumps({"schema_version": 1, "keys": keys}))
    server = serve(TEXT, "--service-name", "svc", "--path-prefix", "p", "--auth-file", auth)
    path = "/p/v2/models/svc/infer"
    refused = infer(server, text("1"), path)
    assert refused.status == 401 and refused.json["error"]
    headers = {"Authorization": "Bearer key", "Content-Type": "application/json"}
    assert server.request("POST", path, json.dumps({"inputs": text("1")}), headers).status == 200
    assert server.get("/v2/health/live").status == 200


IMPORTS = """
import numpy as np, pandas as pd
from inference_schema.schema_decorators import input_schema, output_schema
from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType
from inference_schema.parameter_types.pandas_parameter_type import PandasParameterType
from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType
def init(): pass
"""
ARRAYS = """
@input_schema('data', NumpyParameterType(np.array([[1.0, 2.0]], dtype='float32')))
@input_schema('factor', StandardPythonParameterType(2))
@input_schema('options', StandardPythonParameterType({"a": 1}))
@output_schema(NumpyParameterType(np.array([1.5])))
def run(data, factor=1, options={"a": 0}):
    assert data.dtype == np.float32, data.dtype
    return data.sum(axis=1) * np.float32(factor) + np.float32(options["a"])
"""
FRAME = """
@input_schema('data', PandasParameterType(pd.DataFrame([{{"n": 5.1, "s": "v", "i": 3}}]), orient={orient!r}))
@output_schema(PandasParameterType(pd.DataFrame([{{"t": "a", "k": 1}}])))
def run(data):
    assert list(map(str, data.dtypes))[0::2] == ["float64", "int64"], data.dtypes
    return pd.DataFrame({{"t": data.s + "!", "k": data.i * 2}})
"""


@pytest.fixture
def schema(start, tmp_path: Path):
    def serving(text: str) -> Server:
        script = write_script(tmp_path, "")
        script.write_text(IMPORTS + text)
        python = environment("3.13", "inference-schema[numpy-support]", "pandas")
        return start("--entry-script", script, "--python", python, "--service-name", "svc")

    return serving


@pytest.mark.slow
def test_arrays_are_tensors(schema) -> None:
    server = schema(ARRAYS)
    about = server.get("/v2/models/svc").json
    assert about["inputs"] == [
        {"name": "data", "datatype": "FP32", "shape": [-1, 2]},
        {"name": "factor", "datatype": "INT64", "shape": [1]},
        {"name": "options", "datatype": "BYTES", "shape": [1]},
    ]
    assert about["outputs"] == [{"name": "output", "datatype": "FP64", "shape": [-1]}]
    data = {"name": "data", "shape": [2, 2], "datatype": "FP32", "data": [1, 2, 3, 4]}
    expected = {"name": "output", "shape": [2], "datatype": "FP32"}
    assert infer(server, [data]).json["outputs"] == [{**expected, "data": [3.0, 7.0]}]
    nested = {**data, "data": [[1, 2], [3, 4]]}
    factor = {"name": "factor", "shape": [1], "datatype": "INT64", "data": [3]}
    options = {"name": "options", "shape": [1], "datatype": "BYTES", "data": ['{"a": 10}']}
    assert infer(server, [nested, factor, options]).json["outputs"] == [{**expected, "data": [19.0, 31.0]}]
    wrong = infer(server, [{**data, "shape": [4, 1]}])
    assert (wrong.status, wrong.json["code"]) == (400, "value_not_convertible")
    assert wrong.json["details"]["expected"] == "numpy array of float32, shape (any, 2)"
    assert infer(server, [factor]).json["code"] == "parameter_missing"
    unknown = infer(server, [{**data, "name": "x"}])
    assert unknown.status == 400 and "data, factor, options" in unknown.json["error"]
    assert server.score({"data": [[1, 2]]}).json == [3.0]
    for version, validator in (("3", OpenAPIV30SpecValidator), ("3.1", OpenAPIV31SpecValidator)):
        document = server.get(f"/swagger.json?version={version}").json
        validator(document).validate()
        assert "/v2/models/{model_name}/infer" in document["paths"]
        example = document["components"]["schemas"]["InferenceRequest"]["example"]
        assert [one["name"] for one in example["inputs"]] == ["data", "factor", "options"]
    assert "/v2" not in server.get("/swagger.json").json["paths"]


@pytest.mark.slow
@pytest.mark.parametrize("orient", ["records", "split", "index", "columns", "table"])
def test_columns_of_frames_are_tensors(schema, orient: str) -> None:
    server = schema(FRAME.format(orient=orient))
    about = server.get("/v2/models/svc").json
    assert [(one["name"], one["datatype"], one["shape"]) for one in about["inputs"]] == [
        ("n", "FP64", [-1]),
        ("s", "BYTES", [-1]),
        ("i", "INT64", [-1]),
    ]
    assert [(one["name"], one["datatype"]) for one in about["outputs"]] == [("t", "BYTES"), ("k", "INT64")]
    inputs = [
        {"name": "n", "shape": [2], "datatype": "FP64", "data": [1.5, 2.5]},
        {"name": "i", "shape": [2, 1], "datatype": "INT64", "data": [4, 5]},
        {"name": "s", "shape": [2], "datatype": "BYTES", "data": ["a", "b"]},
    ]
    answer = infer(server, inputs)
    assert answer.status == 200, answer.body
    assert answer.json["outputs"] == [
        {"name": "t", "shape": [2], "datatype": "BYTES", "data": ["a!", "b!"]},
        {"name": "k", "shape": [2], "datatype": "INT64", "data": [8, 10]},
    ]
    assert "columns i" in infer(server, [inputs[0], inputs[2]]).json["error"]
