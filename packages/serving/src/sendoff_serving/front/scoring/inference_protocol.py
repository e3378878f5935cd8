"""The routes of the Open Inference Protocol (V2): which path is which, metadata, and what an inference is sent as.

Source: kserve/open-inference-protocol, ``inference_rest.md``. Tensors are read and made by the worker
(``worker/inference.py``); here a request becomes a job like one to /score.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from ... import __version__
from ...errors import Refusal

if TYPE_CHECKING:
    from ..http.exchange import Exchange
    from ..workers.generation import Generation

SERVER, MODEL, MODEL_READY, INFER = "/v2", "/v2/models/{name}", "/v2/models/{name}/ready", "/v2/models/{name}/infer"
LIVE, READY = "/v2/health/live", "/v2/health/ready"
ROUTES = frozenset({SERVER, LIVE, READY, MODEL, MODEL_READY, INFER})
QUIET = frozenset({LIVE, READY})

# Names as Triton's documents have them (docs/protocol/extension_binary_data.md).
EXTENSIONS = ["binary_tensor_data"]
_LENGTH, _DIGITS = b"inference-header-content-length", 18
_MODEL_PATH = re.compile(r"/v2/models/([^/]+)(?:/versions/([^/]+))?(/ready|/infer)?$")
_BY_TAIL = {None: MODEL, "/ready": MODEL_READY, "/infer": INFER}


class Target(NamedTuple):
    """The model that a path names, and the version that answers."""

    name: str
    version: str


def route_of(path: str) -> str | None:
    """Return the route of a path below /v2, None for a path that is none of the protocol's."""
    if path in (SERVER, LIVE, READY):
        return path
    if path == SERVER + "/":  # as the protocol's own OpenAPI document has it
        return SERVER
    found = _MODEL_PATH.match(path)
    return None if found is None else _BY_TAIL[found[3]]


def is_below(path: str) -> bool:
    """Whether a path is one where clients of the protocol read what has been answered."""
    return "/v2/" in path


def models_of(generation: Generation) -> dict[str, list[str]]:
    """Return the versions of each model that can be addressed, best first.

    A script with ``init_model()`` has those that are deployed with it; one that keeps its models to itself is one
    model, called as the service is.
    """
    listed: dict[str, list[str]] | None = generation.description.get("models")
    if listed is not None:
        return listed
    service = generation.bundle.service
    return {service.name: [service.version]}


def target_of(exchange: Exchange, generation: Generation) -> Target | Refusal:
    """Return the model that a request's path names, or why there is none such."""
    found = _MODEL_PATH.search(exchange.path)
    assert found is not None
    name, version = unquote(found[1]), None if found[2] is None else unquote(found[2])
    versions = models_of(generation).get(name)
    if versions is None:
        known = ", ".join(sorted(models_of(generation))) or "none"
        return Refusal("model_not_found", f"There is no model {name!r} here; there is {known}")
    if version is not None and version not in versions:
        known = ", ".join(versions)
        return Refusal("model_not_found", f"There is no version {version!r} of {name!r}; there is {known}")
    return Target(name, version or versions[0])


def inference_of(exchange: Exchange, generation: Generation) -> dict[str, object] | Refusal:
    """Return what the worker is told of an inference request, or why it is refused."""
    target = target_of(exchange, generation)
    if isinstance(target, Refusal):
        return target
    inference: dict[str, object] = {"model": target.name, "version": target.version}
    given = {value.strip() for name, value in exchange.headers if name.lower() == _LENGTH}
    if given:
        text = given.pop().decode("latin-1")
        if given or not text.isascii() or not text.isdigit() or len(text) > _DIGITS:
            return Refusal(
                "tensor_invalid",
                f"Inference-Header-Content-Length should be the bytes of the JSON before the tensors, not {text!r}",
            )
        inference["length"] = int(text)
    return inference


def model_metadata(target: Target, generation: Generation) -> bytes | Refusal:
    """Return the answer of GET /v2/models/{name}, made of the schema that /swagger.json shows too."""
    tensors: dict[str, Any] | None = generation.description.get("tensors")
    if tensors is None:
        return Refusal("protocol_unsupported", "run() takes HTTP requests, which have no tensors", "use /score")
    return _json(
        {
            "name": target.name,
            "versions": models_of(generation)[target.name],
            "platform": "python",
            "inputs": tensors["inputs"],
            "outputs": tensors["outputs"],
        }
    )


def model_ready(target: Target) -> bytes:
    """Return the answer of GET /v2/models/{name}/ready."""
    return _json({"name": target.name, "ready": True})


def error_body(refusal: Refusal) -> bytes:
    """Return an error in the protocol's form, with our code and hint beside it."""
    body: dict[str, object] = {"error": refusal.message, "code": refusal.code}
    if refusal.hint:
        body["hint"] = refusal.hint
    if refusal.details:
        body["details"] = refusal.details
    return _json(body)


def _json(content: object) -> bytes:
    return json.dumps(content).encode("ascii")


# Answers of the routes that name no model, where they are good.
ANSWERS = {
    SERVER: _json({"name": "sendoff-serving", "version": __version__, "extensions": EXTENSIONS}),
    LIVE: _json({"live": True}),
    READY: _json({"ready": True}),
}
