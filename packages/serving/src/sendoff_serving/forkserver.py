"""``python -m sendoff_serving.forkserver``: has what a server imports, and forks servers that share its memory.

A server of its own reads and runs 250 modules before it listens: 0.2 s, and 15 MB that are the same in every one. Those
forked from one process share them until they are written to. A forked server is what ``python -m sendoff_serving``
would have been, for whoever looks too: a session of its own, the command line and the mark that ``/proc`` shows.

The listening Unix socket is standard input. Who connects is told ``ready``, sends one JSON line
(``arguments``, ``mark``, ``console``), and is answered with one: ``{"refused": "why"}``, or by the new process
``{"pid": 123}``. That goes on when it is told ``go``: where whoever asked has ended or given up meanwhile, it ends too.
Whoever asks has the same circumstances as whoever started this process: see ``sendoff.targets.process.forking``.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import select
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

from . import __main__ as command

SERVER, MODULE = str(__package__), f"{__package__}.forkserver"
MARK = "SENDOFF_FRONT"
"""The variable by which a server and all that it starts are found; this process has one of the same length."""
READY, GO = b"ready\n", b"go\n"
IDLE_SECONDS = 60.0
"""How long this process stays with none of its servers running."""
REQUEST_SECONDS = 5.0


class Forked(Exception):
    """This process is a new server, with these arguments."""

    def __init__(self, arguments: list[str]) -> None:
        super().__init__()
        self.arguments = arguments


class Forkserver:
    """Takes one request after the other until it has been idle for a minute.

    Args:
        listener: where it is asked.
    """

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._path = Path(listener.getsockname())
        self._inode = self._path.stat().st_ino
        self._command_line = CommandLine()
        self._command_line.show(MODULE, [], "")
        self._servers: dict[int, int] = {}  # by the descriptor that tells of their end
        self._poll = select.poll()
        self._poll.register(listener, select.POLLIN)

    def run(self) -> None:
        """Fork what is asked for.

        Raises:
            Forked: in every new server.
        """
        idle_since = time.monotonic()
        while time.monotonic() - idle_since < IDLE_SECONDS and self._is_reached():
            for descriptor, _ in self._poll.poll(min(IDLE_SECONDS, 10.0) * 1000):
                if descriptor in self._servers:
                    self._poll.unregister(descriptor)
                    os.waitpid(self._servers.pop(descriptor), 0)
                    os.close(descriptor)
                else:
                    self._take()
            if self._servers:
                idle_since = time.monotonic()
        if self._is_reached():
            for path in (self._path, self._path.with_suffix(".log")):
                path.unlink(missing_ok=True)

    def _is_reached(self) -> bool:
        """Whether the socket's file is still this one: it may have been removed, or another process has taken over."""
        try:
            return self._path.stat().st_ino == self._inode
        except OSError:
            return bool(self._servers)

    def _take(self) -> None:
        with self._listener.accept()[0] as link:
            link.settimeout(REQUEST_SECONDS)
            try:
                link.sendall(READY)
                line = link.makefile("rb").readline()
                if not line.endswith(b"\n"):
                    return  # it has ended, or has given up
                self._fork(json.loads(line), link)
            except (OSError, ValueError, KeyError):
                return  # what was forked is not told to go on

    def _fork(self, request: dict[str, Any], link: socket.socket) -> None:
        arguments = [str(word) for word in request["arguments"]]
        if not self._command_line.holds(SERVER, arguments):
            _tell(link, refused="the command line is too long")
            return
        pid = os.fork()
        if pid == 0:
            try:
                self._become(arguments, str(request["mark"]), str(request["console"]))
                _tell(link, pid=os.getpid())
                if link.recv(len(GO)) != GO:
                    os._exit(0)
                link.close()
            except BaseException:
                os._exit(1)  # there must not be two that fork
            raise Forked(arguments)
        descriptor = os.pidfd_open(pid)
        self._servers[descriptor] = pid
        self._poll.register(descriptor, select.POLLIN)

    def _become(self, arguments: list[str], mark: str, console: str) -> None:
        os.setsid()
        self._command_line.show(SERVER, arguments, mark)
        os.environ[MARK] = mark
        sys.argv[1:] = arguments
        nothing = os.open(os.devnull, os.O_RDONLY)
        output = os.open(console, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        os.dup2(nothing, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        for descriptor in (nothing, output, *self._servers):
            os.close(descriptor)
        self._listener.detach()  # it was standard input


def _tell(link: socket.socket, **answer: object) -> None:
    link.sendall(json.dumps(answer).encode() + b"\n")


class CommandLine:
    """What ``/proc`` shows of this process, written over in place: the system shows this very memory.

    Raises:
        OSError: the system does not say where that is.
    """

    def __init__(self) -> None:
        fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
        # The fields are counted from the third on: see proc(5), arg_start to env_end.
        self._start, end, environ, environ_end = (int(field) for field in fields[45:49])
        self._room = end - self._start
        found = ctypes.string_at(environ, environ_end - environ).find(f"{MARK}=".encode())
        if self._room <= 0 or found < 0:
            raise OSError("neither the command line nor the mark of this process can be found")
        self._mark = environ + found + len(MARK) + 1
        self._mark_length = len(os.environb[MARK.encode()])

    def holds(self, module: str, arguments: list[str]) -> bool:
        """Whether there is room for them."""
        return len(self._text(module, arguments)) <= self._room

    def show(self, module: str, arguments: list[str], mark: str) -> None:
        """Let the system show a process of this module with these arguments and this mark."""
        text = self._text(module, arguments).ljust(self._room, b"\0")
        ctypes.memmove(self._start, text, self._room)
        ctypes.memmove(self._mark, mark.encode().ljust(self._mark_length, b"\0"), self._mark_length)

    @staticmethod
    def _text(module: str, arguments: list[str]) -> bytes:
        return b"".join(os.fsencode(word) + b"\0" for word in (sys.executable, "-P", "-m", module, *arguments))


def main() -> int:
    """Fork servers until there is nothing left to do; the status of a server, in one."""
    _import()
    gc.collect()
    gc.freeze()  # the collector writes to what it looks at, and would so end the sharing
    try:
        Forkserver(socket.socket(fileno=0)).run()
    except Forked as forked:
        return command.main(forked.arguments)
    return 0


def _import() -> None:
    """What a server imports when it is needed, and every one needs."""
    import concurrent.futures.thread
    import encodings.idna
    import resource
    import shutil

    import uvloop

    from . import allocator, configured_log, log
    from .front import control, keeper, server
    from .front.scoring import recording
    from .front.workers import generation

    del (
        concurrent,
        encodings,
        resource,
        shutil,
        uvloop,
        allocator,
        configured_log,
        log,
        control,
        keeper,
        server,
        recording,
        generation,
    )


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(main())
