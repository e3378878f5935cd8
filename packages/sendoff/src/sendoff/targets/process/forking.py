"""Has a front forked from a process that has its imports: it starts sooner, and shares their memory with the others.

One such process serves all homes of a user for as long as what a process inherits is the same: variables, limits,
control group, namespaces, and the server's code (``docs/decisions/0026``). So a front is the same whether it was forked
or started, and where anything differs a process of its own is there for it. Standard library alone: the supervisor
imports this.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ... import files, processes
from ...sockets import runtime_folder

MODULE = "sendoff_serving.forkserver"
START_SECONDS = 10.0
"""How long the process may take to its imports, and how long it may be held up."""
FORK_SECONDS = 10.0
_ROOM = 8_192
"""Bytes for the command lines of what is forked: they are written over that of the process."""
_STATUS = ("Umask", "Groups", "Seccomp", "NoNewPrivs", "CapEff", "CapBnd", "Cpus_allowed", "Mems_allowed")


class NotForked(Exception):
    """Nothing was forked, for certain, and the front has to be started; the text is the reason."""


def fork(arguments: Sequence[str], *, environ: Mapping[str, str], token: str, console: Path) -> int:
    """A new front's pid.

    Args:
        arguments: Those of ``python -m sendoff_serving``.
        environ: What it has for variables.
        token: By which it is found.
        console: What it writes by itself is appended to this.

    Raises:
        NotForked: This system, or these circumstances, have no such process.
    """
    if not hasattr(os, "pidfd_open") or not processes.PROC.joinpath("self/stat").exists():
        raise NotForked("this system has no pidfds")
    try:
        path = runtime_folder() / f"fork-{_circumstances(environ)}.sock"
        with _reached(path, environ) as link:
            request = {"arguments": list(arguments), "mark": token, "console": str(console)}
            link.settimeout(FORK_SECONDS)
            link.sendall(json.dumps(request).encode() + b"\n")
            answer = json.loads(link.makefile("rb").readline() or b"{}")
            if "pid" not in answer:
                raise NotForked(str(answer.get("refused", "it has ended")))
            # Until then it waits, and ends where this connection does: nobody has a front that he does not know of.
            link.sendall(b"go\n")
            return int(answer["pid"])
    except (OSError, ValueError) as error:
        raise NotForked(str(error) or type(error).__name__) from None


def _reached(path: Path, environ: Mapping[str, str]) -> socket.socket:
    """A connection to the process that forks, which is started when there is none and waits for a request now.

    Raises:
        OSError: It does not get so far.
    """
    try:
        return _greeted(path)
    except (ConnectionError, FileNotFoundError):
        pass
    with files.locked_within(path.with_name("forking.lock"), START_SECONDS) as held:
        if not held:
            raise TimeoutError("another start takes too long")
        try:
            return _greeted(path)
        except (ConnectionError, FileNotFoundError):
            _start(path, environ)
        return _greeted(path)


def _greeted(path: Path) -> socket.socket:
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        link.settimeout(START_SECONDS)
        link.connect(str(path))
        if link.recv(16) != b"ready\n":
            raise ConnectionResetError("it has ended")
    except BaseException:
        link.close()
        raise
    return link


def _start(path: Path, environ: Mapping[str, str]) -> None:
    files.remove(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        # Connections wait in the socket from here on, for as long as the imports take.
        listener.bind(str(path))
        listener.listen(128)
        processes.spawn(
            [sys.executable, "-P", "-m", MODULE, "." * _ROOM],
            environ={**environ, processes.MARK: "0" * 16},
            console=path.with_suffix(".log"),
            stdin=listener.fileno(),
        )


def _circumstances(environ: Mapping[str, str]) -> str:
    """What a process inherits and what code it runs, as twelve characters.

    Raises:
        OSError: The server is not installed, or the system does not say.
    """
    me = processes.PROC / "self"
    status = dict(line.split(":", 1) for line in me.joinpath("status").read_text().splitlines())
    inherited = [
        sys.executable,
        *(f"{name}={value}" for name, value in sorted(environ.items())),
        me.joinpath("cgroup").read_text(),
        me.joinpath("limits").read_text(),
        me.joinpath("oom_score_adj").read_text(),
        *(status.get(name, "") for name in _STATUS),
        *(str(namespace.readlink()) for namespace in sorted(me.joinpath("ns").iterdir())),
        str(os.getpriority(os.PRIO_PROCESS, 0)),
        *_code(),
    ]
    return hashlib.sha256("\0".join(inherited).encode("utf-8", "surrogateescape")).hexdigest()[:12]


def _code() -> list[str]:
    """The files of the server, by their times: an upgraded one is not to be forked from the old."""
    found = importlib.util.find_spec(MODULE.partition(".")[0])
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError("the scoring server is not installed beside Sendoff")
    root = Path(found.submodule_search_locations[0])
    return [f"{path}:{path.stat().st_mtime_ns}" for path in sorted(root.rglob("*.py"))]
