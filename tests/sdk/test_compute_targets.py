"""Compute targets: made and attached by scripts, found again, and told from real clusters."""

from __future__ import annotations

import pytest

from sendoff.sdk.compute.aks import AksCompute
from sendoff.sdk.compute.amlcompute import AmlCompute
from sendoff.sdk.compute.kubernetes import KubernetesCompute
from sendoff.sdk.compute.target import ComputeTarget
from sendoff.sdk.exceptions import ComputeTargetException
from sendoff.sdk.workspace import Workspace


@pytest.fixture
def ws(tmp_path, monkeypatch):
    monkeypatch.setenv("SENDOFF_HOME", str(tmp_path / "home"))
    return Workspace.create("tests", exist_ok=True)


def test_the_usual_opening_of_a_notebook(ws, capsys):
    try:
        target = ComputeTarget(workspace=ws, name="my-aks")
    except ComputeTargetException as error:
        assert "ComputeTargetNotFound" in error.message
        target = ComputeTarget.create(ws, "my-aks", AksCompute.provisioning_configuration(agent_count=3))
        target.wait_for_completion(show_output=True)
    assert (target.provisioning_state, target.provisioning_errors) == ("Succeeded", None)
    assert "no real cluster is behind it" in capsys.readouterr().out
    again = ComputeTarget(workspace=ws, name="my-aks")
    assert type(again) is AksCompute
    assert again.agent_count == 3
    assert type(AksCompute(ws, "my-aks")) is AksCompute
    assert list(ws.compute_targets) == ["my-aks"]


def test_created_twice_is_the_same_one_and_another_kind_is_refused(ws):
    ComputeTarget.create(ws, "cpu-cluster", AmlCompute.provisioning_configuration("STANDARD_D2_V2", max_nodes=4))
    again = ComputeTarget.create(ws, "cpu-cluster", AmlCompute.provisioning_configuration("STANDARD_D2_V2"))
    assert isinstance(again, AmlCompute)
    assert again.get_status().serialize()["scaleSettings"]["maxNodeCount"] == 4
    with pytest.raises(ComputeTargetException, match="exists already, of type AmlCompute"):
        ComputeTarget.create(ws, "cpu-cluster", AksCompute.provisioning_configuration())
    with pytest.raises(ComputeTargetException, match="is a AmlCompute, not a AksCompute"):
        AksCompute(ws, "cpu-cluster")


def test_attached_clusters_name_what_they_stand_for(ws):
    id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/real"
    attached = ComputeTarget.attach(ws, "prod", AksCompute.attach_configuration(resource_id=id))
    assert (attached.is_attached, attached.cluster_resource_id) == (True, id)
    assert "no context is called 'real'" in attached.note and "computetarget attach" in attached.note
    assert isinstance(
        ComputeTarget.attach(ws, "kube", KubernetesCompute.attach_configuration(id, namespace="n")), KubernetesCompute
    )
    attached.detach()
    assert list(ws.compute_targets) == ["kube"]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: AksCompute.provisioning_configuration(ssl_cname="x"), "go together"),
        (lambda: AksCompute.provisioning_configuration(vnet_name="x"), "go together"),
        (lambda: AksCompute.attach_configuration(resource_group="g"), "go together"),
        (lambda: AksCompute.attach_configuration(resource_id="nonsense"), "no full resource id"),
        (lambda: AksCompute.attach_configuration("g", "c", "/subscriptions/s"), "not both"),
        (lambda: AmlCompute.provisioning_configuration("x", min_nodes=3, max_nodes=1), "more than max_nodes"),
    ],
)
def test_what_does_not_go_together_is_named(make, words):
    with pytest.raises(ComputeTargetException, match=words):
        make()


def test_a_name_that_is_none_keeps_nothing(ws):
    with pytest.raises(ComputeTargetException, match="2 to 24 letters"):
        ComputeTarget.create(ws, "1_bad name", AksCompute.provisioning_configuration())
    with pytest.raises(ComputeTargetException, match="no configuration of a compute target"):
        ComputeTarget.create(ws, "good", object())
    assert ws.compute_targets == {}
