"""The command that takes the existing server's options: its codes, bodies and log lines (settled.md)."""

from __future__ import annotations

import re
import sys

import pytest

from sendoff_serving.existing_command import translate

from .interpreters import environment
from .running import eventually

SCRIPT = """
    import time

    def init():
        pass

    def run(data, scale=2):
        print("seen", data)
        if data == "fail": raise ValueError("private")
        if data == "slow": time.sleep(30)
        if data == "set": return {object()}
        if data == "nan": return float("nan")
        return [data, scale]
"""


@pytest.fixture
def compatible(serve):
    return lambda text, *arguments, **more: serve(text, "--compatible", *arguments, **more)


def test_the_options_are_translated() -> None:
    given = ["--entry_script", "s.py", "--model_dir=m", "--port", "7", "--worker_count", "2", "--config_file", "c.json"]
    given += ["--access_control_allow_origins", "a, b", "--health_port", "1", "--appinsights_instrumentation_key", "k"]
    ours, variables = translate(given)
    assert ours == [
        *("--compatible", "--entry-script", "s.py", "--model-dir", "m", "--port", "7", "--workers", "2"),
        *("--cors-origins", "a, b", "--host", "0.0.0.0"),
    ]
    insights = {"AML_APP_INSIGHTS_ENABLED": "true", "AML_APP_INSIGHTS_KEY": "k"}
    assert variables == {"AZUREML_CONFIG_FILE": "c.json", **insights}


def test_codes_and_bodies_are_the_existing_servers(compatible) -> None:
    server = compatible(SCRIPT, "--scoring-timeout-ms", 700)
    answer = server.score("x")
    assert (answer.status, answer.json) == (200, ["x", 2])
    for body, status, message, failed in (
        ("fail", 500, "An unexpected error occurred in scoring script. Check the logs for more info.", "True"),
        ("slow", 500, "Scoring timeout after 700 ms", "True"),
        ("set", 500, "An unexpected internal error occurred. Check the logs for more info.", "False"),
        (b"\xff", 400, None, "False"),
    ):
        answer = server.score(body)
        assert answer.status == status, body
        assert list(answer.json) == ["message"]
        assert message is None or answer.json["message"] == message
        assert answer.headers["x-ms-run-function-failed"] == failed
        eventually(lambda: server.score("x").status == 200)  # the stuck worker is replaced
    assert server.score("nan").body == b"NaN"
    assert server.get("/nowhere").json.keys() == {"message"}
    assert server.request("PUT", "/score").json == {"message": "The method is not allowed for the requested URL."}
    assert server.request("HEAD", "/score").status == 405


@pytest.mark.parametrize(
    "path",
    [
        *("/metrics", "/docs", "/health/live", "/health/ready", "/health/startup"),
        *("/v2", "/v2/health/live", "/v2/models/ML%20service", "/v2/models/ML%20service/infer"),
    ],
)
def test_what_the_existing_server_has_not_is_not_found(shared, path) -> None:
    server = shared(SCRIPT, "--compatible")
    for method in ("GET", "POST", "OPTIONS"):
        answer = server.request(method, path, b"{}" if method == "POST" else None)
        assert answer.status == 404 and list(answer.json) == ["message"], method
    assert server.get("/").body == b"Healthy"
    for version in ("2", "3", "3.1"):
        paths = list(server.get(f"/swagger.json?version={version}").json["paths"])
        assert paths == ["/", "/score", "/swagger.json"]


def test_log_lines_are_the_existing_servers(compatible) -> None:
    server = compatible(SCRIPT)
    server.score("x")
    server.get("/")
    server.score("fail")
    server.stop()
    line = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [DIWEC] \[\d+\] "
    for pattern in (
        r"azmlinfsrv\.print - seen x$",
        r"azmlinfsrv - POST /score 200 \d+\.\d{3}ms 8$",
        r"azmlinfsrv - POST /score 500 ",
        r"azmlinfsrv - Encountered Exception: Traceback",
        r"azmlinfsrv\.user_script - Found user script at /\S+/score\.py$",
        r"azmlinfsrv\.user_script - run\(\) is not decorated\. Server will invoke it with the input in JSON string\.$",
        r"azmlinfsrv\.user_script - Invoking user's init function$",
        r"azmlinfsrv\.user_script - Users's init has completed successfully$",
        r"azmlinfsrv\.swagger - Swaggers are prepared for the following versions: \[2, 3, 3\.1\]\.$",
        r"azmlinfsrv - Worker with pid \d+ ready for serving traffic$",
        r"azmlinfsrv - Scoring timeout is set to 3600000$",
    ):
        assert any(re.match(line + pattern, text) for text in server.lines), pattern
    assert not any("GET / 200" in text for text in server.lines)


@pytest.mark.slow
def test_a_value_that_cannot_be_converted_is_the_scripts_500(compatible) -> None:
    python = environment(f"{sys.version_info[0]}.{sys.version_info[1]}", "inference-schema[numpy-support]")
    server = compatible("""
        import numpy as np
        from inference_schema.schema_decorators import input_schema
        from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType

        def init(): pass

        @input_schema("data", NumpyParameterType(np.array([[1.0]])))
        def run(data): return data.tolist()
    """, "--python", python)  # fmt: skip
    answer = server.score({"data": [[1, 2]]})
    assert (answer.status, list(answer.json)) == (500, ["message"])
    assert answer.headers["x-ms-run-function-failed"] == "True"
    assert server.score({"data": [[1]]}).json == [[1.0]]
    answer = server.score(b"\xff")
    assert (answer.status, answer.json["message"][:31]) == (500, "An unexpected internal error oc")
    assert answer.headers["x-ms-run-function-failed"] == "False"
    found = server.get("/swagger.json?version=3").json
    assert "required" not in found["components"]["schemas"]["ServiceInput"]
    assert "minItems" not in str(found) and "maxItems" not in str(found)
    server.stop()
    said = [line for line in server.lines if "The value of 'data' cannot be converted" in line]
    assert len(said) == 1 and " E [" in said[0]
    assert "expected numpy array of float64, shape (any, 1), got list" in said[0]


def test_what_a_raw_script_cannot_parse_is_the_scripts_500(compatible) -> None:
    server = compatible("""
        from azureml.contrib.services.aml_request import rawhttp
        def init(): pass
        @rawhttp
        def run(request): return request.get_json(force=True)
    """)
    answer = server.request("POST", "/score", b"{")
    assert (answer.status, answer.headers["x-ms-run-function-failed"]) == (500, "True")
    assert answer.json == {"message": "An unexpected error occurred in scoring script. Check the logs for more info."}
    server.stop()
    assert "The request body is not JSON" in server.log


def test_every_answer_but_health_says_whether_run_failed(compatible) -> None:
    server = compatible(SCRIPT)
    for method, path in (("GET", "/swagger.json"), ("GET", "/nowhere"), ("PUT", "/score"), ("HEAD", "/score")):
        answer = server.request(method, path)
        assert answer.headers.get_all("x-ms-run-function-failed") == ["False"], path
    assert server.get("/").headers["x-ms-run-function-failed"] is None
    assert server.request("OPTIONS", "/swagger.json").headers["x-ms-run-function-failed"] is None
    for path in ("/", "/swagger.json"):
        refused = server.get(path, x_request_id="x" * 101)
        assert (refused.status, refused.headers["x-ms-run-function-failed"]) == (431, "False"), path
    assert server.request("HEAD", "/score").headers["x-request-id"]
    assert server.request("PUT", "/score").headers["x-request-id"] is None


def test_documents_are_the_existing_servers(compatible) -> None:
    server = compatible(SCRIPT, "--service-name", "svc")
    for version in ("2", "3", "3.1"):
        found = server.get(f"/swagger.json?version={version}").json
        assert found["info"]["description"] == "API specification for the Azure Machine Learning service svc"
        assert list(found["paths"]) == ["/", "/score", "/swagger.json"]
        assert list(found["paths"]["/score"]) == ["post"]
        asked = found["paths"]["/swagger.json"]["get"]
        assert (asked["operationId"], asked["description"]) == ("GetSwaggerSpec", "Get the Swagger specification.")
        assert asked["responses"]["200"]["description"] == "The Swagger specification."
        new = version != "2"
        schemas = found["components"]["schemas"] if new else found["definitions"]
        assert list(schemas["ErrorResponse"]["properties"]) == ["message"]
        bearer = found["components"]["securitySchemes"] if new else found["securityDefinitions"]
        assert bearer["Bearer"]["type"] == "apiKey"
        assert found["paths"]["/score"]["post"]["security"] == [{"Bearer": []}]
        assert new == ("security" in found)
