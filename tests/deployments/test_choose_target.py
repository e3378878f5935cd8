"""Where a service runs and what is said of it (settled.md, first table)."""

from __future__ import annotations

import pytest

from sendoff import AciWebservice, AksWebservice
from sendoff.deployments.choose_target import Choice, choose_target, unhonoured
from sendoff.errors import InvalidInput, NotSupported
from sendoff.spec.deployment import DeploymentSpec
from sendoff.spec.environment import DockerSpec, EnvironmentSpec, asked_image
from sendoff.targets import table
from sendoff.targets.base import Capabilities, Kind

STOPPED = "the Docker engine at /var/run/docker.sock is stopped"


def choose(
    problem: str = "", *, local: str | None = None, aci: str = "auto", image: str = "", **fields: object
) -> Choice:
    spec = DeploymentSpec(**fields)  # type: ignore[arg-type]
    return choose_target(
        spec, kinds=table.kinds(), local_target=local, aci_target=aci, problem=lambda name: problem, image=image
    )


@pytest.mark.parametrize(
    ("kind", "words"), [("ACI", "Container instance"), ("AKS", "no cluster is attached"), (None, "No deployment")]
)
def test_everything_but_local_runs_in_a_container_where_an_engine_answers(kind: str | None, words: str) -> None:
    chosen = choose(compute_type=kind)
    assert chosen.target == "docker"
    [why] = chosen.notes or chosen.details  # who named no kind is told where it runs when he asks for more
    assert bool(chosen.notes) is (kind is not None) and words in why and "Docker engine" in why
    without = choose(STOPPED, compute_type=kind)
    assert without.target == "process"
    [why] = without.notes or without.details
    assert words in why and STOPPED in why


def test_what_asks_for_a_container_is_not_run_without_one() -> None:
    asked = asked_image(EnvironmentSpec(name="e", docker=DockerSpec(base_image="ours/gpu:1")))
    with pytest.raises(NotSupported, match="the base image ours/gpu:1") as caught:
        choose(STOPPED, image=asked, compute_type="ACI")
    assert STOPPED in caught.value.message
    assert choose(image=asked, compute_type="ACI").target == "docker"
    assert choose(STOPPED, image=asked, aci="process", compute_type="ACI").target == "process"
    assert choose(STOPPED, image=asked, compute_type="LOCAL").target == "process"
    assert asked_image(EnvironmentSpec(name="e", docker=DockerSpec(base_image="mcr.microsoft.com/azureml/base"))) == ""
    assert "Dockerfile" in asked_image(EnvironmentSpec(name="e", docker=DockerSpec(base_dockerfile="FROM a")))


@pytest.mark.parametrize("local", ["process", "docker"])
def test_a_local_service_runs_where_the_setting_says(local: str) -> None:
    assert choose(STOPPED, local=local, compute_type="LOCAL") == Choice(local)


def test_without_a_setting_the_first_of_the_table_runs_local_services() -> None:
    assert choose(STOPPED, compute_type="LOCAL") == Choice(next(iter(table.kinds())))


@pytest.mark.parametrize(("setting", "asked"), [("local", "LOCAL"), ("aci", "ACI")])
def test_a_setting_that_names_no_target_is_told_with_the_nearest(setting: str, asked: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        choose(compute_type=asked, **{setting: "dokcer"})
    assert f"the setting {setting}_target" in caught.value.message and "'docker'" in caught.value.hint


def test_whatever_runs_containers_stands_in_for_a_container_service() -> None:
    kinds = {"plain": Kind("m", "C"), "boxes": Kind("m", "C", containers=True), "more": Kind("m", "C", containers=True)}
    away = {"boxes": "it is away", "more": ""}
    spec = DeploymentSpec(compute_type="ACI")
    chosen = choose_target(spec, kinds=kinds, local_target=None, aci_target="auto", problem=lambda name: away[name])
    assert chosen.target == "more"
    alone = choose_target(spec, kinds={"plain": kinds["plain"]}, local_target=None, aci_target="auto", problem=str)
    assert alone.target == "plain" and "as nothing here runs containers" in alone.notes[0]


def test_a_setting_decides_without_looking_for_an_engine() -> None:
    assert choose(aci="process", compute_type="ACI").target == "process"
    assert choose(STOPPED, aci="docker", compute_type="ACI").target == "docker"


@pytest.mark.parametrize("asked", [{"ssl_enabled": True}, {"token_auth_enabled": True}])
def test_tls_and_tokens_are_kept_in_containers_too(asked: dict[str, bool]) -> None:
    assert choose(compute_type="ACI", **asked).target == "docker"


def test_the_clusters_own_note_says_where_an_aks_service_runs() -> None:
    spec = DeploymentSpec(compute_type="AKS", compute_target_name="mine")
    note = "Cluster 'mine' was created here and no real cluster is behind it."
    chosen = choose_target(
        spec, kinds=table.kinds(), local_target=None, aci_target="process", problem=lambda name: "", cluster=note
    )
    assert chosen.notes[0].startswith("AKS: Cluster 'mine' was created here and no real cluster is behind it: ")


def test_parameters_that_nothing_here_has_a_use_for_are_named() -> None:
    able = Capabilities(name="process", artefact="interpreter", gateway="own")
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
