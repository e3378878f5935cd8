"""Kill -9 of the runner at every step: the next look takes the operation up, and the end is the same."""

from __future__ import annotations

import os
import signal

import pytest
from deployment_rigs import SCORE, WS, Rig

from sendoff.operations.execute import KILL_AT
from sendoff.operations.kinds import DELETE, DEPLOY, INTERPRETER, KINDS
from sendoff.spec.service import UpdateService

DEPLOY_STEPS, DELETE_STEPS = KINDS[DEPLOY].steps_for(INTERPRETER), KINDS[DELETE].steps


@pytest.mark.parametrize("moment", ["begin", "end"])
@pytest.mark.parametrize("step", DEPLOY_STEPS)
def test_a_runner_killed_at_a_step_of_a_deployment_is_replaced(
    rig: Rig, step: str, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.model()
    monkeypatch.setenv(KILL_AT, f"{step}:{moment}")
    operation = rig.deploy(models=["m"])
    assert (operation.state, operation.attempts) == ("Succeeded", 2), operation
    service = rig.deployments.get(WS, "svc")
    assert (service.state, service.revision) == ("Healthy", 1)
    assert len(rig.target.uids()) == 1
    assert any("attempt 2 of 3" in note for note in operation.notes)
    assert [path.name for path in (rig.home / "staging").glob("bundle-*")] == []


@pytest.mark.parametrize("moment", ["begin", "end"])
@pytest.mark.parametrize("step", DELETE_STEPS)
def test_a_runner_killed_at_a_step_of_a_deletion_is_replaced(
    rig: Rig, step: str, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.deploy()
    monkeypatch.setenv(KILL_AT, f"{step}:{moment}")
    operation = rig.wait(rig.deployments.delete(WS, "svc"))
    assert (operation.state, operation.attempts) == ("Succeeded", 2)
    assert rig.deployments.list(WS) == []
    assert rig.target.uids() == []


def test_after_three_attempts_it_ends_in_failed(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KILL_AT, "bundle:begin:always")
    operation = rig.deploy()
    assert (operation.state, operation.attempts) == ("Failed", 3)
    assert operation.error is not None and "3 times" in operation.error["message"]
    assert {step.reason for step in operation.steps if step.state == "failed"} == {"RunnerDied"}
    assert rig.deployments.get(WS, "svc").state == "Failed"
    assert rig.target.uids() == []


def test_an_update_whose_runner_dies_three_times_leaves_the_old_revision(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.deploy()
    monkeypatch.setenv(KILL_AT, "start:end:always")
    update = UpdateService(inference=rig.inference(SCORE + b"# two\n"))
    rig.target.script("svc", "hang")
    operation = rig.wait(rig.deployments.update(WS, "svc", update))
    assert operation.state == "Failed"
    service = rig.deployments.get(WS, "svc")
    assert (service.revision, service.wanted_revision) == (1, 1)


def test_a_runner_killed_from_outside_while_it_waits_is_replaced(rig: Rig) -> None:
    rig.target.script("svc", "hang")
    operation = rig.deployments.deploy(WS, rig.body())

    def step() -> str:
        with rig.store.read():
            steps = rig.operations.get(operation.id).steps
        return next(step.state for step in steps if step.name == "init")

    rig.until(lambda: step() == "running")
    (pid,) = rig.runners()
    os.kill(pid, signal.SIGKILL)
    rig.until(lambda: not rig.has_runner(operation))
    rig.target.script("svc", "succeed")
    # Another process looks: a runner of its own goes on.
    other = rig.another()
    other.deployments.list(WS)
    rig.until(lambda: len(rig.runners()) == 1)
    assert rig.operations.get(operation.id).attempts == 2
    rig.operations.cancel(operation.id)
    assert rig.wait(operation).state == "Cancelled"
    assert rig.target.uids() == []


def test_two_lookers_start_one_runner(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KILL_AT, "environment:end")
    rig.target.script("svc", "hang")
    operation = rig.deployments.deploy(WS, rig.body())
    # Not by its command line: one that has only just been started has none yet, and one that is dying none any more.
    rig.until(lambda: rig.step(operation, "environment") != "pending" and not rig.has_runner(operation))
    monkeypatch.delenv(KILL_AT)
    for looker in (rig.another(), rig.another(), rig.core):
        looker.operations.revive()
    rig.until(lambda: len(rig.runners()) == 1)
    assert rig.operations.get(operation.id).attempts == 2
    rig.operations.cancel(operation.id)
    rig.wait(operation)


def test_a_runner_killed_while_it_cleans_up_is_replaced(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.target.script("svc", "fail-init")
    monkeypatch.setenv(KILL_AT, "init:failed")
    operation = rig.deploy()
    assert (operation.state, operation.attempts) == ("Failed", 2)
    assert operation.error is not None and operation.error["code"] == "script_failed"
    assert rig.target.uids() == []
