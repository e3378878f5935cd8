"""What the front knows of request heads beyond the parser: headers of its own, and heads without an upgrade."""

from __future__ import annotations

import re
from functools import lru_cache

import httptools

from ...errors import Refusal
from .exchange import Exchange
from .limits import Limits

# Headers the server itself looks at; others are only kept for scripts that ask for them.
KNOWN = frozenset(
    {
        b"host",
        b"content-type",
        b"content-encoding",
        b"content-length",
        b"transfer-encoding",
        b"expect",
        b"authorization",
        b"origin",
        b"access-control-request-method",
        b"access-control-request-headers",
        b"accept",
        b"traceid",
        b"traceparent",
        b"tracestate",
        b"x-request-id",
        b"x-ms-request-id",
        b"x-ms-client-request-id",
    }
)
# A body of which more than this is still to come goes past the parser, which copies every piece (decisions/0004).
_PAST_PARSER = 64 * 1024
# Bodies of refused requests up to this size are read and dropped, so that the connection can go on.
_SWALLOW = 64 * 1024
_REQUEST_LINE = re.compile(rb"\s*[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32} \S+ HTTP/1\.[01]\r?\n")
# uri-host [ ":" port ] of RFC 3986 and 9110; no host at all is a host too.
_HOST = re.compile(rb"(?:\[[0-9A-Za-z:.%_~-]+\]|[0-9A-Za-z._~!$&'()*+,;=%-]*)(?::[0-9]*)?")
_ABSOLUTE = re.compile(r"https?://([^/?#]+)", re.IGNORECASE)


def headers_too_large(limits: Limits) -> Refusal:
    """Return the refusal of a head over the limits."""
    text = f"The request's headers are over the limit of {limits.head_bytes} bytes or {limits.head_fields} fields"
    return Refusal("headers_too_large", text)


def body_too_large(limit: int) -> Refusal:
    """Return the refusal of a body over the limit."""
    return Refusal(
        "body_too_large",
        f"The request body is over the limit of {limit} bytes",
        "the limit is the setting max_body_bytes (--max-body-bytes)",
    )


def refusal_of_head(
    exchange: Exchange, version: str, target_size: int, head_size: int, hosts: int, limits: Limits, max_body: int
) -> Refusal | None:
    """Refuse a request for its head, or note in it that the client waits for a 100.

    Args:
        exchange: what the parser made of the head.
        version: the HTTP version that it names.
        target_size: bytes of its target; head_size: of its headers; hosts: how many Host headers it has.
        limits: bounds of heads.
        max_body: largest body, in bytes.
    """
    if version not in ("1.1", "1.0"):
        exchange.keep_alive = False
        return Refusal("bad_request", "The request is of no version of HTTP that this server speaks", "use HTTP/1.1")
    if target_size > limits.target_bytes:
        return Refusal("target_too_long", f"The request target is over the limit of {limits.target_bytes} bytes")
    if head_size > limits.head_bytes or len(exchange.headers) > limits.head_fields:
        return headers_too_large(limits)
    if hosts != 1 and not (exchange.http_1_0 and hosts == 0):
        return Refusal("bad_request", "The request needs exactly one Host header")
    if hosts and not _is_host(exchange.known[b"host"]):
        return Refusal("bad_request", "The Host header is not a host, or a host and a port")
    if not exchange.target.startswith("/") and not _read_target(exchange):
        return Refusal("bad_request", "The request target is neither a path nor an http or https address")
    if b"transfer-encoding" in exchange.known:
        refusal = _refusal_of_coding(exchange)
        if refusal is not None:
            return refusal
    length = exchange.known.get(b"content-length")
    if length is not None and int(length) > max_body:
        return body_too_large(max_body)
    expect = exchange.known.get(b"expect")
    if expect is not None and not exchange.http_1_0:
        if expect.strip().lower() != b"100-continue":
            return Refusal("expectation_failed", "The only expectation this server meets is 100-continue")
        exchange.expects_continue = length is None or int(length) > 0
    return None


@lru_cache(64)  # the clients of a service name few, and the expression takes a microsecond
def _is_host(value: bytes) -> bool:
    return _HOST.fullmatch(value) is not None


def _read_target(exchange: Exchange) -> bool:
    """Read a target that is no path (RFC 9112 sec. 3.2); False for one that the request cannot have.

    The absolute form, which proxies use, becomes the path in it, and its host stands over the Host header.
    """
    if exchange.method == "CONNECT" or (exchange.target == "*" and exchange.method == "OPTIONS"):
        return True
    found = _ABSOLUTE.match(exchange.target)
    host = b"" if found is None else found[1].encode("latin-1")
    if found is None or host.startswith(b":") or not _is_host(host):
        return False
    rest = exchange.target[found.end() :]
    exchange.target = rest if rest.startswith("/") else f"/{rest}"
    exchange.known[b"host"] = host
    exchange.headers = [pair for pair in exchange.headers if pair[0].lower() != b"host"]
    exchange.headers.insert(0, (b"Host", host))
    return True


def _refusal_of_coding(exchange: Exchange) -> Refusal | None:
    """Refuse a body in any coding but chunked: its end, or what it says, would be guessed (RFC 9112 sec. 6.1, 6.3)."""
    if exchange.http_1_0:
        return Refusal("bad_request", "HTTP/1.0 has no Transfer-Encoding", "use HTTP/1.1, or send a Content-Length")
    values = [value for name, value in exchange.headers if name.lower() == b"transfer-encoding"]
    codings = [coding.strip(b" \t").lower() for coding in b",".join(values).split(b",")]
    if codings == [b"chunked"]:
        return None
    if codings[-1] != b"chunked":
        return Refusal("bad_request", "The last Transfer-Encoding of a request has to be chunked")
    return Refusal("transfer_coding_unsupported", "The only Transfer-Encoding that this server takes is chunked")


def left_past_parser(exchange: Exchange) -> int:
    """Return how many bytes of a body of known length are still to come past the parser; 0 for a small rest."""
    known = exchange.known
    length = known.get(b"content-length")
    if length is None or exchange.refusal is not None or b"transfer-encoding" in known:
        return 0
    left = int(length) - exchange.size
    return left if left > _PAST_PARSER else 0


def drops_body(exchange: Exchange, refusal: Refusal) -> bool:
    """Whether the body of a request that is refused by its head is read and dropped; else the connection ends."""
    known = exchange.known
    return (
        b"expect" not in known
        and b"transfer-encoding" not in known
        and int(known.get(b"content-length", b"0")) <= _SWALLOW
        and refusal.http_status not in (400, 408, 413, 414, 417, 431)
    )


def refusal_of_bytes(data: bytes, error: httptools.HttpParserError) -> Refusal:
    """Return how bytes are refused that the parser cannot take."""
    if not isinstance(error, httptools.HttpParserInvalidMethodError):
        return Refusal("bad_request", f"The request is malformed: {error}")
    line = _REQUEST_LINE.match(data)
    if line is not None and not _is_taken(line.group()):
        return Refusal("method_not_allowed", "The method is not allowed for the requested URL.")
    return Refusal("bad_request", "This is not HTTP")


def _is_taken(line: bytes) -> bool:
    """Whether the parser takes a request line, so that what it refused is something behind it."""
    try:
        httptools.HttpRequestParser(object()).feed_data(line)
    except httptools.HttpParserError:
        return False
    return True


def without_upgrade(method: bytes, headers: list[tuple[bytes, bytes]]) -> bytes:
    """Return a head that frames the body as the given one does and asks for no upgrade.

    Args:
        method: the method of the request.
        headers: its header names and values.
    """
    close = any(name.lower() == b"connection" and b"close" in value.lower() for name, value in headers)
    lines = [method + b" / HTTP/1.1"]
    for name, value in headers:
        if name.lower() in (b"content-length", b"transfer-encoding"):
            lines.append(name + b": " + value)
    if close:
        lines.append(b"Connection: close")
    return b"\r\n".join(lines) + b"\r\n\r\n"
