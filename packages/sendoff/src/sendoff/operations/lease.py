"""Who works on an operation, and until when nobody else may take it up.

Where a holder can be seen, it decides itself: a process that lives keeps its lease, however long it was stopped or
the laptop slept, and one that has ended has lost it at once. A process of another machine, or of another container,
cannot be seen; its lease holds until a time that it puts off again and again while it works (``heartbeat``).
"""

from __future__ import annotations

import functools
import os
import socket
from dataclasses import dataclass
from pathlib import Path

from .. import processes

SECONDS = 60.0
"""How long a lease holds after it was taken or renewed last: many beats, since a disk may keep a writer waiting."""
HOST = "SENDOFF_TEST_HOST_ID"
"""For tests alone: the host that this process says it is on."""


class LeaseLost(BaseException):
    """Another runner has the operation now; this one stops without a trace.

    No ``Exception``: it may be raised at any moment, and whoever handles what goes wrong with a file or a connection
    must not take it for that.
    """


@dataclass(frozen=True)
class Holder:
    """One process; ``started`` is only compared, its unit depends on the system."""

    host: str
    boot: str
    pid: int
    started: float

    @classmethod
    def me(cls) -> Holder:
        """This process."""
        return cls.of(os.getpid()) or cls.here(os.getpid(), 0.0)

    @classmethod
    def of(cls, pid: int) -> Holder | None:
        """The process of this host with that id; None when it has ended (a zombie has)."""
        found = processes.identify(pid)
        return None if found is None else cls.here(pid, float(found.start))

    @classmethod
    def here(cls, pid: int, started: float) -> Holder:
        """A process of this host, whether it runs or not."""
        return cls(host_id(), processes.boot_id(), pid, started)

    def may_work(self, *, until: float | None, now: float) -> bool:
        """Whether it may still be at work.

        Args:
            until: When its lease ends.
            now: The store's time.
        """
        if self.host == host_id():
            return Holder.of(self.pid) == self  # of another boot none is
        return until is not None and now < until


def host_id() -> str:
    """The machine, as far as its processes see each other: pids count within one namespace of one machine.

    Machines that were copied share their ``machine-id``, so their names count too. One that is renamed is another host:
    what it left is taken up when its lease has ended, instead of at once.
    """
    return os.environ.get(HOST) or _host_id()


@functools.cache
def _host_id() -> str:
    facts = [socket.gethostname()]
    for path in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        try:
            facts.append(Path(path).read_text().strip())
            break
        except OSError:
            continue
    try:
        facts.append(str(Path("/proc/self/ns/pid").readlink()))
    except OSError:
        pass  # not Linux: there are no namespaces
    return " ".join(facts)[:255]
