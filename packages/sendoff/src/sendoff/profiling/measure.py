"""Measures one running service at one size: requests alone first, then more and more at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ..errors import DeploymentFailed, ScriptFailed
from ..progress import Progress
from ..spec.parse import replace
from ..spec.profile import Level, Size
from ..targets.meter import Meter
from .generator import Generator
from .sizes import LADDER, Asked, goes_on, knee_of

SECONDS = 1.2
"""How long a level is held."""
PROBES = 5
"""Bodies that are sent alone before anything is measured."""
LOG_SECONDS = 3.0
"""How long the script's traceback is waited for, after an answer that was an error."""
Check = Callable[[], None]
"""Raises when the work is to stop."""


class Measurement:
    """One service under load.

    Args:
        generator: Sends the requests.
        meter: Reads what the service uses.
        check: Called often; raises when a user cancelled.
        tell: Takes a sentence about what is being done.
    """

    def __init__(self, generator: Generator, meter: Meter, check: Check, tell: Progress) -> None:
        self._generator, self._meter, self._check, self._tell = generator, meter, check, tell

    def probe(self, bodies: int, log: Callable[[], list[str]]) -> float:
        """Send the first bodies one by one; the milliseconds of the very first answer.

        Raises:
            ScriptFailed: Each of them was answered with an error; says what the script said.
        """
        first: float | None = None
        failure: dict[str, Any] | None = None
        good = 0
        for number in range(min(bodies, PROBES)):
            self._check()
            answer = self._generator.one(number)
            if first is None:
                first = float(answer["ms"])
            if int(answer["status"]) < 400:
                good += 1
            elif failure is None:
                failure = {**answer, "number": number + 1}
        if not good and failure is not None:
            raise script_failure(failure, self._written(log))
        return round(first or 0.0, 3)

    def _written(self, log: Callable[[], list[str]]) -> list[str]:
        """The log once it holds a traceback, which is written a moment after the answer; a script may leave none."""
        until = time.monotonic() + LOG_SECONDS
        while True:
            lines = log()
            if _traceback(lines) or time.monotonic() > until:
                return lines
            self._check()
            time.sleep(0.05)

    def size(self, asked: Asked, *, memory_gb: float | None, started: float, first_ms: float, idle_mb: float) -> Size:
        """Climb the ladder until more at once brings no more.

        Args:
            asked: The size; its limits are in force already.
            memory_gb: The limit of the memory, None without one.
            started: Seconds from the order to start until it was ready.
            first_ms: The very first answer's milliseconds.
            idle_mb: MiB before the first request.

        Raises:
            DeploymentFailed: It answers nothing any more.
        """
        levels: list[Level] = []
        for concurrency in LADDER:
            if not goes_on(levels):
                break
            self._tell(f"{words(asked)}: {concurrency} request{'s' if concurrency > 1 else ''} at once")
            levels.append(self.level(concurrency))
            if self._meter.out_of_memory():
                raise DeploymentFailed(
                    f"with {words(asked)} and {memory_gb or 0:g} GB the kernel ended a process of the service: "
                    "its memory limit was reached",
                    hint="Profile with more memory: --gb, or memory_in_gb=.",
                    reported_code="out_of_memory",
                )
        if not any(level.requests > level.errors for level in levels):
            raise DeploymentFailed(
                f"with {words(asked)} no request was answered: {levels[0].statuses}", hint="See the service's log."
            )
        return Size(
            cpu=asked.cpu,
            memory_gb=memory_gb,
            workers=asked.workers,
            start_seconds=round(started, 3),
            first_answer_ms=first_ms,
            idle_memory_mb=round(idle_mb, 1),
            levels=levels,
            knee=knee_of(levels),
            peak_memory_mb=round(max(idle_mb, *(level.memory_mb for level in levels)), 1),
        )

    def level(self, concurrency: int, seconds: float = SECONDS) -> Level:
        """Hold one load, and read the meter meanwhile."""
        peak = 0.0

        def sample() -> None:
            nonlocal peak
            self._check()
            peak = max(peak, self._meter.usage().memory_mb)

        before, began = self._meter.usage(), time.monotonic()
        level = self._generator.hold(concurrency, seconds, sample)
        after, took = self._meter.usage(), time.monotonic() - began
        used = max(0.0, after.cpu_seconds - before.cpu_seconds) / took
        throttled = None
        if before.throttled_seconds is not None and after.throttled_seconds is not None:
            throttled = round(max(0.0, after.throttled_seconds - before.throttled_seconds) / took, 4)
        held = max(peak, before.memory_mb, after.memory_mb)
        return replace(level, cpu=round(used, 3), memory_mb=round(held, 1), throttled=throttled)


def script_failure(answer: dict[str, Any], log: list[str]) -> ScriptFailed:
    """What a service that answers only errors said, with the script's own traceback from its log."""
    traceback = _traceback(log)
    said = traceback[-1].strip() if traceback else str(answer["body"]).strip()[:500]
    return ScriptFailed(
        f"the service answered request {answer['number']} with status {answer['status']}: {said}",
        hint="Does run() take what a row holds? Deploy it and send one: sendoff service run -n NAME -d @body.",
        traceback="\n".join(traceback),
        body=str(answer["body"])[:2000],
        status=answer["status"],
        log=log[-20:],
    )


def _traceback(log: list[str]) -> list[str]:
    """The last traceback in a log, from its first line to the exception's own."""
    start = next((n for n in range(len(log) - 1, -1, -1) if "Traceback (most recent call last)" in log[n]), None)
    if start is None:
        return []
    found = ["Traceback (most recent call last):"]
    for line in log[start + 1 :]:
        found.append(line.rstrip())
        if line and not line[0].isspace():
            break
    return found


def words(asked: Asked) -> str:
    """A size in few words."""
    workers = f"{asked.workers} worker{'s' if asked.workers > 1 else ''}"
    return workers if asked.cpu is None else f"{asked.cpu:g} CPU{'s' if asked.cpu > 1 else ''}, {workers}"
