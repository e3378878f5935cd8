import asyncio
import json
import re

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from sendoff.api.application import Application
from sendoff.api.openapi import document
from sendoff.api.route import Route
from sendoff.api.routes import ROUTES
from sendoff.api.server import asgi
from sendoff.client import connect
from sendoff.core import Core
from sendoff.spec.messages import TOKEN, USER, Request

from .test_workspaces_and_models import register


def test_the_document_is_valid_openapi():
    validate(document(ROUTES))


def test_each_operation_has_an_id_of_its_own():
    ids = [one["operationId"] for path in document(ROUTES)["paths"].values() for one in path.values()]
    assert len(ids) == len(set(ids))


def test_each_operation_names_the_action_that_it_is():
    operations = [one for path in document(ROUTES)["paths"].values() for one in path.values()]
    actions = [one["x-sendoff-action"] for one in operations]
    assert len(actions) == len(set(actions)) and {"models/register", "services/delete", "secrets/get"} <= set(actions)
    with pytest.raises(ValueError, match="has no action"):
        Route(method="GET", path="/x", handler=lambda core, call: None, summary="", answers={200: None})


def test_a_handler_knows_who_asks(home):
    asked = []

    def look(core, call):
        asked.append(call.caller)

    route = Route(method="GET", path="/look", handler=look, summary="", answers={204: None})
    application = Application(Core(home), [route])
    application.handle(Request(method="GET", path="/v1/look"))
    server = asgi(application, "t" * 20)
    statuses = []

    async def receive():
        return {"type": "http.request", "body": b""}

    async def send(message):
        statuses.extend([message["status"]] if "status" in message else [])

    for headers in ([(b"authorization", b"Bearer " + b"t" * 20)], []):
        scope = {"type": "http", "method": "GET", "path": "/v1/look", "raw_path": b"/v1/look", "query_string": b""}
        asyncio.run(server({**scope, "headers": headers}, receive, send))
    assert (statuses, asked) == ([204, 401], [USER, TOKEN])


@pytest.fixture
def application(home, tmp_path):
    from sendoff.spec.environment import EnvironmentSpec
    from sendoff.spec.workspace import CreateWorkspace

    with connect(home=home) as client:
        client.create_workspace(CreateWorkspace(name="demo"))
        register(client, tmp_path, "demo", tags={"a": "b"})
        client.register_environment("demo", EnvironmentSpec(name="env"))
    return Application(Core(home))


CALLS = [
    ("GET", "/v1/health", None),
    ("GET", "/v1/doctor", None),
    ("GET", "/v1/openapi.json", None),
    ("POST", "/v1/blobs/missing", {"digests": ["sha256:" + "0" * 64]}),
    ("POST", "/v1/blobs/known-sizes", {"sizes": [7, 8]}),
    ("POST", "/v1/workspaces", {"name": "two"}),
    ("GET", "/v1/workspaces", None),
    ("GET", "/v1/workspaces/demo", None),
    ("GET", "/v1/workspaces/nobody", None),
    ("GET", "/v1/workspaces/demo/models", None),
    ("GET", "/v1/workspaces/demo/models/ridge%3A1", None),
    ("GET", "/v1/workspaces/demo/models/ridge%3A9", None),
    ("PATCH", "/v1/workspaces/demo/models/ridge", {"description": "d"}),
    ("GET", "/v1/workspaces/demo/environments", None),
    ("GET", "/v1/workspaces/demo/environments/env", None),
    ("GET", "/v1/workspaces/demo/services", None),
    ("GET", "/v1/workspaces/demo/services/none", None),
    ("GET", "/v1/workspaces/demo/operations", None),
    ("POST", "/v1/gc", {"dry_run": True}),
    ("POST", "/v1/up", None),
    ("DELETE", "/v1/workspaces/demo/services/none", None),
]


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_answers_are_what_the_document_says(application, method, path, body):
    made = document(ROUTES)
    template = next(one for one in made["paths"] if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", one), path))
    operation = made["paths"][template][method.lower()]
    if body is not None:
        check(made, operation["requestBody"]["content"]["application/json"]["schema"], body)
    response = application.handle(
        Request(method=method, path=path, body=json.dumps(body).encode() if body is not None else b"")
    )
    described = operation["responses"].get(str(response.status))
    if described is None:
        assert response.status >= 400
        described = made["components"]["responses"]["Error"]
    if "content" not in described:
        assert response.body == b""
        return
    check(made, described["content"]["application/json"]["schema"], json.loads(response.body))


def check(made, schema, value):
    Draft202012Validator({**schema, "components": made["components"]}).validate(value)
