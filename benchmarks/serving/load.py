"""A load generator: keep-alive connections that each send the next request when the last is answered.

python load.py URL BODY_FILE CONNECTIONS SECONDS  ->  one line of JSON
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import uvloop


class Client(asyncio.Protocol):
    def __init__(self, request: bytes, times: list[float], statuses: dict[bytes, int]) -> None:
        self.request = request
        self.times = times
        self.statuses = statuses
        self.buffer = b""
        self.expected = 0
        self.running = True
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.send()

    def send(self) -> None:
        self.start = time.perf_counter()
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.expected:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            lower = self.buffer[:end].lower()
            at = lower.index(b"content-length:") + 15
            stop = lower.find(b"\r\n", at)
            self.expected = end + 4 + int(lower[at : stop if stop > 0 else end])
        if len(self.buffer) >= self.expected:
            self.times.append(time.perf_counter() - self.start)
            status = self.buffer[9:12]
            self.statuses[status] = self.statuses.get(status, 0) + 1
            closes = b"connection: close" in self.buffer[: self.buffer.find(b"\r\n\r\n")].lower()
            self.buffer, self.expected = b"", 0
            if self.running and not closes:
                self.send()
            else:
                # A server without keep-alive is not waited for while it closes: the next connection begins now.
                self.transport.close()
                self.connection_lost(None)

    def connection_lost(self, error: Exception | None) -> None:
        self.running = False
        if not self.lost.done():
            self.lost.set_result(None)


async def load(url: str, body: bytes, connections: int, seconds: float) -> dict[str, object]:
    parts = urlsplit(url)
    head = f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
    request = head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body
    times: list[float] = []
    statuses: dict[bytes, int] = {}
    clients: list[Client] = []
    loop = asyncio.get_running_loop()

    async def connection() -> None:
        # Servers without keep-alive are given a new connection for every request, as their clients would.
        while time.perf_counter() < end:
            _, client = await loop.create_connection(
                lambda: Client(request, times, statuses), parts.hostname, parts.port
            )
            clients.append(client)
            await client.lost
            clients.remove(client)

    began = time.perf_counter()
    end = began + seconds
    tasks = [asyncio.create_task(connection()) for _ in range(connections)]
    await asyncio.sleep(seconds)
    done, elapsed = len(times), time.perf_counter() - began
    for client in list(clients):
        client.running = False
    await asyncio.wait(tasks, timeout=30)
    taken = sorted(times[:done]) or [0.0]
    return {
        "requests_per_second": done / elapsed,
        "p50_ms": taken[len(taken) // 2] * 1000,
        "p99_ms": taken[min(int(len(taken) * 0.99), len(taken) - 1)] * 1000,
        "max_ms": taken[-1] * 1000,
        "statuses": {status.decode(): count for status, count in statuses.items()},
    }


def main() -> None:
    url, body, connections, seconds = sys.argv[1], Path(sys.argv[2]).read_bytes(), int(sys.argv[3]), float(sys.argv[4])
    print(json.dumps(uvloop.run(load(url, body, connections, seconds))))


if __name__ == "__main__":
    main()
