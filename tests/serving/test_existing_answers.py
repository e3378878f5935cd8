"""The tables of spec/scoring-server.md sec. 3 to 7 and 9, row by row: scripts, routes, inputs, results, codes."""

from __future__ import annotations

import json
import re

import pytest

from .existing_server import Start, twin
from .test_identifiers import TABLE

__all__ = ["twin"]

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
BROKEN = "An unexpected error occurred in scoring script. Check the logs for more info."
INTERNAL = "An unexpected internal error occurred. Check the logs for more info."
NOT_FOUND = (
    "The requested URL was not found on the server. If you entered the URL manually please check your spelling "
    "and try again."
)

STRING = """
    import sys, time
    name = __name__
    def init(): pass
    def run(data, scale=2, request_headers=None):
        if data == "name": return name
        if data == "headers": return request_headers
        if data == "none": return None
        if data == "text": return '{"a": 1}'
        if data == "letters": return "\\u00e9"
        if data == "nan": return float("nan")
        if data == "set": return {1}
        if data == "bytes": return object()
        if data == "fail": raise ValueError("private")
        if data == "slow": time.sleep(20)
        if data == "exit": sys.exit(3)
        if data == "half": time.sleep(0.6)
        return [data, scale]
"""
SCHEMA = """
    import numpy as np
    from inference_schema.schema_decorators import input_schema, output_schema
    from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType
    from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType

    def init(): pass

    @input_schema("num", StandardPythonParameterType(1))
    @input_schema("data", NumpyParameterType(np.array([[1.0, 2.0]])))
    @output_schema(StandardPythonParameterType([1.0]))
    def run(num, data, factor=3): return [num, data.tolist(), factor, str(data.dtype)]
"""
RAW = """
    from azureml.contrib.services.aml_request import AMLRequest, rawhttp
    from azureml.contrib.services.aml_response import AMLResponse
    import azureml_inference_server_http.api.aml_request as newer

    def init(): pass

    @rawhttp
    def run(request, request_headers=None, more=1):
        asked = request.args.get("give", "")
        if asked == "kind": return [newer.rawhttp is rawhttp, more]
        if asked == "none": return AMLResponse(None, 200)
        if asked == "json": return AMLResponse({"a": [1]}, 201, json_str=True)
        if asked == "text": return AMLResponse("<b>", 200)
        if asked == "csv": return AMLResponse("a,b", 200, {"Content-Type": "text/csv; charset=utf-8"})
        problem = {"Content-Type": "application/problem+json"}
        if asked == "own": return AMLResponse({"a": 1}, 200, problem, json_str=True)
        if asked == "case": return AMLResponse("a,b", 200, {"content-type": "text/csv"})
        if asked == "many": return AMLResponse("x", 200, {"X-One": "a, b,c"})
        if asked == "ids": return AMLResponse("x", 200, {"x-request-id": "mine"})
        if asked == "failed": return AMLResponse("x", 200, {}, False, True)
        if asked == "teapot": return AMLResponse("x", 418)
        if asked == "busy": return AMLResponse("x", 503)
        if asked == "stream": return AMLResponse((piece for piece in ("a", "b")), 200)
        return [request.method, request.get_data(as_text=True)]
"""


@pytest.fixture
def string(twin: Start):
    return twin(STRING, env={"SCORING_TIMEOUT_MS": "900"})


@pytest.fixture
def schema(twin: Start):
    return twin(SCHEMA)


@pytest.fixture
def raw(twin: Start):
    return twin(RAW)


# Section 3: the entry script


def test_script_is_executed_as_entry_module(string) -> None:
    assert string.score("name").json == "entry_module"


def test_script_request_headers_are_a_dict_with_names_in_title_case(string) -> None:
    found = string.score("headers", **{"tEST-header": "1", "x-ms-request-id": "B"}).json
    assert (found["Test-Header"], found["X-Ms-Request-Id"]) == ("1", "B")


def test_script_parameters_with_defaults_are_allowed(string, schema, raw) -> None:
    assert string.score("x").json == ["x", 2]
    assert raw.get("/score?give=kind").json[1] == 1
    found = schema.score({"num": 1, "data": [[1, 2]]}).json
    assert found == [1, [[1.0, 2.0]], 3, "float64"]
    assert schema.score({"num": 1, "data": [[1, 2]], "factor": 4}).json[2] == 4


def test_script_azureml_names_need_no_package(raw) -> None:
    assert raw.get("/score?give=kind").json[0] is True


# Section 4: routes


def test_route_root(string) -> None:
    for method, body in (("GET", b"Healthy"), ("HEAD", b""), ("OPTIONS", b"")):
        answer = string.request(method, "/")
        assert (answer.status, answer.body) == (200, body), method
        assert answer.headers["Content-Type"].startswith("text/html")


def test_route_score_takes_no_head(string) -> None:
    assert string.request("HEAD", "/score").status == 405


@pytest.mark.parametrize("path", ["/nowhere", "/score/more", "/docs", "/metrics"])
def test_route_other_path(string, path) -> None:
    for method in ("GET", "POST"):
        answer = string.request(method, path)
        assert (answer.status, answer.json) == (404, {"message": NOT_FOUND})
        assert answer.headers["x-request-id"] is None and answer.headers["x-ms-request-id"] is None


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/score"), ("DELETE", "/score"), ("POST", "/"), ("POST", "/swagger.json")]
)
def test_route_other_method(string, method, path) -> None:
    answer = string.request(method, path)
    assert (answer.status, answer.json) == (405, {"message": "The method is not allowed for the requested URL."})
    assert answer.headers["x-request-id"] is None


# Section 5: how input becomes run()'s argument


@pytest.mark.parametrize(
    ("query", "given"),
    [
        ("", {}),
        ("?a=1&b=x", {"a": 1, "b": "x"}),
        ("?a=1&a=2", {"a": [1, 2]}),
        ("?a=[1,2]&b=%7B%22c%22:null%7D", {"a": [1, 2], "b": {"c": None}}),
        ("?a=true&b=", {"a": True, "b": ""}),
    ],
)
def test_input_of_a_string_script_by_get(string, query, given) -> None:
    assert json.loads(string.get(f"/score{query}").json[0]) == given


def test_input_of_a_string_script_by_post(string) -> None:
    assert string.request("POST", "/score", "\u00e9".encode(), {"Content-Type": "text/weird"}).json == ["\u00e9", 2]
    assert string.request("POST", "/score", b"").json == ["", 2]
    answer = string.score(b"\xff\xfe")
    assert answer.status == 400 and answer.json["message"].startswith("Input cannot be decoded as UTF-8: ")
    assert answer.headers["x-ms-run-function-failed"] == "False"


def test_input_by_options(string, schema, raw) -> None:
    for server in (string, schema):
        answer = server.request("OPTIONS", "/score")
        assert (answer.status, answer.body) == (200, b"")
    assert raw.request("OPTIONS", "/score").json == ["OPTIONS", ""]


def test_input_of_a_raw_script(raw) -> None:
    assert raw.score("x").json == ["POST", "x"]
    assert raw.get("/score").json == ["GET", ""]


@pytest.mark.parametrize(
    ("content_type", "body", "status", "message"),
    [
        ("application/json", b"", 400, "POST body is empty. Expecting a JSON dictionary."),
        ("application/json", b"[1]", 400, "POST body should be a JSON dictionary."),
        ("application/json", b"{", 400, "POST body could not be decoded as JSON: "),
        ("application/json", b'{"data": [[1, 2]]}', 400, "A value is not provided for the 'num' parameter."),
        ("application/json; charset=utf-8", b'{"num": 1, "data": [[1, 2]], "other": 1}', 200, None),
        ("text/plain", b'{"num": 1, "data": [[1, 2]]}', 415, "Expects Content-Type to be application/json"),
        ("application/json", b'{"num": 1, "data": "x"}', 500, BROKEN),
    ],
)
def test_input_of_a_schema_script_by_post(schema, content_type, body, status, message) -> None:
    answer = schema.request("POST", "/score", body, {"Content-Type": content_type})
    assert answer.status == status
    if message is not None:
        assert list(answer.json) == ["message"] and answer.json["message"].startswith(message)


def test_input_of_a_schema_script_by_get(schema) -> None:
    assert schema.get("/score?num=1&data=[[1,2]]").json[:2] == [1, [[1.0, 2.0]]]


# Section 6: what run() gives back


@pytest.mark.parametrize(
    ("asked", "body"),
    [
        ("none", b"{}"),
        ("text", b'"{\\"a\\": 1}"'),
        ("letters", b'"\\u00e9"'),
        ("nan", b"NaN"),
        ("x", b'["x", 2]'),
    ],
)
def test_result_is_json(string, asked, body) -> None:
    answer = string.score(asked)
    assert (answer.status, answer.body, answer.headers["Content-Type"]) == (200, body, "application/json")


def test_result_that_is_no_json(string) -> None:
    answer = string.score("bytes")
    assert (answer.status, answer.json) == (500, {"message": INTERNAL})
    assert answer.headers["x-ms-run-function-failed"] == "False"


@pytest.mark.parametrize(
    ("asked", "status", "content_type", "body", "failed"),
    [
        ("none", 200, "application/json", b"{}", "False"),
        ("json", 201, "application/json", b'{"a": [1]}', "False"),
        ("text", 200, "text/html; charset=utf-8", b"<b>", "False"),
        ("csv", 200, "text/csv; charset=utf-8", b"a,b", "False"),
        ("failed", 200, "text/html; charset=utf-8", b"x", "True"),
        ("teapot", 418, "text/html; charset=utf-8", b"x", "False"),
        ("busy", 503, "text/html; charset=utf-8", b"x", "True"),
        ("stream", 200, "text/html; charset=utf-8", b"ab", "False"),
    ],
)
def test_result_amlresponse(raw, asked, status, content_type, body, failed) -> None:
    answer = raw.get(f"/score?give={asked}")
    assert (answer.status, answer.headers["Content-Type"], answer.body) == (status, content_type, body)
    assert answer.headers["x-ms-run-function-failed"] == failed


def test_result_amlresponse_content_types_of_its_own(raw) -> None:
    assert "application/problem+json" in raw.get("/score?give=own").headers.get_all("Content-Type")
    assert "text/csv" in raw.get("/score?give=case").headers.get_all("content-type")


def test_result_amlresponse_header_values_are_split_at_commas(raw) -> None:
    assert raw.get("/score?give=many").headers.get_all("X-One") == ["a", "b", "c"]


# Section 7: headers


def test_headers_of_every_routed_answer(string) -> None:
    for path in ("/", "/score", "/swagger.json"):
        headers = string.get(path, TraceId="t1").headers
        assert headers["x-request-id"] and headers["x-ms-request-id"]
        assert re.fullmatch(r"[\w-]+/[\w.]+", headers["x-ms-server-version"])
        assert headers["TraceId"] == "t1"


def test_headers_of_score(string) -> None:
    headers = string.score("x").headers
    assert headers["x-ms-run-function-failed"] == "False"
    assert re.fullmatch(r"\d+\.\d{3}", headers["x-ms-run-fn-exec-ms"])
    failed = string.score("fail").headers
    assert failed["x-ms-run-function-failed"] == "True" and failed["x-ms-run-fn-exec-ms"] is None


@pytest.mark.parametrize(
    ("given", "request_id", "ms_request_id", "client_request_id"),
    TABLE,
)
def test_headers_table_of_ids(string, given, request_id, ms_request_id, client_request_id) -> None:
    headers = string.get("/score", **given).headers
    assert GUID.match(headers["x-request-id"]) if request_id == "new" else headers["x-request-id"] == request_id
    assert headers["x-ms-request-id"] == (headers["x-request-id"] if ms_request_id == "same" else ms_request_id)
    assert headers["x-ms-client-request-id"] == client_request_id


def test_headers_a_script_cannot_change_the_request_id(raw) -> None:
    assert raw.get("/score?give=ids", **{"x-request-id": "A"}).headers["x-request-id"] == "A"


def test_headers_ids_over_100_characters(string) -> None:
    answer = string.score("x", **{"x-request-id": "A" * 101})
    assert (answer.status, answer.json) == (431, {"message": "x-request-id must not exceed 100 characters"})
    assert not any(answer.headers[name] for name in ("x-request-id", "x-ms-request-id", "x-ms-client-request-id"))
    for name in ("x-ms-request-id", "x-ms-client-request-id"):
        answer = string.score("x", **{name: "A" * 101})
        text = "x-ms-request-id and x-ms-client-request-id must not exceed 100 characters"
        assert (answer.status, answer.json) == (431, {"message": text})
        assert answer.headers["x-request-id"] and not answer.headers["x-ms-request-id"]


# Section 9: errors and time


@pytest.mark.parametrize(
    ("asked", "message", "failed"),
    [
        ("fail", BROKEN, "True"),
        ("slow", "Scoring timeout after 900 ms", "True"),
        ("bytes", INTERNAL, "False"),
    ],
)
def test_error(string, asked, message, failed) -> None:
    answer = string.score(asked)
    assert (answer.status, answer.json) == (500, {"message": message})
    assert answer.headers["x-ms-run-function-failed"] == failed
    assert answer.headers["Content-Type"] == "application/json"


def test_error_sys_exit_in_run_ends_that_request_alone(string) -> None:
    assert string.score("exit").status == 500
    assert string.score("x").status == 200


def test_error_the_time_limit_is_that_of_run_and_not_of_the_wait(string) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(string.score, ["half"] * 3))
    assert [answer.status for answer in answers] == [200] * 3


def test_error_after_a_time_out_the_next_request_is_answered_however_long_init_takes(twin: Start) -> None:
    script = """
        import time
        def init(): time.sleep(1.5)
        def run(data):
            if data == "slow": time.sleep(20)
            return data
    """
    server = twin(script, env={"SCORING_TIMEOUT_MS": "500"})
    assert server.score("slow").json == {"message": "Scoring timeout after 500 ms"}
    assert server.score("x").json == "x"
