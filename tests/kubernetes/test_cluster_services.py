"""Services on a real cluster: deployed, updated, broken, guarded and removed, with few rights under restricted."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import cluster_rig
import pytest
from cluster_deployments import ECHO, PLAIN, ClusterDeployments, deployment
from deployment_rigs import WS

from sendoff.deployments import revision_rows, service_rows
from sendoff.deployments.access import ServiceAccess, refresh
from sendoff.deployments.wanted import wanted_service
from sendoff.errors import Conflict
from sendoff.spec.access import Access
from sendoff.spec.deployment import DeploymentSpec
from sendoff.spec.identity import RegenerateKey
from sendoff.spec.parse import replace
from sendoff.spec.service import UpdateService


def answers(home: ClusterDeployments, name: str) -> set[int]:
    """What a service answers, once every node has heard which pods it has now: about a second after they changed."""
    time.sleep(1.5)
    return {home.ask([1], name)[1][2] for _ in range(10)}


@contextmanager
def load(home: ClusterDeployments, name: str, clients: int = 2) -> Iterator[list[Any]]:
    """Clients that ask all the time; gives what went wrong, and after it ``count`` of requests."""
    wrong: list[Any] = []
    stop = threading.Event()
    address, key = home.service(name).scoring_uri, home.key(name)
    done = [0] * clients

    def ask(number: int) -> None:
        import http.client
        import urllib.parse

        at = urllib.parse.urlsplit(str(address))
        link = http.client.HTTPConnection(str(at.hostname), at.port, timeout=30)
        while not stop.is_set():
            try:
                link.request(
                    "POST", at.path, "1", {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
                )
                answer = link.getresponse()
                answer.read()
                if answer.status != 200:
                    wrong.append(answer.status)
                if answer.will_close:
                    link.close()
            except OSError as error:
                wrong.append(repr(error))
                link.close()
            done[number] += 1
            stop.wait(0.005)

    threads = [threading.Thread(target=ask, args=(number,), daemon=True) for number in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield wrong
    finally:
        stop.set()
        for thread in threads:
            thread.join(40)
        assert sum(done) > 50 * clients, done


def test_a_service_is_deployed_updated_under_load_rolled_back_and_removed(home: ClusterDeployments) -> None:
    home.model("m", b"weights")
    operation = home.aks(ECHO, "first", models=["m"], num_replicas=2)
    assert operation.state == "Succeeded", operation
    assert home.service("first").target == "kubernetes"
    assert home.ask([1], "first") == (200, ["weights", [1], 1, 10001])
    assert home.ask([1], "first", key=None)[0] == 401
    assert home.ask("boom", "first")[0] == 502
    made = {one["kind"] for one in home.objects("first", "all,secrets,serviceaccounts,poddisruptionbudgets")}
    assert made == {"Deployment", "ReplicaSet", "Pod", "Service", "Secret", "ServiceAccount", "PodDisruptionBudget"}
    with load(home, "first") as wrong:
        body = UpdateService(inference=home.inference(ECHO.replace(b"ANSWER = 1", b"ANSWER = 2")))
        operation = home.wait(home.deployments.update(WS, "first", body), seconds=240.0)
        assert operation.state == "Succeeded", operation
    assert wrong == []
    assert answers(home, "first") == {2}
    assert home.service("first").revision == 2
    operation = home.wait(home.deployments.rollback(WS, "first"), seconds=240.0)
    assert operation.state == "Succeeded", operation
    assert answers(home, "first") == {1}
    assert "User's init has completed" in home.deployments.logs(WS, "first", init=True)
    assert any(" | " in line for line in home.deployments.logs(WS, "first", 50).splitlines())
    # What is not ours stays.
    cluster_rig.apply(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "svc-other"}, "data": {}},
        namespace=home.space.namespace,
    )
    ended = home.deployments.delete(WS, "first")
    assert ended is not None and home.wait(ended, seconds=120.0).state == "Succeeded"
    assert home.objects("first", "all,secrets,serviceaccounts,poddisruptionbudgets") == []
    assert "svc-other" in cluster_rig.kubectl("-n", home.space.namespace, "get", "configmaps", "-o", "name")


def test_a_script_that_fails_is_told_with_its_traceback_and_the_old_revision_serves(home: ClusterDeployments) -> None:
    assert home.aks(PLAIN, "broken").state == "Succeeded"
    broken = b"def init():\n    raise ValueError('no such weights')\n\n\ndef run(data):\n    return data\n"
    operation = home.wait(
        home.deployments.update(WS, "broken", UpdateService(inference=home.inference(broken))), seconds=120.0
    )
    assert operation.state == "Failed" and operation.error is not None
    assert operation.error["code"] == "script_failed"
    assert "no such weights" in operation.error["message"] and "score.py, line 2" in operation.error["message"]
    assert "raise ValueError" in operation.error["context"]["traceback"]
    assert home.ask("x", "broken")[0] == 200 and home.service("broken").revision == 1
    [made] = home.objects("broken", "deployments")
    assert made["spec"]["template"]["metadata"]["labels"]["sendoff.io/revision"] == "1"


def test_a_first_deployment_that_fails_leaves_nothing_but_its_log(home: ClusterDeployments) -> None:
    operation = home.aks(b"import os\n\n\ndef init():\n    os._exit(7)\n\n\ndef run(data):\n    return data\n", "never")
    assert operation.state == "Failed" and operation.error is not None, operation
    assert home.objects("never", "all,secrets,serviceaccounts") == []


def test_keys_are_changed_when_every_pod_goes_by_them(home: ClusterDeployments) -> None:
    assert home.aks(PLAIN, "guarded", num_replicas=2).state == "Succeeded"
    old = home.key("guarded")
    ServiceAccess(home.rooms).regenerate(WS, "guarded", RegenerateKey(key_type="Primary"))
    new = home.key("guarded")
    assert new != old
    # Each request may go to another pod.
    assert {home.ask(name="guarded", key=new)[0] for _ in range(20)} == {200}
    assert {home.ask(name="guarded", key=old)[0] for _ in range(20)} == {401}


def test_what_the_cluster_says_before_anything_is_built(home: ClusterDeployments) -> None:
    namespace = home.space.namespace
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "small"},
        "spec": {"hard": {"requests.memory": "1Gi"}},
    }
    bounds = {"type": "Container", "max": {"cpu": "2"}}
    limits = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "bounds"}, "spec": {"limits": [bounds]}}
    cluster_rig.apply(quota, limits, namespace=namespace)
    try:
        asked_too_much(home)
    finally:
        cluster_rig.kubectl("-n", namespace, "delete", "quota/small", "limitrange/bounds")
    assert home.objects("asked") == []


def asked_too_much(home: ClusterDeployments) -> None:
    for given, code, told in (
        ({"memory_gb": 2.0}, "quota_exceeded", "exceeded quota: small"),
        ({"cpu_cores": 3.0, "cpu_cores_limit": 3.0}, "admission_denied", "maximum cpu"),
    ):
        body = home.body("asked", inference=home.inference(PLAIN), deployment=deployment(**given), check=True)
        try:
            home.deployments.deploy(WS, body)
        except Exception as error:
            assert error.context["reported_code"] == code and told in str(error), error  # type: ignore[attr-defined]
        else:
            raise AssertionError(given)
    assert home.objects("asked", "all") == []


def test_a_pod_that_no_node_has_room_for_is_told_and_taken_down(home: ClusterDeployments) -> None:
    body = home.body(
        "nowhere", inference=home.inference(PLAIN), deployment=deployment(options={"node_selector": {"disk": "none"}})
    )
    operation = home.deployments.deploy(WS, body)
    home.until(lambda: home.service("nowhere").state == "Unschedulable", seconds=120.0)
    home.operations.cancel(operation.id)  # type: ignore[union-attr]
    ended = home.wait(operation, seconds=120.0)
    assert ended.state == "Cancelled", ended
    assert home.objects("nowhere", "all") == []


def test_applying_what_runs_changes_nothing(home: ClusterDeployments) -> None:
    assert home.aks(PLAIN, "same").state == "Succeeded"
    kinds = "pods,secrets,services,deployments,serviceaccounts"

    def versions() -> dict[str, str]:
        found = home.objects("same", kinds)
        return {f"{one['kind']} {one['metadata']['name']}": one["metadata"]["resourceVersion"] for one in found}

    before = versions()
    with home.store.read() as connection:
        row = service_rows.get_service(connection, WS, "same")
        plan = revision_rows.get_plan(connection, row.uid, 1)
    assert plan is not None
    wanted = wanted_service(home.rooms, row, 1, plan)
    assert wanted is not None
    home.rooms.target(row.target).apply(wanted)
    assert versions() == before
    # Of two documents of who may ask the later one is in force, whichever way the other comes.
    older = replace(wanted, access=Access(document={"auth": "none"}, made=0))
    home.rooms.target(row.target).apply(older)
    assert versions() == before
    with pytest.raises(Conflict, match="cannot go to elsewhere"):
        change = UpdateService(deployment=DeploymentSpec(namespace="elsewhere"))
        home.deployments.update(WS, "same", change)
    refresh(home.rooms, row)
    unlike = {name for name, version in versions().items() if before[name] != version}
    assert all(name.startswith("Pod ") for name in unlike)  # they are told to look at their keys
