"""Many idle services on one machine: what each costs, and how long its first answer takes, beside its peers.

    python benchmarks/serving/density.py                   fifty services of ours, ten of each peer
    python benchmarks/serving/density.py --services 10 --idle 5 --json density.json

Ours are deployed to the process target of a home of their own. Counted is memory that the machine really loses (PSS)
after an answer each and a while of rest: that of workers, where the script is, and that of everything else (servers,
the process that they are forked from, the supervisor), divided by the services. A peer's script is in its server, so
that its whole is to be compared with our whole. Goals: at most 10 MB a service beyond its worker, and a first answer
at most 10 ms later than those that follow at once.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import apps
import figures
import servers
import throughput

SCORE = "def init():\n    pass\n\n\ndef run(data):\n    return data\n"
MOST_MB, MOST_MS = 10.0, 10.0


def asked(port: int, path: str) -> float:
    """Milliseconds of one request on a connection of its own."""
    began = time.perf_counter()
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    link.request("POST", path, b'{"seconds": 0}', {"Content-Type": "application/json"})
    answer = link.getresponse()
    answer.read()
    link.close()
    if answer.status != 200:
        raise SystemExit(f"port {port} answered {answer.status}")
    return (time.perf_counter() - began) * 1000


def first_answers(places: list[tuple[int, str]], idle: float) -> tuple[float, float]:
    """Median and greatest of what the first answer after rest takes longer than the ten after it, in ms."""
    time.sleep(idle)
    later = []
    for port, path in places:
        first = asked(port, path)
        later.append(first - statistics.median(asked(port, path) for _ in range(10)))
    return statistics.median(later), max(later)


def own_mb(pid: int) -> float:
    """Memory that the machine really loses to one process (PSS), in MB."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) * 1024 / 1e6


@contextlib.contextmanager
def ours(services: int, home: Path) -> Iterator[tuple[list[int], list[float]]]:
    """Ports of new services, and the seconds that each took to Healthy."""
    os.environ["SENDOFF_HOME"] = str(home)
    script = home.parent / "score.py"
    script.write_text(SCORE)

    import sendoff

    workspace = sendoff.Workspace.create("density", exist_ok=True, show_output=False)
    environment = sendoff.Environment("density")
    environment.python.user_managed_dependencies = True
    environment.python.interpreter_path = sys.executable
    inference = sendoff.InferenceConfig(entry_script=str(script), environment=environment)
    made, seconds = [], []
    try:
        for number in range(services):
            began = time.perf_counter()
            config = sendoff.LocalWebservice.deploy_configuration()
            made.append(sendoff.Model.deploy(workspace, f"idle-{number}", [], inference, config))
            made[-1].wait_for_deployment()
            seconds.append(time.perf_counter() - began)
        yield [service.port for service in made], seconds
    finally:
        for service in made:
            service.delete()


def our_processes(home: Path) -> tuple[set[int], set[int]]:
    """Pids of workers, and of all others that serve: fronts, what they start and come from, the supervisor."""
    records = [json.loads(path.read_bytes()) for path in home.glob("run/*/front-*.json")]
    fronts = {record["pid"] for record in records}
    children = {pid for front in fronts for pid in servers.tree(front)} - fronts
    workers = {
        pid for pid in children if b"sendoff_serving" not in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    }
    parents = {int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]) for pid in fronts} - {1}
    supervisor = {json.loads(path.read_bytes())["pid"] for path in home.glob("run/.supervisor/supervisor.json")}
    return workers, fronts | (children - workers) | parents | supervisor


def measure_ours(services: int, idle: float) -> dict[str, float]:
    """Figures of ours."""
    with tempfile.TemporaryDirectory() as folder, ours(services, Path(folder) / "home") as (ports, seconds):
        for port in ports:
            asked(port, "/score")
        median, most = first_answers([(port, "/score") for port in ports], idle)
        workers, others = our_processes(Path(folder) / "home")
        if len(workers) != services:
            raise SystemExit(f"{len(workers)} workers of {services} services")
        whole = sum(map(own_mb, workers | others))
        beyond = sum(map(own_mb, others))
    return {
        "beyond_workers_mb": beyond / services,
        "whole_mb": whole / services,
        "first_answer_later_ms": median,
        "first_answer_later_most_ms": most,
        "deploy_first_s": seconds[0],
        "deploy_later_s": statistics.median(seconds[1:] or seconds),
    }


def measure_peer(name: str, services: int, idle: float, cache: Path) -> dict[str, float]:
    """Figures of a peer, each service a server of its own."""
    script = apps.write(cache, name, "sleep")
    (cache / "models").mkdir(exist_ok=True)
    running = [
        servers.start(name, script, cache / "models", cache, f"0-{(os.cpu_count() or 1) - 1}").wait()
        for _ in range(services)
    ]
    for server in running:
        asked(server.port, server.score_path)
    median, most = first_answers([(server.port, server.score_path) for server in running], idle)
    found = {
        "whole_mb": sum(figures.proportional_mb(server.process.pid) for server in running) / services,
        "first_answer_later_ms": median,
        "first_answer_later_most_ms": most,
        "start_s": statistics.median(server.ready_seconds for server in running),
    }
    for server in running:
        server.stop()
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--services", type=int, default=50)
    parser.add_argument("--peer-services", type=int, default=10)
    parser.add_argument("--peers", default="azureml,fastapi")
    parser.add_argument("--idle", type=float, default=30.0, help="seconds of rest before the first answer")
    parser.add_argument("--cache", type=Path, default=throughput.HERE.parents[1] / ".cache" / "benchmarks-serving")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    given = parser.parse_args()
    given.cache.mkdir(parents=True, exist_ok=True)
    found: dict[str, dict[str, float]] = {}
    with servers.ending_all():
        for name in [one for one in given.peers.split(",") if one]:
            found[name] = measure_peer(name, given.peer_services, given.idle, given.cache)
        found["sendoff"] = measure_ours(given.services, given.idle)
    for name, values in found.items():
        print(f"{name:10}", "  ".join(f"{key} {value:.2f}" for key, value in values.items()))
    mine = found["sendoff"]
    for name, values in found.items():
        if name != "sendoff":
            print(f"whole memory of a service, ours to {name}: {mine['whole_mb'] / values['whole_mb']:.2f}")
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{given.services} services, load {load}, {os.cpu_count()} CPUs")
    goals = f"{MOST_MB:.0f} MB beyond its worker and first answer {MOST_MS:.0f} ms later at most"
    met = mine["beyond_workers_mb"] <= MOST_MB and mine["first_answer_later_ms"] <= MOST_MS
    print(f"goals, {goals}: {'met' if met else 'MISSED'}")
    if given.json:
        given.json.write_text(json.dumps(found, indent=1) + "\n")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
