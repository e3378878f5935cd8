"""Sending a request to a service's own address: the data plane, not the API."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from ...errors import ScoringFailed, Unreachable


def encode_input(data: Any) -> bytes:
    """The request body: bytes as they are, text as UTF-8, anything else as JSON."""
    if isinstance(data, bytes | bytearray | memoryview):
        return bytes(data)
    if isinstance(data, str):
        return data.encode()
    return json.dumps(data).encode()


def score(uri: str, data: Any, connection: http.client.HTTPConnection, headers: dict[str, str] | None = None) -> Any:
    """POST to a scoring address over a connection and decode the answer: JSON, else text, else bytes.

    Raises:
        ScoringFailed: Any status but 2xx; context has ``status`` and ``body``.
        Unreachable: Nothing answers there.
    """
    parts = urlsplit(uri)
    try:
        connection.request(
            "POST", parts.path or "/", encode_input(data), {"Content-Type": "application/json", **(headers or {})}
        )
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        why = str(error) or type(error).__name__
        raise Unreachable(
            f"the service at {uri} does not answer: {why}",
            hint="service.state and service.get_logs() say more.",
            uri=uri,
        ) from None
    finally:
        connection.close()
    if not 200 <= response.status < 300:
        text = body.decode("utf-8", "replace")
        raise ScoringFailed(
            "Received bad response from service. More information can be found by calling `.get_logs()` on the "
            f"webservice object.\nResponse Code: {response.status}\nContent: {text}",
            status=response.status,
            body=text,
            request_id=response.headers.get("x-ms-request-id"),
            script_failed=response.headers.get("x-ms-run-function-failed") == "True",
        )
    return _decode(body)


def _decode(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        try:
            return body.decode()
        except UnicodeDecodeError:
            return body
