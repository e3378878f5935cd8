"""Compatibility mode where it must differ from our own: what ``test_existing_*.py`` ask of both servers is not here."""

from __future__ import annotations

import os
import sys

import pytest

from sendoff_serving.existing_command import translate

from .interpreters import environment

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
    key = "12345678-1234-1234-1234-123456789abc"
    given = ["--entry_script", "s.py", "--model_dir=m", "--port", "7", "--worker_count", "2", "--config_file", "c.json"]
    given += ["--access_control_allow_origins", "a, b", "--health_port", "1", "--appinsights_instrumentation_key", key]
    ours, variables = translate([*given, "--log-format", "json"], {"SEPERATE_HEALTH_ENDPOINT": "true"})
    assert ours == [
        *("--compatible", "--log-format", "json", "--entry-script", "s.py", "--model-dir", "m", "--port", "7"),
        *("--workers", "2", "--cors-origins", "a, b", "--host", "0.0.0.0", "--health-port", "1"),
    ]
    here = os.path.realpath
    insights = {"AML_APP_INSIGHTS_ENABLED": "true", "AML_APP_INSIGHTS_KEY": key}
    files = {"AZUREML_ENTRY_SCRIPT": here("s.py"), "AZUREML_CONFIG_FILE": here("c.json")}
    assert variables == {**files, **insights, "SERVER_PORT": "7", "HEALTH_PORT": "1"}


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
