"""Scoring throughput: ours beside a bare in-process loop and, when asked, beside peers on the same cores.

    python benchmarks/serving/throughput.py                      one worker, small request, and the bare loop
    python benchmarks/serving/throughput.py --peers azureml,fastapi --sizes small,medium,large

Front and worker are pinned to core 0 together, the load generator to core 1. Rounds are interleaved, so that a
slow minute of the machine hits every server; the best round of each counts. spec/performance.md has the set-up.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import apps
import servers

HERE = Path(__file__).resolve().parent
SIZES = {"small": 1, "medium": 100, "large": 10_000}

BARE = """
import json, os, sys, time
sys.path.insert(0, os.path.dirname(sys.argv[1]))
import score
score.init()
body = open(sys.argv[2]).read()
best = 0.0
for _ in range(3):
    start, calls = time.perf_counter(), 0
    while time.perf_counter() - start < float(sys.argv[3]) / 3:
        json.dumps(score.run(body)); calls += 1
    best = max(best, calls / (time.perf_counter() - start))
print(best)
"""


def prepare(folder: Path) -> Path:
    """Train the model in the user's environment and write request bodies."""
    python = servers.environment(folder, "user")
    (folder / "models").mkdir(parents=True, exist_ok=True)
    train = (
        "import joblib, sys; from sklearn.datasets import load_diabetes; from sklearn.linear_model import Ridge;"
        "joblib.dump(Ridge().fit(*load_diabetes(return_X_y=True)), sys.argv[1])"
    )
    if not (folder / "models" / "model.pkl").exists():
        subprocess.run([python, "-c", train, str(folder / "models" / "model.pkl")], check=True)
    for name, rows in SIZES.items():
        row = [
            0.0380759,
            0.0506801,
            0.0616962,
            0.0218724,
            -0.0442235,
            -0.0348208,
            -0.0434008,
            -0.0025923,
            0.0199,
            -0.01,
        ]
        (folder / f"{name}.json").write_text(json.dumps({"data": [row] * rows}))
        tensor = {"name": "data", "shape": [rows, len(row)], "datatype": "FP64", "data": row * rows}
        (folder / f"{name}.v2.json").write_text(json.dumps({"inputs": [tensor]}))
    (folder / "mebibyte.bin").write_bytes(os.urandom(1 << 20))
    return folder


def bare(folder: Path, size: str, seconds: float) -> float:
    """Calls a second of init(), run() and json.dumps in one process on core 0, no HTTP."""
    command = ["taskset", "-c", "0", servers.environment(folder, "user"), "-c", BARE]
    command += [str(apps.write(folder, "sendoff", "ridge")), str(folder / f"{size}.json"), str(seconds)]
    variables = {**os.environ, "AZUREML_MODEL_DIR": str(folder / "models"), "OMP_NUM_THREADS": "1"}
    return float(subprocess.run(command, check=True, capture_output=True, text=True, env=variables).stdout)


def body_of(folder: Path, server: str, size: str) -> Path:
    """Return the file with a request's body, in the form that a server takes."""
    if size == "mebibyte":
        return folder / "mebibyte.bin"
    return folder / (f"{size}.v2.json" if server == "mlserver" else f"{size}.json")


def load(
    port: int, body: Path, connections: int, seconds: float, cores: str = "1", path: str = "/score"
) -> dict[str, object]:
    """Run the load generator in a process of its own: wrk where it is installed, else load.py.

    Under load from elsewhere a generator in Python is slower than the servers it measures.
    """
    if shutil.which("wrk"):
        command = ["taskset", "-c", cores, "wrk", "-t1", f"-c{connections}", f"-d{max(round(seconds), 1)}s"]
        command += ["--timeout", "30s", "-s", str(HERE / "post.lua"), f"http://127.0.0.1:{port}{path}"]
        variables = {**os.environ, "BODY": str(body)}
        out = subprocess.run(command, check=True, capture_output=True, text=True, env=variables).stdout
        return json.loads(out.strip().splitlines()[-1])
    command = ["taskset", "-c", cores, sys.executable, str(HERE / "load.py"), f"http://127.0.0.1:{port}{path}"]
    command += [str(body), str(connections), str(seconds)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def measure(folder: Path, names: list[str], arguments: argparse.Namespace) -> None:
    kind, connections = (
        {"plain": "ridge"}.get(arguments.script, arguments.script),
        [int(number) for number in arguments.connections.split(",")],
    )
    best: dict[tuple[str, str, int], dict[str, object]] = {}
    loops: dict[str, float] = {}
    sizes = arguments.sizes.split(",")
    for _ in range(arguments.rounds):
        for size in sizes:
            loops[size] = max(loops.get(size, 0.0), bare(folder, size, arguments.seconds))
        for name in names:
            options = tuple(arguments.options.split()) if name == "sendoff" else ()
            script = apps.write(folder, name, kind)
            server = servers.start(
                name, script, folder / "models", folder, arguments.cores, arguments.workers, options
            ).wait()
            try:
                for size in sizes:
                    for number in connections:
                        body, path = body_of(folder, name, size), servers.SCORE_PATHS.get(name, "/score")
                        load(server.port, body, number, 0.5, path=path)
                        got = load(server.port, body, number, arguments.seconds, path=path)
                        key = (name, size, number)
                        if key not in best or got["requests_per_second"] > best[key]["requests_per_second"]:
                            best[key] = got
            finally:
                server.stop()
    report(best, loops, names)


def report(best: dict[tuple[str, str, int], dict[str, object]], loops: dict[str, float], names: list[str]) -> None:
    print(f"{'server':10} {'size':7} {'conn':>4} {'req/s':>9} {'p50 ms':>8} {'p99 ms':>8} {'of bare':>8}  against ours")
    for size, rate in loops.items():
        print(f"{'bare loop':10} {size:7} {'':>4} {rate:9.0f} {'':>8} {'':>8} {'100 %':>8}")
    for (name, size, number), got in sorted(best.items(), key=lambda item: item[0][1:]):
        rate = float(str(got["requests_per_second"]))
        ours = float(str(best[("sendoff", size, number)]["requests_per_second"]))
        ratio = "" if name == "sendoff" else f"ours does {ours / rate:.1f} x"
        wrong = {status: count for status, count in dict(got["statuses"]).items() if status != "200" and count}
        print(
            f"{name:10} {size:7} {number:4} {rate:9.0f} {got['p50_ms']:8.2f} {got['p99_ms']:8.2f} "
            f"{rate / loops[size]:8.0%}  {ratio} {wrong or ''}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--peers", default="", help="azureml, fastapi, bentoml, mlserver, by commas; installed into a cache folder"
    )
    parser.add_argument("--sizes", default="small", help="small, medium, large")
    parser.add_argument("--connections", default="1,16,64")
    parser.add_argument("--script", default="plain", choices=["plain", "schema"])
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--cores", default="0", help="cores of front and workers")
    parser.add_argument("--options", default="", help="further options of ours")
    parser.add_argument("--cache", type=Path, default=HERE.parents[1] / ".cache" / "benchmarks-serving")
    arguments = parser.parse_args()
    with servers.ending_all():
        folder = prepare(arguments.cache)
        measure(folder, ["sendoff", *[name for name in arguments.peers.split(",") if name]], arguments)


if __name__ == "__main__":
    main()
