"""Request bodies that the client has compressed. The worker unpacks them: the front has other clients to serve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import Refusal
from ..http.exchange import Exchange
from .inference_protocol import INFER

if TYPE_CHECKING:
    from ..workers.generation import Generation

HEADER = b"content-encoding"
_CODINGS = {b"gzip": "gzip", b"x-gzip": "gzip", b"deflate": "deflate", b"": None, b"identity": None}
_TAKEN = "use gzip, deflate or identity"


def refusal_of(exchange: Exchange, generation: Generation | None) -> Refusal | None:
    """Refuse a body that is compressed as nobody here can unpack it (RFC 9110 sec. 8.4)."""
    if generation is None or not _is_ours(exchange, generation):
        return None
    given = exchange.known[HEADER].strip().lower()
    if given in _CODINGS:
        return None
    text = f"The Content-Encoding {given.decode('latin-1')!r} is not taken"
    return Refusal("content_encoding_unsupported", text, _TAKEN)


def packed(exchange: Exchange, generation: Generation) -> dict[str, object] | None:
    """Return what the worker must know to unpack a body, None for one that is as it should be."""
    coding = _CODINGS.get(exchange.known[HEADER].strip().lower())
    if coding is None or not _is_ours(exchange, generation):
        return None
    return {"coding": coding, "limit": generation.bundle.serving.max_body_bytes}


def _is_ours(exchange: Exchange, generation: Generation) -> bool:
    """Whether run() is not given the body as it came, as a raw script is."""
    if exchange.method != "POST":
        return False
    return exchange.route == INFER or (exchange.route == "/score" and generation.description.get("shape") != "raw")
