from __future__ import annotations

import time

import pytest
from deployment_rigs import SCORE, WS, Rig, environment
from sqlalchemy import select

from sendoff.deployments import revision_rows
from sendoff.errors import (
    AlreadyExists,
    Conflict,
    EnvironmentNotFound,
    InvalidInput,
    ModelNotFound,
    NotFound,
    NotSupported,
    OperationInProgress,
    PortInUse,
    ServiceNotFound,
    WorkspaceNotFound,
)
from sendoff.spec.deployment import AutoScaler, DeploymentSpec
from sendoff.spec.inference import EnvironmentReference
from sendoff.spec.service import CheckReport, Service, UpdateService
from sendoff.store.tables import services


def test_a_deployment_goes_through_all_steps_to_healthy(rig: Rig) -> None:
    model = rig.model()
    operation = rig.deploy(models=["m"])
    assert operation.state == "Succeeded", operation
    assert [step.name for step in operation.steps] == [
        "validate", "register", "environment", "bundle", "start", "init", "healthy",
    ]  # fmt: skip
    for step in operation.steps:
        assert step.state == "done" and step.start is not None and step.end is not None and step.reason
    service = rig.deployments.get(WS, "svc")
    assert (service.state, service.revision, service.wanted_revision) == ("Healthy", 1, 1)
    assert service.models == [model]
    assert service.environment == "env:1"
    assert service.scoring_uri is not None and service.scoring_uri.endswith("/score")
    assert service.error is None
    assert "a note of the lock" in operation.notes


def test_a_check_makes_nothing(rig: Rig) -> None:
    rig.model()
    report = rig.deployments.deploy(WS, rig.body(models=["m"], check=True))
    assert isinstance(report, CheckReport)
    assert (report.target, report.models) == ("process", ["m:1"])
    assert rig.deployments.list(WS) == []
    assert rig.operations.list(WS) == []


def test_what_surely_fails_is_said_before_anything_starts(rig: Rig) -> None:
    deploy = rig.deployments.deploy
    with pytest.raises(ModelNotFound):
        deploy(WS, rig.body(models=["nobody"]))
    with pytest.raises(InvalidInput, match="service name"):
        deploy(WS, rig.body("Bad_Name"))
    with pytest.raises(WorkspaceNotFound):
        deploy("elsewhere", rig.body())
    with pytest.raises(EnvironmentNotFound):
        deploy(WS, rig.body(inference=rig.inference(environment=None, environment_ref=EnvironmentReference(name="no"))))
    with pytest.raises(InvalidInput, match="exactly one of environment"):
        deploy(WS, rig.body(inference=rig.inference(environment=None)))
    with pytest.raises(InvalidInput, match="one model can be served without an entry script; 0"):
        deploy(WS, rig.body(inference=None))
    with pytest.raises(InvalidInput, match="line 2"):
        deploy(WS, rig.body(inference=rig.inference(b"def init():\n    (\n")))
    with pytest.raises(InvalidInput, match=r"defines no run\(\)"):
        deploy(WS, rig.body(inference=rig.inference(b"def init(): pass\n")))
    with pytest.raises(InvalidInput, match="port"):
        deploy(WS, rig.body(deployment=DeploymentSpec(compute_type="LOCAL", port=70_000)))
    with pytest.raises(NotSupported, match="gpu_cores"):
        deploy(WS, rig.body(deployment=DeploymentSpec(compute_type="LOCAL", gpu_cores=1)))
    rig.target.script("svc", "port-in-use")
    with pytest.raises(PortInUse):
        deploy(WS, rig.body(deployment=DeploymentSpec(compute_type="LOCAL", port=5001)))
    assert rig.deployments.list(WS) == []
    assert rig.operations.list(WS) == []


def test_a_taken_name_is_refused_unless_it_is_overwritten(rig: Rig) -> None:
    rig.deploy()
    with pytest.raises(AlreadyExists) as caught:
        rig.deployments.deploy(WS, rig.body())
    assert "--overwrite" in caught.value.hint
    operation = rig.deploy(overwrite=True, inference=rig.inference(SCORE + b"# two\n"))
    assert (operation.state, operation.revision) == ("Succeeded", 2)
    service = rig.deployments.get(WS, "svc")
    assert (service.state, service.revision) == ("Healthy", 2)


def test_a_port_of_another_service_is_refused(rig: Rig) -> None:
    rig.deploy("one", deployment=DeploymentSpec(compute_type="LOCAL", port=6001))
    with pytest.raises(PortInUse, match="'one'"):
        rig.deployments.deploy(WS, rig.body("two", deployment=DeploymentSpec(compute_type="LOCAL", port=6001)))


def test_a_failing_init_ends_in_failed_with_the_script_s_traceback(rig: Rig) -> None:
    rig.target.script("svc", "fail-init")
    operation = rig.deploy()
    assert operation.state == "Failed"
    assert operation.error is not None
    assert operation.error["code"] == "script_failed"
    assert (operation.error["context"]["file"], operation.error["context"]["line"]) == ("score.py", 7)
    assert "ValueError" in operation.error["context"]["traceback"]
    assert operation.error["context"]["step"] == "init"
    states = {step.name: (step.state, step.reason) for step in operation.steps}
    assert states["init"] == ("failed", "ScriptFailed")
    assert states["healthy"][0] == "skipped"
    service = rig.deployments.get(WS, "svc")
    assert service.state == "Failed"
    assert service.error == operation.error
    assert rig.target.uids() == []
    assert "ValueError" in rig.deployments.logs(WS, "svc")
    with pytest.raises(AlreadyExists):
        rig.deployments.deploy(WS, rig.body())
    rig.target.script("svc", "succeed")
    assert rig.deploy(overwrite=True).state == "Succeeded"
    assert rig.deployments.get(WS, "svc").state == "Healthy"


def test_a_failing_environment_names_its_step_and_log(rig: Rig) -> None:
    python = environment().python
    from sendoff.spec.parse import replace

    spec = replace(environment(), python=replace(python, conda_packages=["impossible"]))
    operation = rig.deploy(inference=rig.inference(environment=spec))
    assert operation.state == "Failed" and operation.error is not None
    assert operation.error["code"] == "environment_failed"
    assert operation.error["context"]["step"] == "environment"
    assert rig.deployments.get(WS, "svc").state == "Failed"


def test_a_full_disk_is_told_as_one_and_no_mistake_of_ours(rig: Rig) -> None:
    python = environment().python
    from sendoff.spec.parse import replace

    spec = replace(environment(), python=replace(python, conda_packages=["huge"]))
    operation = rig.deploy(inference=rig.inference(environment=spec))
    assert operation.error is not None and operation.error["message"] == "the disk is full"
    assert "gc" in operation.error["hint"] and operation.error["context"]["step"] == "environment"
    assert [step.reason for step in operation.steps if step.state == "failed"] == ["DiskFull"]
    assert rig.deploy(overwrite=True).state == "Succeeded"


def test_one_operation_per_service_at_a_time(rig: Rig) -> None:
    rig.target.script("svc", "hang")
    operation = rig.deployments.deploy(WS, rig.body())
    for attempt in (
        lambda: rig.deployments.deploy(WS, rig.body(overwrite=True)),
        lambda: rig.deployments.delete(WS, "svc"),
        lambda: rig.deployments.update(WS, "svc", UpdateService(tags={"a": "b"})),
        lambda: rig.deployments.rollback(WS, "svc"),
        lambda: rig.deployments.reload(WS, "svc"),
    ):
        with pytest.raises(OperationInProgress):
            attempt()
    assert rig.deployments.get(WS, "svc").state == "Transitioning"
    other = rig.deploy("other")
    assert other.state == "Succeeded"
    rig.operations.cancel(operation.id)
    ended = rig.wait(operation)
    assert ended.state == "Cancelled"
    assert rig.target.uids() == [uid for uid in rig.target.uids() if uid.startswith("other")]
    assert rig.deployments.get(WS, "svc").state == "Failed"
    with pytest.raises(Conflict):
        rig.operations.cancel(operation.id)


def test_while_it_waits_the_timeline_says_for_what(rig: Rig) -> None:
    rig.target.script("svc", "hang")
    operation = rig.deployments.deploy(WS, rig.body())

    def waits() -> bool:
        step = next(step for step in rig.operations.get(operation.id).steps if step.name == "init")
        return step.reason == "WaitingForInit" and "score.py" in step.message

    rig.until(waits)
    rig.operations.cancel(operation.id)
    rig.wait(operation)


def test_an_update_makes_a_revision_of_what_is_given_and_keeps_the_rest(rig: Rig) -> None:
    rig.model("m", b"one")
    rig.deploy(models=["m"], deployment=DeploymentSpec(compute_type="LOCAL", workers=2))
    second = rig.model("m", b"two")
    operation = rig.wait(rig.deployments.update(WS, "svc", UpdateService(models=["m"])))
    assert operation.state == "Succeeded"
    service = rig.deployments.get(WS, "svc")
    assert service.models == [second]
    assert service.deployment.workers == 2
    assert [(r.number, r.running, r.outcome, r.models) for r in rig.deployments.revisions(WS, "svc")] == [
        (1, False, "Succeeded", ["m:1"]),
        (2, True, "Succeeded", ["m:2"]),
    ]
    rig.wait(rig.deployments.update(WS, "svc", UpdateService(deployment=DeploymentSpec(workers=3))))
    service = rig.deployments.get(WS, "svc")
    assert (service.deployment.workers, service.models, service.revision) == (3, [second], 3)
    with pytest.raises(Conflict, match="compute type"):
        rig.deployments.update(WS, "svc", UpdateService(deployment=DeploymentSpec(compute_type="AKS")))


def test_a_local_service_is_replaced_by_one_elsewhere_of_its_name(rig: Rig) -> None:
    rig.deploy(deployment=DeploymentSpec(compute_type="LOCAL"))
    old = rig.deployments.get(WS, "svc")
    elsewhere = DeploymentSpec(compute_type="ACI")
    report = rig.deployments.deploy(WS, rig.body(deployment=elsewhere, overwrite=True, check=True))
    assert "Replaces the service 'svc' of compute type LOCAL" in " ".join(report.notes)
    assert rig.deployments.get(WS, "svc").compute_type == "LOCAL"
    with pytest.raises(InvalidInput):  # nothing is deleted for what cannot be deployed
        rig.deployments.deploy(
            WS, rig.body(deployment=DeploymentSpec(compute_type="ACI", cpu_cores=-1), overwrite=True)
        )
    assert rig.deployments.get(WS, "svc").compute_type == "LOCAL"
    operation = rig.deploy(deployment=elsewhere, overwrite=True)
    assert (operation.state, "another address" in " ".join(operation.notes)) == ("Succeeded", True)
    new = rig.deployments.get(WS, "svc")
    assert (new.compute_type, new.revision) == ("ACI", 1)
    assert new.created_time >= old.created_time
    with pytest.raises(Conflict, match="compute type"):
        rig.deploy(deployment=DeploymentSpec(compute_type="AKS"), overwrite=True)
    assert rig.deploy(deployment=DeploymentSpec(compute_type="LOCAL"), overwrite=True).state == "Succeeded"


def test_words_alone_change_without_an_operation(rig: Rig) -> None:
    rig.deploy(deployment=DeploymentSpec(compute_type="LOCAL", tags={"a": "1"}, properties={"p": "1"}))
    found = rig.deployments.update(
        WS, "svc", UpdateService(add_tags={"b": "2"}, remove_tags=["a"], add_properties={"q": "2"}, description="d")
    )
    assert isinstance(found, Service)
    assert (found.tags, found.properties, found.description) == ({"b": "2"}, {"p": "1", "q": "2"}, "d")
    assert len(rig.operations.list(WS)) == 1
    with pytest.raises(Conflict, match="property"):
        rig.deployments.update(WS, "svc", UpdateService(add_properties={"p": "other"}))
    with pytest.raises(InvalidInput, match="no tag"):
        rig.deployments.update(WS, "svc", UpdateService(remove_tags=["zzz"]))


def test_a_failed_update_leaves_the_last_revision_serving(rig: Rig) -> None:
    rig.deploy()
    rig.target.script("svc", "fail-init")
    operation = rig.wait(
        rig.deployments.update(WS, "svc", UpdateService(inference=rig.inference(SCORE + b"# broken\n")))
    )
    assert operation.state == "Failed"
    service = rig.deployments.get(WS, "svc")
    assert (service.state, service.revision, service.wanted_revision) == ("Healthy", 1, 1)
    assert [r.outcome for r in rig.deployments.revisions(WS, "svc")] == ["Succeeded", "Failed"]


def test_rollback_returns_to_the_revision_before(rig: Rig) -> None:
    rig.deploy()
    with pytest.raises(Conflict, match="no earlier"):
        rig.deployments.rollback(WS, "svc")
    first = rig.deployments.revisions(WS, "svc")[0]
    rig.deploy(overwrite=True, inference=rig.inference(SCORE + b"# two\n"))
    operation = rig.wait(rig.deployments.rollback(WS, "svc"))
    assert (operation.state, operation.type, operation.revision) == ("Succeeded", "Rollback", 3)
    revisions = rig.deployments.revisions(WS, "svc")
    assert revisions[2].running and revisions[2].source_digest == first.source_digest
    with pytest.raises(NotFound):
        rig.deployments.rollback(WS, "svc", 99)
    with pytest.raises(Conflict, match="present"):
        rig.deployments.rollback(WS, "svc", 3)
    again = rig.wait(rig.deployments.rollback(WS, "svc"))
    assert rig.deployments.revisions(WS, "svc")[-1].source_digest == revisions[1].source_digest, again


def test_a_reload_is_a_new_revision_of_the_same(rig: Rig) -> None:
    rig.deploy()
    operation = rig.wait(rig.deployments.reload(WS, "svc"))
    assert (operation.state, operation.type, operation.revision) == ("Succeeded", "Reload", 2)
    digests = {revision.source_digest for revision in rig.deployments.revisions(WS, "svc")}
    assert len(digests) == 1


def test_a_deleted_service_is_gone_and_its_history_is_not(rig: Rig) -> None:
    rig.deploy()
    operation = rig.wait(rig.deployments.delete(WS, "svc"))
    assert (operation.state, operation.type) == ("Succeeded", "Delete")
    with pytest.raises(ServiceNotFound):
        rig.deployments.get(WS, "svc")
    assert rig.target.uids() == []
    assert rig.deployments.delete(WS, "svc") is None
    assert [found.type for found in rig.operations.list(WS, service="svc")] == ["Delete", "Deploy"]
    assert rig.deploy().state == "Succeeded"


def test_services_are_found_by_filters(rig: Rig) -> None:
    rig.model("m")
    rig.deploy("one", models=["m"], deployment=DeploymentSpec(compute_type="LOCAL", tags={"team": "a"}))
    rig.deploy("two", deployment=DeploymentSpec(compute_type="ACI", properties={"p": "1"}))

    def names(**filters: object) -> list[str]:
        return [service.name for service in rig.deployments.list(WS, **filters)]  # type: ignore[arg-type]

    assert names() == ["one", "two"]
    assert names(compute_type="local") == ["one"]
    assert names(model_name="m") == ["one"] == names(model_id="m:1")
    assert names(model_id="m:2") == names(model_id="m:11") == names(model_id="M:1") == names(model_id="m") == []
    assert names(model_name="M") == names(model_name="m:1") == names(model_name="_") == names(model_name="") == []
    assert names(model_name="m", model_id="m:1") == ["one"]
    assert names(tags={"team": None}) == ["one"] == names(tags={"team": "a"})
    assert names(tags={"team": "b"}) == []
    assert names(properties=["p"]) == ["two"]


def test_who_names_no_compute_type_is_shown_none(rig: Rig) -> None:
    operation = rig.deploy("plain", deployment=DeploymentSpec())
    assert rig.deployments.get(WS, "plain").compute_type == "default"
    # Where it runs, and why, asks nobody for an act: it is among the details, not the notes.
    assert not [note for note in operation.notes if "runs as" in note]
    assert "No deployment configuration: runs as" in " ".join(operation.steps[0].details)

    def names(kind: str) -> list[str]:
        return [service.name for service in rig.deployments.list(WS, compute_type=kind)]

    assert names("default") == ["plain"] == names("ACI"), "SDK v1's scripts look for it among the container instances"
    assert names("local") == []
    # It is placed as for ACI, so that it may be said later.
    rig.deploy("plain", deployment=DeploymentSpec(compute_type="ACI"), overwrite=True)
    assert rig.deployments.get(WS, "plain").compute_type == "ACI"


def test_what_an_environment_noted_is_told_once(rig: Rig) -> None:
    first = rig.deploy("one")
    assert "a note of the lock" in first.notes
    (rig.home / "built").touch()
    second = rig.deploy("two")
    assert "a note of the lock" not in second.notes
    assert "a note of the lock" in next(step for step in second.steps if step.name == "environment").details


def test_a_stand_in_says_what_it_does_not_keep(rig: Rig) -> None:
    spec = DeploymentSpec(compute_type="AKS", num_replicas=3, cpu_cores=1, memory_gb=1, autoscaler=AutoScaler())
    operation = rig.deploy(deployment=spec)
    assert operation.state == "Succeeded"
    notes = "\n".join(operation.notes)
    assert "no cluster" in notes
    assert "num_replicas, autoscaler" in notes and "cpu_cores" in notes and "memory_gb" not in notes
    assert rig.deployments.get(WS, "svc").auth_enabled is False


def test_models_in_use_are_known(rig: Rig) -> None:
    rig.model("m", b"one")
    rig.deploy("one", models=["m"])
    assert rig.deployments.model_users(WS, "m:1") == ["one"]
    rig.model("m", b"two")
    rig.wait(rig.deployments.update(WS, "one", UpdateService(models=["m:2"])))
    assert rig.deployments.model_users(WS, "m:1") == []
    assert rig.deployments.model_users(WS, "m:2") == ["one"]


def test_a_list_of_a_model_goes_by_the_revision_that_is_shown(rig: Rig) -> None:
    rig.model("m", b"one")
    rig.model("m", b"two")
    rig.deploy("one", models=["m:1"])
    rig.target.script("one", "fail-init")
    assert rig.wait(rig.deployments.update(WS, "one", UpdateService(models=["m:2"]))).state == "Failed"
    assert [found.name for found in rig.deployments.list(WS, model_id="m:1")] == ["one"]
    assert rig.deployments.list(WS, model_id="m:2") == []


def test_what_matches_models_is_postgresqls_too() -> None:
    from sqlalchemy.dialects import postgresql

    for condition in (revision_rows.shows_model("m:1", "m"), revision_rows.depends_on_model("m:1")):
        text = str(select(services.c.name).where(condition).compile(dialect=postgresql.dialect()))
        assert "revisions.wanted ->>" in text and "FROM services \nWHERE EXISTS" in text


def test_a_service_that_stopped_is_unhealthy_and_up_starts_it(rig: Rig) -> None:
    rig.deploy("one")
    rig.deploy("two")
    uid = next(uid for uid in rig.target.uids() if uid.startswith("one"))
    rig.target.remove(uid)
    assert rig.deployments.get(WS, "one").state == "Unhealthy"
    assert rig.deployments.up() == ["ws/one"]
    rig.until(lambda: rig.deployments.get(WS, "one").state == "Healthy")
    assert rig.deployments.up() == []


def test_a_deployment_needs_no_look_to_go_on(rig: Rig) -> None:
    operation = rig.deployments.deploy(WS, rig.body())
    time.sleep(0.01)
    rig.store.close()
    with rig.store.read():
        pass
    rig.until(lambda: rig.operations.get(operation.id).state == "Succeeded")  # type: ignore[union-attr]
