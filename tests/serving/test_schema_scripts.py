"""Scripts with @input_schema: arguments, conversion errors, documents (spec/scoring-server.md sec. 5, 8)."""

from __future__ import annotations

import json

import article
import pytest
from openapi_spec_validator import OpenAPIV2SpecValidator, OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

from .interpreters import environment
from .running import Server, eventually, write_script

pytestmark = pytest.mark.slow

IMPORTS = """
import datetime
import numpy as np
import pandas as pd
from inference_schema.schema_decorators import input_schema, output_schema
from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType
from inference_schema.parameter_types.pandas_parameter_type import PandasParameterType
from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType
def init(): pass
"""

ARTICLE = """
input_sample = np.array([[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]])
output_sample = np.array([3726.995])

@input_schema('data', NumpyParameterType(input_sample))
@output_schema(NumpyParameterType(output_sample))
def run(data):
    return (data.sum(axis=1) * 1.0).tolist()
"""

FRAME = """
@input_schema('data', PandasParameterType(pd.DataFrame([{{"n": 5.1, "s": "v", "i": 3}}]), orient={orient!r}))
@output_schema(NumpyParameterType(np.array([0])))
def run(data):
    return [list(data.columns), len(data), str(data.iloc[:, 2].dtype)]
"""

NESTED = """
@input_schema('Inputs', StandardPythonParameterType({
    "frame": PandasParameterType(pd.DataFrame([{"a": 1}])), "rows": NumpyParameterType(np.array([[1.0, 2.0]]))}))
@input_schema('GlobalParameters', StandardPythonParameterType(1.5))
@output_schema(StandardPythonParameterType({"Results": [1.5]}))
def run(Inputs, GlobalParameters=2.0):
    return {"Results": [type(Inputs["frame"]).__name__, type(Inputs["rows"]).__name__, GlobalParameters]}
"""


@pytest.fixture(scope="module")
def python() -> str:
    return environment("3.13", "inference-schema", "numpy", "pandas")


@pytest.fixture(scope="module")
def schema(tmp_path_factory, python):
    """Serve a decorated script; one server for each text in this module."""
    servers: dict[str, Server] = {}

    def serving(text: str, *arguments) -> Server:
        key = text + repr(arguments)
        if key not in servers:
            folder = tmp_path_factory.mktemp("schema")
            script = write_script(folder, "")
            script.write_text(IMPORTS + text)
            server = Server("--entry-script", script, "--python", python, *arguments, cwd=folder)
            servers[key] = server.wait_listening()
        return servers[key]

    yield serving
    for server in servers.values():
        server.stop()


def test_the_articles_numpy_script(schema) -> None:
    server = schema(ARTICLE)
    rows = [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]]
    assert server.score({"data": rows}).json == [55.0, 55.0]
    assert server.score({"data": rows, "unknown": 1}).status == 200
    assert server.get(f"/score?data={json.dumps(rows[:1]).replace(' ', '')}").json == [55.0]


@pytest.mark.parametrize(
    ("body", "content_type", "status", "message"),
    [
        (b"{}", "text/plain", 415, "Expects Content-Type to be application/json"),
        (b"{}", None, 415, "Expects Content-Type to be application/json"),
        (b"", "application/json", 400, "POST body is empty. Expecting a JSON dictionary."),
        (b"{", "application/json", 400, "POST body could not be decoded as JSON: "),
        (b"\xff", "application/json", 400, "Input cannot be decoded as UTF-8: "),
        (b"[" * 100_000, "application/json", 400, "POST body could not be decoded as JSON: "),
        (b"[1]", "application/json; charset=utf-8", 400, "POST body should be a JSON dictionary."),
        (b'{"x": 1}', "application/json", 400, "A value is not provided for the 'data' parameter."),
    ],
)
def test_bodies_that_are_no_input(schema, body, content_type, status, message) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = schema(ARTICLE).request("POST", "/score", body, headers)
    assert answer.status == status
    assert answer.json["message"].startswith(message)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_json_may_begin_with_a_byte_order_mark_or_be_wider_than_utf_8(schema, encoding: str) -> None:
    server = schema(ARTICLE)
    body = json.dumps({"data": [[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]]}).encode(encoding)
    for _ in range(3):
        answer = server.request("POST", "/score", body, {"Content-Type": "application/json"})
        assert (answer.status, answer.json) == (200, [55.0])
    cut = server.request("POST", "/score", b"\xff\xfe{", {"Content-Type": "application/json"})
    assert (cut.status, cut.json["code"]) == (400, "body_not_utf8")


@pytest.mark.parametrize(
    "value",
    [[[1, 2, 3]], [1], 5, "x", None, {"a": 1}, [["a"] * 10], [[1] * 10, [1] * 9], [[None] * 10], [[[1]] * 10]],
)
def test_a_value_that_the_schema_cannot_convert_is_a_400_that_says_what_was_expected(schema, value) -> None:
    server = schema(ARTICLE)
    answer = server.score({"data": value})
    assert answer.status == 400, answer.body
    assert answer.json["code"] == "value_not_convertible"
    name = answer.headers["x-request-id"]
    said = eventually(lambda: [line for line in server.lines if f"{name} The value of 'data' cannot be" in line])
    assert len(said) == 1 and " W [" in said[0] and "expected numpy array of " in said[0]
    assert answer.headers["x-ms-run-function-failed"] == "False"
    details = answer.json["details"]
    assert details["path"] == "data" and details["got"] == type(value).__name__
    assert details["expected"] == "numpy array of int64, shape (any, 10)"


def test_the_same_error_raised_by_the_script_itself_is_its_own(schema) -> None:
    server = schema(ARTICLE.replace("    return", "    raise ValueError('Invalid input array: mine')\n    return"))
    answer = server.score({"data": [[1] * 10]})
    assert (answer.status, answer.json["code"]) == (500, "run_failed")


@pytest.mark.parametrize("orient", ["records", "split", "index", "columns", "values", "table"])
def test_every_orient_of_pandas(schema, orient: str) -> None:
    server = schema(FRAME.format(orient=orient))
    document = server.get("/swagger.json?version=3.1").json
    example = document["components"]["schemas"]["ServiceInput"]["example"]
    answer = server.score(example)
    assert answer.status == 200, answer.body
    assert answer.json[1] == 1
    if orient != "values":
        assert answer.json[0] == ["n", "s", "i"] and answer.json[2] == "int64"
    wrong = server.score({"data": "text"})
    assert (wrong.status, wrong.json["details"]["path"]) == (400, "data")


def test_nested_samples_and_parameters_with_defaults(schema) -> None:
    server = schema(NESTED)
    inputs = {"frame": [{"a": 1}], "rows": [[1, 2], [3, 4]]}
    answer = server.score({"Inputs": inputs, "GlobalParameters": 3})
    assert answer.json == {"Results": ["DataFrame", "ndarray", 3]}
    answer = server.score({"Inputs": {**inputs, "rows": [[1]]}, "GlobalParameters": 3.5})
    assert (answer.status, answer.json["details"]["path"]) == (400, "Inputs.rows")


VALIDATORS = {"2": OpenAPIV2SpecValidator, "3": OpenAPIV30SpecValidator, "3.1": OpenAPIV31SpecValidator}


@pytest.mark.parametrize("text", [ARTICLE, NESTED, *(FRAME.format(orient=o) for o in ("records", "split", "table"))])
@pytest.mark.parametrize("version", ["2", "3", "3.1"])
def test_documents_are_valid(schema, text: str, version: str) -> None:
    answer = schema(text).get(f"/swagger.json?version={version}")
    if version == "2" and "'split'" in text:
        assert answer.status == 404  # lists of two types have no form in 2.0
        return
    assert answer.headers["Content-Type"] == "application/json"
    VALIDATORS[version](answer.json).validate()


def article_document() -> dict:
    text = article.article().read_text("utf-8")
    start = text.index("{", text.index('"swagger": "2.0"') - 20)
    return json.JSONDecoder().raw_decode(text[start:])[0]


def test_the_document_is_the_articles(schema) -> None:
    wanted = article_document()
    found = schema(ARTICLE, "--service-name", "myservice").get("/swagger.json").json
    # inference-schema's later releases add the format of arrays; what is required is our addition.
    for name in ("ServiceInput", "ServiceOutput"):
        found["definitions"][name].pop("format", None)
    assert found["definitions"]["ServiceInput"].pop("required") == ["data"]
    found["definitions"]["ServiceInput"]["properties"]["data"].pop("format", None)
    # The article's says https and keys of every service, and names the cloud; ours says what holds for this one.
    assert wanted.pop("schemes") == ["https"] and wanted.pop("securityDefinitions")
    assert wanted["paths"]["/score"]["post"].pop("security")
    assert wanted["info"].pop("description") and found["info"].pop("description")
    assert found == wanted


def test_versions_of_the_document(schema) -> None:
    server = schema(ARTICLE)
    assert server.get("/swagger.json").json["swagger"] == "2.0"
    assert server.get("/swagger.json?version=2.0").json["swagger"] == "2.0"
    assert server.get("/swagger.json?version=3.0").json["openapi"] == "3.0.3"
    assert server.get("/swagger.json?version=3.1").json["openapi"] == "3.1.0"
    answer = server.get("/swagger.json?version=3.0a")
    assert answer.status == 404
    assert answer.json["message"] == "Swagger version [3.0a] is not valid. Supported versions: [2, 3, 3.1]."


def test_a_schema_that_2_0_cannot_express_has_no_such_document(schema) -> None:
    server = schema("""
@input_schema('data', StandardPythonParameterType([1, "a"]))
def run(data):
    return data
""")
    answer = server.get("/swagger.json?version=2")
    assert answer.status == 404
    assert answer.json["message"] == (
        "Swagger version [2] is not supported for the scoring script. Supported swagger versions: [3, 3.1]."
    )
    assert server.get("/swagger.json?version=3").status == 200


def test_undecorated_scripts_have_a_document_and_the_users_own_goes_first(serve, tmp_path) -> None:
    server = serve("def init(): pass\ndef run(data): return 1\n", "--service-name", "plain")
    for version, validator in VALIDATORS.items():
        document = server.get(f"/swagger.json?version={version}").json
        validator(document).validate()
        schemas = document.get("definitions") or document["components"]["schemas"]
        assert schemas["ServiceInput"] == schemas["ServiceOutput"] == {"type": "object", "example": {}}
        assert document["info"]["title"] == "plain"
    (tmp_path / "swagger2.json").write_text('{"mine": 2}')
    (tmp_path / "swagger3.json").write_text("not json")
    server = serve("def init(): pass\ndef run(data): return 1\n")
    assert server.get("/swagger.json").json == {"mine": 2}
    assert server.get("/swagger.json?version=3").json["openapi"] == "3.0.3"
    server.stop()
    assert "swagger3.json is not used" in server.log


def test_request_headers_are_not_part_of_the_document(schema) -> None:
    server = schema("""
@input_schema('n', StandardPythonParameterType(1))
def run(n, request_headers):
    return [n, request_headers["X-A"]]
""")
    schemas = server.get("/swagger.json").json["definitions"]
    assert list(schemas["ServiceInput"]["properties"]) == ["n"]
    assert list(schemas["ServiceInput"]["example"]) == ["n"]
    assert server.score({"n": 4}, X_A="x").json == [4, "x"]


def test_dates_and_bytes(schema) -> None:
    server = schema("""
@input_schema('when', StandardPythonParameterType(datetime.datetime(2020, 1, 2, 3, 4, 5)))
@input_schema('blob', StandardPythonParameterType(b"abc"))
def run(when, blob):
    return [when, blob]
""")
    answer = server.score({"when": "2021-02-03 04:05:06", "blob": "AAE="})
    assert answer.json == ["2021-02-03T04:05:06", "AAE="]
    assert server.score({"when": "never", "blob": "AAE="}).status == 400


def test_a_decorated_parameter_with_a_default_may_be_left_out(schema) -> None:
    server = schema("""
@input_schema('a', StandardPythonParameterType(1))
@input_schema('b', StandardPythonParameterType("x"))
@input_schema('c', StandardPythonParameterType(1.5))
def run(a, b="dflt", c=None, d=4):
    return [a, b, c, d]
""")
    assert server.score({"a": 1, "c": 2.5}).json == [1, "dflt", 2.5, 4]
    assert server.score({"a": 1, "b": "y", "c": 3, "d": [5]}).json == [1, "y", 3, [5]]
    answer = server.score({"a": 1})
    assert (answer.status, answer.json["code"]) == (400, "parameter_missing")
