"""The OpenAPI documents of spec/scoring-server.md sec. 8, and the log lines of sec. 10, row by row."""

from __future__ import annotations

import json
import re

import pytest

from .existing_server import Start, twin
from .running import eventually

__all__ = ["twin"]

PLAIN = """
    import logging, sys
    def init(): pass
    def run(data):
        print("printed", data, 1)
        print("elsewhere", file=sys.stderr)
        if data == "fail": raise ValueError("private")
        return data
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
    def run(num, data): return [1.0]
"""
MIXED = """
    from inference_schema.schema_decorators import input_schema
    from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType
    def init(): pass
    @input_schema("data", StandardPythonParameterType([1, "a"]))
    def run(data): return 1
"""
RAW = """
    from azureml.contrib.services.aml_request import rawhttp
    def init(): pass
    @rawhttp
    def run(request): return 1
"""
NAMED = {"SERVICE_NAME": "svc", "SERVICE_VERSION": "2.0", "SERVICE_PATH_PREFIX": "pre"}
FAILED = "The service failed to execute due to an error."
HEALTH = "Simple health check endpoint to ensure the service is up at any given point."
HEALTHY = "If service is up and running, this response will be returned with the content 'Healthy'"
RUN = "Run web service's model and get the prediction output"
GIVEN = "The service processed the input correctly and provided a result prediction, if applicable."
INPUT = "The input payload for executing the real-time machine learning service."
ROW = {"type": "array", "items": {"type": "number", "format": "double"}}
NUMBERS = {"type": "array", "items": ROW, "format": "numpy.ndarray"}
SERVICE_INPUT = {
    "type": "object",
    "properties": {"num": {"type": "integer", "format": "int64"}, "data": NUMBERS},
    "example": {"num": 1, "data": [[1.0, 2.0]]},
}
SERVICE_OUTPUT = {"type": "array", "items": {"type": "number", "format": "double"}, "example": [1.0]}
ANYTHING = {"type": "object", "example": {}}
ERROR = {"type": "object", "properties": {"message": {"type": "string"}}}
BEARER = {"type": "apiKey", "name": "Authorization", "in": "header", "description": "For example: Bearer abc123"}
INFO = {
    "title": "svc",
    "description": "API specification for the Azure Machine Learning service svc",
    "version": "2.0",
}


def swagger_2(service_input: object, service_output: object) -> dict[str, object]:
    """The whole text of a 2.0 document."""

    def answers(description: str, more: dict[str, object]) -> dict[str, object]:
        failed = {"description": FAILED, "schema": {"$ref": "#/definitions/ErrorResponse"}}
        return {"200": {"description": description, **more}, "default": failed}

    text = {"schema": {"type": "string"}}
    version = {"name": "version", "in": "query", "required": False, "type": "integer", "enum": [2, 3]}
    payload = {"name": "serviceInputPayload", "in": "body", "description": INPUT}
    return {
        "swagger": "2.0",
        "info": INFO,
        "schemes": ["https"],
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "securityDefinitions": {"Bearer": BEARER},
        "paths": {
            "/pre/": {
                "get": {
                    "operationId": "ServiceHealthCheck",
                    "description": HEALTH,
                    "responses": answers(HEALTHY, {**text, "examples": {"application/json": "Healthy"}}),
                }
            },
            "/pre/score": {
                "post": {
                    "operationId": "RunMLService",
                    "description": RUN,
                    "security": [{"Bearer": []}],
                    "parameters": [{**payload, "schema": {"$ref": "#/definitions/ServiceInput"}}],
                    "responses": answers(GIVEN, {"schema": {"$ref": "#/definitions/ServiceOutput"}}),
                }
            },
            "/pre/swagger.json": {
                "get": {
                    "operationId": "GetSwaggerSpec",
                    "description": "Get the Swagger specification.",
                    "parameters": [version],
                    "responses": answers("The Swagger specification.", text),
                }
            },
        },
        "definitions": {"ServiceInput": service_input, "ServiceOutput": service_output, "ErrorResponse": ERROR},
    }


def swagger_3(number: str, service_input: object, service_output: object) -> dict[str, object]:
    """The whole text of a 3.x document."""

    def schema(name: str) -> dict[str, object]:
        return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}

    def answers(description: str, content: object) -> dict[str, object]:
        failed = {"description": FAILED, "content": schema("ErrorResponse")}
        return {"200": {"description": description, "content": content}, "default": failed}

    version = {"name": "version", "in": "query", "required": False, "schema": {"type": "integer", "enum": [2, 3]}}
    return {
        "openapi": number,
        "info": INFO,
        "security": [{"Bearer": []}],
        "paths": {
            "/pre/": {
                "get": {
                    "operationId": "ServiceHealthCheck",
                    "description": HEALTH,
                    "responses": answers(HEALTHY, {"text/plain": {"schema": {"type": "string", "example": "Healthy"}}}),
                }
            },
            "/pre/score": {
                "post": {
                    "operationId": "RunMLService",
                    "description": RUN,
                    "security": [{"Bearer": []}],
                    "requestBody": {"description": INPUT, "content": schema("ServiceInput")},
                    "responses": answers(GIVEN, schema("ServiceOutput")),
                }
            },
            "/pre/swagger.json": {
                "get": {
                    "operationId": "GetSwaggerSpec",
                    "description": "Get the Swagger specification.",
                    "parameters": [version],
                    "responses": answers("The Swagger specification.", {"text/plain": {"schema": {"type": "string"}}}),
                }
            },
        },
        "components": {
            "securitySchemes": {"Bearer": BEARER},
            "schemas": {"ServiceInput": service_input, "ServiceOutput": service_output, "ErrorResponse": ERROR},
        },
    }


def whole(version: str, service_input: object, service_output: object) -> dict[str, object]:
    if version == "2":
        return swagger_2(service_input, service_output)
    return swagger_3({"3": "3.0.3", "3.1": "3.1.0"}[version], service_input, service_output)


@pytest.fixture
def plain(twin: Start):
    return twin(PLAIN, env=NAMED)


@pytest.fixture
def decorated(twin: Start):
    return twin(SCHEMA, env=NAMED)


# Section 8: Swagger


@pytest.mark.parametrize("version", ["2", "3", "3.1"])
def test_swagger_text_of_an_undecorated_script(plain, version) -> None:
    assert plain.get(f"/swagger.json?version={version}").json == whole(version, ANYTHING, ANYTHING)


@pytest.mark.parametrize("version", ["2", "3", "3.1"])
def test_swagger_text_of_a_schema_script(decorated, version) -> None:
    found = decorated.get(f"/swagger.json?version={version}").json
    assert found == whole(version, SERVICE_INPUT, SERVICE_OUTPUT)


def test_swagger_versions_and_their_aliases(plain) -> None:
    assert plain.get("/swagger.json").json["swagger"] == "2.0"
    for asked, name, number in (
        ("2", "swagger", "2.0"),
        ("2.0", "swagger", "2.0"),
        ("3", "openapi", "3.0.3"),
        ("3.0", "openapi", "3.0.3"),
        ("3.1", "openapi", "3.1.0"),
    ):
        assert plain.get(f"/swagger.json?version={asked}").json[name] == number


def test_swagger_unknown_version(plain) -> None:
    answer = plain.get("/swagger.json?version=3.0a")
    text = "Swagger version [3.0a] is not valid. Supported versions: [2, 3, 3.1]."
    assert (answer.status, answer.json) == (404, {"message": text})


def test_swagger_version_that_the_script_cannot_have(twin: Start) -> None:
    answer = twin(MIXED).get("/swagger.json?version=2")
    text = "Swagger version [2] is not supported for the scoring script. Supported swagger versions: [3, 3.1]."
    assert (answer.status, answer.json) == (404, {"message": text})
    answer = twin(MIXED).get("/swagger.json?version=9")
    assert answer.json == {"message": "Swagger version [9] is not valid. Supported versions: [3, 3.1]."}


def test_swagger_files_of_the_users_own_go_first(twin: Start) -> None:
    files = {f"swagger{name}.json": json.dumps({"own": name}) for name in ("", "2", "3", "3.1")}
    server = twin(PLAIN, files=files)
    for version, name in (("2", ""), ("3", "3"), ("3.1", "3.1")):
        assert server.get(f"/swagger.json?version={version}").json == {"own": name}
    server = twin(PLAIN, files={"swagger2.json": '{"own": "2"}'})
    assert server.get("/swagger.json").json == {"own": "2"}
    assert server.get("/swagger.json?version=3").json["openapi"] == "3.0.3"


# Section 10: log lines

LINE = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [DIWEC] \[\d+\] "


def logged(server, pattern: str) -> bool:
    """Wait for a line, which may come behind the answer."""
    return bool(eventually(lambda: any(re.match(LINE + pattern, line) for line in server.lines), 10))


@pytest.mark.parametrize(
    "pattern",
    [
        r"azmlinfsrv - Starting up app insights client$",
        r"azmlinfsrv\.user_script - Found user script at \S+/code/score\.py$",
        r"azmlinfsrv\.user_script - run\(\) is not decorated\. Server will invoke it with the input in JSON string\.$",
        r"azmlinfsrv\.user_script - Invoking user's init function$",
        r"azmlinfsrv\.user_script - Users's init has completed successfully$",
        r"azmlinfsrv\.swagger - Swaggers are prepared for the following versions: \[2, 3, 3\.1\]\.$",
        r"azmlinfsrv - Scoring timeout is set to 3600000$",
        r"azmlinfsrv - Worker with pid \d+ ready for serving traffic$",
    ],
)
def test_log_line_of_the_start(plain, pattern) -> None:
    assert logged(plain, pattern), plain.log


def test_log_line_of_a_schema_script(decorated) -> None:
    said = r"run\(\) is decorated with @input_schema\. Server will invoke it with the following arguments: num, data\.$"
    assert logged(decorated, r"azmlinfsrv\.user_script - " + said)


def test_log_line_of_a_raw_script(twin: Start) -> None:
    said = r"run\(\) is decorated with @rawhttp\. Server will invoke it with the flask request object\.$"
    assert logged(twin(RAW), r"azmlinfsrv\.user_script - " + said)


def test_log_line_of_versions_that_are_skipped(twin: Start) -> None:
    said = r"Swaggers are prepared for versions \[3, 3\.1\] and skipped for versions \[2\]\.$"
    server = twin(MIXED)
    assert logged(server, r"azmlinfsrv\.swagger - " + said), server.log


def test_log_line_of_the_users_own_document(twin: Start) -> None:
    server = twin(PLAIN, files={"swagger2.json": '{"own": "2"}'})
    said = r"Loaded user's swagger file for version \[2\] from \S+/swagger2\.json$"
    assert logged(server, r"azmlinfsrv\.swagger - " + said), server.log


def test_log_lines_of_requests(plain) -> None:
    plain.score("x")
    plain.score("fail", **{"x-ms-request-id": "B"})
    plain.get("/score?a=1")
    plain.get("/")
    assert logged(plain, r"azmlinfsrv - GET /score\?a=1 200 \d+\.\d{3}ms \d+$")
    assert logged(plain, r"azmlinfsrv - POST /score 200 \d+\.\d{3}ms 3$")
    assert logged(plain, r"azmlinfsrv - POST /score 500 \d+\.\d{3}ms \d+$")
    assert logged(plain, r"azmlinfsrv\.print - printed x 1$")
    assert logged(plain, r"azmlinfsrv - Encountered Exception: Traceback")
    assert logged(plain, r"azmlinfsrv - x-ms-request-id header has been deprecated")
    assert not any("GET / " in line for line in plain.lines)
    assert any(line.endswith("elsewhere") for line in plain.lines)
