"""Registering model versions, and pages of their lists at 1,000, 10,000 and 100,000 versions; pages of 1,000 services.

Run: python benchmarks/registry.py [--rows N …] [--looks N] [--json FILE] [--peer PYTHON] [--folder DIR]. Goal: p95 of
any page of 50 at most 50 ms, whatever is asked for and wherever the page is. A look is a request to the embedded API:
filters in, JSON out. The store is filled by SQL with copies of registered versions (100 of a name, 20 files each); the
rate is that of `Registry.register` on top of them, one after another, each durable. `--peer` takes an interpreter that
has MLflow and measures its registry on SQLite beside it, filled by SQL too.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import insert

from sendoff.api.application import Application
from sendoff.core import Core
from sendoff.registry import Registry, labels
from sendoff.registry.rows import columns_of
from sendoff.spec.messages import Request
from sendoff.spec.model import ManifestFile, RegisterModel
from sendoff.spec.page import cursor
from sendoff.spec.parse import to_builtins
from sendoff.spec.workspace import CreateWorkspace
from sendoff.store import Store
from sendoff.store.tables import model_labels, model_names, models, operations, revisions, services

ROWS, LOOKS, PAGE, GOAL_MS = (1_000, 10_000, 100_000), 100, 50, 50.0
VERSIONS = 100
"""Of one name, registered one after the other: the worst order for a list of the newest of each name."""
PEER = Path(__file__).with_name("registry_peer.py")


def body(number: int, digest: str) -> RegisterModel:
    """A registration: 20 files, a tag that a tenth has, one that a hundredth has, a property of its own."""
    return RegisterModel(
        name=f"model-{number // VERSIONS:05}",
        files=[ManifestFile(path=f"model/part-{part:02}.bin", digest=digest, size=7) for part in range(20)],
        tags={"area": f"area-{number % 10}", "stage": "prod" if number % 100 == 7 else "dev"},
        properties={"commit": f"{number:040x}"},
        run_id=f"run-{number // 10}",
    )


def fill(store: Store, first: int, last: int, digest: str) -> None:
    """Versions ``first`` to ``last``, each a second after the one before."""
    registered = Registry(store).register("bench", body(first, digest))
    Registry(store).delete("bench", registered.id)
    facts = {"scan": to_builtins(registered.scan), "detected": registered.detected, "size": registered.size}
    for start in range(first, last, 2_000):
        rows, marks, counters = [], [], {}
        for number in range(start, min(last, start + 2_000)):
            wanted = body(number, digest)
            version, created = number % VERSIONS + 1, 1e9 + number
            key = {"workspace": "bench", "name": wanted.name, "version": version, "created": created}
            rows.append({**columns_of(wanted), **facts, **key, "modified": created})
            found = labels.labels_of(wanted) | ({labels.LATEST} if version == VERSIONS else set())  # type: ignore[arg-type]
            marks += [{**key, "label": label} for label in found]
            counters[wanted.name] = {"workspace": "bench", "name": wanted.name, "last_version": VERSIONS}
        with store.begin() as connection:
            connection.execute(insert(models), rows)
            connection.execute(insert(model_labels), marks)
            connection.execute(insert(model_names).prefix_with("OR IGNORE"), list(counters.values()))


def far(rows: int) -> str:
    """The cursor of a place nine tenths down the list."""
    number = rows // 10
    return cursor("created,name,version", (1e9 + number, f"model-{number // VERSIONS:05}", number % VERSIONS + 1))


def asked(rows: int) -> dict[str, dict[str, list[str]]]:
    """What is looked for, by what the table calls it."""
    middle = rows // 2
    return {
        "first page": {},
        "far page": {"after": [far(rows)]},
        "of a name": {"name": [f"model-{middle // VERSIONS:05}"]},
        "of a run": {"run_id": [f"run-{middle // 10}"]},
        "tag of a tenth": {"tag": ["area=area-3"]},
        "the same, far": {"tag": ["area=area-3"], "after": [far(rows)]},
        "tag of a hundredth": {"tag": ["stage=prod"]},
        "two tags": {"tag": ["stage=prod", "area=area-7"]},
        "one version's property": {"property": [f"commit={middle:040x}"]},
        "none has the tag": {"tag": ["nobody"]},
        "latest": {"latest": ["true"]},
        "latest, far": {"latest": ["true"], "after": [far(rows)]},
        "latest with a tag": {"latest": ["true"], "tag": ["stage=prod"]},
    }


def looks(application: Application, path: str, query: dict[str, list[str]], count: int) -> list[float]:
    """Milliseconds of each look."""
    taken = []
    for number in range(count + 3):
        began = time.perf_counter()
        answer = application.handle(Request(method="GET", path=f"/v1{path}", query={**query, "limit": [str(PAGE)]}))
        if number >= 3:
            taken.append((time.perf_counter() - began) * 1e3)
        assert answer.status == 200, answer.body
    return taken


def rate(store: Store, digest: str, count: int = 200) -> float:
    """Registrations in a second."""
    registry = Registry(store)
    began = time.perf_counter()
    for number in range(count):
        registry.register("bench", body(10_000_000 + number, digest))
    return count / (time.perf_counter() - began)


def add_services(store: Store, count: int) -> None:
    """Services that nothing runs of, with a revision and its deploy each."""
    source = {"entry_script": "score.py", "source_directory": None, "files": []}
    plan = {
        "models": ["model-00000:1"],
        "inference": {"source": source, "environment": {"name": "bench"}},
        "deployment": {"compute_type": "LOCAL"},
    }
    rows = []
    for number in range(count):
        uid, name, now = f"bench-{number:05}", f"service-{number:05}", 1e9 + number
        rows.append((uid, name, now))
    with store.begin() as connection:
        connection.execute(
            insert(services),
            [
                {
                    "uid": uid,
                    "workspace": "bench",
                    "name": name,
                    "compute_type": "LOCAL",
                    "target": "process",
                    "description": "",
                    "tags": {"team": f"t{int(now) % 10}"},
                    "properties": {},
                    "port": None,
                    "auth_enabled": False,
                    "token_auth_enabled": False,
                    "wanted_revision": 1,
                    "created": now,
                    "updated": now,
                    "deleting": False,
                }
                for uid, name, now in rows
            ],
        )
        connection.execute(
            insert(revisions), [{"uid": uid, "number": 1, "wanted": plan, "created": now} for uid, _, now in rows]
        )
        common = {"type": "Deploy", "revision": 1, "state": "Succeeded", "steps": [], "error": None, "notes": []}
        connection.execute(
            insert(operations),
            [
                {
                    **common,
                    "id": f"op-{uid}",
                    "uid": uid,
                    "workspace": "bench",
                    "service": name,
                    "request": {},
                    "attempts": 1,
                    "cancel_requested": False,
                    "created": now,
                    "ended": now,
                }
                for uid, name, now in rows
            ],
        )


def measure(home: Path, sizes: list[int], count: int) -> Iterator[tuple[str, str, list[float]]]:
    """Rows, what was looked for, and milliseconds; of a rate the one figure of registrations in a second."""
    core = Core(home)
    application, store = Application(core), core.store
    core.registry.create_workspace(CreateWorkspace(name="bench"))
    digest, _ = store.blobs.put_bytes(b"weights")
    there = 0
    for rows in sizes:
        fill(store, there, rows, digest)
        there = rows
        for name, query in asked(rows).items():
            yield str(rows), name, looks(application, "/workspaces/bench/models", query, count)
        yield str(rows), "registrations/s", [rate(store, digest)]
    add_services(store, 1_000)
    path = "/workspaces/bench/services"
    end = cursor("name", ("service-00900",))
    queries = {
        "first page": {},
        "far page": {"after": [end]},
        "tag of a tenth": {"tag": ["team=t3"]},
        "of a model": {"model_name": ["model-00000"]},
        "none has the model": {"model_id": ["model-00001:1"]},
    }
    for name, query in queries.items():
        yield "services", name, looks(application, path, query, max(10, count // 4))
    core.close()


def peers(python: str, sizes: list[int], count: int, folder: Path) -> Iterator[tuple[str, str, list[float]]]:
    """The same of MLflow, where it has the like."""
    words = [python, str(PEER), str(folder / "mlflow.db"), str(count), *map(str, sizes)]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
    for line in done.stdout.splitlines():
        rows, name, taken = json.loads(line)
        yield rows, name, taken


def quantile(taken: list[float], part: float) -> float:
    """Of sorted or unsorted figures, the nearest rank."""
    return sorted(taken)[min(len(taken) - 1, round(part * len(taken)))]


Figures = dict[str, dict[str, float]]


def collected(found: Iterator[tuple[str, str, list[float]]], tell: Callable[[str], None]) -> Figures:
    """The figures by name, told as they come."""
    figures: Figures = {}
    for rows, name, taken in found:
        if name.endswith("/s"):
            figures[f"{rows} {name}"] = {"rate": taken[0]}
            tell(f"{rows:>9}  {name:<24}{taken[0]:>9.0f}")
            continue
        figures[f"{rows} {name}"] = {"p50": statistics.median(taken), "p95": quantile(taken, 0.95)}
        tell(f"{rows:>9}  {name:<24}{statistics.median(taken):>9.2f}{quantile(taken, 0.95):>9.2f}")
    return figures


def main() -> int:
    """Print a table; the exit code says whether the goal holds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=list(ROWS))
    parser.add_argument("--looks", type=int, default=LOOKS)
    parser.add_argument("--json", type=Path, help="write the figures there, by name")
    parser.add_argument("--peer", metavar="PYTHON", help="an interpreter that has MLflow")
    parser.add_argument("--folder", type=Path, help="where to work; the system's temporary folder by default")
    options = parser.parse_args()
    sizes = sorted(options.rows)
    with tempfile.TemporaryDirectory(dir=options.folder) as place:
        print(f"{'rows':>9}  {'page of ' + str(PAGE):<24}{'p50 ms':>9}{'p95 ms':>9}")
        figures = collected(measure(Path(place) / "home", sizes, options.looks), print)
        if options.peer:
            print("MLflow")
            peer = collected(peers(options.peer, sizes, options.looks, Path(place)), print)
            print("ratios (MLflow : Sendoff, of p50; of rates Sendoff : MLflow)")
            for name in (name for name in peer if name in figures):
                ratio = figures[name]["rate"] / peer[name]["rate"] if "rate" in peer[name] else None
                print(f"  {name:<34}{ratio or peer[name]['p50'] / figures[name]['p50']:>8.1f}")
            figures |= {f"MLflow {name}": value for name, value in peer.items()}
    slow = [name for name, one in figures.items() if one.get("p95", 0.0) > GOAL_MS and not name.startswith("MLflow")]
    print(f"goal (p95 <= {GOAL_MS:.0f} ms): {'held' if not slow else 'NOT held: ' + ', '.join(slow)}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1, sort_keys=True))
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
