"""Which sizes and loads are tried, where a size's knee is, and what is recommended: plain arithmetic, no machine."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from ..spec.profile import Level, Recommendation, Size

LADDER = (1, 2, 4, 8, 16, 32)
"""Requests at once."""
NEAR = 0.9
"""A level whose rate is this share of the best is as good: more at once only waits."""
GAIN = 1.1
"""A level has to bring this much more for the next one to be tried."""
THROTTLED = 0.05
"""Share of the time in which the CPU limit may hold back one request at a time; more is a starved size."""
SLOWER = 1.5
"""Where that share is not known: how many times the best size's time one request at a time may take."""
SHARED_MB = 100.0
"""A further worker that costs more than this is advised to share the model's memory."""
HEADROOM = 1.25
"""Memory beyond the most that was seen."""


class Asked(NamedTuple):
    """A size to try: cores (None: not limited) and worker processes."""

    cpu: float | None
    workers: int


def plan_sizes(most: float, *, limits: bool) -> list[Asked]:
    """Sizes up to ``most`` cores, the least first; one worker for each whole core.

    Args:
        most: Cores.
        limits: Whether the target keeps limits; without, sizes differ by workers alone.
    """
    whole = max(1, int(most))
    if not limits:
        return [Asked(None, workers) for workers in sorted({1, min(2, whole), whole})]
    steps = [step for step in (0.25, 0.5, 1.0, *(float(2**n) for n in range(1, 8))) if step < most]
    return [Asked(cpu, max(1, int(cpu))) for cpu in [*steps, most][-4:]]


def goes_on(levels: Sequence[Level]) -> bool:
    """Whether a heavier load may still bring more."""
    if len(levels) < 2:
        return not levels or levels[-1].errors < levels[-1].requests
    if levels[-1].errors:
        return False
    best = max(level.rps for level in levels[:-1])
    before = max((level.rps for level in levels[:-2]), default=0.0)
    return levels[-1].rps > best * GAIN or (best > before * GAIN and levels[-1].rps > best * NEAR)


def knee_of(levels: Sequence[Level]) -> int:
    """The least concurrency that reaches nine tenths of the best rate, errors apart."""
    clean = [level for level in levels if not level.errors] or list(levels)
    best = max(level.rps for level in clean)
    return next(level.concurrency for level in clean if level.rps >= best * NEAR)


def recommend(sizes: Sequence[Size], *, limits: bool) -> Recommendation:
    """Cores, memory, workers and concurrency, with the reasons.

    With limits: the least cores that do not hold back one request at a time. Without: the cores that were used.
    """
    clean = [place for place, size in enumerate(sizes) if not any(level.errors for level in size.levels)]
    candidates = clean or list(range(len(sizes)))
    if limits:
        chosen = next(place for place in candidates if not starved(sizes[place], [sizes[one] for one in candidates]))
    else:
        chosen = max(candidates, key=lambda place: (sizes[place].at_knee.rps / sizes[place].workers, -place))
    size = sizes[chosen]
    knee, reasons = size.at_knee, []
    if limits:
        assert size.cpu is not None
        cpu = size.cpu
        less = [sizes[place] for place in candidates if place < chosen]
        reasons.append(
            f"{_cores(cpu)}: {_alone(size)}" + (f"; with {_cores(less[-1].cpu)} {_alone(less[-1])}" if less else "")
        )
    else:
        cpu = max(0.1, math.ceil(knee.cpu * 10 - 0.05) / 10)
        reasons.append(f"{_cores(cpu)}: the service used {knee.cpu:.2f} at its knee; this target limits nothing")
    peak = size.peak_memory_mb
    memory = max(0.1, math.ceil(peak * HEADROOM / 1024 * 10) / 10)
    share = (peak - size.idle_memory_mb) if peak > size.idle_memory_mb else 0.0
    reasons.append(
        f"{memory:g} GB: it held {peak:.0f} MB at most ({size.idle_memory_mb:.0f} MB before the first request, "
        f"{share:.0f} MB more under load), and a quarter on top"
    )
    per_worker = _worker_cost(sizes)
    reasons.append(
        f"{size.workers} worker{'s' if size.workers > 1 else ''}: "
        + (f"each further one costs about {per_worker:.0f} MB" if per_worker else "one for each whole core")
    )
    if per_worker is not None and per_worker > SHARED_MB:
        reasons.append("preload (one init() for all workers, --preload) would let them share the model's memory")
    reasons.append(
        f"{size.knee} request{'s' if size.knee > 1 else ''} at once: {knee.rps:.0f} requests/s, "
        f"{knee.total.p95:.1f} ms at p95 ({knee.run.p95:.1f} ms in run()); more at once bring no more"
    )
    larger = [sizes[place] for place in candidates if place > chosen and sizes[place].at_knee.rps > knee.rps * GAIN]
    if larger:
        best = max(larger, key=lambda one: one.at_knee.rps)
        what = _cores(best.cpu) if limits else f"{best.workers} workers"
        reasons.append(f"for more: {what} served {best.at_knee.rps:.0f} requests/s")
    if not clean:
        reasons.append("every size answered some requests with an error: see the table")
    return Recommendation(
        cpu=round(cpu, 2), memory_gb=memory, workers=size.workers, concurrency=size.knee, reasons=reasons, size=chosen
    )


def starved(size: Size, others: Sequence[Size]) -> bool:
    """Whether the CPU limit slows down even one request at a time."""
    if size.alone.throttled is not None:
        return size.alone.throttled > THROTTLED and size is not others[-1]
    fastest = min(other.alone.total.p50 for other in others)
    return size.alone.total.p50 > fastest * SLOWER + 1.0


def _alone(size: Size) -> str:
    taken = f"one request at a time takes {size.alone.total.p50:.1f} ms (median)"
    if size.alone.throttled is None:
        return taken
    return f"{taken} and is held back by the limit {size.alone.throttled:.0%} of the time"


def _worker_cost(sizes: Sequence[Size]) -> float | None:
    """MiB that another worker adds, where sizes with several were measured."""
    least, most = min(sizes, key=lambda one: one.workers), max(sizes, key=lambda one: one.workers)
    if least.workers == most.workers:
        return None
    return max(0.0, (most.idle_memory_mb - least.idle_memory_mb) / (most.workers - least.workers))


def _cores(cpu: float | None) -> str:
    return "no limit" if cpu is None else f"{cpu:g} CPU{'s' if cpu > 1 else ''}"
