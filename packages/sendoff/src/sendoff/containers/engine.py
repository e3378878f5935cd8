"""Speaks the Docker Engine's HTTP API; its failures are sentences, and every call is bounded in time.

The standard library alone, since the keeper of containers stays small and a command that only looks must not wait for
imports (docs/decisions/0003-docker-target.md). The API: https://docs.docker.com/engine/api/.
"""

from __future__ import annotations

import errno
import http.client
import json
import os
import re
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode

from ..errors import NotSupported, SendoffError, TargetUnavailable
from .endpoint import Endpoint, find_endpoint
from .link import SshConnection, open_link

API = "1.40"
"""Docker 19.03; an engine that no longer speaks it is spoken to in the oldest version that it knows."""
START_HINT = "Start it (`sudo systemctl start docker`), or name another one with DOCKER_HOST or `docker context use`."
CHUNK = 1 << 20
LONG = 600.0
"""Seconds that pulling, loading and running may be silent."""


class EngineError(TargetUnavailable):
    """The engine answered with an error; ``status`` is HTTP's, ``words`` are the engine's own."""

    def __init__(self, status: int, words: str) -> None:
        self.status = status
        self.words = conceal(words).strip()
        super().__init__(f"the Docker engine refused: {self.words}", reason="refused", status=status)


class Engine:
    """One engine.

    Args:
        where: Its address, or the path of its Unix socket.
    """

    def __init__(self, where: Endpoint | str) -> None:
        self.endpoint = where if isinstance(where, Endpoint) else Endpoint(host=f"unix://{where}")
        self._version = ""

    @property
    def local(self) -> bool:
        """Whether it is behind a socket of this machine: folders can be mounted, containers' addresses reached."""
        return self.endpoint.local

    @property
    def path(self) -> str:
        """The path of its socket; its address where it has none."""
        return self.endpoint.host.removeprefix("unix://")

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
        payload = None if body is None else json.dumps(body).encode()
        headers = {} if payload is None else {"Content-Type": "application/json"}
        with self.answer(method, target, query=query, body=payload, headers=headers, seconds=seconds) as answer:
            return _parsed(answer, answer.read())

    @contextmanager
    def answer(
        self,
        method: str,
        target: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = LONG,
    ) -> Iterator[http.client.HTTPResponse]:
        """One request whose answer is read, and whose body may be given, piece by piece.

        Args:
            method: HTTP's.
            target: Path below the API's version.
            query: As for :meth:`call`.
            body: Sent as it comes.
            headers: Further ones.
            seconds: Time for each read and write.

        Raises:
            EngineError: A status of 400 or more.
            TargetUnavailable: The engine does not answer, or breaks off.
        """
        if not self._version:
            self._version = self._negotiate()
        given = {k: v if isinstance(v, str) else json.dumps(v) for k, v in (query or {}).items() if v is not None}
        path = f"/v{self._version}{target}" + (f"?{urlencode(given, quote_via=quote)}" if given else "")
        with self._open(method, path, body, headers or {}, seconds) as answer:
            yield answer

    def version(self, seconds: float = 5.0) -> dict[str, Any]:
        """What the engine says of itself."""
        with self._open("GET", "/version", None, {}, seconds) as answer:
            found: dict[str, Any] = _parsed(answer, answer.read())
        return found

    def follow(self, filters: dict[str, list[str]]) -> socket.socket:
        """A socket that becomes readable when something happens to what the filters name, or the engine ends."""
        link = open_link(self.endpoint, 5.0)
        if not self._version:
            self._version = self._negotiate()
        try:
            link.connect()
            target = f"/v{self._version}/events?{urlencode({'filters': json.dumps(filters)})}"
            link.sock.sendall(f"GET {target} HTTP/1.1\r\nHost: docker\r\n\r\n".encode())
            found: socket.socket = link.sock
            return found
        except OSError as error:
            raise unavailable(self.endpoint, error) from None

    def _negotiate(self) -> str:
        facts = self.version()
        least = str(facts.get("MinAPIVersion") or API)
        return max((API, least), key=lambda text: [int(part) for part in text.split(".")])

    @contextmanager
    def _open(
        self, method: str, path: str, body: bytes | Iterable[bytes] | None, headers: Mapping[str, str], seconds: float
    ) -> Iterator[http.client.HTTPResponse]:
        link = open_link(self.endpoint, seconds)
        try:
            try:
                link.request(method, path, body=body, headers={"Host": "docker", **headers})
            except BrokenPipeError:
                pass  # It may have refused before it had read all: then its answer is there.
            answer = link.getresponse()
            if answer.status >= 400:
                said = _parsed(answer, answer.read())
                raise EngineError(answer.status, str(said.get("message") if isinstance(said, dict) else said))
            yield answer
        except (OSError, http.client.HTTPException) as error:
            link.close()
            complaint = link.complaint if isinstance(link, SshConnection) else ""
            raise unavailable(self.endpoint, ConnectionError(complaint) if complaint else error) from None
        finally:
            link.close()


def connect(environ: Mapping[str, str] | None = None, *, local: bool = False) -> Engine:
    """The engine that the ``docker`` command of this user would speak to. Nothing is sent yet.

    Args:
        environ: As ``os.environ``, which is the default.
        local: Whether it has to be one behind a socket of this machine.

    Raises:
        NotSupported: It is on another machine, and has to be on this one.
        InvalidInput: The named context cannot be read.
    """
    found = find_endpoint(os.environ if environ is None else environ)
    if local and not found.local:
        named = "DOCKER_HOST" if found.context == "DOCKER_HOST" else f"the Docker context {found.context!r}"
        raise NotSupported(
            f"{named} names the engine {found.host}; the docker target needs one behind a Unix socket of this machine, "
            "since it mounts code and models and reaches containers by their addresses",
            hint="`docker context use default`, or unset DOCKER_HOST. Images can be made on any engine: "
            "`sendoff model package`.",
            reason="elsewhere",
        )
    return Engine(found)


def answers(environ: Mapping[str, str] | None = None, seconds: float = 2.0, *, local: bool = False) -> bool:
    """Whether an engine is there and may be used now; ``local`` as for :func:`connect`."""
    try:
        connect(environ, local=local).version(seconds)
    except SendoffError:
        return False
    return True


def unavailable(endpoint: Endpoint, error: Exception) -> TargetUnavailable:
    """The one sentence for an engine that does not answer, and what mends it; context carries ``reason``."""
    number = error.errno if isinstance(error, OSError) else None
    where = endpoint.host + ("" if endpoint.context == "default" else f" ({_named(endpoint)})")
    path = endpoint.host.removeprefix("unix://")
    if number in (errno.EACCES, errno.EPERM):
        return TargetUnavailable(
            f"this user has no permission to use the Docker engine at {where}",
            hint="`sudo usermod -aG docker $USER`, then log in again.",
            reason="permission",
            path=path,
        )
    if isinstance(error, TimeoutError):
        return TargetUnavailable(
            f"the Docker engine at {where} does not answer in time",
            hint="Is it starting, or its disk full? `docker info` says more.",
            reason="timeout",
            path=path,
        )
    if number == errno.ENOENT:
        why = "there is no such socket"
    elif number == errno.ECONNREFUSED:
        why = "it is stopped"
    else:
        why = str(error) or type(error).__name__
    hint = START_HINT if endpoint.local else f"{_named(endpoint)} points there: see `docker context ls`."
    return TargetUnavailable(
        f"no Docker engine answers at {where}: {why}", hint=hint, reason="not_running", path=path, missing=number == 2
    )


def conceal(text: str) -> str:
    """A text without the user parts and passwords of addresses in it."""
    return re.sub(r"([A-Za-z][A-Za-z0-9+.-]*://)[^/\s@'\"]+@", r"\1****@", text)


def _named(endpoint: Endpoint) -> str:
    return "DOCKER_HOST" if endpoint.context == "DOCKER_HOST" else f"context {endpoint.context!r}"


def _parsed(answer: http.client.HTTPResponse, data: bytes) -> Any:
    if data and "json" in (answer.getheader("Content-Type") or ""):
        try:
            return json.loads(data)
        except ValueError:
            return data  # several documents, one a line
    return data or None
