"""Servers that are forked from a process which has imported what they use, as ``subprocess.Popen`` would have them.

Most of a start of a server is imports. One process does them, and each server is a fork of it that goes on as
``python -m …`` would: a session, an environment, a folder and an output of its own. Its exit status goes into a file.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Before this: ``main(asked)``, which returns the status, and all its imports.
_FORKING = """
import gc, json, os, resource, sys, traceback

def serve(asked, out):
    for descriptor in (1, 2):
        os.dup2(out, descriptor)
    os.close(out)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(write_through=True)
    os.chdir(asked["cwd"])
    for kind, bounds in asked["limits"]:
        resource.setrlimit(kind, tuple(bounds))
    os.environ.clear()
    os.environ.update(asked["env"])
    sys.path[0] = asked["cwd"]
    sys.argv[1:] = asked["arguments"]
    try:
        status = main(asked)
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else 0 if error.code is None else 1
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)

gc.collect()
gc.freeze()
for line in sys.stdin:
    asked = json.loads(line)
    reading, writing = os.pipe()
    if os.fork() == 0:
        out = os.open(asked["out"], os.O_WRONLY)
        server = os.fork()
        if server == 0:
            for descriptor in (reading, writing):
                os.close(descriptor)
            os.setsid()
            serve(asked, out)
        os.close(out)
        os.write(writing, b"%d\\n" % server)
        status = os.waitpid(server, 0)[1]
        with open(asked["status"] + ".new", "w") as file:
            file.write(str(os.waitstatus_to_exitcode(status)))
        os.rename(asked["status"] + ".new", asked["status"])
        os._exit(0)
    print(int(os.read(reading, 20)), flush=True)
    os.close(reading)
    os.close(writing)
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
"""
OURS = """
import runpy, sys
from sendoff_serving import __main__, existing_command, forkserver
forkserver._import()
import sendoff_serving.front.reloading, sendoff_serving.front.telemetry

def main(asked):
    return (existing_command if asked["compatible"] else __main__).main(asked["arguments"])
"""
_LIMITS = sorted({value for name, value in vars(resource).items() if name.startswith("RLIMIT_")})
# What an interpreter, or the system's libraries, read when a process starts.
_AT_START = ("PYTHON", "LC_", "LANG", "LD_", "TZ", "MALLOC_", "GLIBC_")


def as_ours(env: dict[str, str]) -> bool:
    """Whether a process with these variables can be a fork of one with this process' own."""

    def read(variables: dict[str, str]) -> dict[str, str]:
        return {k: v for k, v in variables.items() if k.startswith(_AT_START) and k != "PYTHONUNBUFFERED"}

    return read(env) == read(dict(os.environ))


@functools.cache
def _forking(python: str, program: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [python, "-c", program + _FORKING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    atexit.register(process.kill)
    return process


class Forked:
    """A server that was forked.

    Args:
        program: Has the imports, and ``main(asked)``.
        arguments: Those of the server.
        cwd: Its working directory.
        env: Its variables.
        python: The interpreter.
        more: What else ``main`` is to know.
    """

    def __init__(
        self,
        program: str,
        arguments: list[str],
        cwd: Path,
        env: dict[str, str],
        python: str = sys.executable,
        **more: object,
    ) -> None:
        place = Path(tempfile.mkdtemp(prefix="forked-", dir=cwd.parent))
        self._status = place / "status"
        os.mkfifo(place / "out")
        reading = os.open(place / "out", os.O_RDONLY | os.O_NONBLOCK)  # else it would wait for a writer
        os.set_blocking(reading, True)
        self.stdout = os.fdopen(reading, "r", errors="replace")
        limits = [(kind, resource.getrlimit(kind)) for kind in _LIMITS]
        more |= {"limits": limits}
        asked = {"arguments": arguments, "cwd": str(cwd), "env": env, "out": str(place / "out"), **more}
        forking = _forking(python, program)
        assert forking.stdin is not None and forking.stdout is not None
        forking.stdin.write(json.dumps({**asked, "status": str(self._status)}) + "\n")
        forking.stdin.flush()
        self.pid = int(forking.stdout.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None and self._status.exists():
            self.returncode = int(self._status.read_text())
        return self.returncode

    def wait(self, timeout: float = 60.0) -> int:
        end = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired("server", timeout)
            time.sleep(0.01)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):  # it has ended, and its status is about to be written
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)
