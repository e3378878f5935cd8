"""The same application on a port: Starlette and uvicorn carry it, a bearer token guards it."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import json
import logging
import re
import secrets
import socket
import time
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..core import Core
from ..errors import InvalidInput, MissingExtra, NotSupported, PortInUse, SendoffError, Unauthorized
from ..spec.messages import TOKEN, Request, Response
from . import errors
from .application import Application

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request as HttpRequest
    from starlette.responses import Response as HttpResponse

MAX_BODY_BYTES = 16 * 1024 * 1024
"""Bodies are descriptions; files go to the blob store."""
DRAIN_SECONDS = 10
DROP_BYTES, DROP_SECONDS, IDLE_SECONDS = 64 * 1024 * 1024, 10.0, 1.0
"""How much of a body that is too large is read before its sender is cut off, how long, and how long a pause may be."""
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.-]{1,128}\Z")

log = logging.getLogger("sendoff.api.server")


def serve(
    home: Path | str,
    host: str = "127.0.0.1",
    port: int = 0,
    token: str | None = None,
    announce: Callable[[str, str], None] | None = None,
) -> None:
    """Answer the API on a port until SIGTERM or SIGINT; requests that are being answered are answered to their end.

    Args:
        home: The store's folder.
        host: Address to listen on. Anything but this machine's own addresses needs a ``token``.
        port: 0 takes a free one.
        token: What clients have to send; None makes one.
        announce: Called once with the URL and the token when the port is open; prints both by default.

    Raises:
        MissingExtra: Starlette or uvicorn is not installed.
        InvalidInput: A foreign address without a token, or an empty token.
        PortInUse: The port is taken.
    """
    try:
        import uvicorn
    except ImportError:
        raise _missing() from None
    if token is not None and len(token) < 8:
        raise InvalidInput("the server's token has fewer than 8 characters", hint="Leave it out to get a good one.")
    if token is None and not _is_loopback(host):
        raise InvalidInput(
            f"listening on {host} without a token would open the store to the network",
            hint="Give --token, or listen on 127.0.0.1.",
            where="host",
        )
    token = token or secrets.token_urlsafe(32)
    application = asgi(Application(Core(home, mode="server")), token)
    listener = _listen(host, port)
    shown = f"[{host}]" if ":" in host else host
    (announce or _print)(f"http://{shown}:{listener.getsockname()[1]}", token)
    from .connection import HEAD_BYTES, Connection

    config = uvicorn.Config(
        application,
        http=Connection,
        h11_max_incomplete_event_size=HEAD_BYTES,
        log_config=None,
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=DRAIN_SECONDS,
        server_header=False,
    )
    uvicorn.Server(config).run(sockets=[listener])


def asgi(application: Application, token: str) -> Starlette:
    """The application as an ASGI app; every path but ``/v1/health`` needs the token.

    Raises:
        MissingExtra: Starlette is not installed.
    """
    try:
        from starlette.applications import Starlette
        from starlette.concurrency import run_in_threadpool
        from starlette.responses import Response as HttpResponse
        from starlette.responses import StreamingResponse
        from starlette.routing import Route
    except ImportError:
        raise _missing() from None
    wanted = token.encode()

    async def endpoint(request: HttpRequest) -> HttpResponse:
        given = request.headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.match(given) else uuid.uuid4().hex
        response = await answer(request)
        log.info("%s %s %s %s", request_id, request.method, request.url.path, response.status)
        headers = {**response.headers, "x-request-id": request_id}
        if response.stream is not None:
            return StreamingResponse(response.stream, status_code=response.status, headers=headers)
        return HttpResponse(response.body, status_code=response.status, headers=headers)

    async def answer(request: HttpRequest) -> Response:
        path = request.scope["raw_path"].decode("latin-1")
        if path != "/v1/health":
            credentials = request.headers.getlist("authorization")
            if len(credentials) > 1:
                return errors.answer(InvalidInput("there are several Authorization headers", hint="Send one."))
            kind, _, sent = "".join(credentials).partition(" ")
            if kind.lower() != "bearer" or not hmac.compare_digest(sent.strip().encode(), wanted):
                return errors.answer(
                    Unauthorized(
                        "the token is wrong" if sent else "this server wants a token",
                        hint="Set SENDOFF_TOKEN to the token that 'sendoff server' printed.",
                    )
                )
        body = await _body(request)
        if body is None:
            return errors.answer(
                InvalidInput(
                    f"the request body is larger than {MAX_BODY_BYTES >> 20} MiB",
                    hint="Files go to the blob store, not through the API.",
                    limit=MAX_BODY_BYTES,
                ),
                status=413,
            )
        try:
            await run_in_threadpool(_check_names, body)  # a large one takes a while, and others wait for this loop
        except InvalidInput as error:
            return errors.answer(error)
        query: dict[str, list[str]] = {}
        for name, value in request.query_params.multi_items():
            query.setdefault(name, []).append(value)
        return await run_in_threadpool(
            application.handle,
            Request(
                method=request.method,
                path=path,
                query=query,
                headers=dict(request.headers),
                body=body,
                caller=TOKEN,
            ),
        )

    def problem(error: SendoffError, status: int | None = None) -> Callable[[HttpRequest, Exception], HttpResponse]:
        made = errors.answer(error, status=status)
        return lambda request, exception: HttpResponse(made.body, status_code=made.status, headers=dict(made.headers))

    methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    return Starlette(
        routes=[Route("/{path:path}", endpoint, methods=methods)],
        exception_handlers={
            405: problem(NotSupported("this method is not known here"), 405),
            Exception: problem(SendoffError("unexpected error in the server", hint="See the server's log.")),
        },
    )


async def _body(request: HttpRequest) -> bytes | None:
    """The body; None where it is too large. What still comes of that is read and dropped for a while, or its sender
    would meet a reset in place of the answer."""
    length = request.headers.get("content-length", "")
    chunks, total = [], 0
    large = length.isdigit() and int(length) > MAX_BODY_BYTES
    until = time.monotonic() + DROP_SECONDS
    stream = request.stream()
    while True:
        try:
            chunk = await asyncio.wait_for(anext(stream), IDLE_SECONDS if large else None)
        except (StopAsyncIteration, TimeoutError):
            break
        total += len(chunk)
        large = large or total > MAX_BODY_BYTES
        if not large:
            chunks.append(chunk)
        elif total > MAX_BODY_BYTES + DROP_BYTES or time.monotonic() > until:
            return None
    return None if large else b"".join(chunks)


def _check_names(body: bytes) -> None:
    """Refuse JSON with a name twice in one object: each reader takes another of the two.

    Raises:
        InvalidInput: Names it.
    """

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            double = Counter(name for name, _ in pairs).most_common(1)[0][0]
            raise InvalidInput(f"request body: {double!r} is there twice", where="request body", field=double)
        return found

    try:
        if body:
            json.loads(body, object_pairs_hook=once)
    except RecursionError:
        raise InvalidInput("request body is nested too deep", where="request body") from None
    except ValueError:
        return  # whoever reads it says what is wrong with it


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise PortInUse(
            f"cannot listen on {host}:{port}: {error.strerror or error}",
            hint="Leave --port out to get a free one.",
            port=port,
        ) from None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _missing() -> MissingExtra:
    return MissingExtra(
        "the server needs Starlette and uvicorn, which are not installed", hint='pip install "sendoff-ml[server]"'
    )


def _print(url: str, token: str) -> None:
    lines = (
        f"Sendoff answers at {url}",
        f"export SENDOFF_SERVER={url}",
        f"export SENDOFF_TOKEN={token}",
        "Stop it with Ctrl-C or SIGTERM.",
    )
    print(*lines, sep="\n", flush=True)  # noqa: T201  (a server's own first words; pass announce to say others)
