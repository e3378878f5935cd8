"""The front's side of what is recorded: records go to a process of their own, bounded, and never in a request's way.

Each record ends up in one number: stored, or dropped for a reason. While it is under way it is waiting, so that at any
moment offered = stored + dropped + waiting.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ... import recording
from ...bundle import Bundle, Collect
from ...exposition import family
from ...log import ServerLog
from ...protocol import Decoder, Frame, Kind, encode
from ...recording import layout

if TYPE_CHECKING:
    from .score_job import ScoreJob

SOURCES = ("capture", "collector")
# Bytes of records that wait for the recorder; beyond it they are dropped.
MOST_WAITING = 16 << 20
_HAND_SECONDS = 0.02
_NOTE_SECONDS = 0.25
_RESTART_SECONDS = (0.2, 1.0, 5.0, 30.0)
_END_SECONDS = 5.0
_SAY_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Stream:
    """The records of one revision: number and settings."""

    number: int
    settings: Collect
    hello: bytes


class Recording(asyncio.Protocol):
    """The link to the recorder process, which is started with the first revision that records anything.

    Args:
        folder: the service's folder, ``<root>/<scope>``.
        scope: "subscription/group/workspace/service".
        log: the server's log.
    """

    def __init__(self, folder: Path, scope: str, log: ServerLog) -> None:
        self.scope = scope
        self._folder = folder
        self._log = log
        self._name = f"{os.getpid()}-{int(time.time() * 1000):x}"
        self._streams: dict[int, Stream] = {}
        self._decoder = Decoder()
        self._transport: asyncio.Transport | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._handing = False
        self._closing = False
        self._deaths = 0
        self._queue: list[bytes] = []
        self._queued: Counter[str] = Counter()
        self._bytes = 0
        self._sent: Counter[str] = Counter()
        # Told by the process that runs now, and what was settled without it.
        self._told_stored: Counter[str] = Counter()
        self._told_dropped: Counter[tuple[str, str]] = Counter()
        self._stored: Counter[str] = Counter()
        self._dropped: Counter[tuple[str, str]] = Counter()
        self._noted = ""
        self._noting: asyncio.TimerHandle | None = None
        self._said = -_SAY_SECONDS
        self.error: str | None = None
        self.last_write = 0.0

    # Streams

    def stream(self, bundle: Bundle, revision: str | None) -> Stream | None:
        """Return where the records of a revision go, None when it records nothing."""
        settings = bundle.serving.collect
        if settings is None:
            return None
        number = (max(self._streams, default=0) + 1) & 0xFFFF
        if len(bundle.models) == 1:
            model, version = bundle.models[0][0], str(bundle.models[0][1])
        else:
            model, version = bundle.service.name, revision or bundle.service.version
        content = {
            "folder": f"{layout.part(model)}/{layout.part(version)}",
            "redact": settings.redact,
            "max_store_bytes": settings.max_store_mb << 20,
        }
        hello = encode(Kind.HELLO, [json.dumps(content).encode()], number)
        stream = self._streams[number] = Stream(number=number, settings=settings, hello=hello)
        self._queue.append(hello)
        if self._process is None:
            self._max_file_bytes = settings.max_file_mb << 20  # for another too that is started when this one dies
            self._start()
        return stream

    # Records

    def answered(self, job: ScoreJob, stream: Stream, answer: bytes) -> None:
        """Take an answered request, or count why not."""
        settings = stream.settings
        name = job.ids.request_id.encode("utf-8", "replace")
        if settings.sample < 1 and zlib.crc32(name) >= settings.sample * 0x1_0000_0000:
            self._dropped["capture", "not_sampled"] += 1
        elif job.size > settings.max_body_bytes or len(answer) > settings.max_body_bytes:
            self._dropped["capture", "too_large"] += 1
        else:
            frame = encode(Kind.CAPTURE, [name, b"".join(job.chunks), answer], stream.number, 0, time.time())
            self._put("capture", frame)

    def streamed(self) -> None:
        """Count a streamed answer, which is not kept."""
        self._dropped["capture", "streamed"] += 1

    def collected(self, stream: Stream, request_id: str, frame: Frame) -> None:
        """Take the rows of a collector."""
        bodies = [*frame.bodies, request_id.encode("utf-8", "replace")]
        self._put("collector", encode(Kind.COLLECT, bodies, stream.number, frame.id, frame.clock))

    def _put(self, source: str, frame: bytes) -> None:
        buffered = 0 if self._transport is None else self._transport.get_write_buffer_size()
        if self._closing or self._bytes + buffered + len(frame) > MOST_WAITING:
            self._dropped[source, "buffer_full"] += 1
            return
        self._queue.append(frame)
        self._queued[source] += 1
        self._bytes += len(frame)
        if not self._handing:
            # Handed over some at a time: each write costs about as much as scoring a small model.
            self._handing = True
            asyncio.get_running_loop().call_later(_HAND_SECONDS, self._hand)

    def _hand(self) -> None:
        self._handing = False
        if self._transport is None or not self._queue:
            return
        queue, self._queue = self._queue, []
        self._sent += self._queued
        self._queued.clear()
        self._bytes = 0
        self._transport.write(b"".join(queue))

    # The process

    def _start(self) -> None:
        if self._closing:
            return
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        argv = [sys.executable, "-P", "-m", recording.__name__, "--socket", str(theirs.fileno())]
        argv += ["--folder", str(self._folder), "--name", self._name, "--max-file-bytes", str(self._max_file_bytes)]
        try:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            self._say(f"The recorder cannot be started: {error}")
            self._again()
            return
        finally:
            theirs.close()
        ours.setblocking(False)
        loop = asyncio.get_running_loop()
        self._connecting = loop.create_task(loop.create_unix_connection(lambda: self, sock=ours))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._decoder = Decoder()
        self._noted = ""
        first = [stream.hello for stream in self._streams.values()]
        self._queue = [*first, *(frame for frame in self._queue if frame not in first)]
        self._note()
        self._hand()

    def data_received(self, data: bytes) -> None:
        for frame in self._decoder.feed(data):
            content = json.loads(frame.bodies[0])
            self._deaths = 0
            self._told_stored = Counter(content["stored"])
            self._told_dropped = Counter({(source, reason): n for source, reason, n in content["dropped"]})
            self.last_write = float(content["last_write"])
            error = content["error"]
            if error is not None:
                self._say(f"Data collection: {error}; scoring goes on")
            elif self.error is not None:
                self._log.info("Data collection: rows are written again")
            self.error = error

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        for source in SOURCES:
            lost = self._sent[source] - self._settled(source)
            if lost > 0:
                self._dropped[source, "recorder_died"] += lost
        self._stored += self._told_stored
        self._dropped += self._told_dropped
        self._told_stored, self._told_dropped, self._sent = Counter(), Counter(), Counter()
        if self._process is not None:
            asyncio.get_running_loop().call_later(0.5, self._process.poll)  # leaves no zombie
        if not self._closing:
            self._say("The recorder of collected data died; another is started")
            self._again()

    def _settled(self, source: str) -> int:
        dropped = sum(count for (name, _), count in self._told_dropped.items() if name == source)
        return self._told_stored[source] + dropped

    def _again(self) -> None:
        delay = _RESTART_SECONDS[min(self._deaths, len(_RESTART_SECONDS) - 1)]
        self._deaths += 1
        asyncio.get_running_loop().call_later(delay, self._start)

    def _say(self, text: str) -> None:
        now = time.monotonic()
        if now - self._said >= _SAY_SECONDS:
            self._said = now
            self._log.warning(text)

    def _note(self) -> None:
        """Tell the recorder, which keeps the counts, what was settled without it."""
        if self._transport is None or self._closing:
            return
        text = self._outside()
        if text != self._noted:
            self._noted = text
            self._transport.write(encode(Kind.NOTE, [text.encode()]))
        if self._noting is not None:
            self._noting.cancel()
        self._noting = asyncio.get_running_loop().call_later(_NOTE_SECONDS, self._note)

    def _outside(self) -> str:
        outside = {
            source: {
                "stored": self._stored[source],
                "dropped": {reason: n for (name, reason), n in self._dropped.items() if name == source},
            }
            for source in SOURCES
        }
        return json.dumps(outside)

    async def close(self) -> None:
        """Let the recorder write what has come, and end; waits for it a few seconds."""
        self._hand()
        if self._transport is not None:
            self._transport.write(encode(Kind.NOTE, [self._outside().encode()]))
            self._transport.write_eof()
        self._closing = True
        end = time.monotonic() + _END_SECONDS
        while self._process is not None and self._process.poll() is None and time.monotonic() < end:
            await asyncio.sleep(0.01)

    # Counts

    def counts(self) -> dict[str, dict[str, Any]]:
        """By source: offered, stored, waiting, and dropped by reason."""
        found: dict[str, dict[str, Any]] = {}
        dropped = self._dropped + self._told_dropped
        for source in SOURCES:
            reasons = {reason: n for (name, reason), n in sorted(dropped.items()) if name == source}
            stored = self._stored[source] + self._told_stored[source]
            waiting = max(self._sent[source] - self._settled(source), 0) + self._queued[source]
            offered = stored + sum(reasons.values()) + waiting
            found[source] = {"offered": offered, "stored": stored, "waiting": waiting, "dropped": reasons}
        return found

    def lines(self) -> list[str]:
        """The counts in the text format of Prometheus."""
        counts = self.counts()
        lines: list[str] = []
        for name, kind, text in (
            ("offered", "counter", "Records that were to be stored: requests, and rows of collectors."),
            ("stored", "counter", "Records that were written to files."),
            ("waiting", "gauge", "Records on their way to files."),
        ):
            by_source = [({"source": source}, counts[source][name]) for source in SOURCES]
            lines += family(f"data_{name}{'_total' if kind == 'counter' else ''}", kind, text, by_source)
        dropped = [
            ({"source": source, "reason": reason}, count)
            for source in SOURCES
            for reason, count in counts[source]["dropped"].items()
        ]
        lines += family("data_dropped_total", "counter", "Records that were not stored, by reason.", dropped)
        text = "When rows were written last, Unix time; 0 for never."
        return lines + family("data_last_write_seconds", "gauge", text, f"{self.last_write:.3f}")
