"""What crosses into a target, and the Target Protocol. A target is one folder and one line in ``targets.table``.

A target acts on a *wanted* service and reports what it *observes*; it remembers nothing that it could look up. No path
of a machine goes in: a target writes, mounts or sends what it is given as values.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from ..errors import from_payload
from ..progress import Progress
from ..spec.access import Access
from ..spec.deployment import AutoScaler, LivenessProbe
from ..spec.imports import Import, NotImported
from ..spec.kubernetes import KubernetesOptions
from ..spec.parse import Spec
from ..spec.service import Worker

if TYPE_CHECKING:
    from ..containers.engine import Engine
    from ..spec.environment import EnvironmentSpec, Lock
    from ..spec.settings import Settings

SCRIPT_CODES = frozenset({"script_failed", "init_failed", "script_invalid"})
"""Codes of the scoring server, in what is observed, that are about the user's script."""

INTERPRETER: Literal["interpreter"] = "interpreter"
IMAGE: Literal["image"] = "image"
PUSHED_IMAGE: Literal["pushed_image"] = "pushed_image"
ArtefactKind = Literal["interpreter", "image", "pushed_image", "project"]
Phase = Literal["absent", "starting", "init", "ready", "unhealthy", "failed", "unschedulable", "unheard"]
UNHEARD: Literal["unheard"] = "unheard"
_AT_ONCE = 16


class Place(Spec):
    """Which target is meant: its kind, which one of that kind, and what is set for that one alone."""

    kind: str
    name: str = ""
    settings: dict[str, str] = {}


@dataclass(frozen=True)
class Surroundings:
    """What a target finds on the machine that asks it."""

    home: Path
    settings: Settings

    def bundle(self, digest: str) -> Path:
        """The folder of a bundle, which is there and never changes."""
        return self.home / "bundles" / digest

    def collected(self, scope: str) -> Path:
        """Where what a service collects belongs; it need not exist yet."""
        return self.home / "modeldata" / scope


class Artefact(Spec):
    """What code runs in: made by a target's ``prepare``, named by ``reference``, the same until it is made anew."""

    kind: ArtefactKind
    reference: str
    python: str
    """The workers' interpreter, as the target's servers see it."""
    notes: list[str] = []
    summary: str = ""
    """One line about it for people."""
    again: bool = False
    """It was there already: its notes were told when it was made."""
    not_imported: list[NotImported] = []
    """Which of the preparation's imports failed in it, where it was asked."""


class Capabilities(Spec):
    """What a target can do, as data: asking for more is an error before anything starts."""

    name: str
    artefact: ArtefactKind
    gateway: Literal["own", "envoy", "gateway_api", "none"]
    """What holds the service's address and ends TLS: the scoring server's own front, or a gateway before it."""
    auth: bool = False
    tls: bool = False
    replicas: bool = False
    cpu_limit: bool = False
    memory_limit: bool = False
    gpu: bool = False
    probe: bool = False
    """It asks the scoring server whether it lives, as the configuration's probe says."""
    namespaces: bool = False
    telemetry: bool = False
    measures: bool = False
    """It is :class:`.meter.Measured`: a profile can be made on it."""
    this_machine: str = "localhost"
    """The host name under which its servers reach the machine that deploys."""


class Limits(Spec):
    """What a service may use; None is no limit. ``cpus`` are cores."""

    cpus: float | None = None
    memory_mb: int | None = None


class Resources(Spec):
    """What a scheduler has to find for each replica; None where nothing is asked for. ``cpus`` are cores."""

    cpus: float | None = None
    cpus_limit: float | None = None
    memory_mb: int | None = None
    gpus: int = 0


class Listen(Spec):
    """Where a service listens. ``port`` 0 means that the target chooses one and keeps it."""

    host: str = "127.0.0.1"
    port: int = 0


class Wanted(Spec):
    """What has to run, as values. ``uid`` is unique across workspaces and stays with the service."""

    uid: str
    name: str
    workspace: str
    revision: int
    bundle: str = ""
    """Digest of the bundle; empty in a check, when it is not known yet."""
    artefact: Artefact | None = None
    limits: Limits = Limits()
    access: Access | None = None
    telemetry: dict[str, Any] | None = None
    """What the server sends of its requests and where to (docs/telemetry.md)."""
    collects: bool = False
    """Whether this revision collects any data."""
    data_scope: str = ""
    """Subscription, resource group, workspace and service that the data belongs to, as one path of names."""
    listen: Listen = Listen()
    drain_seconds: float = 10.0
    deadline_seconds: float = 60.0
    """What a request may take."""
    replicas: int = 1
    resources: Resources = Resources()
    workers: int = 1
    """How many requests a replica runs at once."""
    autoscaler: AutoScaler | None = None
    probe: LivenessProbe | None = None
    options: KubernetesOptions = KubernetesOptions()
    start: bool = True
    """False starts nothing: access and telemetry of whatever runs are brought up to date, and nothing else."""


class Observation(Spec):
    """Facts about a service at the time ``seen`` (unix seconds).

    ``phase`` speaks of ``revision``, the one that answers; ``pending_*`` speaks of a newer one that is on its way, or
    was and failed. ``absent`` with an ``error`` is a service that is kept and was not started since the machine was;
    applying it starts it. ``unheard``: who would know does not answer, for the reason in ``error``. Errors are payloads
    with ``code``, ``message`` and, for scripts, ``traceback``, ``file``, ``line``.
    """

    phase: Phase
    seen: float = 0.0
    revision: int | None = None
    error: dict[str, Any] | None = None
    pending_revision: int | None = None
    pending_phase: Phase | None = None
    pending_error: dict[str, Any] | None = None
    port: int | None = None
    base_url: str | None = None
    endpoints: list[str] = []
    """The servers that answer for it, ``host:port`` each, as a gateway on this machine reaches them."""
    workers: list[Worker] = []
    metrics: str | None = None
    """What its server counts, in the text format of Prometheus; where it was asked for and a server answers."""


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """What an artefact is made from: the service, its environment with the packages that were locked, its bundle."""

    uid: str
    name: str
    workspace: str
    environment: EnvironmentSpec
    lock: Lock
    bundle: str = ""
    """Digest; empty for targets whose artefact has no code in it."""
    imports: Sequence[Import] = ()
    """What the service imports, to be tried where the artefact can run before the service does."""


def repository(workspace: str, name: str) -> str:
    """What a service's images are called, on an engine or below a registry."""
    return f"sendoff/{workspace}-{name}".lower()


class Makers(Protocol):
    """Makes artefacts; each gives the one that is there when nothing it depends on has changed."""

    def interpreter(self, preparation: Preparation, progress: Progress) -> Artefact:
        """The environment, built on this machine.

        Raises:
            SendoffError: It cannot be built.
        """

    def image(self, preparation: Preparation, engine: Engine, progress: Progress, *, tag: str) -> Artefact:
        """An image on an engine, for code and models that are mounted over it.

        Raises:
            SendoffError: It cannot be built.
        """

    def pushed_image(
        self, preparation: Preparation, progress: Progress, *, repository: str, models: Literal["baked", "mounted"]
    ) -> Artefact:
        """An image with its code in the registry of the setting ``image_registry``, named by digest.

        Args:
            preparation: What it is made from.
            progress: Receives plain lines.
            repository: Its name below that registry.
            models: Whether they are in it, or are mounted at ``/var/azureml-app/azureml-models``.

        Raises:
            InvalidInput: The setting names no registry.
            ImageNeedsEngine: A step needs a container engine, and none answers.
            SendoffError: It cannot be made or pushed.
        """


@dataclass(frozen=True, kw_only=True)
class Used:
    """What records refer to: uids of services, ids of images."""

    services: Collection[str]
    images: Collection[str]


SERVICE, CONTAINER, NETWORK = "service", "container", "network"


@dataclass(frozen=True, kw_only=True)
class Leftover:
    """One thing that a target holds and nobody needs; ``name`` is for people.

    ``bytes`` is what removing all of them together frees. Somebody else may have removed it by the time of ``remove``,
    or need it; then nothing happens.
    """

    kind: str
    id: str
    name: str
    remove: Callable[[], None]
    bytes: int = 0


class Kind(NamedTuple):
    """A line of the table: its module and class, which takes a :class:`Place` and :class:`Surroundings`."""

    module: str
    target: str
    containers: bool = False
    """It stands in for a container service, where whatever runs its containers answers."""
    places: bool = False
    """There is one for each :class:`Place` that a compute target names, and none without."""


class Target(Protocol):
    """The eight things a target does. Each is idempotent and safe to repeat after a crash at any point."""

    def capabilities(self) -> Capabilities:
        """What this target can do."""

    def check(self, wanted: Wanted) -> None:
        """Pre-flight: raise before anything starts (`PortInUse`, `TargetUnavailable`, `NotSupported`)."""

    def prepare(self, preparation: Preparation, makers: Makers, progress: Progress) -> Artefact:
        """Have made what the service's code runs in, where this target needs it.

        Raises:
            SendoffError: It cannot be made.
        """

    def apply(self, wanted: Wanted) -> None:
        """Bring the service towards the wanted revision and return at once; a running one is never interrupted.

        The same revision again brings keys, certificate and collector up to date, without a restart.
        """

    def observe(self, uids: Sequence[str], *, metrics: bool = False) -> Mapping[str, Observation]:
        """What runs now of each, with its counts if ``metrics``; ``absent`` when nothing of that uid is here."""

    def logs(self, uid: str, num_lines: int, *, init: bool = False) -> str:
        """The newest log lines, oldest first; also of a service that failed to start."""

    def remove(self, uid: str) -> None:
        """Drain, end and clean up; a missing service is no error."""

    def held(self, used: Used) -> list[Leftover]:
        """What this target holds of ours and nobody needs; what cannot be seen now is not among it."""


def observe_one(target: Target, uid: str, *, metrics: bool = False) -> Observation:
    """What runs now of one service.

    Raises:
        SendoffError: Who would know does not answer.
    """
    seen = target.observe([uid], metrics=metrics)[uid]
    if seen.phase == UNHEARD:
        raise from_payload(seen.error or {})
    return seen


def observe_each(uids: Sequence[str], look: Callable[[str], Observation]) -> dict[str, Observation]:
    """What is seen of many services, several of which are looked at at the same time: one that hangs holds up none."""
    if len(uids) < 2:
        return {uid: look(uid) for uid in uids}
    with ThreadPoolExecutor(min(_AT_ONCE, len(uids))) as threads:
        return dict(zip(uids, threads.map(look, uids), strict=True))
