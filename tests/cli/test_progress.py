"""Waiting for an operation. The client here is a fake: it answers operations from a list."""

from __future__ import annotations

import io

import pytest

from sendoff.cli import errors, progress
from sendoff.cli.session import Session
from sendoff.errors import Cancelled, DeploymentFailed, ScriptFailed, Timeout
from sendoff.spec.operation import Operation, Step


def operation(state: str, *steps: Step, error: dict[str, object] | None = None, notes: list[str] | None = None):
    return Operation(
        id="op1", type="Deploy", service="svc", workspace="default", revision=1, state=state, steps=list(steps),
        error=error, created_time=0.0, end_time=None, notes=notes or [],
    )  # fmt: skip


class FakeClient:
    """A fake: each look gives the next operation, and an exception in the list is raised."""

    def __init__(self, *looks: Operation | BaseException) -> None:
        self.looks = list(looks)

    def operation(self, operation_id: str) -> Operation:
        assert operation_id == "op1"
        look = self.looks.pop(0)
        if isinstance(look, BaseException):
            raise look
        return look


def session_of(*looks: Operation | BaseException) -> Session:
    session = Session()
    session.__dict__["client"] = FakeClient(*looks)
    return session


DONE = Step(name="validate", state="done", start=1.0, end=1.5)
BUILDING = Step(name="environment", state="running", start=1.5, message="resolving 3 packages")
BUILT = Step(name="environment", state="done", start=1.5, end=4.0, message="built with uv")


def test_each_step_is_said_once_when_it_changes(capsys: pytest.CaptureFixture[str]):
    begun = operation("Running", DONE, BUILDING)
    end = operation("Succeeded", DONE, BUILT, notes=["port 5001 was chosen"])
    assert progress.wait(session_of(begun, begun, end), operation("NotStarted")) is end
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "Deploy svc revision 1, operation op1",
        "  validate     done        0.5 s",
        "  environment  running            resolving 3 packages",
        "  environment  done        2.5 s  built with uv",
        "note: port 5001 was chosen",
    ]


def test_a_failure_is_the_error_that_ended_it_with_the_service_in_its_context():
    payload = ScriptFailed("init() raised", file="score.py", line=3, traceback="T").payload()
    with pytest.raises(ScriptFailed) as caught:
        progress.wait(session_of(), operation("Failed", error=payload))
    assert caught.value.context["service"] == "svc"
    assert caught.value.context["line"] == 3
    assert errors.next_commands(caught.value) == [
        "sendoff service get-logs -n svc",
        "mend it and repeat the deploy with --overwrite",
    ]


@pytest.mark.parametrize(
    ("state", "kind"), [("Cancelled", Cancelled), ("TimedOut", Timeout), ("Failed", DeploymentFailed)]
)
def test_an_end_without_an_error_is_told_by_its_state(state: str, kind: type[Exception]):
    with pytest.raises(kind):
        progress.wait(session_of(), operation(state))


def test_ctrl_c_says_that_it_goes_on_and_how_to_look_and_to_cancel(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(KeyboardInterrupt):
        progress.wait(session_of(KeyboardInterrupt()), operation("Running", DONE))
    err = capsys.readouterr().err
    assert "goes on" in err
    assert "sendoff operation show op1" in err
    assert "sendoff operation cancel op1" in err


def test_the_live_timeline_draws_every_state():
    from rich.console import Console

    steps = [Step(name=state, state=state, start=1.0) for state in ("pending", "running", "done", "failed", "skipped")]
    console = Console(record=True, width=80, file=io.StringIO())
    console.print(progress._drawn(operation("Running", *steps)))
    shown = console.export_text()
    assert "✓" in shown and "✗" in shown and "pending" in shown
