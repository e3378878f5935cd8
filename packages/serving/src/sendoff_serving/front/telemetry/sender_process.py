"""The process that speaks to the collector, as the front sees it: batches go in, what became of each comes back."""

from __future__ import annotations

import asyncio
import json
import marshal
import os
import struct
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ... import __version__
from ...log import ServerLog

_PROGRAM = Path(__file__).with_name("sender.py")
_LENGTH = struct.Struct("<I")
# Waits before a sender that has ended is started again, in seconds.
_BACK_OFF = (0.5, 2.0, 8.0, 30.0)
# What fails is said once in this many seconds.
_SAY_EVERY = 60.0
# A collector that took nothing lately is not waited for as long when the server stops; a sender that is still
# starting, as when init() fails at once, is waited for longer.
_SHORT_FLUSH = 0.5
_LONG_FLUSH = 10.0

Answered = Callable[[str, int, int, bool, bool], None]
"""Signal, number of items, bytes, whether they were delivered, whether the server had stopped."""


class SenderProcess(asyncio.Protocol):
    """Starts the sender, again when it has ended and there is something to send, and ends it with the front.

    Args:
        config: for ``sender.py``: resource attributes and signals.
        environment: ``OTEL_*`` variables beside the front's own.
        log: where a collector that cannot be reached is told of.
        answered: takes what became of each batch.
    """

    def __init__(self, config: dict[str, Any], environment: dict[str, str], log: ServerLog, answered: Answered) -> None:
        self._config = {**config, "version": __version__}
        self._environment = environment
        self._log = log
        self._answered = answered
        self._process: subprocess.Popen[bytes] | None = None
        self._input: asyncio.WriteTransport | None = None
        self._starting: asyncio.Task[None] | None
        self._frames: list[bytes] = []  # that wait for its start
        self._sent: deque[tuple[str, int, int]] = deque()
        self._partial = b""
        self._failures = 0
        self._failing = False
        self._said = -_SAY_EVERY
        self._closing = False
        self._ended = asyncio.Event()
        self._heard = False
        self._starting = asyncio.get_running_loop().create_task(self._start())

    def send(self, signal: str, items: list[tuple[Any, ...]], number: int, size: int) -> None:
        """Send a batch; its answer comes later, also when it cannot be delivered."""
        self._sent.append((signal, number, size))
        frame = _frame((signal, items))
        if self._input is not None:
            self._input.write(frame)
            return
        self._frames.append(frame)
        if self._starting is None:
            self._starting = asyncio.get_running_loop().create_task(self._start())

    async def _start(self) -> None:
        if self._failures:
            await asyncio.sleep(_BACK_OFF[min(self._failures, len(_BACK_OFF)) - 1])
        loop = asyncio.get_running_loop()
        try:
            process = self._process = subprocess.Popen(
                [sys.executable, "-P", str(_PROGRAM)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, **self._environment},
                start_new_session=True,  # a Ctrl-C is for the front, which still has something to send
            )
            transport, _ = await loop.connect_write_pipe(asyncio.Protocol, process.stdin)
            await loop.connect_read_pipe(lambda: self, process.stdout)
        except OSError as error:
            self._starting = None
            self._lost(f"its process cannot be started: {error}")
            return
        self._ended.clear()
        self._starting = None
        self._input = transport
        frames, self._frames = self._frames, []
        self._input.writelines([_frame(self._config), *frames])
        if self._closing:
            self._input.close()

    # asyncio.Protocol, of its standard output

    def data_received(self, data: bytes) -> None:
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            answer = json.loads(line)
            self._heard = True
            if answer.get("fatal"):
                self._problem(str(answer["fatal"]))
                continue
            if self._sent:
                self._answered(*self._sent.popleft(), answer["delivered"], self._closing)
            if answer["delivered"]:
                self._failures = 0
                if self._failing:
                    self._failing = False
                    self._log.info("The OpenTelemetry collector takes spans and log records again")
            else:
                self._problem(str(answer["error"]))

    def connection_lost(self, error: Exception | None) -> None:
        self._lost("its process has ended")

    def _lost(self, reason: str) -> None:
        transport, self._input = self._input, None
        if transport is not None:
            transport.close()
        if self._process is not None:
            process, self._process = self._process, None
            if process.poll() is None:
                process.kill()
            # A zombie until then; it has closed its output, so this does not wait.
            asyncio.get_running_loop().run_in_executor(None, process.wait)
        self._frames = []
        while self._sent:
            self._answered(*self._sent.popleft(), False, self._closing)
        if not self._closing:
            self._failures += 1
            self._problem(reason)
        self._ended.set()

    def _problem(self, reason: str) -> None:
        self._failing = True
        now = time.monotonic()
        if now - self._said > _SAY_EVERY:
            self._said = now
            self._log.warning(
                f"Spans and log records are not delivered: {reason}. Requests go on; "
                "/metrics counts what is dropped (sendoff_telemetry_dropped_total)"
            )

    async def close(self, seconds: float) -> None:
        """Let it deliver what it has, for at most some seconds, then end it."""
        self._closing = True
        if self._process is None and self._starting is None:
            return
        waiting = len(self._sent)
        if self._input is not None:
            self._input.close()  # what is written goes out first
        if self._failing or not waiting:
            seconds = min(seconds, _SHORT_FLUSH)
        elif not self._heard:
            seconds = max(seconds, _LONG_FLUSH)
        try:
            await asyncio.wait_for(self._ended.wait(), seconds)
        except TimeoutError:
            number = sum(number for _, number, _ in self._sent)
            if number:
                self._log.warning(f"{number} spans and log records were not delivered within the time to stop")
            if self._starting is not None:
                self._starting.cancel()
            self._lost("the server has stopped")


def _frame(content: Any) -> bytes:
    data = marshal.dumps(content)
    return _LENGTH.pack(len(data)) + data
