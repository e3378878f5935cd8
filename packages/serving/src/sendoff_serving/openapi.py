"""The service's OpenAPI documents: 2.0 as in the article, 3.0 and 3.1.

Shapes follow spec/behaviour.md sec. 5.2 and spec/scoring-server.md sec. 8. A document of the user's own in the
application root goes before a generated one.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from . import existing_documents, openapi_sizes
from .bundle import Bundle
from .errors import Refusal
from .openapi_inference import paths as inference_paths
from .openapi_inference import schemas as inference_schemas

# Names of a version in a query, and the files of the user's that stand for it, best first.
_NAMES = {"2": "2", "2.0": "2", "3": "3", "3.0": "3", "3.1": "3.1"}
_FILES = {"2": ("swagger.json", "swagger2.json"), "3": ("swagger3.json",), "3.1": ("swagger3.1.json",)}
_SCHEMA_NAMES = {"2": "2.0", "3": "3.0", "3.1": "3.1"}
DEFAULT_VERSION = "2"

_HEALTH = "Simple health check endpoint to ensure the service is up at any given point."
_HEALTHY = "If service is up and running, this response will be returned with the content 'Healthy'"
_RUN = "Run web service's model and get the prediction output"
_INPUT = "The input payload for executing the real-time machine learning service."
_OUTPUT = "The service processed the input correctly and provided a result prediction, if applicable."
_FAILED = "The service failed to execute due to an error."
_BEARER = "For example: Bearer abc123"

Schema = dict[str, Any]


class Documents:
    """The documents of one generation, encoded.

    Attributes:
        problems: sentences for the log about documents that could not be made or read.
        notes: lines for the log about those that there are, in the existing server's words.
    """

    def __init__(self, documents: Mapping[str, bytes], problems: list[str], notes: list[str] | None = None) -> None:
        self._documents = dict(documents)
        self.problems = problems
        self.notes = notes or []

    @classmethod
    def make(
        cls,
        bundle: Bundle,
        description: Mapping[str, Any],
        *,
        secured: bool = False,
        compatible: bool = False,
        revision: str | None = None,
    ) -> Documents:
        """Make the documents of a loaded script.

        Args:
            bundle: names the service, its version and path prefix, and the folder of the user's own documents.
            description: what the worker said of the script ("schema", "parameters").
            secured: whether callers need a key or token.
            compatible: make them as the existing server does.
            revision: what serves, which is the version of a document where the bundle names none.
        """
        documents: dict[str, bytes] = {}
        problems: list[str] = []
        notes: list[str] = []
        schema = description.get("schema")
        supported = _SCHEMA_NAMES.values() if schema is None else schema["versions"]
        for version, files in _FILES.items():
            own = _own_document(bundle.app_root, files, problems)
            if own is not None:
                file, documents[version] = own
                notes.append(f"Loaded user's swagger file for version [{version}] from {file}")
            elif _SCHEMA_NAMES[version] in supported:
                made = document(version, bundle, description, secured, revision)
                if compatible:
                    made = existing_documents.as_existing_server(made, bundle, description)
                documents[version] = json.dumps(made).encode("ascii")
        has = f"[{', '.join(documents)}]"
        skipped = ", ".join(version for version in _FILES if version not in documents)
        notes.append(
            f"Swaggers are prepared for the following versions: {has}."
            if len(documents) == len(_FILES)
            else f"Swaggers are prepared for versions {has} and skipped for versions [{skipped}]."
        )
        return cls(documents, problems, notes)

    @property
    def versions_text(self) -> str:
        """The versions that can be had, as the existing server writes them."""
        return f"[{', '.join(self._documents)}]"

    def find(self, wanted: str) -> bytes | Refusal:
        """Return the document of a version, or why there is none.

        Args:
            wanted: value of the query parameter ``version``; "" for the default.
        """
        name = _NAMES.get(wanted or DEFAULT_VERSION)
        if name is None:
            return Refusal(
                "swagger_version_unknown",
                f"Swagger version [{wanted}] is not valid. Supported versions: {self.versions_text}.",
            )
        found = self._documents.get(name)
        if found is None:
            return Refusal(
                "swagger_version_unsupported",
                f"Swagger version [{name}] is not supported for the scoring script. "
                f"Supported swagger versions: {self.versions_text}.",
            )
        return found


def _own_document(app_root: Path, names: tuple[str, ...], problems: list[str]) -> tuple[Path, bytes] | None:
    for name in names:
        file = app_root / name
        if file.is_file():
            try:
                content = file.read_bytes()
                json.loads(content)
            except (OSError, ValueError) as error:
                problems.append(f"{file} is not used as the service's document: {error}")
                continue
            return file, content
    return None


def document(
    version: str,
    bundle: Bundle,
    description: Mapping[str, Any],
    secured: bool = False,
    revision: str | None = None,
) -> dict[str, Any]:
    """Return one document.

    Args:
        version: "2", "3" or "3.1".
        bundle: names the service.
        description: what the worker said of the script.
        secured: whether callers need a key or token.
        revision: what serves.
    """
    prefix = f"/{bundle.service.path_prefix}" if bundle.service.path_prefix else ""
    schemas = _schemas(description)
    info = {
        "title": bundle.service.name,
        "description": f"What the service {bundle.service.name} takes and answers",
        "version": revision or bundle.service.version,
    }
    if version == "2":
        return _document_2(info, prefix, schemas, secured=secured)
    openapi_sizes.add(schemas["ServiceInput"], description)
    number = {"3": "3.0.3", "3.1": "3.1.0"}[version]
    # Only decorated scripts refuse an empty body.
    required = description.get("shape") == "schema" and bool(description.get("required"))
    required = required or bool(description.get("body_required"))
    models = description.get("models")
    if models is None:  # a script that keeps its models to itself is one model, called as the service is
        models = {bundle.service.name: [bundle.service.version]}
    schemas.update(inference_schemas(description))
    made = _document_3(number, info, prefix, schemas, secured=secured, required=required)
    made["paths"].update(inference_paths(prefix, models, description, secured))
    made["paths"].update(_own_paths(prefix, description, secured))
    return made


def _own_paths(prefix: str, description: Mapping[str, Any], secured: bool) -> Schema:
    """Return the path items that a script describes itself (``worker/described.py``)."""
    made = {f"{prefix}{path}": copy.deepcopy(item) for path, item in (description.get("paths") or {}).items()}
    if secured:
        for item in made.values():
            for method in ("get", "post"):
                if method in item:
                    item[method]["security"] = [{"Bearer": []}]
    return made


def _schemas(description: Mapping[str, Any]) -> dict[str, Schema]:
    schema = description.get("schema") or {}
    unknown: Schema = {"type": "object", "example": {}}
    given = schema.get("input")
    service_input = unknown if given is None else _input_schema(given, description)
    output = schema.get("output")
    service_output = unknown if output in (None, {"type": "object"}) else output
    return {
        "ServiceInput": service_input,
        "ServiceOutput": service_output,
        "ErrorResponse": {
            "type": "object",
            "properties": {
                "status_code": {"type": "integer", "format": "int32"},
                "message": {"type": "string"},
            },
        },
    }


def _input_schema(given: Schema, description: Mapping[str, Any]) -> Schema:
    given = copy.deepcopy(given)
    if "body_required" in description:  # the script says itself what a body is (``worker/described.py``)
        return given
    known = description["parameters"]
    properties = {name: value for name, value in given.get("properties", {}).items() if name in known}
    made: Schema = {**given, "properties": properties}
    if isinstance(given.get("example"), dict):
        made["example"] = {name: value for name, value in given["example"].items() if name in known}
    if description.get("required"):
        made["required"] = list(description["required"])
    return made


def _document_2(info: Schema, prefix: str, schemas: dict[str, Schema], *, secured: bool) -> dict[str, Any]:
    def answer(name: str) -> Schema:
        return {"schema": {"$ref": f"#/definitions/{name}"}}

    payload = {"name": "serviceInputPayload", "in": "body", "description": _INPUT, **answer("ServiceInput")}
    health, score = _operations(answer, {"schema": {"type": "string"}, "examples": {"application/json": "Healthy"}})
    score["parameters"] = [payload]
    made: Schema = {
        "swagger": "2.0",
        "info": info,
        # No schemes and no host: they are those by which the document itself was asked for, behind any proxy too.
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "paths": {f"{prefix}/": {"get": health}, f"{prefix}/score": {"post": score}},
        "definitions": schemas,
    }
    if secured:
        bearer = {"type": "apiKey", "name": "Authorization", "in": "header", "description": _BEARER}
        made["securityDefinitions"] = {"Bearer": bearer}
        score["security"] = [{"Bearer": []}]
    return made


def _document_3(
    number: str, info: Schema, prefix: str, schemas: dict[str, Schema], *, secured: bool, required: bool
) -> dict[str, Any]:
    def answer(name: str) -> Schema:
        return {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}}

    text = {"text/html": {"schema": {"type": "string"}, "example": "Healthy"}}
    health, score = _operations(answer, {"content": text})
    score["requestBody"] = {"description": _INPUT, **answer("ServiceInput"), "required": required}
    by_query = {
        "operationId": "RunMLServiceByQuery",
        "description": "The same, with the input in the query; each value is JSON",
        "parameters": _query_parameters(schemas["ServiceInput"]),
        "responses": score["responses"],
    }
    made: Schema = {
        "openapi": number,
        "info": info,
        "servers": [{"url": "/"}],  # relative to the document's own address
        "paths": {f"{prefix}/": {"get": health}, f"{prefix}/score": {"post": score, "get": by_query}},
        "components": {"schemas": schemas},
    }
    if secured:
        score["security"] = by_query["security"] = [{"Bearer": []}]
        bearer = {"type": "http", "scheme": "bearer", "description": _BEARER}
        made["components"] = {"securitySchemes": {"Bearer": bearer}, "schemas": schemas}
    return made


def _operations(answer: Callable[[str], Schema], healthy: Schema) -> tuple[Schema, Schema]:
    """Return the operations of the health check and of /score, in what both forms of a document have in common.

    Args:
        answer: how the form writes a body of a schema.
        healthy: how it writes that of the health check.
    """

    def operation(name: str, description: str, good: Schema) -> Schema:
        failed = {"description": _FAILED, **answer("ErrorResponse")}
        return {"operationId": name, "description": description, "responses": {"200": good, "default": failed}}

    return (
        operation("ServiceHealthCheck", _HEALTH, {"description": _HEALTHY, **healthy}),
        operation("RunMLService", _RUN, {"description": _OUTPUT, **answer("ServiceOutput")}),
    )


def _query_parameters(service_input: Schema) -> list[Schema]:
    """Describe the members of the input as parameters of a query, each encoded as JSON."""
    required = service_input.get("required", [])
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "content": {
                "application/json": {"schema": {"$ref": f"#/components/schemas/ServiceInput/properties/{name}"}}
            },
        }
        for name in service_input.get("properties", {})
        if name.isidentifier()
    ]
