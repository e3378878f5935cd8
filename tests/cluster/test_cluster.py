"""The cluster that other tests rely on: what it lets through, what it refuses, and that it is one for all."""

from __future__ import annotations

import os
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import cluster_rig
import pytest
from cluster_rig import HERE, TestCluster
from container_engine import base_image

READ_PODS = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}
PLAIN = {
    "allowPrivilegeEscalation": False,
    "runAsNonRoot": True,
    "runAsUser": 10001,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


def pod(image: str, name: str = "web", **security: Any) -> dict[str, Any]:
    """A pod that serves the files of an empty folder."""
    command = ["python3", "-m", "http.server", "8000", "--directory", "/srv"]
    container = {"name": "main", "image": image, "command": command, "securityContext": {**PLAIN, **security}}
    container["readinessProbe"] = {"tcpSocket": {"port": 8000}, "periodSeconds": 1}
    spec = {"containers": [container], "terminationGracePeriodSeconds": 1}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": spec}


def status(address: str) -> int:
    """Of an answer; 0 where nobody answers."""
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def test_a_pod_is_pulled_by_digest_answers_on_its_node_port_and_is_gone_with_the_namespace(
    cluster: TestCluster, tmp_path: Path
) -> None:
    image = cluster_rig.push_image(base_image())
    assert image.startswith(f"{cluster.registry}/") and "@sha256:" in image
    with cluster_rig.space(tmp_path) as space:
        port = {"port": 80, "targetPort": 8000}
        service = {"type": "NodePort", "selector": {"app": "web"}, "ports": [port]}
        front = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": service}
        cluster_rig.apply(pod(image), front, namespace=space.namespace)
        cluster_rig.kubectl("-n", space.namespace, "wait", "pod/web", "--for", "condition=Ready", "--timeout", "120s")
        (made,) = cluster_rig.listed(space.namespace, "services")
        address = f"http://{cluster.host}:{made['spec']['ports'][0]['nodePort']}/"
        # The node's rules follow the pod's readiness.
        assert any(status(address) == 200 for _ in cluster_rig.tries())
        (ran,) = cluster_rig.listed(space.namespace, "pods")
        assert ran["status"]["containerStatuses"][0]["imageID"].endswith(image.partition("@")[2])
    cluster_rig.kubectl("wait", f"namespace/{space.namespace}", "--for", "delete", "--timeout", "120s")
    assert cluster_rig.listed(space.namespace, "pods,services,secrets,configmaps") == []
    assert status(address) == 0


def test_a_pod_that_wants_root_is_refused(cluster: TestCluster, tmp_path: Path) -> None:
    with cluster_rig.space(tmp_path) as space:
        # Never run: whether there is such an image is not asked.
        wants = pod("sendoff.test/none:1", runAsNonRoot=False, runAsUser=0)
        refused = cluster_rig.applied(wants, namespace=space.namespace)
        assert refused.returncode != 0
        assert "violates PodSecurity" in refused.stderr and "runAsNonRoot != true" in refused.stderr
        assert cluster_rig.listed(space.namespace, "pods") == []


def test_an_account_may_do_what_its_role_says_in_its_namespace_alone(cluster: TestCluster, tmp_path: Path) -> None:
    with cluster_rig.space(tmp_path, rules=[READ_PODS]) as space:
        may = cluster_rig.asked("get", "pods", kubeconfig=space.kubeconfig)
        assert (may.returncode, may.stdout) == (0, ""), may.stderr
        for words in (["get", "secrets"], ["-n", "kube-system", "get", "pods"], ["delete", "pod", "web"]):
            refused = cluster_rig.asked(*words, kubeconfig=space.kubeconfig)
            assert refused.returncode != 0 and "Forbidden" in refused.stderr, refused


def test_a_second_start_changes_nothing(cluster: TestCluster) -> None:
    if os.environ.get("SENDOFF_TEST_KUBECONFIG"):
        pytest.skip("SENDOFF_TEST_KUBECONFIG names the cluster: it is not ours to start")
    pids = cluster.kubeconfig.parents[1] / "pids"
    before = pids.read_bytes()
    done = subprocess.run([HERE / "up"], capture_output=True, text=True, check=True)
    assert "runs already" in done.stdout and str(cluster.kubeconfig) in done.stdout
    assert pids.read_bytes() == before


def test_a_look_at_a_machine_without_a_cluster_leaves_no_trace(tmp_path: Path) -> None:
    home = tmp_path / "cluster"
    environment = {**os.environ, "CLUSTER_HOME": str(home), "SENDOFF_TEST_CACHE": str(home)}
    assert subprocess.run([HERE / "up", "--check"], env=environment, capture_output=True, check=False).returncode == 1
    assert subprocess.run([HERE / "down"], env=environment, capture_output=True, check=False).returncode == 0
    assert not home.exists()


def test_another_cluster_is_taken_where_the_environment_names_one_with_its_registry(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SENDOFF_TEST_KUBECONFIG", str(tmp_path / "config"))
    monkeypatch.delenv("SENDOFF_TEST_REGISTRY", raising=False)
    assert "SENDOFF_TEST_REGISTRY has to name" in str(cluster_rig.found.__wrapped__())
    monkeypatch.setenv("SENDOFF_TEST_REGISTRY", "registry.test:5000")
    nodes = '{"items": [{"status": {"addresses": [{"type": "InternalIP", "address": "10.1.2.3"}]}}]}'
    program = tmp_path / "kubectl"
    program.write_text(f"#!/bin/sh\necho '{nodes}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    other = cluster_rig.found.__wrapped__()
    assert other == TestCluster(tmp_path / "config", str(program), "registry.test:5000", "10.1.2.3")
