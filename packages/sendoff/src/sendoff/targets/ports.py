"""Ports on this machine: which are free, which to choose, and who has one that is not."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Collection

from ..errors import PortInUse

# Below the range from which systems take the local ports of outgoing connections (32768 on Linux, 49152 elsewhere):
# from within it a port could be lost to any client while its front restarts.
CHOICE = range(15_000, 32_000)


def problem(host: str, port: int) -> str:
    """Why a server cannot listen there now; empty when it can."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            probe.listen(1)
    except OSError as error:
        return "it is in use" if error.errno == errno.EADDRINUSE else (error.strerror or str(error))
    return ""


def choose(host: str, taken: Collection[int]) -> int:
    """A port that is free now and that no other service of this home keeps for itself."""
    for _ in range(200):
        port = CHOICE[int.from_bytes(os.urandom(4), "little") % len(CHOICE)]
        if port not in taken and not problem(host, port):
            return port
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def owner(port: int) -> tuple[int, str] | None:
    """Pid and command of the process that listens on a port, when this user may know it."""
    import psutil

    try:
        for connection in psutil.net_connections(kind="tcp"):
            here = connection.laddr and connection.laddr.port == port
            if here and connection.status == psutil.CONN_LISTEN and connection.pid:
                try:
                    command = " ".join(psutil.Process(connection.pid).cmdline())
                except psutil.Error:
                    command = ""
                return connection.pid, command[:120]
    except (psutil.Error, OSError):
        pass
    return None


def describe(port: int) -> tuple[str, int | None]:
    """Who has the port, as words for a message, and the pid where it is known."""
    found = owner(port)
    if found is None:
        return "a process that this user may not see", None
    pid, command = found
    who = "this very process" if pid == os.getpid() else f"process {pid}"
    return (f"{who} ({command})" if command else who), pid


def in_use(host: str, port: int, problem: str) -> PortInUse:
    """The error for a port that cannot be had, naming who has it."""
    who, pid = describe(port) if problem == "it is in use" else ("", None)
    because = f"{who} listens there" if who else problem
    return PortInUse(
        f"port {port} on {host} cannot be used: {because}",
        hint="Give another port, leave it out to get a free one, or end that process.",
        port=port,
        pid=pid,
    )


def base_url(host: str, port: int, scheme: str = "http") -> str:
    """Where a client on this machine reaches a server that listens on ``host``."""
    name = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)
    return f"{scheme}://[{name}]:{port}" if ":" in name else f"{scheme}://{name}:{port}"
