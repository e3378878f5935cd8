"""Speaks the Docker Engine's HTTP API over its Unix socket; every call is bounded in time.

The standard library alone, since the keeper stays small and a command that only looks must not wait for imports
(docs/decisions/0003-docker-target.md).
"""

from __future__ import annotations

import errno
import http.client
import json
import os
import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from ...errors import NotSupported, TargetUnavailable
from ..unix_http import UnixConnection

API = "1.40"
"""Docker 19.03; an engine that no longer speaks it is spoken to in the oldest version that it knows."""
START_HINT = "Start it (`sudo systemctl start docker`), or name another one with DOCKER_HOST or `docker context use`."


class EngineError(Exception):
    """The engine answered with an error; ``status`` is HTTP's, the text is the engine's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Engine:
    """One engine.

    Args:
        path: Its Unix socket.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._version = ""

    def call(
        self,
        method: str,
        target: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        seconds: float = 15.0,
    ) -> Any:
        """One request: parsed JSON, ``bytes`` where the answer is none, None where it is empty.

        Args:
            method: HTTP's.
            target: Path below the API's version.
            query: Values that are no text travel as JSON.
            body: Sent as JSON.
            seconds: Time for each read and write.

        Raises:
            EngineError: A status of 400 or more.
            TargetUnavailable: The engine does not answer; the hint says what to do.
        """
        if not self._version:
            self._version = self._negotiate()
        given = {k: v if isinstance(v, str) else json.dumps(v) for k, v in (query or {}).items() if v is not None}
        path = f"/v{self._version}{target}" + (f"?{urlencode(given, quote_via=quote)}" if given else "")
        return self._send(method, path, body, seconds)[0]

    def version(self, seconds: float = 5.0) -> dict[str, Any]:
        """What the engine says of itself."""
        found: dict[str, Any] = self._send("GET", "/version", None, seconds)[0]
        return found

    def follow(self, filters: dict[str, list[str]]) -> socket.socket:
        """A socket that becomes readable when something happens to what the filters name, or the engine ends."""
        link = UnixConnection(self.path, 5.0)
        if not self._version:
            self._version = self._negotiate()
        try:
            link.connect()
            target = f"/v{self._version}/events?{urlencode({'filters': json.dumps(filters)})}"
            link.sock.sendall(f"GET {target} HTTP/1.1\r\nHost: docker\r\n\r\n".encode())
            return link.sock
        except OSError as error:
            raise unavailable(self.path, error) from None

    def _negotiate(self) -> str:
        facts = self.version()
        least = str(facts.get("MinAPIVersion") or API)
        return max((API, least), key=lambda text: [int(part) for part in text.split(".")])

    def _send(self, method: str, path: str, body: Any, seconds: float) -> tuple[Any, int]:
        link = UnixConnection(self.path, seconds)
        try:
            payload = None if body is None else json.dumps(body).encode()
            headers = {} if payload is None else {"Content-Type": "application/json"}
            link.request(method, path, body=payload, headers=headers)
            answer = link.getresponse()
            data = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise unavailable(self.path, error) from None
        finally:
            link.close()
        value: Any = data or None
        if data and "json" in (answer.getheader("Content-Type") or ""):
            try:
                value = json.loads(data)
            except ValueError:
                value = data
        if answer.status >= 400:
            said = value.get("message") if isinstance(value, dict) else str(value)
            raise EngineError(answer.status, str(said))
        return value, answer.status


def connect(environ: Mapping[str, str] | None = None) -> Engine:
    """The engine that the ``docker`` command of this user would speak to, if it is on this machine.

    Raises:
        NotSupported: It is on another machine.
        InvalidInput: The named context cannot be read.
    """
    from ...containers.endpoint import find_endpoint

    found = find_endpoint(os.environ if environ is None else environ)
    if not found.local:
        named = "DOCKER_HOST" if found.context == "DOCKER_HOST" else f"the Docker context {found.context!r}"
        raise NotSupported(
            f"{named} names the engine {found.host}; the docker target needs one behind a Unix socket of this machine",
            hint="`docker context use default`, or unset DOCKER_HOST.",
            reason="elsewhere",
        )
    return Engine(found.host.removeprefix("unix://"))


def unavailable(path: str, error: Exception) -> TargetUnavailable:
    """The one sentence for an engine that does not answer, and what mends it; context carries ``reason``."""
    number = error.errno if isinstance(error, OSError) else None
    if number in (errno.EACCES, errno.EPERM):
        return TargetUnavailable(
            f"this user may not use the Docker engine at {path}",
            hint="`sudo usermod -aG docker $USER`, then log in again.",
            reason="permission",
            path=path,
        )
    if isinstance(error, TimeoutError):
        return TargetUnavailable(
            f"the Docker engine at {path} does not answer in time",
            hint="Is it starting, or its disk full? `docker info` says more.",
            reason="timeout",
            path=path,
        )
    if number == errno.ENOENT:
        what = f"there is no Docker engine at {path}"
    elif number == errno.ECONNREFUSED:
        what = f"the Docker engine at {path} is stopped"
    else:
        what = f"the Docker engine at {path} does not answer: {error or type(error).__name__}"
    return TargetUnavailable(what, hint=START_HINT, reason="not_running", path=path)


def answers(environ: Mapping[str, str] | None = None, seconds: float = 2.0) -> bool:
    """Whether an engine that the docker target can use answers now."""
    try:
        connect(environ).version(seconds)
    except (TargetUnavailable, NotSupported, EngineError):
        return False
    return True


def image_problem(engine: Engine, reference: str) -> str:
    """Why an image cannot be had: it is neither in the engine nor in its registry; empty when it can. Pulls nothing."""
    try:
        engine.call("GET", f"/images/{quote(reference, safe='/:@')}/json")
        return ""
    except EngineError as error:
        if error.status != 404:
            return f"the engine does not say whether it has the image {reference}: {error}"
    try:
        engine.call("GET", f"/distribution/{quote(reference, safe='/:@')}/json", seconds=20.0)
    except EngineError as error:
        return f"the base image {reference} is not in the engine and cannot be pulled: {error}"
    return ""
