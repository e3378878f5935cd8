"""Which base image an environment means, and which registry it comes from."""

from pathlib import Path

import pytest

import sendoff
from sendoff.packaging.base_choice import base_registry
from sendoff.spec.environment import DockerSpec, EnvironmentSpec
from sendoff.spec.settings import Settings


@pytest.mark.parametrize(
    ("docker", "registry"),
    [
        (DockerSpec(), "own.test:5000"),
        (DockerSpec(base_image="python:3.11-slim"), "docker.io"),
        (DockerSpec(base_image="team/python:3.11"), "docker.io"),
        (DockerSpec(base_image="team/python:3.11", base_image_registry={"address": "https://a.test/"}), "a.test"),
        (DockerSpec(base_image="localhost/x@sha256:" + "0" * 64), "localhost"),
        (DockerSpec(base_image="mcr.microsoft.com/azureml/base:1"), "own.test:5000"),
        (DockerSpec(base_dockerfile="FROM b.test/x:1\nRUN true\n"), "b.test"),
        (DockerSpec(base_dockerfile="FROM b.test/x AS One\nFROM c.test/y\nCOPY --from=one /a /a\n"), "c.test"),
        (DockerSpec(base_dockerfile="from --platform=linux/arm b.test/x as one\nFROM y AS two\nFROM ONE\n"), "b.test"),
        (DockerSpec(base_dockerfile="FROM b.test/x AS one\nFROM scratch\nCOPY --from=one / /\n"), None),
    ],
)  # fmt: skip
def test_the_registry_is_that_of_the_image_that_is_built_upon(docker, registry):
    settings = Settings(base_image="own.test:5000/base:1")
    assert base_registry(EnvironmentSpec(name="e", docker=docker), settings) == registry


@pytest.mark.slow
def test_of_a_folder_the_registry_of_its_base_image_is_told(work, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    ws = sendoff.Workspace.create("default", exist_ok=True, show_output=False)
    environment = sendoff.Environment.from_conda_specification("e", "environment.yml")
    environment.docker.base_image = "team/python:3.11"
    environment.docker.base_image_registry.address = "registry.corp.test:5000"
    config = sendoff.InferenceConfig("score.py", source_directory="src", environment=environment)
    folder = sendoff.Model.package(ws, [sendoff.Model(ws, "m")], config, generate_dockerfile=True)
    folder.wait_for_creation()
    found = folder.get_container_registry()
    assert (found.address, found.username, found.password) == ("registry.corp.test:5000", None, None)
    folder.save("out")
    assert "FROM registry.corp.test:5000/team/python:3.11 AS sendoff-base" in Path("out/Dockerfile").read_text()
