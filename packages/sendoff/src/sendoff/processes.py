"""Processes by identity: a pid counts only together with the time at which it started and the boot it belongs to.

The supervisor imports this, so it is the standard library alone; psutil is a fallback for systems without ``/proc``.
"""

from __future__ import annotations

import functools
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
MARK = "SENDOFF_FRONT"
"""Environment variable that a front and all its descendants carry: the token of that front."""


class Identity(NamedTuple):
    """One process for certain: its pid and when it started (ticks since boot), so that a reused pid is never taken."""

    pid: int
    start: str


@functools.cache
def boot_id() -> str:
    """What tells this run of the machine from the last one."""
    try:
        return (PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        import psutil

        return str(int(psutil.boot_time()) // 10)


def identify(pid: int) -> Identity | None:
    """The identity of a running pid; None when there is none, or it has ended and waits to be reaped."""
    found = _stat(pid)
    return Identity(pid, found.start) if found and found.state not in ("Z", "X") else None


def alive(process: Identity) -> bool:
    """Whether this very process still runs."""
    return process.pid > 0 and identify(process.pid) == process


def suspended(process: Identity) -> bool:
    """Whether the process is stopped (SIGSTOP, a debugger): it would not act on SIGTERM."""
    found = _stat(process.pid)
    return found is not None and found.start == process.start and found.state in ("T", "t")


def send(process: Identity, number: signal.Signals) -> bool:
    """Send a signal to this very process, never to a reused pid where the system has pidfds; False when it is gone."""
    try:
        handle = os.pidfd_open(process.pid)
    except (AttributeError, OSError):
        handle = -1
    try:
        if not alive(process):
            return False
        if handle >= 0:
            signal.pidfd_send_signal(handle, number)
        else:
            os.kill(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    finally:
        if handle >= 0:
            os.close(handle)
    return True


def wait_ended(processes: Iterable[Identity], seconds: float) -> list[Identity]:
    """Wait until all have ended, or the time is over; returns those that still run."""
    end = time.monotonic() + seconds
    left = [process for process in processes if alive(process)]
    while left and time.monotonic() < end:
        wake = watch(left[0])
        if wake is None:
            time.sleep(0.01)
        else:
            try:
                # Short slices: an ended child that its parent has not reaped yet is readable, and still in the table.
                select.select([wake], [], [], max(0.0, min(0.2, end - time.monotonic())))
            finally:
                os.close(wake)
        left = [process for process in left if alive(process)]
    return left


def watch(process: Identity) -> int | None:
    """A file descriptor that becomes readable when the process ends; None where the system has no pidfds."""
    try:
        handle = os.pidfd_open(process.pid)
    except (AttributeError, OSError):
        return None
    if not alive(process):
        os.close(handle)
        return None
    return handle


def marked(token: str) -> list[Identity]:
    """Every process of this user that carries the token of a front: the front, its workers, what those started."""
    needle = f"{MARK}={token}".encode()
    found = []
    for pid in _pids():
        try:
            if needle in _environ(pid).split(b"\0"):
                process = identify(pid)
                if process:
                    found.append(process)
        except OSError:
            continue
    return found


def session(leader: Identity) -> list[Identity]:
    """The processes of a session whose leader is alive; empty when it is not, since its number may be another's."""
    if not alive(leader):
        return []
    found = []
    for pid in _pids():
        entry = _stat(pid)
        if entry and entry.session == leader.pid and entry.state not in ("Z", "X"):
            found.append(Identity(pid, entry.start))
    return found


def command(process: Identity) -> list[str]:
    """The command line of a process; empty when it is gone or may not be seen."""
    try:
        found = (
            (PROC / str(process.pid) / "cmdline")
            .read_bytes()
            .rstrip(b"\0")
            .decode("utf-8", "surrogateescape")
            .split("\0")
        )
    except OSError:
        if PROC.joinpath("self").exists():
            return []
        import psutil

        try:
            found = psutil.Process(process.pid).cmdline()
        except psutil.Error:
            return []
    return found if alive(process) else []


def spawn(argv: Sequence[str], *, environ: Mapping[str, str], console: Path, stdin: int = subprocess.DEVNULL) -> int:
    """Start a process that outlives this one: own session, no terminal, output appended to ``console``.

    Args:
        argv: Its command line.
        environ: All of its variables.
        console: Where its output goes.
        stdin: A descriptor that is its standard input.

    Returns:
        Its pid. When it ends while this process still lives it is reaped by a thread, so that it leaves no zombie.
    """
    with console.open("ab") as out:
        process = subprocess.Popen(
            argv,
            stdin=stdin,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=dict(environ),
            start_new_session=True,
        )
    threading.Thread(target=process.wait, name=f"reaper-{process.pid}", daemon=True).start()
    return process.pid


class _Entry(NamedTuple):
    state: str
    session: int
    start: str


def _stat(pid: int) -> _Entry | None:
    try:
        # The name, in brackets, may hold anything, brackets too.
        fields = (PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
        return _Entry(fields[0].decode(), int(fields[3]), fields[19].decode())
    except (FileNotFoundError, ProcessLookupError):
        return None if PROC.joinpath("self").exists() else _stat_elsewhere(pid)


def _stat_elsewhere(pid: int) -> _Entry | None:
    import psutil

    states = {psutil.STATUS_ZOMBIE: "Z", psutil.STATUS_DEAD: "X", psutil.STATUS_STOPPED: "T"}
    try:
        process = psutil.Process(pid)
        return _Entry(states.get(process.status(), "S"), os.getsid(pid), f"{process.create_time():.2f}")
    except (psutil.Error, OSError):
        return None


def _pids() -> list[int]:
    try:
        return [int(name) for name in os.listdir(PROC) if name.isdigit()]  # noqa: PTH208 (names are all that is needed)
    except FileNotFoundError:
        import psutil

        return psutil.pids()


def _environ(pid: int) -> bytes:
    if PROC.joinpath("self").exists():
        return (PROC / str(pid) / "environ").read_bytes()
    import psutil

    try:
        return b"\0".join(f"{key}={value}".encode() for key, value in psutil.Process(pid).environ().items())
    except psutil.Error as error:
        raise OSError(str(error)) from None
