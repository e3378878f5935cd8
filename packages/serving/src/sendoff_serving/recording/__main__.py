"""``python -m sendoff_serving.recording``: the recorder of one front, over a socket that it hands down.

It ends when the front closes the socket, or is gone: then what has come is written first.
"""

from __future__ import annotations

import argparse
import json
import select
import signal
import socket
import sys
import time
from pathlib import Path

from ..protocol import Decoder, Frame, Kind, encode
from .recorder import CAPTURE, COLLECTOR, Recorder

FLUSH_SECONDS = 0.25
_FLUSH_BYTES = 1 << 20
_READ = 1 << 18
_MEASURE_SECONDS = 60.0


def main(arguments: list[str]) -> int:
    """Record until the front is gone; returns 0."""
    parser = argparse.ArgumentParser(prog="python -m sendoff_serving.recording", description=__doc__)
    parser.add_argument("--socket", type=int, required=True, help="descriptor of the connected socket")
    parser.add_argument("--folder", type=Path, required=True, help="the service's folder")
    parser.add_argument("--name", required=True, help="name of the counts")
    parser.add_argument("--max-file-bytes", type=int, required=True)
    given = parser.parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the front says when to end
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    link = socket.socket(fileno=given.socket)
    _record(link, Recorder(given.folder, given.name, given.max_file_bytes))
    return 0


def _record(link: socket.socket, recorder: Recorder) -> None:
    decoder = Decoder()
    flushed = measured = time.monotonic()
    told = ""
    going = True
    while going:
        if select.select([link], [], [], FLUSH_SECONDS)[0]:
            try:
                data = link.recv(_READ)
            except OSError:
                data = b""
            going = bool(data)
            for frame in decoder.feed(data):
                _take(recorder, frame)
        now = time.monotonic()
        if going and now - flushed < FLUSH_SECONDS and recorder.waiting < _FLUSH_BYTES:
            continue
        if now - measured > _MEASURE_SECONDS:
            recorder.measure_again()
            measured = now
        recorder.flush(time.time(), last=not going)
        flushed = now
        told = _tell(link, recorder, told)


def _take(recorder: Recorder, frame: Frame) -> None:
    try:
        if frame.kind == Kind.CAPTURE:
            recorder.captured(frame)
        elif frame.kind == Kind.COLLECT:
            recorder.collected(frame)
        elif frame.kind == Kind.HELLO:
            recorder.context(frame.code, json.loads(frame.bodies[0]))
        elif frame.kind == Kind.NOTE:
            recorder.outside = json.loads(frame.bodies[0])
    except Exception as error:  # one record that nobody thought of must not end the recording of the others
        recorder.fault(COLLECTOR if frame.kind == Kind.COLLECT else CAPTURE)
        recorder.error = f"{type(error).__name__}: {error}"


def _tell(link: socket.socket, recorder: Recorder, told: str) -> str:
    content = {
        "stored": dict(recorder.stored),
        "dropped": [[source, reason, count] for (source, reason), count in recorder.dropped.items()],
        "error": recorder.error,
        "last_write": recorder.last_write,
    }
    text = json.dumps(content)
    if text != told:
        try:
            link.sendall(encode(Kind.NOTE, [text.encode()]))
        except OSError:
            pass  # the front is gone
    return text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
