"""The routes of the Open Inference Protocol in the service's OpenAPI 3.x documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]

_DATATYPES = ["BOOL", *(f"{kind}{size}" for kind in ("UINT", "INT") for size in (8, 16, 32, 64))]
_DATATYPES += ["FP16", "FP32", "FP64", "BYTES"]
_BINARY: Schema = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
_LENGTH_NAME = "Inference-Header-Content-Length"
_LENGTH: Schema = {
    "description": "With the binary tensor data extension: bytes of the JSON that the tensors' bytes follow",
    "schema": {"type": "integer", "minimum": 0},
}


def paths(prefix: str, models: Mapping[str, list[str]], description: Mapping[str, Any], secured: bool) -> Schema:
    """Return the paths; none for a script that cannot be called with tensors.

    Args:
        prefix: what comes before each path.
        models: the versions of each model.
        description: what the worker said of the script.
        secured: whether callers need a key or token.
    """
    if not description.get("tensors"):
        return {}
    name = _parameter("model_name", list(models))
    version = _parameter("model_version", sorted({version for known in models.values() for version in known}))
    made: Schema = {
        f"{prefix}/v2": {"get": _get("InferenceServer", "The server's name and version", "ServerMetadata")},
        f"{prefix}/v2/health/live": {"get": _get("InferenceServerLive", "Whether the server answers", "State")},
        f"{prefix}/v2/health/ready": {"get": _get("InferenceServerReady", "Whether it can infer", "State")},
    }
    if not models:
        return made  # a script that loads models by name, with none deployed
    for suffix, parameters, tail in (("", [name], ""), ("/versions/{model_version}", [name, version], "Version")):
        base = f"{prefix}/v2/models/{{model_name}}{suffix}"
        infer: Schema = {
            **_get(f"InferModel{tail}", "run() with tensors, by the Open Inference Protocol", "Response"),
            "requestBody": {"required": True, "content": {**_content("Request"), **_BINARY}},
            "parameters": [{"name": _LENGTH_NAME, "in": "header", "required": False, **_LENGTH}],
        }
        infer["responses"]["200"]["content"].update(_BINARY)
        infer["responses"]["200"]["headers"] = {_LENGTH_NAME: _LENGTH}
        made[base] = {"get": _get(f"InferenceModel{tail}", "Inputs and outputs of a model", "ModelMetadata")}
        made[f"{base}/ready"] = {"get": _get(f"InferenceModel{tail}Ready", "Whether it can infer", "State")}
        made[f"{base}/infer"] = {"post": infer}
        for path in (base, f"{base}/ready", f"{base}/infer"):
            made[path]["parameters"] = parameters
            if secured:
                made[path]["post" if path.endswith("infer") else "get"]["security"] = [{"Bearer": []}]
    return made


def schemas(description: Mapping[str, Any]) -> dict[str, Schema]:
    """Return the schemas that the paths refer to."""
    if not description.get("tensors"):
        return {}
    text: Schema = {"type": "string"}
    tensor = _object(
        {
            "name": text,
            "shape": _list({"type": "integer", "minimum": 0}),
            "datatype": {"type": "string", "enum": _DATATYPES},
            "parameters": {"type": "object"},
            "data": _list({}),
        },
        "name",
        "shape",
        "datatype",
        "data",
    )
    whole = {"type": "integer"}
    described = _object({"name": text, "datatype": text, "shape": _list(whole)}, "name", "datatype", "shape")
    form = _object({"binary_data": {"type": "boolean"}})
    wanted = _list(_object({"name": text, "parameters": form}, "name"))
    forms = _object({"binary_data_output": {"type": "boolean"}})
    listed = _list({"$ref": "#/components/schemas/InferenceTensor"})
    inputs = {**listed, "minItems": 1}
    members = {"name": text, "versions": _list(text), "platform": text}
    return {
        "InferenceTensor": tensor,
        "InferenceRequest": {
            **_object({"id": text, "parameters": forms, "inputs": inputs, "outputs": wanted}, "inputs"),
            "example": _example(description["tensors"]["inputs"]),
        },
        "InferenceResponse": _object(
            {"model_name": text, "model_version": text, "id": text, "outputs": listed}, "model_name", "outputs"
        ),
        "InferenceServerMetadata": _object({"name": text, "version": text, "extensions": members["versions"]}, "name"),
        "InferenceModelMetadata": _object({**members, "inputs": _list(described), "outputs": _list(described)}, "name"),
        "InferenceState": _object({"name": text, "live": {"type": "boolean"}, "ready": {"type": "boolean"}}),
        "InferenceError": _object({"error": text, "code": text}, "error"),
    }


def _example(inputs: list[Schema]) -> Schema:
    """Return a request of one element in each open dimension."""
    made = []
    for tensor in inputs:
        shape = [max(size, 1) for size in tensor["shape"]]
        count = 1
        for size in shape:
            count *= size
        value: object = {"BOOL": True, "BYTES": "1"}.get(tensor["datatype"], 1)
        made.append({"name": tensor["name"], "shape": shape, "datatype": tensor["datatype"], "data": [value] * count})
    return {"inputs": made}


def _object(properties: Schema, *required: str) -> Schema:
    made: Schema = {"type": "object", "properties": properties}
    if required:
        made["required"] = list(required)
    return made


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _content(name: str) -> Schema:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/Inference{name}"}}}


def _get(operation: str, text: str, answer: str) -> Schema:
    return {
        "operationId": operation,
        "description": text,
        "responses": {
            "200": {"description": text, "content": _content(answer)},
            "default": {"description": "It failed", "content": _content("Error")},
        },
    }


def _parameter(name: str, values: list[str]) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "enum": values}}
