"""A service that answers nothing but errors is quoted, however late its log is written."""

from __future__ import annotations

from typing import Any

import pytest

from sendoff.errors import Cancelled, ScriptFailed
from sendoff.profiling.measure import Measurement

TRACEBACK = [
    "… - Encountered Exception: Traceback (most recent call last):",
    '  File "score.py", line 7, in run',
    "ValueError: no",
]


class Broken:
    def one(self, number: int) -> dict[str, Any]:
        return {"ms": 1.0, "status": 500, "body": "An unexpected error occurred"}


def probe(log: Any, check: Any = lambda: None) -> str:
    with pytest.raises(ScriptFailed) as caught:
        Measurement(Broken(), None, check, lambda said: None).probe(2, log)  # type: ignore[arg-type]
    return str(caught.value)


def test_a_traceback_that_is_written_after_the_answer_is_waited_for() -> None:
    reads = iter([[], ["I started"], TRACEBACK])
    assert "request 1 with status 500: ValueError: no" in probe(lambda: next(reads))


def test_a_script_that_leaves_none_is_quoted_by_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sendoff.profiling.measure.LOG_SECONDS", 0.1)
    assert "status 500: An unexpected error occurred" in probe(lambda: ["I started"])


def test_a_profile_that_is_cancelled_meanwhile_ends() -> None:
    checks = iter([None, None])

    def check() -> None:
        if next(checks, "over") == "over":
            raise Cancelled("cancelled")

    with pytest.raises(Cancelled):
        Measurement(Broken(), None, check, lambda said: None).probe(2, list)  # type: ignore[arg-type]
