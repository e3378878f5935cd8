"""Brings one operation to its end, whoever began it.

Each step is idempotent and recorded, so that a runner may be killed at any moment: the next one goes on from the last
step that was done. ``SENDOFF_TEST_KILL_RUNNER_AT`` is for tests alone: at ``STEP:begin``, ``STEP:end`` or
``STEP:failed`` the runner kills itself, in its first attempt or, with ``:always`` behind it, in each.
"""

from __future__ import annotations

import os
import signal
import time
import traceback
from typing import TYPE_CHECKING

from ..errors import Cancelled, DeploymentFailed, SendoffError, lacking
from ..errors import Timeout as TooLong
from ..spec.operation import CANCELLED, FAILED, STEP_DONE, SUCCEEDED, TIMED_OUT
from . import operation_rows
from .kinds import open_work
from .lease import Holder, LeaseLost
from .reasons import reason_of
from .timeline import Timeline, say

if TYPE_CHECKING:
    from ..rooms import Rooms
    from .work import Work

KILL_AT = "SENDOFF_TEST_KILL_RUNNER_AT"


def run(rooms: Rooms, id_: str, holder: Holder) -> str:
    """Bring an operation to its end.

    Args:
        rooms: What to work with.
        id_: The operation; ``holder`` holds its lease.
        holder: This process.

    Returns:
        The operation's final state.

    Raises:
        LeaseLost: Another runner has taken it.
    """
    with rooms.store.read() as connection:
        row = operation_rows.get_operation(connection, id_)
    timeline = Timeline(rooms.store, row, holder)
    try:
        work = open_work(rooms, row, timeline)
    except SendoffError as problem:
        timeline.failed(timeline.steps[0].name, reason_of(problem), problem.payload(), log=[])
        with rooms.store.begin() as connection:
            _finish(connection, id_, holder, FAILED)
        return FAILED
    if row.attempts > 1:
        timeline.note([f"Taken up again: attempt {row.attempts} of {operation_rows.MAX_ATTEMPTS}."])
    state = SUCCEEDED
    if timeline.error is not None:
        state = _final_state(timeline.error["code"])
    else:
        for name in [step.name for step in timeline.steps]:
            if timeline.state_of(name) == STEP_DONE and name not in work.repeated:
                continue
            error = _step(work, timeline, name, row.attempts)
            if error is not None:
                state = _final_state(error.code)
                break
    if state == SUCCEEDED:
        with rooms.store.begin() as connection:
            work.settle(connection)
            _finish(connection, id_, holder, state)
        return state
    work.take_down()
    with rooms.store.begin() as connection:
        work.settle_failed(connection)
        _finish(connection, id_, holder, state)
    return state


def give_up(rooms: Rooms, id_: str, dead: Holder | None) -> None:
    """End an operation whose runner died three times: what it started is taken down, the service keeps its last good.

    Args:
        rooms: What to work with.
        id_: The operation.
        dead: Who held its lease last.
    """
    me = Holder.me()
    with rooms.store.begin() as connection:
        if not operation_rows.take_lease(connection, id_, me, old=dead, attempt=False):
            return
        row = operation_rows.get_operation(connection, id_)
    timeline = Timeline(rooms.store, row, me)
    try:
        if timeline.error is None:
            step = next((step.name for step in timeline.steps if step.state != STEP_DONE), timeline.steps[-1].name)
            error = DeploymentFailed(
                f"the process that worked on step {step!r} ended {row.attempts} times before its end",
                hint=f"Was it killed, or did memory run out? Its log: operations/{id_}.log in the home folder.",
                step=step,
                attempts=row.attempts,
            )
            timeline.failed(step, "RunnerDied", error.payload(), log=[])
        work: Work | None = None
        try:
            work = open_work(rooms, row, timeline)
            work.take_down()
        except SendoffError as problem:
            timeline.note([f"What it had started could not be taken down: {problem.message}."])
        with rooms.store.begin() as connection:
            if work is not None:
                work.settle_failed(connection)
            _finish(connection, id_, me, FAILED)
    except LeaseLost:
        return


def _step(work: Work, timeline: Timeline, name: str, attempt: int) -> SendoffError | None:
    """Do one step; the error that ended it, if one did."""
    try:
        timeline.stop_if_cancelled()
        timeline.begin(name)
        _die_if_told(name, "begin", attempt)
        reason, message, log = work.do(name)
        timeline.done(name, reason, message, log=log)
        say(f"{name}: {reason}: {message}")
        _die_if_told(name, "end", attempt)
        return None
    except SendoffError as error:
        say(f"{name}: {error}")
        failure, log, reason = error, work.last_log(), reason_of(error)
    except Exception as error:
        say(traceback.format_exc())
        missing = lacking(error)
        if missing:
            failure, log, reason = missing, work.last_log(), reason_of(missing)
        else:
            failure = DeploymentFailed(
                f"a mistake in Sendoff at step {name!r}: {type(error).__name__}: {error}",
                hint="The operation's log has the traceback; please report it.",
            )
            log, reason = traceback.format_exc().splitlines(), "InternalError"
    failure.context.setdefault("step", name)
    if log:
        failure.context.setdefault("log", log[-20:])
    timeline.failed(name, reason, failure.payload(), log=log)
    _die_if_told(name, "failed", attempt)
    return failure


def _finish(connection: object, id_: str, holder: Holder, state: str) -> None:
    if not operation_rows.change_operation(connection, id_, holder, state=state, ended=time.time()):  # type: ignore[arg-type]
        raise LeaseLost(id_)


def _final_state(code: str) -> str:
    return {Cancelled.code: CANCELLED, TooLong.code: TIMED_OUT}.get(code, FAILED)


def _die_if_told(step: str, moment: str, attempt: int) -> None:
    told = os.environ.get(KILL_AT)
    if told and (told == f"{step}:{moment}:always" or (told == f"{step}:{moment}" and attempt == 1)):
        os.kill(os.getpid(), signal.SIGKILL)
