"""What the script prints and logs, as LOG frames: each line once, with the request it belongs to."""

import codecs
import functools
import io
import logging
import os
import sys
from typing import Any, Optional

from .channel import Channel

# A line longer than this is cut into pieces, so that one print cannot fill the log's memory.
MAX_LINE = 64 * 1024


class _Bytes(io.RawIOBase):
    """``sys.stdout.buffer`` for scripts that write bytes."""

    def __init__(self, text: "LineStream") -> None:
        self._text = text
        # What is copied from elsewhere comes in pieces of any length, which may cut a character in two.
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._text.write(self._decoder.decode(bytes(data)))
        return len(data)

    def fileno(self) -> int:
        return self._text.fileno()


class LineStream(io.TextIOBase):
    """Takes the place of ``sys.stdout`` or ``sys.stderr``; sends whole lines to the front.

    The descriptors 1 and 2 stay what they were: output of C code and child processes goes there, and the front
    logs it too.

    Args:
        channel: where lines go.
        name: "stdout" or "stderr".
        descriptor: 1 or 2, given to callers of ``fileno()`` and written to by forked children.
    """

    encoding, errors, line_buffering = "utf-8", "backslashreplace", True

    def __init__(self, channel: Channel, name: str, descriptor: int) -> None:
        self._channel = channel
        self._name = name
        self._descriptor = descriptor
        self._partial = ""
        self.name = "<%s>" % name
        self.buffer = _Bytes(self)

    def reconfigure(self, **_: Any) -> None:
        """Accepted and without effect: lines are always sent as they are complete."""

    def fileno(self) -> int:
        return self._descriptor

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        """Without effect: a script that closes its output must not silence the worker."""

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError("write() argument must be str, not %s" % type(text).__name__)
        if not self._channel.owned:
            self._write_as_child(text)
            return len(text)
        if "\n" in text or len(self._partial) + len(text) > MAX_LINE:
            lines, newline, rest = (self._partial + text).rpartition("\n")
            if not newline:
                lines, rest = rest, ""
            self._partial = rest
            self._send(lines)
        else:
            self._partial += text
        return len(text)

    def finish_line(self) -> None:
        """Send what was written without a newline, so that it stays with its request."""
        if self._partial:
            partial, self._partial = self._partial, ""
            self._send(partial)

    def _send(self, lines: str) -> None:
        for start in range(0, max(len(lines), 1), MAX_LINE):
            self._channel.log(self._name, lines[start : start + MAX_LINE])

    def _write_as_child(self, text: str) -> None:
        try:
            os.write(self._descriptor, text.encode("utf-8", "backslashreplace"))
        except OSError:
            pass  # nobody reads any more


class FrameHandler(logging.Handler):
    """Sends records of loggers that have no handler of their own; the script's own handlers go first."""

    def __init__(self, channel: Channel) -> None:
        logging.Handler.__init__(self)
        self._channel = channel

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = "%s: %s" % (record.name, self.format(record))
            if self._channel.owned:
                self._channel.log("log:" + record.levelname[:1], text)
        except Exception:
            self.handleError(record)


def _configure_plainly(handler: logging.Handler) -> None:
    """Let ``logging.basicConfig`` use our handler where the script asks for no format and no place.

    ``logging.info()`` and its like call it so; Python's own handler would write lines to standard error, where
    their levels are only text.
    """
    original = logging.basicConfig
    handler.setFormatter(logging.Formatter("%(message)s"))

    @functools.wraps(original)
    def configure(**given: Any) -> None:
        if set(given) <= {"level", "force"}:
            given["handlers"] = [handler]
        original(**given)

    logging.basicConfig = configure


class Output:
    """The redirected output of one worker."""

    def __init__(self, channel: Channel) -> None:
        self._stdout = LineStream(channel, "stdout", 1)
        self._stderr = LineStream(channel, "stderr", 2)
        self._channel = channel

    def take_over(self, level: Optional[str]) -> None:
        """Redirect ``sys.stdout``, ``sys.stderr`` and unhandled log records of this process.

        Args:
            level: level of the root logger, or None to leave logging as Python has it.
        """
        sys.stdout = self._stdout
        sys.stderr = self._stderr
        if level is not None:
            number = logging.getLevelName(level.upper())
            logging.getLogger().setLevel(number if isinstance(number, int) else logging.INFO)
            # lastResort serves only records that no handler takes, so a script that sets up logging
            # itself is never logged twice.
            logging.lastResort = FrameHandler(self._channel)
            _configure_plainly(logging.lastResort)

    def finish_lines(self) -> None:
        """Send unfinished lines of both streams."""
        if self._stdout._partial:
            self._stdout.finish_line()
        if self._stderr._partial:
            self._stderr.finish_line()
