"""Where a service runs and what is said of it (settled.md, first table)."""

from __future__ import annotations

import pytest

from sendoff.deployments.choose_target import Choice, choose_target, unhonoured
from sendoff.sdk.services.webservice import AciWebservice, AksWebservice
from sendoff.spec.deployment import DeploymentSpec
from sendoff.targets.base import Capabilities

STOPPED = "the Docker engine at /var/run/docker.sock is stopped"


def choose(problem: str = "", *, local: str = "process", aci: str = "auto", **fields: object) -> Choice:
    spec = DeploymentSpec(**fields)  # type: ignore[arg-type]
    return choose_target(spec, local_target=local, aci_target=aci, docker_problem=lambda: problem)


@pytest.mark.parametrize(
    ("kind", "words"), [("ACI", "Container instance"), ("AKS", "no cluster is attached"), (None, "No deployment")]
)
def test_everything_but_local_runs_in_a_container_where_an_engine_answers(kind: str | None, words: str) -> None:
    chosen = choose(compute_type=kind)
    assert chosen.target == "docker"
    assert words in chosen.notes[0] and "Docker engine" in chosen.notes[0]
    without = choose(STOPPED, compute_type=kind)
    assert without.target == "process"
    assert words in without.notes[0] and STOPPED in without.notes[0]


@pytest.mark.parametrize("local", ["process", "docker"])
def test_a_local_service_runs_where_the_setting_says(local: str) -> None:
    assert choose(STOPPED, local=local, compute_type="LOCAL") == Choice(local)


def test_a_setting_decides_without_looking_for_an_engine() -> None:
    assert choose(aci="process", compute_type="ACI").target == "process"
    assert choose(STOPPED, aci="docker", compute_type="ACI").target == "docker"


@pytest.mark.parametrize("asked", [{"ssl_enabled": True}, {"token_auth_enabled": True}])
def test_tls_and_tokens_are_kept_in_containers_too(asked: dict[str, bool]) -> None:
    assert choose(compute_type="ACI", **asked).target == "docker"


def test_the_clusters_own_note_says_where_an_aks_service_runs() -> None:
    spec = DeploymentSpec(compute_type="AKS", compute_target_name="mine")
    note = "Cluster 'mine' was created here and no real cluster is behind it."
    chosen = choose_target(spec, local_target="process", aci_target="process", docker_problem=lambda: "", cluster=note)
    assert chosen.notes[0].startswith("AKS: Cluster 'mine' was created here and no real cluster is behind it: ")


def test_parameters_that_nothing_here_has_a_use_for_are_named() -> None:
    able = Capabilities(name="process")
    config = AciWebservice.deploy_configuration(
        cmk_vault_base_url="https://vault", cmk_key_name="k", cmk_key_version="1"
    )
    assert unhonoured(config._spec(), able)[0].startswith(
        "Ignored: cmk_vault_base_url, cmk_key_name, cmk_key_version ("
    )
    scaled = AksWebservice.deploy_configuration(blobfuse_enabled=True)
    assert "Ignored: blobfuse_enabled (" in unhonoured(scaled._spec(), able)[0]
    plain = AciWebservice.deploy_configuration()
    assert unhonoured(plain._spec(), able) == []
