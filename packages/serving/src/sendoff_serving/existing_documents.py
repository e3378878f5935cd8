"""The OpenAPI documents as the existing server makes them, for compatibility mode (spec/scoring-server.md sec. 8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import openapi_sizes
from .bundle import Bundle

Schema = dict[str, Any]

_BEARER = {"type": "apiKey", "name": "Authorization", "in": "header", "description": "For example: Bearer abc123"}


def as_existing_server(document: Schema, bundle: Bundle, description: Mapping[str, Any]) -> Schema:
    """Return a document of ours with what the existing server's has, and without what it has not.

    Args:
        document: a document of any version, which is changed.
        bundle: names the service.
        description: what the worker said of the script.

    It describes no GET of /score, no required members and no sizes; an error has a message alone; the document
    describes its own route and says https; the key is sent in a header, and in 3.x the whole service needs it.
    """
    document["info"]["version"] = bundle.service.version
    document["info"]["description"] = f"API specification for the Azure Machine Learning service {bundle.service.name}"
    new = "openapi" in document
    schemas: Schema = document["components"]["schemas"] if new else document["definitions"]
    schemas["ErrorResponse"]["properties"].pop("status_code", None)
    schemas["ServiceInput"].pop("required", None)
    openapi_sizes.remove(schemas["ServiceInput"], description)
    paths: Schema = document["paths"]
    prefix = f"/{bundle.service.path_prefix}" if bundle.service.path_prefix else ""
    failed = paths[f"{prefix}/"]["get"]["responses"]["default"]
    found: Schema = {"description": "The Swagger specification."}
    version: Schema = {"name": "version", "in": "query", "required": False}
    if new:
        score = paths[f"{prefix}/score"]
        score.pop("get", None)
        score["post"]["requestBody"].pop("required", None)
        score["post"]["security"] = [{"Bearer": []}]
        document.pop("servers", None)
        document["security"] = [{"Bearer": []}]
        document["components"]["securitySchemes"] = {"Bearer": dict(_BEARER)}
        healthy = {"text/plain": {"schema": {"type": "string", "example": "Healthy"}}}
        paths[f"{prefix}/"]["get"]["responses"]["200"]["content"] = healthy
        found["content"] = {"text/plain": {"schema": {"type": "string"}}}
        version["schema"] = {"type": "integer", "enum": [2, 3]}
    else:
        document["schemes"] = ["https"]
        document["securityDefinitions"] = {"Bearer": dict(_BEARER)}
        paths[f"{prefix}/score"]["post"]["security"] = [{"Bearer": []}]
        found["schema"] = {"type": "string"}
        version.update({"type": "integer", "enum": [2, 3]})
    paths[f"{prefix}/swagger.json"] = {
        "get": {
            "operationId": "GetSwaggerSpec",
            "description": "Get the Swagger specification.",
            "parameters": [version],
            "responses": {"200": found, "default": failed},
        }
    }
    for name in [name for name in paths if name not in (f"{prefix}/", f"{prefix}/score", f"{prefix}/swagger.json")]:
        del paths[name]
    for name in [name for name in schemas if name not in ("ServiceInput", "ServiceOutput", "ErrorResponse")]:
        del schemas[name]
    return document
