"""What a running service uses, and limits for it while it runs: profiling asks targets whose capabilities say so."""

from __future__ import annotations

from typing import NamedTuple, Protocol

MIB = 1024.0 * 1024.0


class Usage(NamedTuple):
    """CPU seconds since its start, MiB held now, seconds in which its CPU limit held it back (None: not known)."""

    cpu_seconds: float
    memory_mb: float
    throttled_seconds: float | None = None


class Meter(Protocol):
    """Measures one service, and bounds it where its target can."""

    limits_kept: bool

    def usage(self) -> Usage:
        """What it uses now."""

    def limit(self, cpus: float | None, memory_mb: float | None) -> None:
        """Bound it from now on: cores' worth of time, MiB."""

    def out_of_memory(self) -> bool:
        """Whether the kernel ended one of its processes because of its limit."""


class Measured(Protocol):
    """A target on which a profile can be made."""

    def meter(self, uid: str) -> Meter:
        """The meter of a service that runs.

        Raises:
            DeploymentFailed: It does not run.
        """
