"""The server's log: one line per event, written by a thread of its own so that no reader can stall the front."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TextIO

from .log_format import FORMATTERS, Format

# The id of lines that belong to no request, such as those of init().
NO_REQUEST = "00000000-0000-0000-0000-000000000000"
# Lines that wait to be written; beyond it they are dropped and counted.
_MOST_WAITING = 16 * 1024 * 1024


class StreamSink:
    """Writes to an open text stream, standard output as a rule; a closed one is ignored."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            pass  # nobody reads; the server goes on

    def close(self) -> None:
        """Leave the stream open: it is not ours."""


class FileSink:
    """Writes to a file that is rotated by size: ``FILE``, ``FILE.1``, ``FILE.2``.

    Args:
        path: the file.
        max_bytes: size at which it is moved aside.
        files: how many files there are at most, the current one included.
    """

    def __init__(self, path: Path, max_bytes: int = 10 * 1024 * 1024, files: int = 3) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._files = files
        path.parent.mkdir(parents=True, exist_ok=True)
        self._open()

    def _open(self) -> None:
        self._file = self._path.open("ab", buffering=0)
        self._size = self._file.tell()

    def write(self, text: str) -> None:
        data = text.encode("utf-8", "backslashreplace")
        if self._size and self._size + len(data) > self._max_bytes:
            self._rotate()
        try:
            self._file.write(data)
        except OSError:
            return  # a full disk must not stop scoring
        self._size += len(data)

    def _rotate(self) -> None:
        full = self._file
        try:
            for number in range(self._files - 1, 0, -1):
                older = Path(f"{self._path}.{number}")
                newer = self._path if number == 1 else Path(f"{self._path}.{number - 1}")
                if newer.exists():
                    newer.replace(older)
            self._open()
        except OSError:
            self._size = 0  # the file is written on, and moved aside when as much has come again
        else:
            full.close()

    def close(self) -> None:
        self._file.close()


class ServerLog:
    """Collects lines and hands them to a sink in a thread of its own.

    Args:
        sink: where the text goes.
        form: form of the lines.

    Attributes:
        raw: whether what the script's process writes itself is finished lines, to be written as they are.
    """

    raw = False

    def __init__(self, sink: StreamSink | FileSink, form: Format = "text") -> None:
        self._sink = sink
        self._format = FORMATTERS[form]
        self.structured = form == "json"
        self._plain = form == "text"
        self._since = self._until = 0.0  # the millisecond of the last line of an access, and how that began
        self._start = ""
        self._queue: queue.SimpleQueue[str | Callable[[], None] | None] = queue.SimpleQueue()
        self._lines: list[str] = []
        self._size = 0
        self._waiting = 0
        self._dropped = 0
        self._lock = threading.Lock()
        self._second = 0
        self._stamp = ""
        self._pid = os.getpid()
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)
        self._thread.start()

    def write(
        self,
        level: str,
        logger: str,
        message: str,
        pid: int = 0,
        request_id: str | None = None,
        fields: Mapping[str, object] | None = None,
    ) -> None:
        """Log one event; a message of several lines stays together.

        Args:
            level: first letter of the level: D, I, W, E or C.
            logger: name of the logger, such as "sendoff.access".
            message: the text.
            pid: process that it is about; the front's own by default.
            request_id: request that it is about.
            fields: further members of a JSON line.
        """
        milliseconds = self._tick(time.time())
        line = self._format(self._stamp, milliseconds, level, pid or self._pid, logger, message, request_id, fields)
        self._lines.append(line)
        self._size += len(line)
        if self._size > 65536:
            self.flush()

    def access(
        self,
        method: str,
        target: str,
        status: int,
        seconds: float,
        size: int,
        request_id: str | None,
        now: float | None = None,
    ) -> None:
        """Log an answered request.

        Args:
            method: its method; target: path and query.
            status: of the answer; seconds: until it was sent; size: bytes of its body.
            request_id: request that it is about.
            now: monotonic time, where it is known.
        """
        milliseconds = seconds * 1000
        if not self._plain:
            fields: dict[str, object] | None = None
            if self.structured:
                fields = {"method": method, "target": target, "status": status}
                fields.update(milliseconds=round(milliseconds, 3), bytes=size)
            text = f"{method} {target} {status} {milliseconds:.3f}ms {size}"
            self.write("I", "sendoff.access", text, 0, request_id, fields)
            return
        # What text_line() makes of it, with what the lines of one millisecond share made once.
        now = time.monotonic() if now is None else now
        if not self._since <= now < self._until:
            self._begin_access(now)
        name = f"{request_id} " if request_id else ""
        line = f"{self._start}{name}{method} {target} {status} {milliseconds:.3f}ms {size}\n"
        self._lines.append(line)
        self._size += len(line)
        if self._size > 65536:
            self.flush()

    def _tick(self, clock: float) -> int:
        """Let the stamp be that of a time; returns the milliseconds within its second."""
        second = int(clock)
        if second != self._second:
            self._second = second
            self._stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(second))
        return int((clock - second) * 1000)

    def _begin_access(self, now: float) -> None:
        clock = time.time()
        milliseconds = self._tick(clock)
        self._since, self._until = now, now + 0.001 - (clock * 1000 % 1.0) / 1000
        self._start = f"{self._stamp},{milliseconds:03d} I [{self._pid}] sendoff.access - "

    def info(self, message: str, logger: str = "sendoff") -> None:
        """Log an ordinary event."""
        self.write("I", logger, message)

    def warning(self, message: str, logger: str = "sendoff") -> None:
        """Log something that somebody should look at."""
        self.write("W", logger, message)

    def error(self, message: str, logger: str = "sendoff") -> None:
        """Log a failure."""
        self.write("E", logger, message)

    def announce(self, line: str) -> None:
        """Write a line as it is, at once, in order with the others."""
        self._lines.append(f"{line}\n")
        self.flush()

    def flush(self) -> None:
        """Hand over the lines collected so far; called by the server every few hundredths of a second."""
        if not self._lines:
            return
        text, self._lines, self._size = "".join(self._lines), [], 0
        with self._lock:
            if self._waiting > _MOST_WAITING:
                self._dropped += text.count("\n")
                return
            if self._dropped:
                text = f"({self._dropped} log lines were dropped: the log is not being read)\n{text}"
                self._dropped = 0
            self._waiting += len(text)
        self._queue.put(text)

    def when_written(self, told: Callable[[], None]) -> None:
        """Hand over the lines collected so far, and call back in the log's own thread once they are written.

        Args:
            told: must not raise; not called at all when the log is closed meanwhile.
        """
        self.flush()
        self._queue.put(told)

    def _write(self) -> None:
        while True:
            text = self._queue.get()
            if text is None:
                return
            if not isinstance(text, str):
                text()
                continue
            self._sink.write(text)
            with self._lock:
                self._waiting -= len(text)

    def close(self, seconds: float = 2.0) -> None:
        """Write what is left, for at most some seconds."""
        self.flush()
        self._queue.put(None)
        self._thread.join(seconds)
        if not self._thread.is_alive():
            self._sink.close()
