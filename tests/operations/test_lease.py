"""Who may take up an operation: on the holder's host the process decides, on another one the time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any

import pytest
from deployment_rigs import WS, Rig, environment
from sqlalchemy import update

from sendoff.errors import StoreError
from sendoff.operations import heartbeat, lease, operation_rows
from sendoff.operations.lease import HOST, Holder
from sendoff.store.tables import operations


def set_lease(rig: Rig, id_: str, **columns: object) -> None:
    with rig.store.begin() as connection:
        connection.execute(update(operations).where(operations.c.id == id_).values(**columns))


def row_of(rig: Rig, id_: str) -> Any:
    with rig.store.read() as connection:
        return operation_rows.get_operation(connection, id_)


def working(rig: Rig) -> tuple[str, int]:
    """An operation in a step that takes long and writes nothing, and its runner."""
    inference = rig.inference(environment=environment(conda_packages=["endless"]))
    operation = rig.deployments.deploy(WS, rig.body(inference=inference))
    # The last thing that it writes before it waits.
    rig.until(lambda: any("says the fake" in step["message"] for step in row_of(rig, operation.id).steps))
    return operation.id, row_of(rig, operation.id).lease_pid


def stop_with_an_ended_lease(rig: Rig, id_: str, runner: int) -> None:
    """Stop a runner; not while it renews its lease, for then nobody may write."""
    while True:
        os.kill(runner, signal.SIGSTOP)
        try:
            return set_lease(rig, id_, lease_until=1.0)
        except StoreError:
            os.kill(runner, signal.SIGCONT)


def end(rig: Rig, id_: str) -> None:
    (rig.home / "go").touch()
    assert rig.operations.wait(id_, seconds=120.0).state == "Succeeded"
    assert len(rig.target.uids()) == 1


def test_this_process_works_and_one_that_has_ended_or_is_of_another_boot_does_not() -> None:
    me = Holder.me()
    assert me.may_work(until=0.0, now=100.0), "time says nothing of a process that can be seen"
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    runner = Holder.of(child.pid)
    assert runner is not None and runner.may_work(until=None, now=0.0)
    child.communicate(b"\n")
    assert not runner.may_work(until=200.0, now=100.0)
    assert not Holder(me.host, "another boot", me.pid, me.started).may_work(until=200.0, now=100.0)


def test_a_process_of_another_host_works_until_its_lease_ends_whatever_runs_here() -> None:
    me = Holder.me()
    elsewhere = Holder("elsewhere", me.boot, me.pid, me.started)
    assert elsewhere.may_work(until=100.1, now=100.0)
    assert not elsewhere.may_work(until=100.0, now=100.0)
    assert not elsewhere.may_work(until=None, now=100.0)


def test_a_second_host_takes_nothing_from_a_living_one_which_renews_its_lease(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_, pid = working(rig)
    before = row_of(rig, id_).lease_until
    monkeypatch.setenv(HOST, "second")
    second = rig.another()
    second.operations.revive()
    rig.until(lambda: row_of(rig, id_).lease_until > before, seconds=60.0)
    second.operations.revive()
    found = row_of(rig, id_)
    assert (found.attempts, found.lease_pid, rig.runners()) == (1, pid, [pid])
    with second.store.begin() as connection:
        old = operation_rows.holder_of(found)
        assert not operation_rows.take_lease(connection, id_, Holder.me(), old=old, attempt=True)
    monkeypatch.delenv(HOST)
    end(rig, id_)


def test_a_second_host_goes_on_when_the_lease_has_ended_and_the_first_one_stops(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_, first = working(rig)
    stop_with_an_ended_lease(rig, id_, first)
    try:
        rig.operations.revive()
        assert row_of(rig, id_).attempts == 1, "its own host sees that it lives"
        monkeypatch.setenv(HOST, "second")
        rig.another().operations.revive()
        rig.until(lambda: row_of(rig, id_).lease_host == "second" and len(rig.runners()) == 2)
        assert row_of(rig, id_).attempts == 2
    finally:
        os.kill(first, signal.SIGCONT)
    rig.until(lambda: first not in rig.runners())
    assert "another runner has taken this operation" in rig.logs()
    end(rig, id_)


def test_what_a_dead_runner_of_another_host_left_is_taken_when_its_lease_has_ended(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_, first = working(rig)
    monkeypatch.setenv(HOST, "second")
    os.kill(first, signal.SIGKILL)
    rig.until(lambda: rig.runners() == [])
    rig.operations.revive()
    assert row_of(rig, id_).attempts == 1
    set_lease(rig, id_, lease_until=1.0)
    end(rig, id_)
    assert row_of(rig, id_).attempts == 2


def test_a_runner_that_lost_its_lease_ends_in_the_middle_of_a_step_that_writes_nothing(rig: Rig) -> None:
    id_, _ = working(rig)
    me = Holder.me()
    set_lease(rig, id_, lease_pid=me.pid, lease_started=me.started)
    rig.until(lambda: rig.runners() == [], seconds=heartbeat.BEAT_SECONDS + 30.0)
    assert "another runner has taken this operation" in rig.logs()
    # This test, which has the lease now, ends the operation as its runner would.
    with rig.store.begin() as connection:
        assert operation_rows.change_operation(connection, id_, me, state="Failed", ended=1.0)


def test_a_lease_that_an_older_sendoff_wrote_is_one_of_this_host(rig: Rig) -> None:
    id_, pid = working(rig)
    set_lease(rig, id_, lease_host=None, lease_boot=None, lease_until=None)
    rig.operations.revive()
    assert (row_of(rig, id_).attempts, rig.runners()) == (1, [pid])
    os.kill(pid, signal.SIGKILL)
    rig.until(lambda: pid not in rig.runners())
    end(rig, id_)
    assert (row_of(rig, id_).attempts, row_of(rig, id_).lease_host) == (2, lease.host_id())
