"""The profile: what a model needs, measured (spec/behaviour.md sec. 16.1, spec/surface.md sec. 2.6)."""

from __future__ import annotations

from typing import Any

from ..errors import InvalidInput
from .inference import InferenceSpec
from .model import ManifestFile
from .operation import Operation
from .parse import Spec

LEAST = 0.1
"""Cores and GB: less was never measured (spec/surface.md sec. 2.6)."""
DEFAULT_CPU, DEFAULT_MEMORY = 3.5, 15.0


class CreateProfile(Spec):
    """Body of ``POST /v1/workspaces/{ws}/profiles``: a dataset's id, or files each of which is a request body.

    ``cpu`` in cores and ``memory_in_gb`` bound the sizes that are tried. ``add_tags`` go onto the models when it
    succeeds; a tag without a value takes the detail of that name.
    """

    name: str
    models: list[str] = []
    inference: InferenceSpec | None = None
    dataset: str | None = None
    bodies: list[ManifestFile] = []
    cpu: float | None = None
    memory_in_gb: float | None = None
    target: str | None = None
    description: str = ""
    add_tags: dict[str, str | None] = {}


class Latency(Spec):
    """Milliseconds of the answered requests."""

    mean: float = 0.0
    p50: float = 0.0
    p90: float = 0.0
    p95: float = 0.0
    p99: float = 0.0
    p999: float = 0.0


class Level(Spec):
    """A load that was held for a while: ``concurrency`` requests at once, each answered before the next is sent.

    ``queue`` and ``run`` are what the scoring server itself says of each request; the rest of ``total`` is transport.
    ``cpu`` is cores used by the service, ``memory_mb`` the most it held, ``throttled`` the share of the time in which
    its CPU limit held it back (None where that is not known).
    """

    concurrency: int
    requests: int
    errors: int
    seconds: float
    rps: float
    total: Latency
    queue: Latency
    run: Latency
    cpu: float = 0.0
    memory_mb: float = 0.0
    throttled: float | None = None
    statuses: dict[str, int] = {}


class Size(Spec):
    """One size that was measured; ``cpu`` None means that cores were not limited."""

    cpu: float | None
    memory_gb: float | None
    workers: int
    start_seconds: float
    first_answer_ms: float
    idle_memory_mb: float
    levels: list[Level]
    knee: int
    """The least concurrency that reaches nine tenths of this size's best rate."""
    peak_memory_mb: float
    note: str = ""

    @property
    def at_knee(self) -> Level:
        """The level of the knee."""
        return next(level for level in self.levels if level.concurrency == self.knee)

    @property
    def alone(self) -> Level:
        """The level of one request at a time."""
        return self.levels[0]


class Recommendation(Spec):
    """What to deploy with, and why: a sentence a reason."""

    cpu: float
    memory_gb: float
    workers: int
    concurrency: int
    reasons: list[str]
    size: int
    """Which of the sizes it is taken from."""


class ProfileResult(Spec):
    """What was measured."""

    target: str
    limits_kept: bool
    host_cpus: int
    host_memory_gb: float
    bodies: int
    body_bytes: float
    requested_cpu: float
    requested_memory_gb: float
    environment: str = ""
    sizes: list[Size] = []
    recommendation: Recommendation | None = None


class Profile(Spec):
    """A profile as the API shows it; its id is its operation's."""

    id: str
    workspace: str
    name: str
    state: str
    models: list[str]
    description: str
    dataset: str | None
    result: ProfileResult | None
    error: dict[str, Any] | None
    created_time: float
    operation: Operation


def check_profile(body: CreateProfile) -> None:
    """Check what can be told before anything is looked up.

    Raises:
        InvalidInput: Names the field and what it has to be.
    """
    from .dataset import check_dataset_name

    if not body.name:
        raise InvalidInput("the profile has no name", hint="Give one: -n NAME.", field="name")
    check_dataset_name(body.name)
    if (body.dataset is None) == (not body.bodies):
        raise InvalidInput(
            "profiling needs request bodies: either a dataset or files",
            hint="Give one of --idi DATASET_ID, --input-file FILE and --input-folder DIR.",
            field="input_dataset",
        )
    for field in ("cpu", "memory_in_gb"):
        value = getattr(body, field)
        if value is not None and not value >= LEAST:
            raise InvalidInput(f"{field} has to be at least {LEAST}; got {value}", field=field)


def details_of(profile: Profile) -> dict[str, Any]:
    """The result under SDK v1's keys, with the seed's spelling of the memory beside it (spec/surface.md sec. 2.6).

    Usage, rate and latencies are those of the recommended size at its knee; counts are of all sizes together.
    """
    from datetime import UTC, datetime

    result = profile.result
    made = datetime.fromtimestamp(profile.created_time, UTC).isoformat(timespec="milliseconds")
    details: dict[str, Any] = {"name": profile.name, "state": profile.state, "createdTime": made}
    if result is None:
        return details
    details |= {
        "requestedCpu": result.requested_cpu,
        "requestedMemoryInGB": result.requested_memory_gb,
        "requestedMemoryInGb": result.requested_memory_gb,
        "requestedQueriesPerSecond": 0.0,
    }
    best = result.recommendation
    if best is None:
        return details
    level = result.sizes[best.size].at_knee
    levels = [level for size in result.sizes for level in size.levels]
    total = sum(one.requests for one in levels)
    failed = sum(one.errors for one in levels)
    details |= {
        "recommendedCpu": best.cpu,
        "recommendedMemoryInGB": best.memory_gb,
        "recommendedMemoryInGb": best.memory_gb,
        "recommendedWorkers": best.workers,
        "recommendedConcurrency": best.concurrency,
        "recommendationReasons": list(best.reasons),
        "maxUtilizedCpu": round(max(one.cpu for one in levels), 3),
        "maxUtilizedMemoryInGB": round(max(one.memory_mb for one in levels) / 1024, 3),
        "measuredQueriesPerSecond": round(level.rps, 2),
        "totalQueries": total,
        "successQueries": total - failed,
        "successRate": round(100.0 * (total - failed) / total, 2) if total else 0.0,
        "averageLatencyInMs": level.total.mean,
        "latencyPercentile50InMs": level.total.p50,
        "latencyPercentile90InMs": level.total.p90,
        "latencyPercentile95InMs": level.total.p95,
        "latencyPercentile99InMs": level.total.p99,
        "latencyPercentile999InMs": level.total.p999,
        "recommendationLatencyInMs": level.total.mean,
    }
    return details
