"""What the server counts, in the text format of Prometheus.

Everything is counted in the front, which sees every request and every worker, so the numbers are exact with any
number of workers and need no shared files (pain 41).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from ...exposition import family, head

if TYPE_CHECKING:
    from ..workers.process import WorkerProcess

# Upper bounds in seconds.
BUCKETS = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
)
_UNFOLDED = 1024


class Histogram:
    """WorkerProcess of observed durations below fixed bounds.

    Attributes:
        counts: durations up to each bound and above the one before, the last above all, as of the last ``fold``.
        total: sum of those durations.
        largest: the longest of them; percentiles are taken from buckets, and none may lie above it.
        observe: counts one duration, in seconds. It only keeps it: sorted together, a thousand are counted in a
            fraction of the time.
        observe_all: counts several.
    """

    __slots__ = ("_recent", "counts", "largest", "observe", "observe_all", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS) + 1)
        self.total = 0.0
        self.largest = 0.0
        self._recent: list[float] = []
        self.observe: Callable[[float], None] = self._recent.append
        self.observe_all: Callable[[Iterable[float]], None] = self._recent.extend

    def fold(self) -> None:
        """Count what was observed since the last time."""
        recent = self._recent
        recent.sort()
        below = 0
        for index, bound in enumerate(BUCKETS):
            now_below = bisect_right(recent, bound, below)
            self.counts[index] += now_below - below
            below = now_below
        self.counts[-1] += len(recent) - below
        self.total += sum(recent)
        if recent:
            self.largest = max(self.largest, recent[-1])
        recent.clear()


class Metrics:
    """The counters of one server; they go on over swaps of generations.

    Attributes:
        sources: further lines of the exposition, from what counts for itself.
        counting: workers whose counts are not in ``rows``, ``batches`` and ``batched_requests`` yet.
    """

    def __init__(self) -> None:
        self._requests: dict[tuple[int, str], int] = {}
        self._usual: list[tuple[float, float, float]] = []
        self._unfolded = 0
        self.queue = Histogram()
        self.run = Histogram()
        self.total = Histogram()
        self.worker_restarts = 0
        self.non_finite = 0
        self.batched_requests = 0
        self.rows = 0
        self.counting: set[WorkerProcess] = set()
        self.model_events: dict[tuple[str, str, str], int] = {}
        self.model_load_seconds = 0.0
        self.models_loaded: dict[WorkerProcess, int] = {}
        self.batches = 0
        self.swaps: dict[str, int] = {"ready": 0, "failed": 0}
        self.sources: list[Callable[[], Iterable[str]]] = []

    def answered(self, status: int, reason: str, queued: float | None, run: float | None, total: float) -> None:
        """Count a request to /score that has ended.

        Args:
            status: HTTP status; 499 where the client left first.
            reason: "ok", or the code of the error.
            queued: seconds it waited; None if no worker had it.
            run: seconds in run(); None if it did not return.
            total: seconds from its arrival.
        """
        key = (status, reason)
        self._requests[key] = self._requests.get(key, 0) + 1
        self.total.observe(total)
        if queued is not None:
            self.queue.observe(queued)
        if run is not None:
            self.run.observe(run)
        self._unfolded += 1
        if self._unfolded >= _UNFOLDED:
            self._unfolded = 0
            for histogram in (self.queue, self.run, self.total):
                histogram.fold()

    def scored(self, queued: float, run: float, total: float) -> None:
        """Count a request as ``answered`` does with status 200 and "ok"; many of them are counted at once."""
        usual = self._usual
        usual.append((queued, run, total))
        if len(usual) >= _UNFOLDED:
            self._fold_usual()

    def _fold_usual(self) -> None:
        usual, self._usual = self._usual, []
        if usual:
            key = (200, "ok")
            self._requests[key] = self._requests.get(key, 0) + len(usual)
            for histogram, seconds in zip((self.queue, self.run, self.total), zip(*usual, strict=True), strict=True):
                histogram.observe_all(seconds)
                histogram.fold()

    def count(self, worker: WorkerProcess) -> None:
        """Count what a worker does from now on."""
        self.counting.add(worker)

    def replaced(self) -> None:
        """Count a worker that died or was ended, and is replaced."""
        self.worker_restarts += 1

    def uncount(self, worker: WorkerProcess) -> None:
        """Take over the counts of a worker that ends; its models are gone."""
        self.models_loaded.pop(worker, None)
        if worker in self.counting:
            self.counting.remove(worker)
            self.rows += worker.rows
            batches, joined = worker.batches
            self.batches += batches
            self.batched_requests += joined

    def model_noted(self, worker: WorkerProcess, note: Mapping[str, object]) -> None:
        """Count a model that a worker has loaded or unloaded by name."""
        event, seconds = str(note["event"]), note["seconds"]
        key = (event, str(note["name"]), str(note["version"]))
        self.model_events[key] = self.model_events.get(key, 0) + 1
        loaded = self.models_loaded.get(worker, 0)
        self.models_loaded[worker] = loaded + (1 if event == "loaded" else -1)
        self.model_load_seconds += float(seconds) if isinstance(seconds, (int, float)) else 0.0

    def text(self, gauges: Mapping[str, float], workers: Iterable[Mapping[str, object]]) -> bytes:
        """Return the exposition.

        Args:
            gauges: current values by the end of their name ("queue_length", ...).
            workers: what the status says of each worker.
        """
        self._fold_usual()
        lines = family(
            "requests_total",
            "counter",
            "Requests to /score by status and reason.",
            [({"code": code, "reason": reason}, count) for (code, reason), count in sorted(self._requests.items())],
        )
        for name, histogram, text in (
            ("request_seconds", self.total, "Time from arrival to answer."),
            ("queue_seconds", self.queue, "Time that a request waited until run() began with it."),
            ("run_seconds", self.run, "Time in run()."),
        ):
            lines += _histogram(name, histogram, text)
        rows = self.rows + sum(worker.rows for worker in self.counting)
        batches = self.batches + sum(worker.batches[0] for worker in self.counting)
        joined = self.batched_requests + sum(worker.batches[1] for worker in self.counting)
        for name, value, text in (
            (
                "rows_total",
                rows,
                "Rows of results: length of a list, array, frame or only member; 1 for another value.",
            ),
            ("worker_restarts_total", self.worker_restarts, "Workers that died or were ended, and were replaced."),
            ("results_non_finite_total", self.non_finite, "Results with NaN or infinity."),
            ("batches_total", batches, "Calls of run() for several requests together."),
            ("batched_requests_total", joined, "Requests that were run together with others."),
        ):
            lines += family(name, "counter", text, value)
        swaps = [({"result": result}, count) for result, count in self.swaps.items()]
        lines += family("swaps_total", "counter", "Revisions that took over, and that could not be loaded.", swaps)
        if self.model_events:
            lines += self._models()
        for name, number in gauges.items():
            lines += family(name, "gauge", _GAUGES[name], f"{number:.15g}")
        lines += _workers(list(workers))
        for source in self.sources:
            lines += source()
        return "\n".join([*lines, ""]).encode()

    def _models(self) -> list[str]:
        lines: list[str] = []
        for event, name, text in (
            ("loaded", "model_loads_total", "Models that workers loaded by name."),
            ("unloaded", "model_unloads_total", "Those they let go."),
        ):
            counts = [
                ({"model": model, "version": version}, count)
                for (what, model, version), count in sorted(self.model_events.items())
                if what == event
            ]
            lines += family(name, "counter", text, counts)
        seconds = f"{self.model_load_seconds:.9g}"
        lines += family("model_load_seconds_total", "counter", "Time that loading models by name took.", seconds)
        loaded = sum(self.models_loaded.values())
        return lines + family("models_loaded", "gauge", "Models that are loaded by name now, in all workers.", loaded)


_GAUGES = {
    "requests_in_flight": "Requests to /score that are not answered yet.",
    "queue_length": "Requests that wait for a worker.",
    "ready": "1 when requests can be scored.",
    "connections": "Open connections.",
    "start_time_seconds": "When the server was started, Unix time.",
}


def _histogram(name: str, histogram: Histogram, text: str) -> list[str]:
    lines = head(name, "histogram", text)
    histogram.fold()
    below = 0
    for bound, count in zip([*(f"{bound:g}" for bound in BUCKETS), "+Inf"], histogram.counts, strict=True):
        below += count
        lines.append(f'sendoff_{name}_bucket{{le="{bound}"}} {below}')
    lines += [f"sendoff_{name}_sum {histogram.total:.9g}", f"sendoff_{name}_count {below}"]
    return lines + family(f"{name}_max", "gauge", "The longest of them since the start.", f"{histogram.largest:.9g}")


def _workers(workers: list[Mapping[str, object]]) -> list[str]:
    states = [str(worker["state"]) for worker in workers]
    counts = [({"state": state}, states.count(state)) for state in ("starting", "init", "idle", "busy", "dead")]
    memory = [
        ({"worker": index}, f"{float(str(worker['rss_mb'])) * 1e6:.0f}")
        for index, worker in enumerate(workers)
        if worker["rss_mb"] is not None
    ]
    return [
        *family("workers", "gauge", "Workers by state.", counts),
        *family("worker_memory_bytes", "gauge", "Resident memory of a worker with its children.", memory),
    ]
