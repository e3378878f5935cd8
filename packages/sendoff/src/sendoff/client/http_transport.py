"""A request over HTTP to a server: the same bytes as within this process."""

from __future__ import annotations

import http.client
import os
import threading
import time
import uuid
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from ..connections import Way
from ..errors import InvalidInput, Unreachable
from ..spec.messages import NDJSON, Request, Response
from ..spec.settings import load_settings

_IDLE_SECONDS = 3.0
"""A kept connection older than this is not used again: servers close idle ones (uvicorn after 5 s), and a POST that
meets a closing connection cannot be repeated safely."""


def way_of(home: Path) -> Way:
    """How connections are opened by a home's settings: which certificates are trusted, which proxy is used."""
    settings = load_settings(home, os.environ)
    return Way(os.environ, ca_bundle=settings.ca_bundle, proxy=settings.proxy, no_proxy=settings.no_proxy)


class HttpTransport:
    """HTTP/1.1 with kept connections, one for each thread.

    Args:
        server: ``http://host:port`` or ``https://…``.
        token: What is sent as a bearer token.
        home: The folder whose settings say which certificates are trusted and which proxy is used.
    """

    embedded = False

    def __init__(self, server: str, token: str | None, home: Path) -> None:
        self.home = home
        parts = urlsplit(server)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidInput(
                f"the server's address {server!r} is no http or https URL",
                hint="Write it like http://127.0.0.1:8642, in SENDOFF_SERVER or --server.",
                where="SENDOFF_SERVER",
            )
        self.where = server.rstrip("/")
        self._parts = parts
        self._token = token
        self._local = threading.local()

    @cached_property
    def way(self) -> Way:
        return way_of(self.home)

    def send(self, request: Request, timeout: float | None) -> Response:
        target = self._parts.path.rstrip("/") + request.path
        if request.query:
            target += "?" + urlencode(request.query, doseq=True)
        headers = {"X-Request-Id": uuid.uuid4().hex, **request.headers}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        connection, kept = self._connection()
        try:
            answer = self._exchange(connection, request, target, headers, timeout)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError) as error:
            if not kept or request.method != "GET":
                raise self._unreachable(error) from None
            connection, _ = self._connection()
            try:
                answer = self._exchange(connection, request, target, headers, timeout)
            except (OSError, http.client.HTTPException) as again:
                raise self._unreachable(again) from None
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from None
        found = {name.lower(): value for name, value in answer.getheaders()}
        if found.get("content-type", "").startswith(NDJSON):
            return Response(status=answer.status, headers=found, stream=self._lines(answer))
        try:
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._drop()
            raise self._unreachable(error) from None
        self._local.used = time.monotonic()
        return Response(status=answer.status, headers=found, body=body)

    def close(self) -> None:
        self._drop()

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        request: Request,
        target: str,
        headers: dict[str, str],
        timeout: float | None,
    ) -> http.client.HTTPResponse:
        connection.timeout = timeout
        try:
            if connection.sock is None:
                connection.connect()
            connection.sock.settimeout(timeout)
            connection.request(request.method, target, body=request.body or None, headers=headers)
            return connection.getresponse()
        except (OSError, http.client.HTTPException):
            self._drop()
            raise

    def _connection(self) -> tuple[http.client.HTTPConnection, bool]:
        kept: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if kept is not None and kept.sock is not None and time.monotonic() - self._local.used < _IDLE_SECONDS:
            return kept, True
        self._drop()
        made = self.way.link(self._parts.scheme, self._parts.netloc.rpartition("@")[2], None)
        self._local.connection, self._local.used = made, time.monotonic()
        return made, False

    def _drop(self) -> None:
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        self._local.connection = None
        if connection is not None:
            connection.close()

    def _lines(self, answer: http.client.HTTPResponse) -> Iterator[bytes]:
        try:
            yield from answer
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from None
        finally:
            self._drop()

    def _unreachable(self, error: Exception) -> Unreachable:
        why = "took too long to answer" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
        return Unreachable(
            f"the Sendoff server at {self.where} does not answer: {why}",
            hint=self.way.advice(error, self._parts.scheme, self._parts.netloc)
            or "Start it with 'sendoff server', or unset SENDOFF_SERVER to work without one.",
            server=self.where,
        )
