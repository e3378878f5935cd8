"""Following an operation, and showing it while it runs: steps as lines, in place on a terminal, plain elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import IO

from ..errors import Timeout
from ..spec.operation import FINAL, STEP_DONE, STEP_FAILED, STEP_RUNNING, STEP_SKIPPED, Operation, Step, pause_after

_SLOW = 2.0
"""Seconds after which a running step is named, where lines cannot be rewritten."""


class Timeline:
    """Prints what is new each time it is shown an operation.

    Args:
        stream: Where to; standard output by default.
    """

    def __init__(self, stream: IO[str] | None = None) -> None:
        self._stream = stream or sys.stdout
        self._live = self._stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self._finished: set[str] = set()
        self._named: set[str] = set()
        self._notes = 0
        self._drawn = False

    def show(self, operation: Operation) -> None:
        """Print steps that have ended since, new notes, and the step that runs."""
        for step in operation.steps:
            if step.name not in self._finished and step.state in (STEP_DONE, STEP_FAILED, STEP_SKIPPED):
                self._finished.add(step.name)
                if step.state != STEP_SKIPPED or step.message:
                    self._line(_ended(step))
        for note in operation.notes[self._notes :]:
            self._line(f"  note: {note}")
        self._notes = len(operation.notes)
        running = next((step for step in operation.steps if step.state == STEP_RUNNING), None)
        if running is not None:
            self._running(running)
        self._stream.flush()

    def close(self, line: str) -> None:
        """Print the last line."""
        self._line(line)
        self._stream.flush()

    def _running(self, step: Step) -> None:
        seconds = time.time() - (step.start or time.time())
        last = step.log[-1].strip()[:60] if step.log else step.message
        if self._live:
            self._stream.write(f"\r\x1b[2K  {step.name:<12} {seconds:6.1f} s  {last}")
            self._drawn = True
        elif seconds > _SLOW and step.name not in self._named:
            self._named.add(step.name)
            self._line(f"  {step.name:<12} running{'  ' + last if last else ''}")

    def _line(self, text: str) -> None:
        if self._drawn:
            self._stream.write("\r\x1b[2K")
            self._drawn = False
        self._stream.write(text + "\n")


def follow(
    look: Callable[[], Operation], timeline: Timeline | None = None, timeout_sec: float | None = None
) -> Operation:
    """Look at an operation again and again until it has ended; the operation as it ended.

    Args:
        look: Gives the operation as it is now.
        timeline: Is shown the operation at each look.
        timeout_sec: Seconds to wait at most.

    Raises:
        Timeout: It goes on longer than that.
    """
    began = time.monotonic()
    while True:
        operation = look()
        if timeline is not None:
            timeline.show(operation)
        if operation.state in FINAL:
            return operation
        passed = time.monotonic() - began
        if timeout_sec is not None and passed > timeout_sec:
            raise Timeout(
                f"service {operation.service!r} is still being deployed after {timeout_sec} seconds",
                hint="It goes on: wait_for_deployment() again, or 'sendoff operation cancel'.",
                operation=operation.id,
            )
        time.sleep(pause_after(passed))


def timeline_table(operation: Operation) -> str:
    """An operation's steps as a table for a notebook."""
    from .notebook import table

    rows = [
        (step.name, step.state, f"{(step.end or time.time()) - step.start:.1f} s" if step.start else "", step.message)
        for step in operation.steps
    ]
    rows += [("note", "", "", note) for note in operation.notes]
    return table((operation.type, operation.state, "Took", ""), rows)


def _ended(step: Step) -> str:
    took = f"{step.end - step.start:6.1f} s" if step.start is not None and step.end is not None else " " * 8
    words = {STEP_DONE: "done", STEP_FAILED: "FAILED", STEP_SKIPPED: "skipped"}[step.state]
    return f"  {step.name:<12} {took}  {words}{': ' + step.message if step.message else ''}"
