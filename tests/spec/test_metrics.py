"""Reading what a server counts: rates, errors, percentiles."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendoff.spec.metrics import ServiceMetrics, quantile, read, samples, since
from sendoff_serving.front.scoring.metrics import BUCKETS, Metrics

GAUGES = {"requests_in_flight": 3, "queue_length": 2, "ready": 1, "connections": 4, "start_time_seconds": 1795366000.25}
WORKERS = [
    {"state": "idle", "rss_mb": 20.0, "pid": 1},
    {"state": "busy", "rss_mb": 30.0, "pid": 2},
    {"state": "dead", "rss_mb": None, "pid": None},
]


def looked(metrics: Metrics, now: float, **gauges: float) -> ServiceMetrics:
    text = metrics.text({**GAUGES, **gauges}, WORKERS).decode()
    return read(text, service="svc", workspace="ws", state="Healthy", revision=3, now=now)


def test_what_the_server_writes_is_what_is_read() -> None:
    metrics = Metrics()
    for _ in range(90):
        metrics.answered(200, "ok", 0.001, 0.004, 0.006)
    for _ in range(10):
        metrics.answered(500, "run_failed", 0.001, None, 0.006)
    metrics.answered(413, "body_too_large", None, None, 0.001)
    metrics.worker_restarts = 2
    found = looked(metrics, 1795366100.25)
    assert (found.requests, found.errors, found.seconds) == (101, 10, 100.0)
    assert (found.requests_per_second, found.errors_per_second) == (1.01, 0.1)
    assert {(o.code, o.reason): o.count for o in found.outcomes} == {
        (200, "ok"): 90,
        (500, "run_failed"): 10,
        (413, "body_too_large"): 1,
    }
    assert (found.in_flight, found.waiting, found.connections, found.restarts) == (3, 2, 4, 2)
    assert found.workers == {"starting": 0, "init": 0, "idle": 1, "busy": 1, "dead": 1}
    assert found.memory_bytes == 50_000_000
    assert (found.total.count, found.queue.count, found.run.count) == (101, 100, 90)
    assert found.run.mean == 4.0 and found.run.p50 is not None and 2.5 < found.run.p50 <= 5


def test_between_two_looks_only_what_happened_there_counts() -> None:
    metrics = Metrics()
    for _ in range(100):
        metrics.answered(200, "ok", 0.0, 2.0, 2.0)
    before = looked(metrics, 1795366010.25)
    for _ in range(20):
        metrics.answered(200, "ok", 0.0, 0.0008, 0.0008)
    metrics.answered(504, "scoring_timeout", 0.0, None, 0.0008)
    now = since(looked(metrics, 1795366012.25), before)
    assert (now.requests, now.errors, now.seconds, now.requests_per_second) == (21, 1, 2.0, 10.5)
    assert now.total.p99 is not None and now.total.p99 <= 1.0
    assert [outcome.reason for outcome in now.outcomes] == ["ok", "scoring_timeout"]
    again = looked(metrics, 1795366013.25, start_time_seconds=1795366012.5)
    assert since(again, before).requests == 121, "the server was started anew: there is nothing to take away"
    nothing = since(looked(metrics, 1795366014.25), looked(metrics, 1795366013.25))
    assert nothing.total.p50 is None and nothing.requests_per_second == 0


@given(st.lists(st.floats(min_value=0, max_value=59), min_size=1, max_size=200), st.floats(min_value=0.01, max_value=1))
def test_a_quantile_lies_in_the_bucket_of_the_exact_one(times: list[float], share: float) -> None:
    metrics = Metrics()
    for seconds in times:
        metrics.answered(200, "ok", None, None, seconds)
    found = quantile(looked(metrics, 1795366001.25).total.buckets, share)
    ordered = sorted(times)
    rank = share * len(ordered)
    exact = ordered[max(0, -int(-rank // 1) - 1)]
    upper = next(bound for bound in BUCKETS if exact <= bound)
    lower = max((bound for bound in BUCKETS if bound < exact), default=0.0)
    assert found is not None and lower * 1000 - 1e-6 <= found <= upper * 1000 + 1e-6


@given(st.lists(st.floats(min_value=0, max_value=100), min_size=1, max_size=50))
def test_no_percentile_is_above_the_largest_that_was_seen(times: list[float]) -> None:
    metrics = Metrics()
    for seconds in times:
        metrics.answered(200, "ok", None, None, seconds)
    found = looked(metrics, 1795366001.25).total
    assert found.max == pytest.approx(max(times) * 1000, rel=1e-6, abs=1e-3)
    assert found.p99 is not None and found.p50 is not None and found.p50 <= found.p99 <= found.max


def test_what_lies_beyond_every_bound_gives_the_highest() -> None:
    assert quantile([(10.0, 0), (None, 5)], 0.5) == 10.0
    assert quantile([], 0.5) is None and quantile([(1.0, 0), (None, 0)], 0.9) is None


@given(st.text(max_size=300))
def test_any_text_is_read_without_an_error(text: str) -> None:
    samples(text)
    assert samples('x{a="b\\"c"} 1\n')["x"] == [({"a": 'b"c'}, 1.0)]


def test_random_order_of_samples_is_no_matter() -> None:
    metrics = Metrics()
    metrics.answered(200, "ok", 0.1, 0.1, 0.2)
    lines = metrics.text(GAUGES, WORKERS).decode().splitlines()
    comments = [line for line in lines if line.startswith("#")]
    random.Random(1).shuffle(comments)
    text = "\n".join([*comments, *(line for line in lines if not line.startswith("#"))])
    assert read(text, service="s", workspace="w", state="", revision=None, now=1795367000.0).requests == 1
