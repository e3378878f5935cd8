"""What a request's body holds: text, or a JSON object; as it was before its client compressed it."""

import io
import json
import zlib
from typing import Any, Dict

from .answer import Refusal

# Window sizes as zlib names them: with the head of gzip, with that of zlib (what "deflate" is), with none, which
# some clients send as deflate.
_GZIP, _ZLIB, _BARE = 31, 15, -15
_MARK = "\ufeff"
"""What .NET and editors of Windows write first; no JSON parser takes it in a text."""


def text_of(body: bytes) -> str:
    """Return a body as text, without the mark of UTF-8.

    Raises:
        Refusal: it is not UTF-8.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _not_utf8(error) from error
    return text[1:] if text[:1] == _MARK else text


def recoded(body: bytes, charset: str) -> bytes:
    """Return a body as UTF-8.

    Args:
        body: as it came.
        charset: what it is, by Python's name.

    Raises:
        Refusal: it is not, or this interpreter does not know that.
    """
    try:
        return body.decode(charset).encode("utf-8")
    except (UnicodeError, LookupError) as error:
        message = "The request body is not %s, which its Content-Type says: %s" % (charset, error)
        raise Refusal(400, "body_not_utf8", message) from error


def _not_utf8(error: UnicodeDecodeError) -> Refusal:
    return Refusal(400, "body_not_utf8", "Input cannot be decoded as UTF-8: %s" % error)


def object_of(body: bytes) -> Dict[str, Any]:
    """Return the JSON object that a body holds.

    Raises:
        Refusal: it is empty, or holds anything else.
    """
    if not body:
        raise Refusal(400, "body_empty", "POST body is empty. Expecting a JSON dictionary.")
    try:
        given = json.loads(body)  # bytes: UTF-8 with or without the mark that .NET writes first, UTF-16, UTF-32
    except UnicodeDecodeError as error:
        raise _not_utf8(error) from error
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "body_not_json", "POST body could not be decoded as JSON: %s" % error) from error
    if not isinstance(given, dict):
        raise Refusal(400, "body_not_object", "POST body should be a JSON dictionary.")
    return given


def unpacked(body: bytes, packed: Dict[str, Any]) -> bytes:
    """Return a body as it was before its client compressed it.

    Args:
        body: as it came.
        packed: "coding" (gzip or deflate), and "limit", the most bytes that may come out.

    Raises:
        Refusal: it is not so compressed, ends early, or is larger than the limit.
    """
    coding, limit = packed["coding"], packed["limit"]
    if coding == "gzip":
        window = _GZIP
    else:
        # RFC 1950: the first byte says deflate in its lower half, and both together are a multiple of 31.
        head = int.from_bytes(body[:2], "big")
        window = _ZLIB if len(body) > 1 and body[0] & 15 == 8 and head % 31 == 0 else _BARE
    try:
        machine = zlib.decompressobj(window)
        made = machine.decompress(body, limit + 1)
        if machine.unused_data and window == _GZIP:
            made = _members(body, limit)
        elif machine.unused_data:
            raise zlib.error("something follows it")
        if len(made) > limit:
            message = "The request body is over the limit of %d bytes when it is unpacked" % limit
            hint = "the limit is the setting max_body_bytes (--max-body-bytes)"
            raise Refusal(413, "body_too_large", message, hint=hint)
        if not machine.eof:
            raise zlib.error("it ends early")
        return made
    except (zlib.error, OSError, EOFError) as error:
        message = "The request body is not %s, which its Content-Encoding says: %s" % (coding, error)
        raise Refusal(400, "body_not_unpacked", message) from error


def _members(body: bytes, limit: int) -> bytes:
    """Return what several members of gzip, one after the other, are together (RFC 1952 sec. 2.2)."""
    import gzip  # most workers never need it

    with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
        return file.read(limit + 1)
