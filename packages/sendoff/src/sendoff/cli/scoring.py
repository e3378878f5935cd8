"""One scoring request over HTTP, with the standard library alone."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from ..errors import Conflict, ScoringFailed, Unreachable
from ..spec.service import Service


def score(view: Service, body: bytes, *, key: str | None = None, timeout: float = 120.0) -> Any:
    """The decoded answer of a service; text that is no JSON comes back as text.

    Args:
        view: The service.
        body: The request's bytes, sent as ``application/json``.
        key: Bearer token, where the service asks for one.
        timeout: Seconds.

    Raises:
        Conflict: The service has no address now.
        ScoringFailed: It answered with another code than 200; context has ``status`` and ``body``.
        Unreachable: It does not answer.
    """
    if not view.scoring_uri:
        raise Conflict(
            f"service {view.name!r} has no address: it is {view.state}",
            hint=f"sendoff service show -n {view.name}",
            state=view.state,
        )
    status, answer, kind = _post(view.scoring_uri, body, key, timeout)
    text = answer.decode("utf-8", "replace")
    if status != 200:
        raise ScoringFailed(
            f"service {view.name!r} answered {status}: {_sentence(text)}",
            hint=f"sendoff service get-logs -n {view.name}",
            status=status,
            body=text,
        )
    if "json" in kind or not kind:
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def _post(uri: str, body: bytes, key: str | None, timeout: float) -> tuple[int, bytes, str]:
    parts = urlsplit(uri)
    maker = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = maker(parts.hostname or "", parts.port, timeout=timeout)
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
    try:
        connection.request("POST", parts.path + (f"?{parts.query}" if parts.query else ""), body, headers)
        response = connection.getresponse()
        return response.status, response.read(), response.headers.get("Content-Type", "")
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(
            f"{uri} does not answer: {error or type(error).__name__}",
            hint="sendoff service list shows its state; sendoff up starts what should run.",
        ) from None
    finally:
        connection.close()


def _sentence(text: str) -> str:
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    if isinstance(data, dict):
        return str(data.get("message") or text)
    return text.strip()[:2000] or "an empty body"
