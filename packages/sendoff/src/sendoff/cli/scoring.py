"""One scoring request over HTTP, with the standard library alone."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..client.service_link import ServiceAuthorization, bearer, connect
from ..client.service_log import raised
from ..errors import Conflict, ScoringFailed, Unreachable
from ..spec.names import service_flags
from ..spec.service import Service

if TYPE_CHECKING:
    from ..client import Client


def score(client: Client, view: Service, body: bytes, *, key: str | None = None, timeout: float = 120.0) -> Any:
    """The decoded answer of a service; text that is no JSON comes back as text.

    Args:
        client: Gives the key or token that the service asks for.
        view: The service.
        body: The request's bytes, sent as ``application/json``.
        key: Key or token to send instead.
        timeout: Seconds.

    Raises:
        Conflict: The service has no address now.
        ScoringFailed: It answered with another code than 200; context has ``status``, ``body`` and, where the
            script raised something, its ``traceback`` from the log.
        Unreachable: It does not answer.
    """
    if not view.scoring_uri:
        raise Conflict(
            f"service {view.name!r} has no address: it is {view.state}",
            hint=f"sendoff service show {service_flags(view.name, view.workspace)}",
            state=view.state,
        )
    credential = ServiceAuthorization(client).headers(view) if key is None else bearer(key)
    status, answer, headers = _post(client, view, body, credential, timeout)
    text = answer.decode("utf-8", "replace")
    if status != 200:
        request_id = headers.get("x-ms-request-id", "")
        failed = headers.get("x-ms-run-function-failed") == "True"
        named = service_flags(view.name, view.workspace)
        logs = f"get-logs {named}" + (f" --request {request_id}" if request_id else "")
        raise ScoringFailed(
            f"service {view.name!r} answered {status}: {_sentence(text)}",
            hint=f"sendoff service {f'get-keys {named}' if status == 401 else logs}",
            status=status,
            body=text,
            request_id=request_id,
            traceback=raised(client, view.workspace, view.name, request_id) if failed else "",
        )
    kind = headers.get("Content-Type", "")
    if "json" in kind or not kind:
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def curl(view: Service) -> str:
    """How to call a guarded service from a shell; empty for one that anybody may call, which needs no recipe."""
    if view.token_auth_enabled:
        what = f"get-access-token {service_flags(view.name, view.workspace)} --query accessToken -o tsv"
    elif view.auth_enabled:
        what = f"get-keys {service_flags(view.name, view.workspace)} --query primaryKey -o tsv"
    else:
        return ""
    return (
        f'curl: curl -H "Authorization: Bearer $(sendoff service {what})" '
        f"-H 'Content-Type: application/json' -d '{{\"data\": …}}' {view.scoring_uri}"
    )


def _post(
    client: Client, view: Service, body: bytes, credential: dict[str, str], timeout: float
) -> tuple[int, bytes, http.client.HTTPMessage]:
    parts = urlsplit(str(view.scoring_uri))
    connection = connect(client, view, timeout=timeout)
    headers = {"Content-Type": "application/json", **credential}
    try:
        connection.request("POST", parts.path + (f"?{parts.query}" if parts.query else ""), body, headers)
        response = connection.getresponse()
        return response.status, response.read(), response.headers
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(
            f"{view.scoring_uri} does not answer: {error or type(error).__name__}",
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
