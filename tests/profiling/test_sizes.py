"""Which sizes are tried, where the knee is, and what is recommended: arithmetic on made-up measurements."""

from __future__ import annotations

import pytest

from sendoff.profiling.load import percentiles
from sendoff.profiling.sizes import Asked, goes_on, knee_of, plan_sizes, recommend
from sendoff.spec.profile import Latency, Level, Size


def level(concurrency: int, rps: float, *, ms: float = 1.0, errors: int = 0, throttled: float | None = None) -> Level:
    times = Latency(mean=ms, p50=ms, p90=ms, p95=ms, p99=ms, p999=ms)
    return Level(
        concurrency=concurrency, requests=100, errors=errors, seconds=1.0, rps=rps, total=times, queue=Latency(),
        run=times, cpu=0.5, memory_mb=200.0, throttled=throttled,
    )  # fmt: skip


def size(cpu: float | None, workers: int, levels: list[Level], *, peak: float = 200.0, idle: float = 150.0) -> Size:
    return Size(
        cpu=cpu, memory_gb=None, workers=workers, start_seconds=1.0, first_answer_ms=5.0, idle_memory_mb=idle,
        levels=levels, knee=knee_of(levels), peak_memory_mb=peak,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("most", "sizes"),
    [
        (0.1, [(0.1, 1)]),
        (0.5, [(0.25, 1), (0.5, 1)]),
        (1.0, [(0.25, 1), (0.5, 1), (1.0, 1)]),
        (2.0, [(0.25, 1), (0.5, 1), (1.0, 1), (2.0, 2)]),
        (3.5, [(0.5, 1), (1.0, 1), (2.0, 2), (3.5, 3)]),
        (16.0, [(2.0, 2), (4.0, 4), (8.0, 8), (16.0, 16)]),
    ],
)
def test_sizes_go_up_to_what_was_asked_with_a_worker_for_each_whole_core(most, sizes):
    assert plan_sizes(most, limits=True) == [Asked(*one) for one in sizes]


def test_without_limits_sizes_differ_by_workers():
    assert plan_sizes(1.0, limits=False) == [Asked(None, 1)]
    assert plan_sizes(8.0, limits=False) == [Asked(None, 1), Asked(None, 2), Asked(None, 8)]


def test_more_is_tried_while_more_comes_of_it():
    assert goes_on([])
    assert goes_on([level(1, 100)])
    assert goes_on([level(1, 100), level(2, 190)])
    assert goes_on([level(1, 100), level(2, 105)])
    assert not goes_on([level(1, 100), level(2, 105), level(4, 106)])
    assert goes_on([level(1, 100), level(2, 190), level(4, 180)])
    assert not goes_on([level(1, 100), level(2, 190), level(4, 180), level(8, 185)])
    assert not goes_on([level(1, 100), level(2, 300, errors=1)])


def test_the_knee_is_the_least_load_that_is_nearly_as_good_as_any():
    assert knee_of([level(1, 100), level(2, 190), level(4, 200), level(8, 201)]) == 2
    assert knee_of([level(1, 100), level(2, 150), level(4, 200)]) == 4
    assert knee_of([level(1, 100), level(2, 500, errors=3)]) == 1


def test_the_least_cores_that_do_not_hold_back_one_request_at_a_time_are_recommended():
    sizes = [
        size(0.25, 1, [level(1, 10, ms=90, throttled=0.6), level(2, 11, throttled=0.7)]),
        size(0.5, 1, [level(1, 90, ms=11, throttled=0.01), level(2, 95, throttled=0.5)]),
        size(1.0, 1, [level(1, 95, ms=10, throttled=0.0), level(2, 180)]),
        size(2.0, 2, [level(1, 95, ms=10, throttled=0.0), level(2, 180), level(4, 350)], idle=260.0, peak=310.0),
    ]
    found = recommend(sizes, limits=True)
    assert (found.cpu, found.workers, found.concurrency, found.size) == (0.5, 1, 1, 1)
    assert found.memory_gb == 0.3  # 200 MB and a quarter on top, rounded up to tenths
    text = "\n".join(found.reasons)
    assert "held back by the limit 60% of the time" in text
    assert "each further one costs about 110 MB" in text
    assert "2 CPUs served 350 requests/s" in text
    assert "--preload" in text


def test_where_throttling_is_not_known_the_time_of_one_request_tells():
    sizes = [
        size(0.5, 1, [level(1, 10, ms=50)]),
        size(1.0, 1, [level(1, 90, ms=11)]),
        size(2.0, 2, [level(1, 95, ms=10)]),
    ]
    assert recommend(sizes, limits=True).cpu == 1.0


def test_a_size_with_errors_is_recommended_only_when_there_is_no_other():
    bad, good = size(0.5, 1, [level(1, 50, errors=5)]), size(1.0, 1, [level(1, 90)])
    assert recommend([bad, good], limits=True).cpu == 1.0
    alone = recommend([bad], limits=True)
    assert alone.cpu == 0.5
    assert "every size answered some requests with an error" in alone.reasons[-1]


def test_without_limits_the_cores_that_were_used_are_recommended():
    found = recommend([size(None, 1, [level(1, 100), level(2, 150)])], limits=False)
    assert (found.cpu, found.workers) == (0.5, 1)
    assert "limits nothing" in found.reasons[0]


def test_percentiles_are_nearest_ranks():
    found = percentiles([float(n) for n in range(1, 1001)])
    assert found == {"mean": 500.5, "p50": 500.0, "p90": 900.0, "p95": 950.0, "p99": 990.0, "p999": 999.0}
    assert percentiles([7.0])["p999"] == 7.0
    assert percentiles([])["p50"] == 0.0
