from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendoff.errors import InvalidInput
from sendoff.spec.data_collection import DataCollection
from sendoff.spec.deployment import AutoScaler, DeploymentSpec, LivenessProbe, check
from sendoff.spec.deployment_files import load_deployment, parse_deployment


def _parse(**data: Any) -> DeploymentSpec:
    return parse_deployment(data, where="dc.json")


@pytest.mark.parametrize("text", ["local", "LOCAL", "Local"])
def test_a_local_configuration_in_any_case(text: str) -> None:
    assert _parse(computeType=text, port=32267) == DeploymentSpec(compute_type="LOCAL", port=32267)


def test_a_container_instance_configuration(tmp_path: Path) -> None:
    path = tmp_path / "dc.yml"
    path.write_text(
        "computeType: ACI\ncontainerResourceRequirements:\n  cpu: 0.5\n  memoryInGB: 1.0\n"
        "authEnabled: True\nsslEnabled: false\nenableAppInsights: 'True'\nlocation:\ndnsNameLabel: name\n"
    )
    assert load_deployment(path) == DeploymentSpec(
        compute_type="ACI",
        cpu_cores=0.5,
        memory_gb=1.0,
        auth_enabled=True,
        ssl_enabled=False,
        enable_app_insights=True,
        dns_name_label="name",
    )


def test_every_key_of_a_cluster_s_configuration() -> None:
    found = _parse(
        computeType="aks",
        ComputeTarget="cluster",
        autoScaler={
            "autoscaleEnabled": True,
            "minReplicas": 1,
            "maxReplicas": 3,
            "refreshPeriodInSeconds": 2,
            "targetUtilization": 60,
        },
        dataCollection={"storageEnabled": True},
        authEnabled=True,
        containerResourceRequirements={"cpu": "0.5", "memoryInGB": 1, "cpuLimit": 1, "memoryInGBLimit": 2, "gpu": 1},
        appInsightsEnabled="false",
        scoringTimeoutMs=5000,
        maxConcurrentRequestsPerContainer=2,
        maxQueueWaitMs="1000",
        keys={"primaryKey": "one", "secondaryKey": "two"},
        livenessProbeRequirements={
            "periodSeconds": 1,
            "initialDelaySeconds": 2,
            "timeoutSeconds": 3,
            "successThreshold": 4,
            "failureThreshold": 5,
        },
        namespace="name-space",
    )
    assert found == DeploymentSpec(
        compute_type="AKS",
        compute_target_name="cluster",
        autoscaler=AutoScaler(
            autoscale_enabled=True, min_replicas=1, max_replicas=3, refresh_seconds=2, target_utilization=60
        ),
        collect_model_data=True,
        auth_enabled=True,
        cpu_cores=0.5,
        memory_gb=1.0,
        cpu_cores_limit=1.0,
        memory_gb_limit=2.0,
        gpu_cores=1,
        enable_app_insights=False,
        scoring_timeout_ms=5000,
        replica_max_concurrent_requests=2,
        max_request_wait_time=1000,
        primary_key="one",
        secondary_key="two",
        liveness_probe=LivenessProbe(
            period_seconds=1, initial_delay_seconds=2, timeout_seconds=3, success_threshold=4, failure_threshold=5
        ),
        namespace="name-space",
    )


def test_keys_are_read_in_any_case() -> None:
    found = _parse(COMPUTETYPE="aci", ContainerResourceRequirements={"CPU": 1, "memoryInGb": 2}, authenabled=True)
    assert (found.cpu_cores, found.memory_gb, found.auth_enabled) == (1.0, 2.0, True)


@pytest.mark.parametrize(
    ("data", "field", "hint"),
    [
        ({"computeType": "local", "prot": 1}, "prot", "'port'"),
        ({"computeType": "aci", "autoScaler": {}}, "autoScaler", "aks"),
        ({"computeType": "local", "zzz": 1}, "zzz", "Known keys"),
        ({"computeType": "aks", "autoScaler": {"minReplica": 1}}, "autoScaler.minReplica", "'minReplicas'"),
        ({"computeType": "vm"}, "computeType", "local"),
        ({}, "computeType", "local"),
        ({"computeType": "local", "port": "many"}, "port", ""),
        ({"computeType": "local", "port": 1.5}, "port", ""),
        ({"computeType": "local", "port": True}, "port", ""),
        ({"computeType": "aci", "authEnabled": "perhaps"}, "authEnabled", ""),
        ({"computeType": "aci", "containerResourceRequirements": 5}, "containerResourceRequirements", ""),
        (
            {"computeType": "aci", "containerResourceRequirements": {"cpu": "nan"}},
            "containerResourceRequirements.cpu",
            "",
        ),
        ({"computeType": "aci", "appInsightsEnabled": True, "enableAppInsights": False}, "enableAppInsights", ""),
    ],
)
def test_what_is_wrong_is_named(data: dict[str, Any], field: str, hint: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_deployment(data, where="dc.json")
    assert "dc.json" in caught.value.message
    assert caught.value.context["field"] == field
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        (DeploymentSpec(port=0), "port"),
        (DeploymentSpec(port=65_536), "port"),
        (DeploymentSpec(workers=0), "workers"),
        (DeploymentSpec(compute_type="aci"), "compute_type"),
        (DeploymentSpec(cpu_cores=0), "cpu_cores"),
        (DeploymentSpec(memory_gb=-1), "memory_gb"),
        (DeploymentSpec(cpu_cores=2, cpu_cores_limit=1), "cpu_cores_limit"),
        (DeploymentSpec(gpu_cores=-1), "gpu_cores"),
        (DeploymentSpec(scoring_timeout_ms=0), "scoring_timeout_ms"),
        (DeploymentSpec(autoscaler=AutoScaler(target_utilization=101)), "autoscaler.target_utilization"),
        (DeploymentSpec(autoscaler=AutoScaler(min_replicas=5, max_replicas=2)), "autoscaler.max_replicas"),
        (DeploymentSpec(autoscaler=AutoScaler(autoscale_enabled=True), num_replicas=2), "num_replicas"),
        (DeploymentSpec(liveness_probe=LivenessProbe(period_seconds=0)), "liveness_probe.period_seconds"),
        (DeploymentSpec(auth_enabled=True, token_auth_enabled=True), "token_auth_enabled"),
        (DeploymentSpec(ssl_cert_pem_file="c.pem"), "ssl_cert_pem_file"),
        (DeploymentSpec(namespace="-x"), "namespace"),
    ],
)
def test_values_have_ranges(spec: DeploymentSpec, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check(spec, where="request body")
    assert caught.value.context["field"] == field


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    ["computeType", "port", "authEnabled", "containerResourceRequirements", "autoScaler", "keys", "tags", "cname", "x"]
)


@given(st.dictionaries(KEYS, JSON, max_size=4) | JSON, st.sampled_from(["local", "aci", "aks"]))
def test_any_content_is_a_spec_or_a_clear_error(data: Any, kind: str) -> None:
    if isinstance(data, dict):
        data = {**data, "computeType": kind}
    try:
        parse_deployment(data, where="dc.json")
    except InvalidInput as error:
        assert error.message.startswith("dc.json")


def test_a_broken_file_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "dc.json"
    path.write_text('{"computeType": "local",\n "port": }')
    with pytest.raises(InvalidInput, match="line 2"):
        load_deployment(path)
    path.write_text(json.dumps(["local"]))
    with pytest.raises(InvalidInput, match="mapping"):
        load_deployment(path)


@pytest.mark.parametrize("kind", ["local", "aci", "aks"])
def test_data_collection_is_read_for_every_kind_of_service(kind: str):
    switch = parse_deployment({"computeType": kind, "collectModelData": True}, where="f")
    assert (switch.collect_model_data, switch.data_collection) == (True, None)
    settings = {"capture": "on", "sample": 0.5, "redact": ["ssn", "$.data[*].card"], "maxBodyBytes": 100}
    found = parse_deployment({"computeType": kind, "dataCollection": settings}, where="f")
    assert found.collect_model_data is True  # who says how wants it
    assert found.data_collection == DataCollection(
        capture="on", sample=0.5, redact=["ssn", "$.data[*].card"], max_body_bytes=100
    )
    off = parse_deployment({"computeType": kind, "dataCollection": {"storageEnabled": False, "sample": 1}}, where="f")
    assert off.collect_model_data is False
    for wrong, field in (({"sample": 0}, "sample"), ({"redact": ["$["]}, "redact"), ({"capture": "maybe"}, "capture")):
        with pytest.raises(InvalidInput, match=rf"f: data_collection\.{field} "):
            parse_deployment({"computeType": kind, "dataCollection": wrong}, where="f")
