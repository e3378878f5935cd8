"""The figures that are not throughput: overload, probes, clients that leave, large bodies, memory, start.

python benchmarks/serving/figures.py [--peer]     --peer also asks the existing server where it can answer
"""

from __future__ import annotations

import argparse
import concurrent.futures
import http.client
import os
import shutil
import socket
import sys
import tempfile
import time
from pathlib import Path

import servers
import throughput

SLEEPS = "import time\ndef init(): pass\ndef run(raw):\n    time.sleep(float(raw))\n    return 1\n"
BIG = "def init():\n    global block\n    block = bytearray(b'x') * 500_000_000\ndef run(raw):\n    return len(block)\n"


def ask(port: int, method: str, path: str, body: bytes = b"") -> tuple[int, float]:
    """Return the status and the seconds of one request on a new connection."""
    start = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path, body)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, time.perf_counter() - start


def script(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "score.py").write_text(text)
    return folder / "score.py"


def tree(pid: int) -> list[int]:
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += tree(int(child))
    return found


def proportional_mb(pids: list[int]) -> float:
    """Memory that the machine really loses to some processes (PSS), in MB."""
    total = 0
    for pid in pids:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        total += next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total / 1024


def overload(folder: Path, cache: Path) -> None:
    server = servers.start(
        "sendoff", script(folder / "o", SLEEPS), cache / "models", cache, "0", 1, ("--max-request-wait-ms", "500")
    ).wait()
    with concurrent.futures.ThreadPoolExecutor(65) as pool:
        answers = [pool.submit(ask, server.port, "POST", "/score", b"0.05") for _ in range(192)]
        probes = []
        while not all(answer.done() for answer in answers):
            probes.append(ask(server.port, "GET", "/health/live")[1] * 1000)
            time.sleep(0.02)
    results = [answer.result() for answer in answers]
    refused = [seconds for status, seconds in results if status == 503]
    print(
        f"64 clients on a 50 ms run(), 500 ms queue: {sum(s == 200 for s, _ in results)} scored, {len(refused)} refused"
    )
    print(f"  longest wait of a refused one {max(refused, default=0) * 1000:.0f} ms")
    probes.sort()
    print(f"  liveness meanwhile: median {probes[len(probes) // 2]:.1f} ms, longest {probes[-1]:.1f} ms")
    server.stop()


def leavers(name: str, folder: Path, cache: Path) -> None:
    server = servers.start(name, script(folder / f"l{name}", SLEEPS), cache / "models", cache, "0").wait()
    for _ in range(30):
        with socket.create_connection(("127.0.0.1", server.port)) as link:
            link.sendall(b"POST /score HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n0.3")
    seconds = ask(server.port, "POST", "/score", b"0")[1]
    print(f"after 30 clients hang up on a 0.3 s run(), {name} serves the next in {seconds:.2f} s")
    server.stop()


def echo(name: str, cache: Path) -> float:
    body = cache / "mebibyte.bin"
    body.write_bytes(os.urandom(1 << 20))
    server = servers.start(name, cache / "raw" / "score.py", cache / "models", cache, "0").wait()
    rate = float(str(throughput.load(server.port, body, 16, 4.0)["requests_per_second"]))
    print(f"1 MiB binary echo, 16 connections: {name} {rate:.0f}/s")
    server.stop()
    return rate


def memory(folder: Path, cache: Path) -> None:
    for options in ((), ("--preload",)):
        path = script(folder / f"m{len(options)}", BIG)
        server = servers.start("sendoff", path, cache / "models", cache, "0,1", 4, options).wait()
        ask(server.port, "POST", "/score", b"")
        pids = tree(server.process.pid)
        front = int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]) * 4096 / 1e6
        how = "preload" if options else "no preload"
        print(f"4 workers of a 500 MB model, {how}: {proportional_mb(pids):.0f} MB; front {front:.0f} MB")
        server.stop()


def start_up(folder: Path, cache: Path) -> None:
    path = script(folder / "s", "def init(): pass\ndef run(raw): return 1\n")
    times = []
    for _ in range(3):
        server = servers.start("sendoff", path, cache / "models", cache, "0").wait()
        times.append(server.ready_seconds)
        server.stop()
    print(f"from the command to the first answer, empty script: {min(times):.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", action="store_true")
    parser.add_argument("--cache", type=Path, default=throughput.HERE.parents[1] / ".cache" / "benchmarks-serving")
    arguments = parser.parse_args()
    cache = throughput.prepare(arguments.cache)
    folder = Path(tempfile.mkdtemp())
    try:
        start_up(folder, cache)
        overload(folder, cache)
        leavers("sendoff", folder, cache)
        ours = echo("sendoff", cache)
        if arguments.peer:
            leavers("azureml", folder, cache)
            print(f"  ours does {ours / echo('azureml', cache):.1f} x")
        memory(folder, cache)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
