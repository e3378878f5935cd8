"""The whole speed table: ours beside its peers on the same cores, with ratios and CPU time per request.

    python benchmarks/serving/table.py                            beside the existing server
    python benchmarks/serving/table.py --peers azureml,fastapi,bentoml,mlserver

Servers of a case run in turn in every round, and the medians of the rounds are compared, so that a slow minute of
the machine hits all of them. Rates need a quiet machine; CPU time of the process tree, from /proc, needs it less.
"""

from __future__ import annotations

import argparse
import os
import statistics
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import servers
import throughput


@dataclass(frozen=True)
class Case:
    """One way of serving and what it is asked.

    Attributes:
        name: what the table calls it.
        script: kind of entry script of ours and of the existing server.
        asked: (size, connections, goal as the ratio of our rate to the existing server's).
        workers: worker processes.
        options: options of ours.
        all_peers: whether servers other than the existing one have the same case.
    """

    name: str
    script: str
    asked: tuple[tuple[str, int, float], ...]
    workers: int = 1
    options: tuple[str, ...] = ()
    all_peers: bool = False


CASES = (
    Case(
        "plain",
        "plain",
        (("small", 1, 2.5), ("small", 16, 5.0), ("small", 64, 5.0), ("medium", 16, 2.3), ("large", 16, 1.1)),
        all_peers=True,
    ),
    Case("schema", "schema", (("medium", 16, 4.0), ("large", 16, 3.0))),
    Case("batching", "plain", (("small", 16, 15.0), ("small", 64, 25.0)), options=("--max-batch-rows", "64")),
    Case("raw echo", "raw", (("mebibyte", 16, 3.0),)),
    Case("two workers", "plain", (("small", 64, 4.0),), workers=2, all_peers=True),
)


@dataclass(frozen=True)
class Reading:
    """What one run gave: requests a second, 99th percentile, CPU microseconds a request, answers that were not 200."""

    rate: float
    p99_ms: float
    cpu: float
    wrong: int


def tree(pid: int) -> Iterator[int]:
    """Yield the process ids of a server and all its descendants."""
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from tree(int(child))


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and its descendants so far."""
    total = 0
    for process in tree(pid):
        for task in Path(f"/proc/{process}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def read(server: servers.Running, folder: Path, size: str, connections: int, seconds: float, cores: str) -> Reading:
    """Ask a running server for some seconds."""
    body, path = throughput.body_of(folder, server.name, size), servers.SCORE_PATHS.get(server.name, "/score")
    throughput.load(server.port, body, connections, 1.0, cores, path)
    before = cpu_seconds(server.process.pid)
    got = throughput.load(server.port, body, connections, seconds, cores, path)
    used = cpu_seconds(server.process.pid) - before
    statuses = dict(got["statuses"])
    right = statuses.pop("200", 0)
    return Reading(
        float(str(got["requests_per_second"])),
        float(str(got["p99_ms"])),
        used / max(right, 1) * 1e6,
        sum(statuses.values()),
    )


def measure(case: Case, names: list[str], folder: Path, seconds: float, rounds: int) -> None:
    """Run one case and print its rows."""
    cores, load_cores = ("0", "1") if case.workers == 1 else ("0,1", "0,1")
    found: dict[tuple[str, int, str], list[Reading]] = defaultdict(list)
    for _ in range(rounds):
        for name in names:
            script = throughput.script_of(folder, name, case.script)
            options = case.options if name == "sendoff" else ()
            server = servers.start(name, script, folder / "models", folder, cores, case.workers, options).wait()
            try:
                for size, connections, _goal in case.asked:
                    reading = read(server, folder, size, connections, seconds, load_cores)
                    found[size, connections, name].append(reading)
            finally:
                server.stop()
    for size, connections, goal in case.asked:
        ours = found[size, connections, "sendoff"]
        for name in names:
            print(row(case, size, connections, name, found[size, connections, name], ours, goal), flush=True)


def row(
    case: Case, size: str, connections: int, name: str, its: list[Reading], ours: list[Reading], goal: float
) -> str:
    """Return one line of the table; the goal is against the existing server."""
    rate, p99, cpu = (statistics.median(getattr(one, what) for one in its) for what in ("rate", "p99_ms", "cpu"))
    text = f"{case.name:12} {size:9} {connections:4} {name:9} {rate:9.0f} {p99:9.2f} {cpu:10.1f}"
    if name != "sendoff":
        ratio = statistics.median(one.rate for one in ours) / max(rate, 1e-9)
        cpu_ratio = cpu / max(statistics.median(one.cpu for one in ours), 1e-9)
        text += f"   {ratio:6.1f} x {cpu_ratio:6.1f} x"
        if name == "azureml":
            text += f"   goal {goal:g} x: {'holds' if ratio >= goal else 'does not hold'}"
    wrong = sum(one.wrong for one in its)
    return f"{text}   {wrong} answers were not 200" if wrong else text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", default="azureml", help="azureml, fastapi, bentoml, mlserver; by commas")
    parser.add_argument("--cases", default=",".join(case.name for case in CASES), help="by commas")
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cache", type=Path, default=throughput.HERE.parents[1] / ".cache" / "benchmarks-serving")
    arguments = parser.parse_args()
    folder = throughput.prepare(arguments.cache)
    peers = [name for name in arguments.peers.split(",") if name]
    for name in peers:
        servers.environment(folder, name)
    print(f"load average at the start {os.getloadavg()[0]:.1f}; the ratios are ours to that server: rate, CPU")
    print(f"{'case':12} {'size':9} {'conn':>4} {'server':9} {'req/s':>9} {'p99 ms':>9} {'CPU µs/req':>10}")
    for case in CASES:
        if case.name in arguments.cases.split(","):
            names = ["sendoff", *(name for name in peers if name == "azureml" or case.all_peers)]
            measure(case, names, folder, arguments.seconds, arguments.rounds)
    print(f"load average at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
