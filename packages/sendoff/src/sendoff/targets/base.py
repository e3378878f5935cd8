"""The Target Protocol: where services run. A target is one module and one line in ``targets.table``.

A target acts on a *wanted* service and reports what it *observes*; it remembers nothing that it could look up.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from ..containers.registries import Credentials
from ..spec.parse import Spec
from ..spec.service import Worker

SCRIPT_CODES = frozenset({"script_failed", "init_failed", "script_invalid"})
"""Codes of the scoring server, in what is observed, that are about the user's script."""


class Capabilities(Spec):
    """What a target can do, as data: asking for more is an error before anything starts."""

    name: str
    auth: bool = False
    tls: bool = False
    replicas: bool = False
    cpu_limit: bool = False
    memory_limit: bool = False
    reload: bool = False
    gpu: bool = False
    telemetry: bool = False
    """Its servers read ``telemetry.json`` beside ``auth_file``."""
    images: bool = False
    """It runs images: a deployment builds one before it starts."""


class WantedService(Spec):
    """What has to run: everything a target needs, as paths and plain values.

    ``uid`` is unique across workspaces and stays with the service; ``bundle`` is the bundle's folder, ``python`` the
    environment's interpreter. ``port`` 0 means that the target chooses one and keeps it. ``image`` is for targets that
    run images, and ``python`` is within it then; ``cpus`` are cores, None is no limit.
    """

    uid: str
    name: str
    workspace: str
    revision: int
    bundle: str
    python: str
    port: int
    host: str = "127.0.0.1"
    drain_seconds: float = 10.0
    auth_file: str | None = None
    """What the scoring server checks requests by, with its TLS files beside it (docs/authentication.md)."""
    certificate: str | None = None
    """For targets with a gateway: the certificate's PEM file; its key has the same stem and the suffix ``.key``."""
    data_folder: str | None = None
    """Where the scoring server may put collected data, on this machine; it need not exist yet."""
    data_scope: str = ""
    """Subscription, resource group, workspace and service that the data belongs to, as one path."""
    collects: bool = False
    """Whether this revision collects any."""
    image: str = ""
    image_login: Credentials | None = None
    """Who we are at the image's registry; for a check alone, and kept nowhere."""
    cpus: float | None = None
    memory_mb: int | None = None


class Observation(Spec):
    """Facts about a service at this moment.

    ``phase`` is ``absent``, ``starting``, ``init``, ``ready``, ``unhealthy`` or ``failed`` and speaks of ``revision``,
    the one that answers; ``pending_*`` speaks of a newer one that is on its way, or was and failed. ``absent`` with an
    ``error`` is a service that is kept and was not started since the machine was; applying it starts it. Errors are
    payloads with ``code``, ``message`` and, for scripts, ``traceback``, ``file``, ``line``.
    """

    phase: str
    revision: int | None = None
    error: dict[str, Any] | None = None
    pending_revision: int | None = None
    pending_phase: str | None = None
    pending_error: dict[str, Any] | None = None
    port: int | None = None
    base_url: str | None = None
    workers: list[Worker] = []
    metrics: str | None = None
    """What its server counts, in the text format of Prometheus; where it was asked for and a server answers."""


class Target(Protocol):
    """The eight things a target does. Each is idempotent and safe to repeat after a crash at any point."""

    def capabilities(self) -> Capabilities:
        """What this target can do."""

    def check(self, wanted: WantedService) -> None:
        """Pre-flight: raise before anything starts (`PortInUse`, `TargetUnavailable`, `NotSupported`)."""

    def apply(self, wanted: WantedService) -> None:
        """Bring the service towards the wanted revision and return at once; a running one is never interrupted."""

    def observe(self, uid: str, *, metrics: bool = False) -> Observation:
        """What runs now, with its counts if ``metrics``; phase ``absent`` when nothing of that uid is here."""

    def logs(self, uid: str, num_lines: int, *, init: bool = False) -> str:
        """The newest log lines, oldest first; also of a service that failed to start."""

    def reload(self, uid: str) -> None:
        """Start the same revision anew with fresh files, without dropping a request."""

    def remove(self, uid: str) -> None:
        """Drain, end and clean up; a missing service is no error."""

    def present(self) -> Sequence[str]:
        """Uids of everything of ours that this target holds, running or not."""


def log_path(home: Path, uid: str) -> Path:
    """Where the process target writes a service's log."""
    return home / "run" / uid / "service.log"
