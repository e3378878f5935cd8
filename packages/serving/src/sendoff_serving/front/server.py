"""The server: generations of workers, the change from one to the next, and the listening sockets."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from .. import bundle as bundles
from .. import protocol
from ..bundle import Bundle
from ..errors import Refusal, ServingError
from ..log import ServerLog
from ..telemetry_settings import TelemetrySettings
from .http.connection import HttpConnection
from .http.connections import Connections
from .http.exchange import Application
from .http.limits import Limits
from .http.tls import Certificate
from .keeper import Keeper
from .scoring.application import QUIET, ScoringApplication
from .scoring.auth import Gate
from .scoring.cors import Cors
from .scoring.generation import ScoredGeneration
from .scoring.metrics import Metrics
from .scoring.rate import RateLimit
from .scoring.recording import Recording
from .telemetry.spans import Telemetry
from .telemetry.switch import TelemetrySwitch
from .workers.generation import Generation, Owner
from .workers.launch import of_bundle

State = Literal["starting", "ready", "failed", "draining"]

_FLUSH_SECONDS = 0.05
_BACKLOG = 2048


def bind(host: str, port: int) -> socket.socket:
    """Return a bound TCP socket, so that a port in use is told before any script is loaded.

    Args:
        host: address or name.
        port: 0 for any free port.

    Raises:
        ServingError: the address cannot be had.
    """
    try:
        family, kind, number, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, number)
    except OSError as error:
        raise ServingError("host_unknown", f"The address {host} cannot be used: {error}") from None
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise ServingError(
                "port_in_use",
                f"Port {port} of {host} is in use by another process",
                hint="choose another with --port, or 0 for any free one",
            ) from None
        raise ServingError("port_unusable", f"Port {port} of {host} cannot be used: {error}") from None
    listener.setblocking(False)
    return listener


class Server:
    """Serves one service, from its first generation to its end.

    Args:
        log: the server's log.
        limits: bounds for each client.
        compatible: answer as the existing server does.
        version_header: whether answers name the server and its version.
        log_level: level of the scripts' root logger; None to leave logging as Python has it.
        logging_file: the existing server's ``logging.json``, for the scripts' loggers; None for none.
        auth_file: verification material of keys and tokens; None where anybody may score.
        certificate: PEM files of the certificate's chain and of its key; None for plain HTTP.
        telemetry: what is told to a collector; None for nothing.
        telemetry_file: a target's settings of it, which may come and change later.
        recording: stores what revisions collect; None where there is no folder for it.

    Raises:
        ServingError: the material or the certificate cannot be used.
    """

    def __init__(
        self,
        log: ServerLog,
        limits: Limits,
        *,
        compatible: bool = False,
        version_header: bool = True,
        log_level: str | None = "INFO",
        logging_file: Path | None = None,
        auth_file: Path | None = None,
        certificate: tuple[Path, Path] | None = None,
        telemetry: TelemetrySettings | None = None,
        telemetry_file: Path | None = None,
        recording: Recording | None = None,
    ) -> None:
        self.started = time.time()
        self.serving: ScoredGeneration | None = None
        self.pending: ScoredGeneration | None = None
        self.host = ""
        self.port = 0
        self.draining = False
        self.keeper: Keeper | None = None
        self.stopped = asyncio.Event()
        self.on_change: Callable[[Generation], None] = lambda generation: None
        self.log = log
        self._limits = limits
        self._log_level = log_level
        self._logging_file = logging_file
        self.cors = Cors(())
        self._connections = Connections()
        self._listeners: list[asyncio.Server] = []
        self._sockets: list[socket.socket] = []
        self._public: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._ticks: list[asyncio.TimerHandle] = []
        self.rate: RateLimit | None = None
        self._gate = None if auth_file is None else Gate(auth_file, log.error)
        self._own_certificate = certificate is not None
        self.certificate = None if certificate is None else Certificate(*certificate, log.error)
        self._use_certificate()
        self.metrics = Metrics()
        self.recording = recording
        self.application = ScoringApplication(self, self._gate, compatible, version_header)
        if self._gate is not None:
            self.application.metrics.sources.append(self._gate.exposition)
        self._owner = Owner(
            log=log,
            request_name=self.application.request_name,
            counter=self.metrics,
            on_change=self._changed,
            compatible=compatible,
            telemetry=lambda: self.application.telemetry,
        )
        self._telemetry = TelemetrySwitch(
            telemetry,
            telemetry_file,
            log,
            partial(Telemetry, log=log, exchange_of=self.application.exchange_of, quiet=QUIET),
            partial(setattr, self.application, "telemetry"),
        )
        self.metrics.sources.append(lambda: self._telemetry.counts.lines() if self._telemetry.ever else ())
        if recording is not None:
            self.metrics.sources.append(recording.lines)

    # What is served

    def load(self, bundle: Bundle, python: str, revision: str | None) -> ScoredGeneration:
        """Start a generation; it takes over when all its workers are ready, and the one before it drains.

        A generation that is still loading is replaced by this one.
        """
        scope = None
        if bundle.serving.collect is not None:
            scope = None if self.recording is None else self.recording.scope
            if scope is None:
                self.log.warning("Nothing is collected: the server was started without a folder for it (--data-dir)")
        generation = ScoredGeneration(
            bundle,
            of_bundle(bundle, python, self._log_level, scope, self._logging_file),
            revision,
            self._owner,
            secured=self._gate is not None and self._gate.guards(revision),
            recording=self.recording,
        )
        if self.pending is not None:
            self._run(self.pending.end())
        self.pending = generation
        if self.serving is None:  # clients may be there before anything serves: they meet its keys and its TLS already
            self._apply(bundle, revision)
        generation.start()
        return generation

    def _apply(self, bundle: Bundle, revision: str | None) -> None:
        """Let the settings that the front itself keeps be those of a revision and its bundle."""
        if self._gate is not None:
            self._gate.follow(revision)
            if self._use_certificate() and self._public:
                self._run(self._listen_again())
        self._telemetry.follow(revision, bundle.service.name)
        serving = bundle.serving
        self.cors = Cors(serving.cors_origins)
        limit = serving.rate_limit_per_second
        self.rate = None if limit is None else RateLimit(limit, serving.rate_limit_burst or max(int(limit), 1))

    def _changed(self, generation: Generation) -> None:
        if generation is self.pending and generation.phase == "ready":
            before, self.serving, self.pending = self.serving, self.pending, None
            self._apply(generation.bundle, generation.revision)
            self.metrics.swaps["ready"] += 1
            if before is not None:
                self.log.info(f"{_named(generation)} has taken over; the one before drains")
                # What it has just admitted may take until its deadline.
                self._run(before.drain(before.bundle.serving.scoring_timeout_ms / 1000 + 5))
        elif generation is self.pending and generation.phase == "failed" and self.serving is not None:
            self.metrics.swaps["failed"] += 1
            self.log.error(f"{_named(generation)} could not be loaded; the one before goes on")
        self.on_change(generation)

    def _run(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def state(self) -> State:
        """What the service does as a whole."""
        if self.draining:
            return "draining"
        if self.serving is not None:
            return "ready"
        return "failed" if self.pending is not None and self.pending.phase == "failed" else "starting"

    @property
    def answering(self) -> ScoredGeneration | None:
        """The generation that requests are scored by, None while there is none."""
        generation = self.serving
        return generation if generation is not None and generation.ready else None

    def why_not(self) -> Refusal:
        """Say why requests are not scored."""
        if self.draining or self.application.leaving:
            return Refusal("draining", "The server is stopping")
        if self.state == "failed" and self.pending is not None and self.pending.error is not None:
            message = f"The service could not be loaded. {self.pending.error['message']}"
            return Refusal("not_ready", message, "the service's log has the traceback")
        return Refusal("not_ready", "The service is starting", "ask again when init() has returned")

    @property
    def path_prefix(self) -> str:
        """Further prefix under which the routes are found."""
        generation = self.serving or self.pending
        return "" if generation is None else generation.bundle.service.path_prefix

    def gauges(self) -> dict[str, float]:
        """Return the current values that /metrics shows."""
        generation = self.serving
        return {
            "requests_in_flight": len(self.application.jobs),
            "queue_length": 0 if generation is None else generation.dispatcher.waiting,
            "ready": float(self.state == "ready"),
            "connections": len(self._connections.open),
            "start_time_seconds": self.started,
        }

    def _max_body(self) -> int:
        generation = self.serving or self.pending
        return 1 << 20 if generation is None else generation.bundle.serving.max_body_bytes

    def status(self) -> dict[str, Any]:
        """Describe the server as JSON values: the answer of GET /status on the control socket."""
        return {
            "pid": os.getpid(),
            "started": self.started,
            "protocol": protocol.VERSION,
            "host": self.host,
            "port": self.port,
            "scheme": "http" if self.certificate is None else "https",
            "state": self.state,
            "revision": self.serving.revision if self.serving else None,
            "serving": self.serving.status() if self.serving else None,
            "pending": self.pending.status() if self.pending else None,
            "data": None if self.recording is None else self.recording.counts(),
        }

    def reload(self) -> ScoredGeneration:
        """Load the current bundle again; its files are read anew.

        Raises:
            ServingError: there is nothing to reload, or the bundle is broken.
        """
        current = self.serving or self.pending
        if current is None or self.draining:
            raise ServingError("draining", "There is nothing to reload")
        directory = current.bundle.directory
        bundle = current.bundle
        if directory is not None:
            again = bundles.load(directory, bundle.app_root)
            # Its limit is not the bundle's but of whoever started it.
            limit = bundle.serving.memory_limit_mb
            bundle = replace(again, serving=replace(again.serving, memory_limit_mb=limit))
        return self.load(bundle, current.launch.python, current.revision)

    # Sockets

    async def listen(self, *listeners: socket.socket) -> None:
        """Accept clients of the service on bound sockets, the first of which is its address."""
        self.host, self.port = listeners[0].getsockname()[:2]
        self._sockets = list(listeners)
        await self._listen_again()

    async def _listen_again(self) -> None:
        """Take clients with the present certificate, or without one; the socket stays open, so none is turned away."""
        if not self._sockets or self.draining:
            return
        loop = asyncio.get_running_loop()
        more: dict[str, Any] = {}
        if self.certificate is not None:
            more = {
                "ssl": self.certificate.context,
                "ssl_handshake_timeout": self._limits.head_seconds,
                "ssl_shutdown_timeout": self._limits.write_seconds,  # until then the last answer may be read
            }
        before, self._public = self._public, []
        for known in self._sockets:
            public = await loop.create_server(self._connection, sock=known.dup(), backlog=_BACKLOG, **more)
            self._public.append(public)
            self._listeners.append(public)
        for old in before:
            old.close()
            self._listeners.remove(old)
        if before:
            self._connections.end_other("http" if self.certificate is None else "https")

    def _use_certificate(self) -> bool:
        """Let the certificate be the one that the material names for the revision; True when that is another."""
        if self._own_certificate or self._gate is None:
            return False
        stem, before = self._gate.tls, self.certificate
        if stem is None:
            self.certificate = None
        else:
            files = self._gate.path.with_name(f"{stem}.crt"), self._gate.path.with_name(f"{stem}.key")
            if before is not None and before.files == files:
                return False
            self.certificate = Certificate(*files, self.log.error)
        return self.certificate is not before

    def _connection(self) -> HttpConnection:
        return HttpConnection(self.application, self._limits, self._connections, self._max_body)

    async def listen_control(self, path: Path, application: Application) -> None:
        """Serve the control socket, which only this user may open."""
        path.unlink(missing_ok=True)
        loop = asyncio.get_running_loop()
        before = os.umask(0o177)  # the socket is made with it: a chmod would come when somebody may have opened it
        try:
            server = await loop.create_unix_server(
                lambda: HttpConnection(application, self._limits, self._connections, lambda: 1 << 20), str(path)
            )
        finally:
            os.umask(before)
        self._listeners.append(server)

    # Time

    def start_ticking(self) -> None:
        """Begin the regular work: log lines, time limits of connections, memory of workers."""
        loop = asyncio.get_running_loop()

        def flush() -> None:
            self.log.flush()
            self._ticks[0] = loop.call_later(_FLUSH_SECONDS, flush)

        def sweep() -> None:
            self._connections.sweep()
            if self._gate is not None:
                self._gate.refresh()
                self._gate.tell()
            if self.certificate is not None:
                self.certificate.refresh()
            self._telemetry.refresh()
            if self.keeper is not None and not self.draining:
                self.keeper.look()
            for generation in (self.serving, self.pending):
                if generation is not None:
                    generation.check_workers()
            self._ticks[1] = loop.call_later(1.0, sweep)

        self._ticks = [loop.call_later(_FLUSH_SECONDS, flush), loop.call_later(1.0, sweep)]

    # The end

    def stop(self, drain_seconds: float, notice_seconds: float = 0.0) -> None:
        """Stop: take no more clients, finish what is admitted for at most some seconds, end the workers.

        Args:
            drain_seconds: time for requests in progress.
            notice_seconds: time before that in which the server is not ready any more but still serves.
        """
        if self.draining:
            return
        if notice_seconds and self.serving is not None and not self.application.leaving:
            self.application.leaving = True
            self.log.info(f"Not ready any more; requests are still served for {notice_seconds:g} s")
            asyncio.get_running_loop().call_later(notice_seconds, self.stop, drain_seconds)
            return
        self.draining = True
        if self.serving is not None:  # after a failed start it would push the reason away
            self.log.info(f"Stopping; requests in progress have {drain_seconds:g} s to finish")
        self._run(self._stop(drain_seconds))

    async def _stop(self, drain_seconds: float) -> None:
        for listener in self._listeners:
            listener.close()
        for known in self._sockets:
            known.close()
        # Clients first, workers then: a request that is still coming is admitted, and only then nothing more can come.
        end = time.monotonic() + drain_seconds
        await self._connections.end(drain_seconds)
        for generation in (self.pending, self.serving):
            if generation is not None:
                left = max(end - time.monotonic(), 0.0)
                await (generation.drain(left) if generation is self.serving else generation.end())
        for _ in range(100):  # the last answers are on their way to clients that read
            if not self._connections.open:
                break
            await asyncio.sleep(0.01)
        # Behind the last answer, which they are told of too.
        await self._telemetry.close()
        if self.recording is not None:
            await self.recording.close()
        for tick in self._ticks:
            tick.cancel()
        self.stopped.set()


def _named(generation: Generation) -> str:
    """What the log calls a generation; only supervised servers name their revisions."""
    return "The changed script" if generation.revision is None else f"Revision {generation.revision}"
