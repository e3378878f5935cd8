"""What the front knows of request heads beyond the parser: headers of its own, and heads without an upgrade."""

from __future__ import annotations

import re

# Headers the server itself looks at; others are only kept for scripts that ask for them.
KNOWN = frozenset(
    {
        b"host",
        b"content-type",
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
REQUEST_LINE = re.compile(rb"[A-Za-z]{1,32} \S+ HTTP/1\.[01]\r?\n")


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
