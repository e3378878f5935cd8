"""The OpenAPI 3.1 document, made from the table of routes and the structs that travel."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from .. import __version__
from ..spec.bodies import ErrorAnswer
from ..spec.messages import JSON, NDJSON, PREFIX
from .route import Query, Route

_TYPES = {str: "string", int: "integer", bool: "boolean"}
_PATH_VARIABLES = {
    "ws": "Workspace's name",
    "id": "Model id `name:version`, or an operation's id",
    "name": "Name of the service or environment",
}


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """All routes as one JSON value."""
    types = [ErrorAnswer]
    for route in routes:
        types += [kind for kind in (route.body, *route.answers.values()) if kind is not None]
    schemas, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    by_type = {str(kind): schema for kind, schema in zip(types, schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(PREFIX + route.path, {})[route.method.lower()] = _operation(route, by_type)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sendoff",
            "version": __version__,
            "description": "From a trained model's file to an answered request. Errors: docs/http-api.md.",
        },
        "paths": paths,
        "security": [{"token": []}],
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "responses": {"Error": {"description": "An error", "content": _content(by_type[str(ErrorAnswer)])}},
        },
    }


def _operation(route: Route, by_type: dict[str, Any]) -> dict[str, Any]:
    variables = re.findall(r"\{(\w+)\}", route.path)
    operation: dict[str, Any] = {
        "operationId": route.action.replace("/", "_"),
        "x-sendoff-action": route.action,
        "summary": route.summary,
        "tags": [route.noun],
        "parameters": [
            *(
                {
                    "name": name,
                    "in": "path",
                    "required": True,
                    "description": _PATH_VARIABLES[name],
                    "schema": {"type": "string"},
                }
                for name in variables
            ),
            *(_parameter(query) for query in route.parameters),
        ],
        "responses": {
            **{str(status): _response(route, kind, by_type) for status, kind in route.answers.items()},
            "default": {"$ref": "#/components/responses/Error"},
        },
    }
    if route.body is not None:
        operation["requestBody"] = {"required": route.body_required, "content": _content(by_type[str(route.body)])}
    return operation


def _parameter(query: Query) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": _TYPES[query.type]}
    if query.type is int:
        schema["minimum"] = 0
    if query.many:
        schema = {"type": "array", "items": schema}
    return {"name": query.name, "in": "query", "required": False, "description": query.summary, "schema": schema}


def _response(route: Route, kind: Any, by_type: dict[str, Any]) -> dict[str, Any]:
    if kind is None:
        return {"description": "Done; no body"}
    if route.streams:
        text = 'JSON lines: `{"progress": "…"}`, at the end one `{"result": …}` or `{"error": …}`'
        event = {
            "type": "object",
            "properties": {
                "progress": {"type": "string"},
                "result": by_type[str(kind)],
                "error": {"$ref": "#/components/schemas/ErrorBody"},
            },
        }
        return {"description": text, "content": {NDJSON: {"schema": event}}}
    return {"description": route.summary, "content": _content(by_type[str(kind)])}


def _content(schema: Any) -> dict[str, Any]:
    return {JSON: {"schema": schema}}
