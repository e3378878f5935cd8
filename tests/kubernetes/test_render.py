"""A service as Kubernetes objects: strict schemas, what each option writes, the same bytes twice, no secret outside."""

from __future__ import annotations

import json
from typing import Any

import kubernetes_validate
import pytest

from sendoff.errors import NotSupported
from sendoff.spec.access import Access, Pem
from sendoff.spec.deployment import AutoScaler, LivenessProbe
from sendoff.spec.kubernetes import KubernetesOptions
from sendoff.spec.parse import replace
from sendoff.targets.base import Artefact, Limits, Resources, Wanted
from sendoff.targets.kubernetes.render import access_of, object_name, render
from sendoff.targets.kubernetes.scaling import signal_of

HOME = "0123456789abcdef"
PLAIN = Wanted(
    uid="diabetes-3f9a1c2e0000",
    name="diabetes",
    workspace="ws",
    revision=7,
    bundle="b" * 64,
    artefact=Artefact(
        kind="pushed_image", reference="registry.example/ml/d@sha256:" + "0" * 64, python="/p/bin/python"
    ),
    access=Access(document={"keys": ["salted"]}, made=4),
)
TLS = Access(
    document={"tls": "tls-1"}, made=5, certificates={"tls-1": Pem(certificate="CERT", key="KEY")}, certificate="tls-1"
)
EVERY = KubernetesOptions(
    node_selector={"disk": "ssd"},
    tolerations=[{"key": "gpu", "operator": "Exists"}],
    labels={"team": "ml"},
    annotations={"note": "x"},
    service_account="mine",
    pull_secrets=["pull"],
    priority_class="high",
    runtime_class="gvisor",
    data_claim="data",
    gpu_resource="amd.com/gpu",
    run_as="platform",
    update_strategy="replace",
    network_policy=True,
    expose="loadbalancer",
    service_annotations={"lb": "internal"},
    linger_seconds=0,
)
FULL = replace(
    PLAIN,
    access=TLS,
    telemetry={"endpoint": "http://collector.example"},
    collects=True,
    data_scope="s/g/w/d",
    replicas=3,
    limits=Limits(memory_mb=1024),
    resources=Resources(cpus=0.25, cpus_limit=1.5, memory_mb=768, gpus=2),
    probe=LivenessProbe(period_seconds=7, timeout_seconds=3, failure_threshold=9, initial_delay_seconds=40),
    options=EVERY,
    deadline_seconds=30,
)


def by_kind(wanted: Wanted) -> dict[str, dict[str, Any]]:
    return {made["kind"]: made for made in render(wanted, home=HOME)}


def pod(wanted: Wanted) -> dict[str, Any]:
    found: dict[str, Any] = by_kind(wanted)["Deployment"]["spec"]["template"]["spec"]
    return found


@pytest.mark.parametrize("version", ["1.34", "1.35", "1.36", "1.37"])
@pytest.mark.parametrize("wanted", [PLAIN, FULL], ids=["plain", "full"])
def test_every_object_keeps_the_strict_schema_of_each_supported_version(wanted: Wanted, version: str) -> None:
    for made in render(wanted, home=HOME):
        kubernetes_validate.validate(made, version, strict=True)


def test_what_is_made_of_a_plain_service() -> None:
    name = object_name("diabetes", home=HOME, workspace="ws", uid=PLAIN.uid)
    made = [(one["kind"], one["metadata"]["name"]) for one in render(PLAIN, home=HOME)]
    assert made == [
        ("ServiceAccount", name), ("Secret", f"{name}-access"), ("Service", name), ("Service", f"{name}-pods"),
        ("Deployment", name),
    ]  # fmt: skip
    spec = pod(PLAIN)
    server = spec["containers"][0]
    assert server["image"] == PLAIN.artefact.reference  # type: ignore[union-attr]
    assert server["resources"] == {"requests": {"cpu": "100m", "memory": "512Mi"}}
    assert spec["terminationGracePeriodSeconds"] == 15 + 60 + 5
    assert server["startupProbe"]["failureThreshold"] * server["startupProbe"]["periodSeconds"] == 310
    assert server["lifecycle"] == {"preStop": {"sleep": {"seconds": 15}}}
    assert spec["automountServiceAccountToken"] is False
    assert "replicas" in by_kind(PLAIN)["Deployment"]["spec"]


def test_what_each_option_writes() -> None:
    objects = by_kind(FULL)
    assert {"ServiceAccount"}.isdisjoint(objects) and {"PodDisruptionBudget", "NetworkPolicy"} <= set(objects)
    deployment, spec = objects["Deployment"], pod(FULL)
    server = spec["containers"][0]
    assert deployment["spec"]["replicas"] == 3
    assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
    assert deployment["metadata"]["labels"]["team"] == "ml"
    assert (spec["nodeSelector"], spec["priorityClassName"], spec["runtimeClassName"]) == (
        {"disk": "ssd"},
        "high",
        "gvisor",
    )
    assert spec["imagePullSecrets"] == [{"name": "pull"}] and spec["serviceAccountName"] == "mine"
    assert [one["key"] for one in spec["tolerations"]] == ["gpu", "amd.com/gpu"]
    assert not {"runAsUser", "fsGroup"} & set(spec["securityContext"])
    assert server["resources"] == {
        "requests": {"cpu": "250m", "memory": "768Mi"},
        "limits": {"cpu": "1500m", "memory": "1024Mi", "amd.com/gpu": "2"},
    }
    assert server["livenessProbe"]["failureThreshold"] == 9 and server["livenessProbe"]["periodSeconds"] == 7
    assert {server[f"{kind}Probe"]["httpGet"]["scheme"] for kind in ("startup", "readiness", "liveness")} == {"HTTPS"}
    assert {"name": "data", "persistentVolumeClaim": {"claimName": "data"}} in spec["volumes"]
    assert spec["terminationGracePeriodSeconds"] == 35 and server["lifecycle"] == {}
    services = [one for one in render(FULL, home=HOME) if one["kind"] == "Service"]
    assert [one["spec"]["type"] for one in services] == ["LoadBalancer", "ClusterIP"]
    assert services[0]["metadata"]["annotations"]["lb"] == "internal"


def test_two_renders_are_equal_and_secrets_are_in_secrets_alone() -> None:
    once, twice = (json.dumps(render(FULL, home=HOME)) for _ in range(2))
    assert once == twice
    outside = json.dumps([one for one in render(FULL, home=HOME) if one["kind"] != "Secret"])
    assert "KEY" not in outside and "CERT" not in outside
    secret = access_of(FULL, home=HOME)
    assert secret is not None
    assert sorted(secret["data"]) == ["auth.json", "telemetry.json", "tls-1.crt", "tls-1.key"]


def test_the_selector_does_not_change_with_the_revision_and_the_name_is_no_other_service_s() -> None:
    for made in (PLAIN, replace(PLAIN, revision=8, options=EVERY)):
        assert list(by_kind(made)["Deployment"]["spec"]["selector"]["matchLabels"]) == ["app.kubernetes.io/instance"]
    names = {
        object_name("svc", home=home, workspace=workspace, uid=uid)
        for home in ("a", "b") for workspace in ("v", "w") for uid in ("x", "y")
    }  # fmt: skip
    assert len(names) == 8 and all(len(name) < 64 for name in names)


def test_what_a_cluster_cannot_keep_is_refused() -> None:
    with pytest.raises(NotSupported, match="claim"):
        render(replace(FULL, options=replace(EVERY, data_claim=None)), home=HOME)
    guarded = replace(PLAIN, access=Access(document={"open": ["docs"]}, made=1))
    with pytest.raises(NotSupported, match="health cannot be protected"):
        render(guarded, home=HOME)


SCALED = replace(
    PLAIN, autoscaler=AutoScaler(autoscale_enabled=True, min_replicas=2, max_replicas=5), workers=4,
    resources=Resources(cpus=0.5),
)  # fmt: skip


@pytest.mark.parametrize("signal", ["keda", "external", "cpu"])
def test_a_service_that_scales_names_no_replicas_and_what_it_scales_by(signal: Any) -> None:
    *_, deployment, budget, scaler = render(SCALED, home=HOME, namespace="ml", signal=signal)
    assert "replicas" not in deployment["spec"] and budget["kind"] == "PodDisruptionBudget"
    spec = scaler["spec"]
    assert spec["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    if signal == "keda":
        trigger = spec["triggers"][0]["metadata"]
        assert trigger["targetValue"] == "2.8" and trigger["aggregationType"] == "sum"
        assert trigger["url"].startswith(f"http://{deployment['metadata']['name']}-pods.ml.svc")
        return
    kubernetes_validate.validate(scaler, "1.37", strict=True)
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 5)
    if signal == "external":
        assert spec["metrics"][0]["external"]["target"] == {"type": "AverageValue", "averageValue": "2800m"}


@pytest.mark.parametrize(
    ("chosen", "groups", "cpus", "told"),
    [
        (None, set(), 1.0, "no source of metrics"),
        (None, {"metrics.k8s.io"}, 1.0, "metrics-server alone"),
        ("cpu", set(), 1.0, "no metrics-server"),
        ("cpu", {"metrics.k8s.io"}, None, "cpu_cores is not given"),
        ("cpu", {"metrics.k8s.io", "keda.sh"}, 1.0, "=cpu"),
        (None, {"external.metrics.k8s.io", "keda.sh"}, None, "=keda"),
        (None, {"external.metrics.k8s.io"}, None, "=external"),
    ],
)
def test_what_a_cluster_scales_by(chosen: str | None, groups: set[str], cpus: float | None, told: str) -> None:
    options = KubernetesOptions(autoscale_signal=chosen)
    if told.startswith("="):
        assert signal_of(options, groups, cpus=cpus) == told[1:]
        return
    with pytest.raises(NotSupported, match=told) as caught:
        signal_of(options, groups, cpus=cpus)
    assert caught.value.hint


def test_the_service_s_options_stand_over_the_cluster_s() -> None:
    cluster = KubernetesOptions(labels={"a": "1", "b": "1"}, pull_secrets=["p"], expose="clusterip", run_as="platform")
    found = KubernetesOptions(labels={"b": "2"}, expose="nodeport").over(cluster)
    assert found.labels == {"a": "1", "b": "2"}
    assert (found.expose, found.pull_secrets, found.run_as) == ("nodeport", ["p"], "platform")
