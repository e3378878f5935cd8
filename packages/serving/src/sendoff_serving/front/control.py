"""The control socket: status, metrics, swap, reload and stop, for whoever supervises the server."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import bundle as bundles
from ..errors import Refusal, ServingError
from ..exposition import CONTENT_TYPE
from .http.exchange import Application, Exchange

if TYPE_CHECKING:
    from .server import Server

# A log that nobody reads must not keep the state from being told.
_LOG_SECONDS = 0.25
_SWAP = ("bundle", "python", "revision", "memory_limit_mb")
_ROUTES = {"/status": "GET", "/metrics": "GET", "/swap": "POST", "/reload": "POST", "/stop": "POST"}


class ControlApplication(Application):
    """Answers requests on the control socket.

    Args:
        server: what is controlled.
        python: interpreter of the workers where a swap names none.
    """

    def __init__(self, server: Server, python: str) -> None:
        self._server = server
        self._python = python

    def accept(self, exchange: Exchange) -> Refusal | None:
        """Refuse unknown routes and methods."""
        method = _ROUTES.get(exchange.path)
        if method is None:
            return Refusal("not_found", f"There is no {exchange.path}; there are {', '.join(_ROUTES)}")
        if exchange.method != method:
            return Refusal("method_not_allowed", f"{exchange.path} takes {method}")
        return None

    def refuse(self, exchange: Exchange, refusal: Refusal) -> None:
        """Answer with an error."""
        _send(exchange, refusal.http_status, refusal.body(False))

    def fault(self, error: Exception) -> None:
        """Log a fault of the server's own."""
        self._server.application.fault(error)

    def handle(self, exchange: Exchange) -> None:
        """Carry out a request."""
        if exchange.path == "/status":
            self._status(exchange)
            return
        if exchange.path == "/metrics":
            exchange.respond(200, self._server.application.exposition(), CONTENT_TYPE)
            return
        try:
            given = json.loads(exchange.body or b"{}")
            if not isinstance(given, dict):
                raise ValueError("the body should be a JSON object")
            if exchange.path == "/stop":
                self._stop(exchange, given)
            elif exchange.path == "/swap":
                self._swap(exchange, given)
            else:
                self._reload(exchange)
        except ServingError as error:
            self.refuse(exchange, Refusal(error.code, error.message, error.hint, status=400))
        except ValueError as error:
            self.refuse(exchange, Refusal("bad_request", str(error)))

    def _status(self, exchange: Exchange) -> None:
        """Answer when the log has been written: who reads a state here finds what led to it there."""
        content = self._server.status()
        loop = asyncio.get_running_loop()

        def answer() -> None:
            if not exchange.status:
                timer.cancel()
                _send(exchange, 200, content)

        def written() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(answer)

        timer = loop.call_later(_LOG_SECONDS, answer)
        self._server.log.when_written(written)

    def _stop(self, exchange: Exchange, given: dict[str, Any]) -> None:
        seconds = given.get("drain_seconds", 10)
        if not isinstance(seconds, (int, float)) or isinstance(seconds, bool) or not 0 <= seconds <= 86400:
            raise ValueError("drain_seconds should be a number of seconds")
        _send(exchange, 202, {"state": "draining"})
        self._server.stop(float(seconds))

    def _swap(self, exchange: Exchange, given: dict[str, Any]) -> None:
        unknown = sorted(set(given).difference(_SWAP))
        if unknown:
            raise ValueError(f"unknown member {unknown[0]!r}; there are {', '.join(_SWAP)}")
        directory = given.get("bundle")
        python = given.get("python", self._python)
        revision = given.get("revision")
        if not isinstance(directory, str) or not isinstance(python, str):
            raise ValueError("bundle and python should be paths")
        limit = given.get("memory_limit_mb")
        if limit is not None and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
            raise ValueError("memory_limit_mb should be a number of MB")
        if self._server.draining:
            raise ServingError("draining", "The server is stopping")
        bundle = bundles.load(Path(directory))
        if limit is not None:
            bundle = replace(bundle, serving=replace(bundle.serving, memory_limit_mb=limit))
        self._server.load(bundle, python, None if revision is None else str(revision))
        self._python = python
        _send(exchange, 202, {"revision": revision, "phase": "starting"})

    def _reload(self, exchange: Exchange) -> None:
        generation = self._server.reload()
        _send(exchange, 202, {"revision": generation.revision, "phase": "starting"})


def _send(exchange: Exchange, status: int, content: Any) -> None:
    exchange.respond(status, json.dumps(content).encode("ascii"))
