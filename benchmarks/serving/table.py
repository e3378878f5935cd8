"""The whole speed table: ours and its peers in turn on the same cores, with ratios.

    python benchmarks/serving/table.py                        every row, every peer (about half an hour)
    python benchmarks/serving/table.py --short                every row once, one second each (about ten minutes)
    python benchmarks/serving/table.py --rows small,large --peers azureml,fastapi
    python benchmarks/serving/table.py --list                 the rows

Servers of a row run in turn in every round, and the medians of the rounds are compared, so that a slow minute of
the machine hits all of them. Rates need a quiet machine; CPU time of the process tree, from /proc, needs it less.
Peers are installed from PyPI into environments of their own, kept in the cache folder. Ended early (Ctrl-C, SIGTERM)
it ends the servers too. spec/performance.md has the set-up.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import statistics
import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import apps
import figures
import servers
import throughput
from figures import Place, Value


@dataclass(frozen=True)
class Speed:
    """Requests a second of one way of serving.

    Attributes:
        kind: what is served (``apps.kinds``).
        asked: (size, connections, least ratio of our rate to the existing server's).
        p99: (connections, greatest share of the existing server's 99th percentile), where that has a goal.
        workers: worker processes.
        options: options of ours.
    """

    kind: str
    asked: tuple[tuple[str, int, float], ...]
    p99: tuple[int, float] | None = None
    workers: int = 1
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Figure:
    """One figure of a server that is not a rate.

    Attributes:
        measure: asks one server.
        unit: of the number.
        most: the goal for ours.
        kind: what is served.
        only: the servers that have it; all of the kind when empty.
    """

    measure: Callable[[Place, str], Value]
    unit: str
    most: float
    kind: str = "sleep"
    only: tuple[str, ...] = field(default=())


ROWS: dict[str, Speed | Figure] = {
    "small": Speed("ridge", (("small", 1, 2.5), ("small", 16, 5.0), ("small", 64, 5.0)), p99=(16, 0.25)),
    "two-workers": Speed("ridge", (("small", 64, 4.0),), workers=2),
    "medium": Speed("ridge", (("medium", 16, 2.3),)),
    "large": Speed("ridge", (("large", 16, 1.1),)),
    "schema": Speed("schema", (("medium", 16, 4.0), ("large", 16, 3.0))),
    "batching": Speed("batching", (("small", 16, 15.0), ("small", 64, 25.0)), options=("--max-batch-rows", "64")),
    "echo": Speed("raw", (("mebibyte", 16, 3.0),)),
    "memory": Figure(figures.memory, "GB", 0.75, "big"),
    "memory-no-preload": Figure(figures.memory_without_preload, "GB", math.inf, "big", ("sendoff", "azureml")),
    "front-memory": Figure(figures.front_memory, "MB", 60),
    "start-up": Figure(figures.start_up, "s", 0.4),
    "probe-under-load": Figure(figures.probe_under_load, "ms", 10, "ridge"),
    "probe-while-run-sleeps": Figure(figures.probe_while_run_sleeps, "ms", 10),
    "queue": Figure(figures.queue, "ms", 600),
    "hang-up": Figure(figures.leavers, "s", 1.0),
    "body-over-limit": Figure(figures.too_large, "MB", 20, "ridge"),
}


@dataclass(frozen=True)
class Reading:
    """What one run gave: requests a second, 99th percentile, CPU microseconds a request, answers that were not 200."""

    rate: float
    p99_ms: float
    cpu: float
    wrong: int


def cpu_seconds(pid: int) -> float:
    """CPU time of a process and its descendants so far."""
    total = 0
    for process in servers.tree(pid):
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{process}/task").iterdir():
                with contextlib.suppress(OSError):
                    total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def read(server: servers.Running, folder: Path, size: str, connections: int, seconds: float, cores: str) -> Reading:
    """Ask a running server for some seconds."""
    body = throughput.body_of(folder, server.name, size)
    # A slow server gives no answer at all in a second of large requests.
    seconds = max(seconds, 4.0) if size == "large" else seconds
    throughput.load(server.port, body, connections, 1.0, cores, server.score_path)
    before = cpu_seconds(server.process.pid)
    got = throughput.load(server.port, body, connections, seconds, cores, server.score_path)
    used = cpu_seconds(server.process.pid) - before
    statuses = dict(got["statuses"])
    right = statuses.pop("200", 0)
    rate = float(str(got["requests_per_second"])) if right else 0.0
    return Reading(rate, float(str(got["p99_ms"])), used / max(right, 1) * 1e6, sum(statuses.values()))


def measure_speeds(titles: list[str], names: list[str], place: Place, rounds: int) -> None:
    """Run rows that are served alike, with each server started once a round, and print their lines."""
    rows = [(title, row) for title in titles if isinstance(row := ROWS[title], Speed)]
    first = rows[0][1]
    cores, load_cores = (place.cores, place.load_cores) if first.workers == 1 else ("0,1", "0,1")
    found: dict[tuple[str, int, str], list[Reading]] = defaultdict(list)
    for number in range(rounds):
        for name in names:
            said(f"{', '.join(titles)}: {name}, round {number + 1} of {rounds}")
            options = first.options if name == "sendoff" else ()
            kind = first.kind if first.kind in apps.kinds(name) else "ridge"
            with figures.served(place, name, kind, first.workers, options, cores) as server:
                for _, row in rows:
                    for size, connections, _goal in row.asked:
                        reading = read(server, place.folder, size, connections, place.seconds, load_cores)
                        found[size, connections, name].append(reading)
    for title, row in rows:
        for size, connections, goal in row.asked:
            ours = found[size, connections, "sendoff"]
            for name in names:
                text = speed_line(title, size, connections, name, found[size, connections, name], ours, goal)
                if row.p99 is not None and row.p99[0] == connections and name == "azureml":
                    text += f"\n{p99_line(title, found[size, connections, name], ours, row.p99[1])}"
                print(text, flush=True)


def said(text: str) -> None:
    """Say what is being measured, beside the table."""
    print(f"… {text}", file=sys.stderr, flush=True)


def served_alike(rows: list[str]) -> list[list[str]]:
    """Group the rows of rates that one start of a server is enough for; any other row is alone."""
    groups: dict[object, list[str]] = {}
    for title in rows:
        row = ROWS[title]
        alike = (row.kind, row.workers, row.options) if isinstance(row, Speed) else title
        groups.setdefault(alike, []).append(title)
    return list(groups.values())


def middle(readings: list[Reading], what: str) -> float:
    """Return the median of one number of some readings."""
    return statistics.median(getattr(one, what) for one in readings)


def speed_line(
    title: str, size: str, connections: int, name: str, its: list[Reading], ours: list[Reading], goal: float
) -> str:
    """Return one line of the table; the goal is against the existing server."""
    rate, p99, cpu = (middle(its, what) for what in ("rate", "p99_ms", "cpu"))
    what = f"{size} {connections}"
    text = f"{title:23} {what:13} {name:9} {rate:9.0f}/s {p99:8.1f} {cpu:9.0f}"
    if not rate:
        text += "   no right answer in time"
    elif name != "sendoff":
        ratio = middle(ours, "rate") / rate
        text += f"   {ratio:6.1f} x {cpu / max(middle(ours, 'cpu'), 1e-9):6.1f} x"
        if name == "azureml":
            text += f"   goal {goal:g} x: {'holds' if ratio >= goal else 'does not hold'}"
    wrong = sum(one.wrong for one in its)
    return f"{text}   {wrong} answers were not 200" if wrong else text


def p99_line(title: str, its: list[Reading], ours: list[Reading], most: float) -> str:
    """Return the line about the 99th percentile."""
    share = middle(ours, "p99_ms") / max(middle(its, "p99_ms"), 1e-9)
    verdict = "holds" if share <= most else "does not hold"
    return f"{title:23} {'p99':13} ours is {share:.2f} of the existing server's   goal {most:g}: {verdict}"


def measure_figure(title: str, row: Figure, names: list[str], place: Place, rounds: int) -> None:
    """Run a row that is not a rate and print its lines."""
    found: dict[str, list[Value]] = defaultdict(list)
    for number in range(rounds):
        for name in names:
            said(f"{title}: {name}, round {number + 1} of {rounds}")
            found[name].append(row.measure(place, name))
    ours: float | None = None
    for name in names:
        numbers = [value.number for value in found[name] if value.number is not None]
        number = statistics.median(numbers) if numbers else None
        shown = "none" if number is None else f"{number:.2f} {row.unit}"
        text = f"{title:37} {name:9} {shown:>11}"
        if name == "sendoff":
            ours = number
            if number is not None and row.most < math.inf:
                text += f"   goal {row.most:g} {row.unit}: {'holds' if number <= row.most else 'does not hold'}"
        elif number is not None and ours is not None and ours > 0.01:
            text += f"   {number / ours:6.1f} x"
        print(f"{text}   {found[name][-1].note}".rstrip(), flush=True)


def chosen(given: str, known: list[str], what: str) -> list[str]:
    """Return the names of a list by commas, in the table's order; an unknown one ends the program."""
    names = [name for name in given.split(",") if name]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SystemExit(f"{what} {', '.join(unknown)} not known; there are {', '.join(known)}")
    return [name for name in known if name in names]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default=",".join(ROWS), metavar="LIST", help="rows, by commas; --list shows them")
    parser.add_argument(
        "--peers", default=",".join(servers.NAMES), metavar="LIST", help=f"of {', '.join(servers.NAMES)}; '' for none"
    )
    parser.add_argument("--short", action="store_true", help="one round of one second: shows that it works, no more")
    parser.add_argument("--seconds", type=float, default=3.0, help="of load in each round (default 3)")
    parser.add_argument("--rounds", type=int, default=3, help="of each row (default 3)")
    parser.add_argument("--cores", default="0", help="core of front and workers together (default 0)")
    parser.add_argument("--load-cores", default="1", help="core of the load generator (default 1)")
    parser.add_argument("--list", action="store_true", help="print the rows and end")
    parser.add_argument("--cache", type=Path, default=throughput.HERE.parents[1] / ".cache" / "benchmarks-serving")
    arguments = parser.parse_args()
    if arguments.list:
        for title, row in ROWS.items():
            about = row.measure.__doc__ if isinstance(row, Figure) else f"requests a second, {row.kind} service"
            print(f"{title:23} {about}")
        return
    rows = chosen(arguments.rows, list(ROWS), "rows")
    peers = chosen(arguments.peers, list(servers.NAMES), "peers")
    seconds, rounds = (1.0, 1) if arguments.short else (arguments.seconds, arguments.rounds)
    with servers.ending_all():
        folder = throughput.prepare(arguments.cache.resolve())
        place = Place(folder, arguments.cores, arguments.load_cores, seconds)
        print(f"peers: {', '.join(figures.versions(folder, name) for name in peers) or 'none'}")
        print(f"load average at the start {figures.load_average()}; ratios are ours to that server: rate, CPU time")
        print(f"{'row':23} {'asked':13} {'server':9} {'rate':>11} {'p99 ms':>8} {'CPU µs':>9}", flush=True)
        for titles in served_alike(rows):
            row = ROWS[titles[0]]
            only = row.only if isinstance(row, Figure) else ()
            # A peer that does not batch is asked unbatched; one without a route for raw bodies is left out.
            kind = "ridge" if row.kind == "batching" else row.kind
            names = ["sendoff", *(name for name in peers if kind in apps.kinds(name) and (not only or name in only))]
            if isinstance(row, Speed):
                measure_speeds(titles, names, place, rounds)
            else:
                measure_figure(titles[0], row, names, place, rounds)
        print(f"load average at the end {figures.load_average()}")


if __name__ == "__main__":
    sys.exit(main())
