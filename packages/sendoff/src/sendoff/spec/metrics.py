"""What a service's server counts, read from the text format of Prometheus (docs/scoring-server.md, "Metrics").

Counts go on from the server's start; whoever wants a rate of this moment looks twice and takes :func:`since`.
"""

from __future__ import annotations

import math
import re

from .parse import Spec, replace

_SAMPLE = re.compile(r"^(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>[^}]*)\})? (?P<value>\S+)$")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_PREFIX = "sendoff_"
QUANTILES = (0.5, 0.9, 0.95, 0.99)

Samples = dict[str, list[tuple[dict[str, str], float]]]


class Latency(Spec):
    """Durations in milliseconds. ``buckets`` are pairs of an upper bound (None: any) and how many were not above it.

    ``max`` is the longest since the server's start; percentiles are taken from the buckets, and none is above it.
    """

    count: int = 0
    mean: float | None = None
    p50: float | None = None
    p90: float | None = None
    p95: float | None = None
    p99: float | None = None
    max: float | None = None
    sum: float = 0.0
    buckets: list[tuple[float | None, int]] = []


class Outcome(Spec):
    """Requests that ended with one status code for one reason: ``ok``, or the error's code."""

    code: int
    reason: str
    count: int


class ServiceMetrics(Spec):
    """A service's counts since its server was started. Times are Unix seconds, ``seconds`` is how long they cover.

    ``requests`` counts answered requests for a score, ``errors`` those of status 500 and above. ``text`` is the whole
    exposition as the server wrote it.
    """

    service: str
    workspace: str
    state: str
    revision: int | None
    time: float
    started: float
    seconds: float
    requests: int
    errors: int
    requests_per_second: float
    errors_per_second: float
    outcomes: list[Outcome]
    total: Latency
    queue: Latency
    run: Latency
    in_flight: int
    waiting: int
    connections: int
    rows: int
    restarts: int
    workers: dict[str, int]
    memory_bytes: int
    text: str = ""


def samples(text: str) -> Samples:
    """Every sample of an exposition by its name: labels and value."""
    found: Samples = {}
    for line in text.splitlines():
        match = None if line.startswith("#") else _SAMPLE.match(line.strip())
        if match is None:
            continue
        try:
            value = float(match["value"])
        except ValueError:
            continue
        labels = {name: re.sub(r"\\(.)", r"\1", given) for name, given in _LABEL.findall(match["labels"] or "")}
        found.setdefault(match["name"], []).append((labels, value))
    return found


def read(text: str, *, service: str, workspace: str, state: str, revision: int | None, now: float) -> ServiceMetrics:
    """An exposition as values.

    Args:
        text: What the server wrote.
        service, workspace, state, revision: What it is of.
        now: When it was asked, Unix seconds.
    """
    found = samples(text)

    def one(name: str) -> float:
        return sum(value for _, value in found.get(_PREFIX + name, []))

    outcomes = [
        Outcome(code=int(labels.get("code", "0")), reason=labels.get("reason", ""), count=int(value))
        for labels, value in found.get(f"{_PREFIX}requests_total", [])
    ]
    started = one("start_time_seconds") or now
    made = ServiceMetrics(
        service=service,
        workspace=workspace,
        state=state,
        revision=revision,
        time=now,
        started=started,
        seconds=max(now - started, 0.0),
        requests=0,
        errors=0,
        requests_per_second=0.0,
        errors_per_second=0.0,
        outcomes=outcomes,
        total=_latency(found, "request_seconds"),
        queue=_latency(found, "queue_seconds"),
        run=_latency(found, "run_seconds"),
        in_flight=int(one("requests_in_flight")),
        waiting=int(one("queue_length")),
        connections=int(one("connections")),
        rows=int(one("rows_total")),
        restarts=int(one("worker_restarts_total")),
        workers={
            labels["state"]: int(value) for labels, value in found.get(f"{_PREFIX}workers", []) if "state" in labels
        },
        memory_bytes=int(one("worker_memory_bytes")),
        text=text,
    )
    return _rated(made)


def since(now: ServiceMetrics, before: ServiceMetrics | None) -> ServiceMetrics:
    """What happened between two looks; the whole of ``now`` when the server was started anew in between."""
    if before is None or before.started != now.started or before.time >= now.time:
        return now
    had = {(outcome.code, outcome.reason): outcome.count for outcome in before.outcomes}
    outcomes = [
        replace(outcome, count=outcome.count - had.get((outcome.code, outcome.reason), 0)) for outcome in now.outcomes
    ]
    return _rated(
        replace(
            now,
            seconds=now.time - before.time,
            outcomes=[outcome for outcome in outcomes if outcome.count],
            total=_less(now.total, before.total),
            queue=_less(now.queue, before.queue),
            run=_less(now.run, before.run),
            rows=now.rows - before.rows,
            restarts=now.restarts - before.restarts,
        )
    )


def _rated(made: ServiceMetrics) -> ServiceMetrics:
    requests = sum(outcome.count for outcome in made.outcomes)
    errors = sum(outcome.count for outcome in made.outcomes if outcome.code >= 500)
    per = 1 / made.seconds if made.seconds > 0 else 0.0
    return replace(
        made,
        requests=requests,
        errors=errors,
        requests_per_second=round(requests * per, 3),
        errors_per_second=round(errors * per, 3),
    )


def _latency(found: Samples, name: str) -> Latency:
    buckets: list[tuple[float | None, int]] = []
    for labels, value in found.get(f"{_PREFIX}{name}_bucket", []):
        bound = float(labels.get("le", "inf").replace("+Inf", "inf"))
        buckets.append((None if math.isinf(bound) else round(bound * 1000, 6), int(value)))
    total = sum(value for _, value in found.get(f"{_PREFIX}{name}_sum", []))
    largest = [round(value * 1000, 3) for _, value in found.get(f"{_PREFIX}{name}_max", [])]
    return _summed(buckets, total * 1000, max(largest, default=None))


def _less(now: Latency, before: Latency) -> Latency:
    had = dict(before.buckets)
    buckets = [(bound, count - had.get(bound, 0)) for bound, count in now.buckets]
    return replace(_summed(buckets, now.sum - before.sum, now.max), max=None)  # when the longest was is not known


def _summed(buckets: list[tuple[float | None, int]], total: float, largest: float | None) -> Latency:
    count = buckets[-1][1] if buckets else 0
    if not count:
        return Latency(buckets=buckets)
    found = (quantile(buckets, share) for share in QUANTILES)
    # A server of before tells no longest one.
    p50, p90, p95, p99 = (one if one is None or largest is None else min(one, largest) for one in found)
    return Latency(
        count=count,
        mean=round(total / count, 3),
        p50=p50,
        p90=p90,
        p95=p95,
        p99=p99,
        max=largest,
        sum=round(total, 3),
        buckets=buckets,
    )


def quantile(buckets: list[tuple[float | None, int]], share: float) -> float | None:
    """A quantile in milliseconds, straight between the bounds of its bucket, as Prometheus' histogram_quantile has it.

    Args:
        buckets: Upper bounds in milliseconds (None: any) with counts of all that is not above, rising.
        share: Between 0 and 1.

    Returns:
        None when nothing was counted; the highest bound when it lies beyond.
    """
    count = buckets[-1][1] if buckets else 0
    if count <= 0:
        return None
    rank = share * count
    low, below = 0.0, 0
    for bound, upto in buckets:
        if upto >= rank and upto > below:
            if bound is None:
                return low
            return round(low + (bound - low) * (rank - below) / (upto - below), 3)
        low, below = (low if bound is None else bound), upto
    return low
