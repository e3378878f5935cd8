"""Where a service runs and what is said of it (settled.md, first table)."""

from __future__ import annotations

import pytest

from sendoff.deployments.choose_target import Choice, choose_target
from sendoff.spec.deployment import DeploymentSpec

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
