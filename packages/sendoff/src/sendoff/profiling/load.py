"""The load generator: a process of its own, that the measured service shares no interpreter with.

It reads commands, one JSON object a line, and answers each with one line: ``{"connections": n, "seconds": s}`` holds n
requests at once, each connection sending the next body when the last was answered. Standard library, and uvloop where
it is there; it is run as ``python -m sendoff.profiling.load URL BODIES CPU`` by :mod:`sendoff.profiling.generator`.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time
from typing import Any
from urllib.parse import urlsplit

_TIMING = re.compile(rb"\r\nserver-timing:[^\r\n]*?queue;dur=([0-9.]+), run;dur=([0-9.]+)", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
WARM_SHARE = 0.15
"""Of a level's time, at its beginning: answered and not counted."""
LEAST_REQUESTS = 20
LONGEST = 8.0
"""A level of slow requests goes on until it has enough of them, at most so many times its seconds."""


class Load:
    """Requests against one address, with the bodies in turn.

    Args:
        url: The scoring address.
        bodies: Request bodies with their content types.
    """

    def __init__(self, url: str, bodies: list[tuple[bytes, str]]) -> None:
        parts = urlsplit(url)
        self._host, self._port = str(parts.hostname), int(parts.port or 80)
        path = parts.path or "/"
        self._requests = [
            f"POST {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
            for body, kind in bodies
        ]

    async def one(self, number: int) -> dict[str, Any]:
        """Send one body on a connection of its own; its status, milliseconds and answer."""
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            began = time.perf_counter()
            writer.write(self._requests[number])
            status, head, body, _ = await _answer(reader)
            taken = (time.perf_counter() - began) * 1000
            return {
                "status": status,
                "ms": taken,
                "head": head.decode("latin-1"),
                "body": body.decode("utf-8", "replace"),
            }
        finally:
            writer.close()

    async def hold(self, connections: int, seconds: float) -> dict[str, Any]:
        """Hold so many requests at once; what they took, as sorted milliseconds, and what failed."""
        run = _Run(connections, seconds)
        await asyncio.gather(*(self._connection(place, run) for place in range(connections)))
        return run.report()

    async def _connection(self, place: int, run: _Run) -> None:
        number, reader, writer = place, None, None
        try:
            while not run.over():
                if writer is None:
                    try:
                        reader, writer = await asyncio.open_connection(self._host, self._port)
                    except OSError as error:
                        run.failed(type(error).__name__)
                        await asyncio.sleep(0.05)
                        continue
                assert reader is not None
                began = time.perf_counter()
                writer.write(self._requests[number % len(self._requests)])
                number += 1
                try:
                    status, head, _, close = await _answer(reader)
                except (OSError, EOFError) as error:
                    run.failed(type(error).__name__)
                    writer.close()
                    writer = None
                    continue
                run.answered(time.perf_counter() - began, status, head)
                if close:
                    writer.close()
                    writer = None
        finally:
            if writer is not None:
                writer.close()


class _Run:
    def __init__(self, connections: int, seconds: float) -> None:
        self._connections = connections
        self._begin = time.perf_counter()
        self._warm = self._begin + seconds * WARM_SHARE
        self._end = self._begin + seconds
        self._last = self._begin + seconds * LONGEST
        self._total: list[float] = []
        self._queue: list[float] = []
        self._run: list[float] = []
        self._statuses: dict[str, int] = {}
        self._errors = 0
        self._first: float | None = None

    def over(self) -> bool:
        now = time.perf_counter()
        return now > self._last or (now > self._end and len(self._total) + self._errors >= LEAST_REQUESTS)

    def failed(self, reason: str) -> None:
        self._errors += 1
        self._statuses[reason] = self._statuses.get(reason, 0) + 1

    def answered(self, seconds: float, status: int, head: bytes) -> None:
        now = time.perf_counter()
        if now < self._warm and self._last - now > 0 and not status >= 400:
            return
        if self._first is None:
            self._first = now - seconds
        key = str(status)
        self._statuses[key] = self._statuses.get(key, 0) + 1
        if status >= 400:
            self._errors += 1
            return
        self._total.append(seconds * 1000)
        timing = _TIMING.search(head)
        if timing:
            self._queue.append(float(timing[1]))
            self._run.append(float(timing[2]))

    def report(self) -> dict[str, Any]:
        taken = time.perf_counter() - (self._first or self._begin)
        return {
            "connections": self._connections,
            "seconds": taken,
            "total": sorted(self._total),
            "queue": sorted(self._queue),
            "run": sorted(self._run),
            "errors": self._errors,
            "statuses": self._statuses,
        }


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes, bytes, bool]:
    """One HTTP/1.1 answer: status, head, body, and whether the connection ends with it."""
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        if status >= 200:
            break
    length = _LENGTH.search(head)
    lower = head.lower()
    if length:
        body = await reader.readexactly(int(length[1]))
    elif b"transfer-encoding: chunked" in lower:
        pieces = []
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            pieces.append(await reader.readexactly(size))
            await reader.readexactly(2)
        await reader.readuntil(b"\r\n")
        body = b"".join(pieces)
    elif status in (204, 304):
        body = b""
    else:
        return status, head, await reader.read(), True
    return status, head, body, b"\r\nconnection: close" in lower


def percentiles(sorted_ms: list[float]) -> dict[str, float]:
    """Mean and percentiles (nearest rank) of sorted milliseconds; zeros when there are none."""
    if not sorted_ms:
        return dict.fromkeys(("mean", "p50", "p90", "p95", "p99", "p999"), 0.0)
    last = len(sorted_ms) - 1
    ranks = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}
    found = {name: sorted_ms[min(last, max(0, -int(-share * len(sorted_ms)) - 1))] for name, share in ranks.items()}
    return {"mean": round(sum(sorted_ms) / len(sorted_ms), 3), **{name: round(v, 3) for name, v in found.items()}}


def read_bodies(path: str) -> list[tuple[bytes, str]]:
    """Bodies as :func:`sendoff.profiling.generator.write_bodies` wrote them."""
    found = []
    with open(path, "rb") as file:  # noqa: PTH123
        while head := file.readline():
            kind, size = json.loads(head)
            found.append((file.read(size), kind))
    return found


async def _serve(load: Load) -> None:
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.buffer.readline):
        asked = json.loads(line)
        try:
            if "one" in asked:
                answer = await load.one(asked["one"])
            else:
                answer = await load.hold(asked["connections"], asked["seconds"])
                for name in ("total", "queue", "run"):
                    answer["requests" if name == "total" else f"{name}_count"] = len(answer[name])
                    answer[name] = percentiles(answer[name])
        except Exception as error:
            answer = {"failed": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def main() -> None:
    """Entry point of the process."""
    url, bodies, cpu = sys.argv[1:4]
    if cpu != "-" and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(cpu)})
    try:
        import uvloop
    except ImportError:
        asyncio.run(_serve(Load(url, read_bodies(bodies))))
    else:
        uvloop.run(_serve(Load(url, read_bodies(bodies))))


if __name__ == "__main__":
    main()
