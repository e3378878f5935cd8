"""The load generator's process, as the profiler speaks to it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .. import files
from ..errors import Cancelled, DeploymentFailed
from ..spec.parse import decode
from ..spec.profile import Latency, Level

Body = tuple[bytes, str]
"""A request body and its content type."""


class Generator:
    """Sends requests from a process of its own. A context manager: its end ends the process.

    Args:
        url: The scoring address.
        bodies: A file that :func:`write_bodies` wrote.
        cpu: Core that it is kept on; None lets the system choose.
    """

    def __init__(self, url: str, bodies: Path, cpu: int | None = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "sendoff.profiling.load", url, str(bodies), "-" if cpu is None else str(cpu)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=bodies.parent,
        )

    def __enter__(self) -> Generator:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def one(self, number: int) -> dict[str, Any]:
        """Send one body; ``status``, ``ms``, ``head`` and ``body`` of its answer."""
        return self._ask({"one": number}, lambda: None)

    def hold(self, concurrency: int, seconds: float, meanwhile: Callable[[], None]) -> Level:
        """Hold a load; ``meanwhile`` is called every tenth of a second and may raise to end it."""
        found = self._ask({"connections": concurrency, "seconds": seconds}, meanwhile)
        errors, answered = int(found["errors"]), int(found["requests"])
        return Level(
            concurrency=concurrency,
            requests=answered + errors,
            errors=errors,
            seconds=round(float(found["seconds"]), 3),
            rps=round(answered / max(float(found["seconds"]), 1e-6), 2),
            total=decode(found["total"], Latency, where="the load generator's answer"),
            queue=decode(found["queue"], Latency, where="the load generator's answer"),
            run=decode(found["run"], Latency, where="the load generator's answer"),
            statuses=dict(found["statuses"]),
        )

    def _ask(self, what: dict[str, Any], meanwhile: Callable[[], None]) -> dict[str, Any]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        answer: list[bytes] = []
        try:
            stdin.write(json.dumps(what).encode() + b"\n")
            stdin.flush()
            reading = threading.Thread(target=lambda: answer.append(stdout.readline()), daemon=True)
            reading.start()
            while reading.is_alive():
                meanwhile()
                reading.join(0.1)
        except BrokenPipeError:
            pass
        except Cancelled:
            self._process.kill()
            raise
        if not answer or not answer[0]:
            raise DeploymentFailed("the load generator ended before it answered", code_of_it=self._process.poll())
        found: dict[str, Any] = json.loads(answer[0])
        if "failed" in found:
            raise DeploymentFailed(f"the load generator could not send requests: {found['failed']}")
        return found


def write_bodies(path: Path, bodies: Sequence[Body]) -> None:
    """Write bodies for the generator: before each, a line with its content type and size."""
    with files.staged(path) as staged, staged.open("wb") as file:
        for body, kind in bodies:
            file.write(json.dumps([kind, len(body)]).encode() + b"\n" + body)
