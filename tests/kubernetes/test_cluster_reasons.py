"""What a cluster says becomes one reason: from documents as API servers of 1.34 to 1.37 give them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sendoff.clusters.api import ApiError
from sendoff.targets.kubernetes.observing import address, observed
from sendoff.targets.kubernetes.reasons import of_pod, of_refusal


def pod(status: dict[str, Any], revision: int = 2, name: str = "svc-1", **spec: Any) -> dict[str, Any]:
    container = {"name": "server", "resources": {"requests": {"cpu": "100m", "memory": "512Mi"}}}
    return {
        "metadata": {"name": name, "namespace": "ml", "uid": name, "labels": {"sendoff.io/revision": str(revision)}},
        "spec": {"containers": [container], **spec},
        "status": status,
    }


def waiting(reason: str, message: str) -> dict[str, Any]:
    return {
        "containerStatuses": [{"image": "reg/x@sha256:1", "state": {"waiting": {"reason": reason, "message": message}}}]
    }


def ended(restarts: int, **terminated: Any) -> dict[str, Any]:
    state = {"waiting": {"reason": "CrashLoopBackOff"}}
    status = {"ready": False, "restartCount": restarts, "state": state, "lastState": {"terminated": terminated}}
    return {"containerStatuses": [status]}


def condition(kind: str, status: str, reason: str = "", message: str = "") -> dict[str, Any]:
    return {"conditions": [{"type": kind, "status": status, "reason": reason, "message": message}]}


READY = {
    "containerStatuses": [{"ready": True, "restartCount": 0, "state": {"running": {}}}],
    **condition("Ready", "True"),
}
SCRIPT = json.dumps(
    {"code": "init_failed", "message": "ValueError: x", "file": "score.py", "line": 3, "traceback": "T"}
)


@pytest.mark.parametrize(
    ("status", "phase", "code", "told"),
    [
        (ended(0, exitCode=3, message=SCRIPT), "failed", "init_failed", "ValueError: x"),
        (ended(3, exitCode=3, message="no document"), "failed", "container_ended", "no document"),
        (ended(1, exitCode=137, reason="OOMKilled"), "init", "out_of_memory", "all of its 256 MB"),
        (ended(3, exitCode=137, reason="OOMKilled"), "failed", "out_of_memory", "memory_gb_limit"),
        (ended(2, exitCode=1, message="a\nlast words"), "init", "container_ended", "2 of 3 times: last words"),
        (ended(3, exitCode=1), "failed", "container_ended", "it said nothing"),
        (waiting("ErrImagePull", "401 Unauthorized"), "starting", "registry_denied", "pull_secrets"),
        (waiting("ImagePullBackOff", "manifest unknown: not found"), "starting", "image_missing", "pushed anew"),
        (waiting("ErrImagePull", "dial tcp: no route to host"), "starting", "registry_unreachable", "image_registry"),
        (waiting("ErrImagePull", "x509: unknown authority"), "starting", "registry_unreachable", ""),
        (waiting("CreateContainerConfigError", 'secret "x" not found'), "starting", "config_missing", 'secret "x"'),
        (waiting("RunContainerError", "exec: no such file"), "failed", "container_ended", "no such file"),
        (condition("PodScheduled", "False", "Unschedulable", "0/3 nodes are available: 3 Insufficient memory."),
         "unschedulable", "unschedulable", "512Mi memory"),
        (condition("PodScheduled", "False", "Unschedulable", "1 node(s) had untolerated taint {gpu: }"),
         "unschedulable", "unschedulable", "kubernetes.tolerations"),
        (condition("PodScheduled", "False", "Unschedulable", "didn't match Pod's node affinity/selector"),
         "unschedulable", "unschedulable", "node_selector"),
        (condition("PodScheduled", "False", "Unschedulable", "pod has unbound immediate PersistentVolumeClaims"),
         "unschedulable", "volume_pending", "get pvc"),
        ({"phase": "Failed", "reason": "Evicted", "message": "low on memory"}, "failed", "evicted", "low on memory"),
        ({"phase": "Failed", **condition("DisruptionTarget", "True", "PreemptionByScheduler", "for another")},
         "failed", "preempted", "for another"),
        ({"phase": "Failed", "reason": "NodeLost"}, "failed", "node_lost", ""),
    ],
)  # fmt: skip
def test_a_pod_s_state_is_one_reason(status: dict[str, Any], phase: str, code: str, told: str) -> None:
    seen = of_pod(pod(status), limit_mb=256)
    assert (seen.phase, seen.error and seen.error["code"]) == (phase, code)
    assert seen.error is not None and told in f"{seen.error['message']} {seen.error.get('hint', '')}"


@pytest.mark.parametrize(
    ("status", "phase"),
    [({}, "starting"), (waiting("ContainerCreating", ""), "starting"), (READY, "ready"),
     ({"containerStatuses": [{"ready": False, "restartCount": 0, "state": {"running": {}}}]}, "init")],
)  # fmt: skip
def test_a_pod_on_its_way_has_no_reason(status: dict[str, Any], phase: str) -> None:
    seen = of_pod(pod(status), limit_mb=None)
    assert (seen.phase, seen.error) == (phase, None)


def test_a_volume_that_does_not_mount_is_told_from_events() -> None:
    seen = of_pod(pod({}), limit_mb=None, events=[])
    assert seen.error is None
    creating = pod(waiting("ContainerCreating", ""))
    seen = of_pod(creating, limit_mb=None, events=[{"reason": "FailedMount", "message": 'secret "k" not found'}])
    assert seen.error is not None and seen.error["code"] == "volume_pending" and '"k"' in seen.error["message"]


@pytest.mark.parametrize(
    ("status", "words", "code", "told"),
    [
        (403, 'pods "x" is forbidden: exceeded quota: q, requested: cpu=2, used: cpu=1, limited: cpu=2',
         "quota_exceeded", "describe quota"),
        (403, 'pods "x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot', "admission_denied", ""),
        (400, 'admission webhook "policy.example" denied the request: no', "admission_denied", "policy.example"),
        (403, "maximum memory usage per Container is 1Gi, but limit is 2Gi", "admission_denied", "limitrange"),
        (403, 'secrets is forbidden: User "u" cannot patch resource "secrets" in API group "" in the namespace "ml"',
         "forbidden", "rbac NAME"),
        (404, 'namespaces "ml" not found', "namespace_missing", "create namespace ml"),
        (404, "the server could not find the requested resource", "not_in_cluster", ""),
        (422, "spec.replicas: Invalid value", "invalid_object", ""),
    ],
)  # fmt: skip
def test_a_refusal_is_one_reason_with_what_to_do(status: int, words: str, code: str, told: str) -> None:
    error = of_refusal(ApiError(status, {"message": words}, "PATCH x"), "Deployment d", "ml")
    assert error.context["reported_code"] == code
    assert told in str(error)


def test_a_missing_right_names_verb_resource_and_namespace() -> None:
    words = 'x is forbidden: User "u" cannot create resource "deployments" in API group "apps" in the namespace "ml"'
    error = of_refusal(ApiError(403, {"message": words}, "x"), "Deployment d", "ml")
    assert (error.context["verb"], error.context["resource"], error.context["namespace"]) == (
        "create",
        "deployments",
        "ml",
    )


def deployment(revision: int = 2, *, replicas: int = 1, **status: Any) -> dict[str, Any]:
    labels = {"sendoff.io/revision": str(revision)}
    container = {"resources": {"limits": {"memory": "256Mi"}}}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return {
        "metadata": {"name": "svc", "namespace": "ml", "generation": 3},
        "spec": {"replicas": replicas, "template": template},
        "status": {"observedGeneration": 3, **status},
    }


WHOLE = {"updatedReplicas": 1, "availableReplicas": 1, "replicas": 1}


def test_none_one_and_two_revisions() -> None:
    assert observed(None, []).phase == "absent"
    seen = observed(deployment(**WHOLE), [pod(READY)], base_url="http://x")
    assert (seen.phase, seen.revision, seen.pending_revision, seen.base_url) == ("ready", 2, None, "http://x")
    rolling = deployment(updatedReplicas=1, availableReplicas=1, replicas=2)
    seen = observed(rolling, [pod(READY, 1, "old"), pod(ended(0, exitCode=3, message=SCRIPT), 2, "new")])
    assert (seen.phase, seen.revision) == ("ready", 1)
    assert (seen.pending_revision, seen.pending_phase) == (2, "failed")
    assert seen.pending_error is not None and seen.pending_error["line"] == 3
    # The new one is ready, and the old one has not left: it may still be answered by either.
    seen = observed(rolling, [pod(READY, 1, "old"), pod(READY, 2, "new")])
    assert (seen.revision, seen.pending_revision, seen.pending_phase) == (1, 2, "starting")


def test_a_change_that_the_cluster_has_not_seen_is_not_ready() -> None:
    late = deployment(**WHOLE)
    late["status"]["observedGeneration"] = 2
    assert observed(late, [pod(READY)]).phase != "ready"


def test_a_pod_that_is_being_deleted_does_not_count() -> None:
    going = pod(READY)
    going["metadata"]["deletionTimestamp"] = "2026-12-01T00:00:00Z"
    assert observed(deployment(updatedReplicas=1, replicas=1), [going]).phase == "starting"


def test_replicas_that_are_missing_are_counted() -> None:
    seen = observed(
        deployment(replicas=3, updatedReplicas=3, availableReplicas=2, replicas_=3), [pod(READY), pod(READY)]
    )
    assert seen.error is not None and "2 of 3 ready" in seen.error["message"]


def test_pods_that_cannot_be_made_are_told() -> None:
    why = {"type": "ReplicaFailure", "status": "True", "message": 'pods "x" is forbidden: exceeded quota: q'}
    seen = observed(deployment(conditions=[why]), [])
    assert seen.phase == "failed" and seen.error is not None
    assert seen.error["context"]["reported_code"] == "quota_exceeded"


@pytest.mark.parametrize(
    ("spec", "status", "expected"),
    [
        ({"type": "NodePort", "ports": [{"port": 80, "nodePort": 30001}]}, {},
         "http://10.0.0.1:30001/api/v1/service/svc"),
        ({"type": "LoadBalancer", "ports": [{"port": 80, "nodePort": 30001}]}, {},
         "http://10.0.0.1:30001/api/v1/service/svc"),
        ({"type": "LoadBalancer", "ports": [{"port": 80}]}, {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}},
         "http://1.2.3.4/api/v1/service/svc"),
        ({"type": "LoadBalancer", "ports": [{"port": 80}]}, {"loadBalancer": {"ingress": [{"hostname": "lb.example"}]}},
         "http://lb.example/api/v1/service/svc"),
        ({"type": "ClusterIP", "ports": [{"port": 80}]}, {}, "http://svc-1.ml.svc/api/v1/service/svc"),
    ],
)  # fmt: skip
def test_the_address_is_where_the_service_is_reached(
    spec: dict[str, Any], status: dict[str, Any], expected: str
) -> None:
    service = {"metadata": {"name": "svc-1", "namespace": "ml"}, "spec": spec, "status": status}
    found, how = address(service, name="svc", host="10.0.0.1", scheme="http")
    assert found == expected and how
