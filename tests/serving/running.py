"""A scoring server under test: started as a user would, spoken to over its sockets."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

from . import forked


@dataclass
class Answer:
    """One HTTP answer."""

    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def write_script(folder: Path, text: str, name: str = "score.py") -> Path:
    """Write an entry script and return its path."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))
    return path


def eventually(condition: Callable[[], Any], seconds: float = 30.0, every: float = 0.02) -> Any:
    """Wait until a condition holds and return its value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {condition}")
        time.sleep(every)


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str, timeout: float = 10.0) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Server:
    """A running ``python -m sendoff_serving``."""

    def __init__(self, *arguments: Any, cwd: Path, env: dict[str, str] | None = None, control: Path | None = None):
        given = ["--port", "0", *map(str, arguments)]
        if control is not None:
            given += ["--control", str(control)]
        self.control = control
        self.lines: list[str] = []
        self.port = 0
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("AZUREML_", "AML_", "SERVICE_", "WORKER_"))}
        environ = {**clean, "PYTHONUNBUFFERED": "1", **(env or {})}
        if forked.as_ours(environ):
            self.process = forked.Forked(forked.OURS, given, cwd, environ, compatible=False)
        else:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sendoff_serving", *given],
                cwd=cwd,
                env=environ,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
        self._listening = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            found = re.match(r"Listening on https?://\S+:(\d+)$", line)
            if found:
                self.port = int(found.group(1))
                self._listening.set()
        self._listening.set()

    @property
    def log(self) -> str:
        """All that was printed so far."""
        return "\n".join(self.lines)

    def wait_listening(self, seconds: float = 60.0) -> Server:
        assert self._listening.wait(seconds), self.log
        assert self.port, self.log
        return self

    def wait_end(self, seconds: float = 30.0) -> int:
        """Wait for the process to end by itself; return its status."""
        status = self.process.wait(seconds)
        self._reader.join(30)
        return status

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise
        self._reader.join(30)
        return self.process.returncode

    def request(
        self,
        method: str,
        path: str,
        body: bytes | str | None = None,
        headers: dict[str, str] | None = None,
        timeout: float = 30.0,
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.request("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def score(self, body: Any, timeout: float = 30.0, **headers: str) -> Answer:
        """POST to /score; anything but bytes and text is sent as JSON."""
        data = body if isinstance(body, (bytes, str)) else json.dumps(body)
        given = {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
        return self.request("POST", "/score", data, given, timeout)

    def connect(self, timeout: float = 10.0) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    def raw(self, data: bytes, timeout: float = 10.0) -> bytes:
        """Send bytes and return all that comes until the server closes."""
        with self.connect(timeout) as link:
            link.sendall(data)
            return read_all(link)

    def ask(self, method: str, path: str, content: Any = None) -> Answer:
        """Ask on the control socket."""
        connection = UnixConnection(str(self.control))
        try:
            connection.request(method, path, None if content is None else json.dumps(content))
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def status(self) -> Any:
        return self.ask("GET", "/status").json

    def wait_state(self, state: str, seconds: float = 60.0) -> Any:
        return eventually(lambda: (s := self.status())["state"] == state and s, seconds)


def read_all(link: socket.socket) -> bytes:
    """Read until the server closes or nothing comes within the socket's time limit."""
    got = b""
    while True:
        try:
            data = link.recv(65536)
        except (TimeoutError, ConnectionResetError):
            return got
        if not data:
            return got
        got += data
