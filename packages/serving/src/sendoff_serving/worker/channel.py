"""The worker's end of the frame protocol: a blocking socket, safe against threads and forks of the script."""

import json
import os
import select
import socket
import threading
import time
from typing import Any, List, Optional, Sequence

from sendoff_serving import protocol
from sendoff_serving.protocol import Buffer, Frame, Kind

# Exit status of a worker that has lost its front in the middle of something.
LOST_FRONT = 71
_READ = 1 << 18
# More than this is sent in the pieces it is in; the kernel takes so many at once.
_LARGE = 1 << 16
_MOST_PIECES = 64


def _out_of_the_way(descriptor: int) -> int:
    """Move a descriptor to a high number, where a script that closes "all" descriptors rarely looks."""
    try:
        import fcntl

        high = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 700)
    except (ImportError, OSError, ValueError, AttributeError):
        os.set_inheritable(descriptor, False)
        return descriptor
    os.close(descriptor)
    return high


class Channel:
    """Frames to and from the front.

    A child that the script forks shares the socket; its writes would cut into ours, so everything here asks
    first whether this is still the worker's own process.

    Args:
        descriptor: the connected Unix socket that the front handed down.
    """

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, fileno=_out_of_the_way(descriptor))
        self._socket.setblocking(True)
        self._decoder = protocol.Decoder()
        self._lock = threading.Lock()
        self._owner = os.getpid()
        self.request_id = 0

    @property
    def raw_socket(self) -> socket.socket:
        """The socket itself, for the template, which receives descriptors."""
        return self._socket

    def rebind(self, descriptor: int) -> None:
        """Go on over another socket, in a process that has just been forked from the template."""
        self._socket.close()
        self.__init__(descriptor)  # type: ignore[misc]

    @property
    def owned(self) -> bool:
        """Whether this process is the worker itself and not a child that the script has forked."""
        return os.getpid() == self._owner

    def wait(self, seconds: Optional[float]) -> bool:
        """Wait until there is something to read; None waits in the read itself."""
        return seconds is None or bool(select.select([self._socket], [], [], seconds)[0])

    def receive(self, within: Optional[float] = None) -> Optional[List[Frame]]:
        """Wait for frames.

        Args:
            within: seconds to wait at most; None for ever.

        Returns:
            Every frame that is ready, none when the time is over, None when the front has closed the socket.
        """
        until = 0.0 if within is None else time.monotonic() + within
        frames: List[Frame] = []
        while not frames:
            if not self.wait(None if within is None else max(until - time.monotonic(), 0.0)):
                return frames
            missing = self._decoder.missing
            try:
                if missing > _LARGE:
                    data = self._socket.recv(missing, socket.MSG_WAITALL)
                else:
                    data = self._socket.recv(_READ)
            except OSError:
                os._exit(LOST_FRONT)  # the script closed our descriptor: only a new worker helps
            if not data:
                return None
            frames = self._decoder.feed(data)
        return frames

    def send(self, data: Buffer) -> None:
        """Send encoded frames whole; does nothing in a forked child."""
        if os.getpid() != self._owner:
            return
        with self._lock:
            try:
                self._socket.sendall(data)
            except OSError:
                os._exit(LOST_FRONT)

    def send_pieces(self, pieces: List[Buffer]) -> None:
        """Send encoded frames that are in pieces; large ones are not joined for it."""
        if sum(map(len, pieces)) <= _LARGE:
            self.send(b"".join(pieces))
            return
        if os.getpid() != self._owner:
            return
        waiting = [memoryview(piece) for piece in pieces if len(piece)]
        with self._lock:
            try:
                while waiting:
                    sent = self._socket.sendmsg(waiting[:_MOST_PIECES])
                    while waiting and sent >= len(waiting[0]):
                        sent -= len(waiting.pop(0))
                    if sent:
                        waiting[0] = waiting[0][sent:]
            except OSError:
                os._exit(LOST_FRONT)

    def send_json(self, kind: int, content: Any, code: int = 0, clock: float = 0.0) -> None:
        """Send a frame whose only body is a JSON document."""
        self.send(protocol.encode(kind, [json.dumps(content).encode("utf-8")], code, self.request_id, clock))

    def send_bodies(self, kind: int, bodies: Sequence[Buffer], code: int = 0, clock: float = 0.0) -> None:
        """Send one frame for the request that runs now."""
        self.send(protocol.encode(kind, bodies, code, self.request_id, clock))

    def log(self, stream: str, text: str) -> None:
        """Send lines of the script's output, with the id of the request that runs now."""
        body = text.encode("utf-8", "backslashreplace")
        self.send(protocol.encode(Kind.LOG, [stream.encode("ascii"), body], 0, self.request_id))
