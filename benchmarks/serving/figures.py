"""The figures that are not throughput: memory, start, probes, overload, clients that leave, a body over the limit.

``table.py`` prints them; each function here starts one server, asks it and ends it.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import http.client
import json
import socket
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import apps
import servers
import throughput

HUNDRED_MEGABYTES = 100 * 1024 * 1024


@dataclass(frozen=True)
class Value:
    """One figure of one server.

    Attributes:
        number: what is compared; None where the server has no such figure.
        note: what else is to be said.
    """

    number: float | None
    note: str = ""


@dataclass(frozen=True)
class Place:
    """Where a figure is measured: the cache folder, the servers' cores, the load's cores, seconds of load."""

    folder: Path
    cores: str
    load_cores: str
    seconds: float


@contextlib.contextmanager
def served(
    place: Place, name: str, kind: str, workers: int = 1, options: tuple[str, ...] = (), cores: str | None = None
) -> Iterator[servers.Running]:
    """Serve one kind of service and end it afterwards."""
    file = apps.write(place.folder, name, kind)
    server = servers.start(
        name, file, place.folder / "models", place.folder, cores or place.cores, workers, options
    ).wait()
    try:
        yield server
    finally:
        server.stop()


def ask(server: servers.Running, method: str, path: str, body: bytes = b"", wait: float = 60) -> tuple[int, float]:
    """Return the status and the seconds of one request on a new connection; status 0 where there is no answer."""
    start = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=wait)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        answer = connection.getresponse()
        answer.read()
        return answer.status, time.perf_counter() - start
    except OSError:
        return 0, time.perf_counter() - start
    finally:
        connection.close()


def sleep_body(server: str, seconds: float) -> bytes:
    """Return a request that run() sleeps for."""
    if server == "mlserver":
        tensor = {"name": "seconds", "shape": [1], "datatype": "FP64", "data": [seconds]}
        return json.dumps({"inputs": [tensor]}).encode()
    return json.dumps({"seconds": seconds}).encode()


def proportional_mb(pid: int) -> float:
    """Memory that the machine really loses to a server and its children (PSS), in MB."""
    total = 0
    for process in servers.tree(pid):
        with contextlib.suppress(OSError):
            text = Path(f"/proc/{process}/smaps_rollup").read_text()
            total += next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total * 1024 / 1e6


def resident_mb(pids: list[int]) -> float:
    """Resident memory of some processes, in MB."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
    return total / 1e6


def _settled_gb(server: servers.Running) -> float:
    """Return the memory of a server once all its workers are up: it answers while some of them still load."""
    last = -1.0
    for _ in range(60):
        ask(server, "POST", server.score_path, sleep_body(server.name, 0))
        now = proportional_mb(server.process.pid) / 1000
        if abs(now - last) < 0.01 * now:
            return now
        last = now
        time.sleep(2)
    return last


def memory(place: Place, name: str) -> Value:
    """Four workers of a 500 MB model."""
    options = ("--preload",) if name in ("sendoff", "azureml") else ()
    with served(place, name, "big", 4, options, "0,1") as server:
        return Value(_settled_gb(server), "with preload" if options else "no preload")


def memory_without_preload(place: Place, name: str) -> Value:
    """The same with the existing server's default, where each worker calls init()."""
    with served(place, name, "big", 4, (), "0,1") as server:
        return Value(_settled_gb(server))


def front_memory(place: Place, name: str) -> Value:
    """The front's own resident memory; of others, the whole server's with an empty service."""
    with served(place, name, "sleep") as server:
        ask(server, "POST", server.score_path, sleep_body(name, 0))
        pids = [server.process.pid] if name == "sendoff" else list(servers.tree(server.process.pid))
        return Value(resident_mb(pids), "the front" if name == "sendoff" else "all its processes")


def start_up(place: Place, name: str) -> Value:
    """Seconds from the command to ready with an init() that does nothing."""
    with served(place, name, "sleep") as server:
        return Value(server.ready_seconds)


def _probe_while(server: servers.Running, going: Callable[[], bool]) -> list[float]:
    times = []
    while going():
        times.append(ask(server, "GET", server.live_path)[1] * 1000)
        time.sleep(0.02)
    return sorted(times) or [float("nan")]


def _probed(times: list[float]) -> Value:
    high = times[min(int(len(times) * 0.99), len(times) - 1)]
    return Value(statistics.median(times), f"99 % within {high:.1f} ms, longest {times[-1]:.1f} ms")


def probe_under_load(place: Place, name: str) -> Value:
    """Milliseconds of the liveness probe while 64 connections send small requests."""
    with served(place, name, "ridge") as server:
        body = throughput.body_of(place.folder, name, "small")
        arguments = (server.port, body, 64, max(place.seconds, 2), place.load_cores, server.score_path)
        load = threading.Thread(target=throughput.load, args=arguments)
        load.start()
        time.sleep(0.5)
        end = time.monotonic() + max(place.seconds, 2) - 1
        times = _probe_while(server, lambda: time.monotonic() < end)
        load.join()
        return _probed(times)


def probe_while_run_sleeps(place: Place, name: str) -> Value:
    """Milliseconds of the liveness probe while run() sleeps for two seconds."""
    with served(place, name, "sleep") as server, concurrent.futures.ThreadPoolExecutor(1) as pool:
        sleeping = pool.submit(ask, server, "POST", server.score_path, sleep_body(name, 2))
        time.sleep(0.2)
        return _probed(_probe_while(server, lambda: not sleeping.done()))


def queue(place: Place, name: str) -> Value:
    """Longest wait of a refused request, in ms: 64 connections on a 50 ms run(), ours with a queue of 500 ms."""
    options = ("--max-request-wait-ms", "500") if name == "sendoff" else ()
    with served(place, name, "sleep", 1, options) as server, concurrent.futures.ThreadPoolExecutor(64) as pool:
        body = sleep_body(name, 0.05)
        answers = list(pool.map(lambda _: ask(server, "POST", server.score_path, body), range(192)))
    scored = [seconds for status, seconds in answers if status == 200]
    refused = [seconds for status, seconds in answers if status == 503]
    note = f"{len(scored)} scored, longest {max(scored, default=0) * 1000:.0f} ms; {len(refused)} refused with 503"
    return Value(max(refused) * 1000 if refused else None, note)


def leavers(place: Place, name: str) -> Value:
    """Seconds until a client is served after 30 others have hung up on a 0.3 s run()."""
    with served(place, name, "sleep") as server:
        ask(server, "POST", server.score_path, sleep_body(name, 0))
        body = sleep_body(name, 0.3)
        head = f"POST {server.score_path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        for _ in range(30):
            with socket.create_connection(("127.0.0.1", server.port)) as link:
                link.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        return Value(ask(server, "POST", server.score_path, sleep_body(name, 0))[1])


def too_large(place: Place, name: str) -> Value:
    """Megabytes that a server grows by when it is sent a body one byte over 100 MiB (our default limit)."""
    with served(place, name, "ridge") as server:
        ask(server, "POST", server.score_path, throughput.body_of(place.folder, name, "small").read_bytes())
        before = most = resident_mb(list(servers.tree(server.process.pid)))
        size = HUNDRED_MEGABYTES + 1
        head = f"POST {server.score_path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        start, status, piece = time.perf_counter(), b"", b" " * 65536
        with socket.create_connection(("127.0.0.1", server.port), 60) as link:
            sent = 0
            try:
                link.sendall(f"{head}Content-Length: {size}\r\n\r\n".encode())
                while sent < size:
                    sent += link.send(piece[: size - sent])
                    if sent % (64 * 65536) < 65536:
                        most = max(most, resident_mb(list(servers.tree(server.process.pid))))
            except OSError:
                pass  # it has closed the connection; what it said can be read
            with contextlib.suppress(OSError):
                status = link.recv(65536)[9:12]
            most = max(most, resident_mb(list(servers.tree(server.process.pid))))
        said = status.decode("ascii", "replace") or "the connection closed"
        note = f"{said} after {sent / 1e6:.0f} MB, {time.perf_counter() - start:.1f} s"
        return Value(most - before, note)


def load_average() -> str:
    """Return what the machine is busy with, for the table's head and foot."""
    return Path("/proc/loadavg").read_text().split()[0]


def versions(folder: Path, name: str) -> str:
    """Return the version of a peer."""
    package = {"azureml": "azureml-inference-server-http"}.get(name, name)
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    done = subprocess.run([servers.environment(folder, name), "-c", code], capture_output=True, text=True, check=True)
    return f"{package} {done.stdout.strip()}"
