"""``kill -9`` of the front while clients hammer it: what was in flight fails, workers end, the next front serves."""

from __future__ import annotations

import concurrent.futures
import http.client
import json
import signal
import threading

import pytest

from .running import Server, eventually

SCRIPT = """
    import json, os, time

    def init():
        pass

    def run(data):
        number = json.loads(data)
        time.sleep(0.02 if number % 7 == 0 else 0.001)
        return [number, os.getpid()]
"""


class Clients:
    """Clients that send numbers over kept-alive connections until they are told to stop, and note what comes back."""

    def __init__(self, port: int, count: int) -> None:
        self.port = port
        self.right = 0
        self.wrong: list[object] = []
        self.cut = 0
        self.refused = 0
        self.pids: set[int] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._pool = concurrent.futures.ThreadPoolExecutor(count)
        self._running = [self._pool.submit(self._run, number * 1_000_000) for number in range(count)]

    def end(self) -> None:
        self._stop.set()
        for one in self._running:
            one.result()
        self._pool.shutdown()

    def _run(self, number: int) -> None:
        link: http.client.HTTPConnection | None = None
        while not self._stop.is_set():
            number += 1
            sent = False
            try:
                if link is None:
                    link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
                    link.connect()
                sent = True
                link.request("POST", "/score", str(number))
                answer = link.getresponse()
                content = json.loads(answer.read())
            except (OSError, http.client.HTTPException):
                with self._lock:
                    if sent:
                        self.cut += 1
                    else:
                        self.refused += 1
                link = None
                self._stop.wait(0.01)
                continue
            with self._lock:
                if answer.status == 200 and content[0] == number:
                    self.right += 1
                    self.pids.add(content[1])
                else:
                    self.wrong.append((answer.status, content))


def ended(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.parametrize("how", [(), ("--preload",)], ids=["plain", "preload"])
def test_only_what_was_in_flight_fails_and_no_worker_lingers(serve, tmp_path, how) -> None:
    count = 8
    first: Server = serve(SCRIPT, "--workers", 2, *how)
    clients = Clients(first.port, count)
    try:
        eventually(lambda: clients.right > 200 and len(clients.pids) == 2)
        front, workers = first.process.pid, set(clients.pids)
        first.process.send_signal(signal.SIGKILL)
        assert first.process.wait(10) == -signal.SIGKILL
        eventually(lambda: all(ended(pid) for pid in workers))
        assert ended(front)
        # Once each, and once more for who connects between the ends of its connection and of the listening socket:
        # the kernel closes what a killed process had open one by one.
        assert clients.cut <= 2 * count, "a request fails once; the next one finds nobody listening"
        # What a supervisor does: the same command again, at the same port.
        serve(SCRIPT, "--workers", 2, *how, "--port", first.port)
        cut, answered = clients.cut, clients.right
        eventually(lambda: clients.right > answered + 200)
    finally:
        clients.end()
    assert clients.cut == cut and not clients.wrong
    assert clients.refused > 0
    assert len(clients.pids - workers) == 2 and all(ended(pid) for pid in workers)
