"""A bounded soak: steady mixed load on one server, with the memory of front and workers watched.

    python benchmarks/serving/soak.py --minutes 15

Good and bad requests, large bodies, clients that hang up and killed workers; prints a line a minute, and fails when
memory has grown by more than a tenth over the second half, or when a good request was not answered.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

SCRIPT = """
import json, os, time

def init():
    pass

def run(raw):
    data = json.loads(raw)["data"]
    print("scored", len(data))
    return [sum(row) for row in data] + [os.getpid()]
"""


def resident_mb(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 1e6


class Clients:
    """Threads that send a mix of requests."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.stop = threading.Event()
        self.good = 0
        self.failed: list[str] = []
        self.pids: set[int] = set()

    def run(self, seed: int) -> None:
        chance = random.Random(seed)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        while not self.stop.is_set():
            kind = chance.random()
            try:
                if kind < 0.02:
                    with socket.create_connection(("127.0.0.1", self.port)) as link:
                        link.sendall(b"POST /score HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n{")
                elif kind < 0.06:
                    connection.request("POST", "/score", b"not json")
                    connection.getresponse().read()
                else:
                    rows = 2000 if kind < 0.07 else 1
                    connection.request("POST", "/score", json.dumps({"data": [[1.0] * 10] * rows}))
                    answer = connection.getresponse()
                    body = answer.read()
                    if answer.status == 200:
                        self.good += 1
                        self.pids.add(json.loads(body)[-1])
                    elif answer.status != 503:  # a worker that was killed under it
                        self.failed.append(f"{answer.status} {body[:100]!r}")
            except OSError as error:
                self.failed.append(repr(error))
                connection.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "score.py").write_text(SCRIPT)
        command = [sys.executable, "-m", "sendoff_serving", "--entry-script", "score.py", "--port", "0"]
        command += ["--workers", str(arguments.workers), "--log-file", "log.txt"]
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline().rsplit(":", 1)[1])
            return soak(process.pid, port, arguments.minutes * 60)
        finally:
            process.terminate()
            process.wait(20)


def soak(pid: int, port: int, seconds: float) -> int:
    clients = Clients(port)
    threads = [threading.Thread(target=clients.run, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    began, memory = time.monotonic(), []
    while time.monotonic() - began < seconds:
        time.sleep(min(60.0, seconds / 10))
        if clients.pids:
            os.kill(clients.pids.pop(), signal.SIGKILL)
            clients.pids.clear()
        memory.append(resident_mb(pid))
        elapsed = time.monotonic() - began
        print(
            f"{elapsed:6.0f} s  {clients.good:9} scored  front {memory[-1]:6.1f} MB  {len(clients.failed)} failed",
            flush=True,
        )
    clients.stop.set()
    for thread in threads:
        thread.join()
    half = memory[len(memory) // 2 :]
    grown = half[-1] > half[0] * 1.1
    print(f"memory {'grew' if grown else 'flat'}: {half[0]:.1f} -> {half[-1]:.1f} MB; {clients.failed[:3]}")
    return 1 if grown or clients.failed else 0


if __name__ == "__main__":
    sys.exit(main())
