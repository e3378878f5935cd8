"""What a script imports is imported in its image before the service runs; the same for packages and profiles."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from deployment_rigs import WS
from environments import unfitting
from environments.unfitting import USES_APP
from rigs import score, wait_for
from test_docker_services import ACI, DockerDeployments, home  # noqa: F401 - a fixture

from sendoff.containers import images
from sendoff.packages.packages import Packages
from sendoff.profiling.profiles import Profiles
from sendoff.spec.environment import EnvironmentSpec, PythonSpec
from sendoff.spec.inference import InferenceSpec
from sendoff.spec.model import ManifestFile
from sendoff.spec.operation import FINAL
from sendoff.spec.package import CreatePackage, Package
from sendoff.spec.profile import CreateProfile
from sendoff.spec.service import UpdateService


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package index that a home asks before the one that has the scoring server's own packages."""
    with unfitting.serve(tmp_path / "index") as address:
        monkeypatch.setenv("SENDOFF_EXTRA_INDEX_URLS", address)
        yield


def inference(rig: DockerDeployments, script: bytes, *lines: str, as_of: str = "auto") -> InferenceSpec:
    packages = PythonSpec(conda_packages=["python=3.11"], pip_packages=list(lines), as_of=as_of)
    return rig.inference(script, environment=EnvironmentSpec(name="env", python=packages))


def packaged(rig: DockerDeployments, wanted: InferenceSpec) -> tuple[Package, str]:
    """A package at its end, and the name that it was to have."""
    name = f"sendoff-test-imports-{rig.home.parent.name.replace('_', '-')}-{os.getpid()}".lower()
    packages = Packages(rig.rooms, rig.operations)
    made = packages.create(WS, CreatePackage(inference=wanted, image_name=name, image_label="1"))
    wait_for(lambda: packages.get(WS, made.id).state in FINAL, 300)
    return packages.get(WS, made.id), f"{name}:1"


def test_an_image_with_packages_of_another_day_is_made_once_where_the_newest_do_not_go_together(
    index: None,
    home: DockerDeployments,  # noqa: F811
) -> None:
    operation = home.deploy(inference=inference(home, USES_APP, "tiny-app==1.0"), deployment=ACI)
    assert operation.state == "Succeeded", operation
    (said,) = [note for note in operation.notes if "cannot import name 'gone'" in note]
    assert "score.py, line 1: tiny_app 1.0 cannot be imported" in said
    assert "is the day whose packages are taken instead" in said
    assert score_of(home, "svc") == "as then"
    # The lock that works is kept, and what went well in its image is not tried again.
    operation = home.deploy("again", inference=inference(home, USES_APP, "tiny-app==1.0"), deployment=ACI)
    assert operation.state == "Succeeded", operation
    assert not any("cannot import" in note for note in operation.notes)
    image = next(step for step in operation.steps if step.name == "image")
    assert not any("importing" in line for line in image.log), image
    assert score_of(home, "again") == "as then"
    # A change of code alone makes no image; what it imports besides is tried in the one that is there.
    script = b"import tiny_gone\n" + USES_APP
    body = UpdateService(inference=inference(home, script, "tiny-app==1.0"))
    operation = home.wait(home.deployments.update(WS, "svc", body))
    assert operation.state == "Failed" and operation.error is not None, operation
    assert "score.py, line 1: the environment has no module 'tiny_gone'" in operation.error["message"]
    assert score_of(home, "svc") == "as then"


def score_of(rig: DockerDeployments, name: str) -> object:
    return score(type("At", (), {"base_url": str(rig.deployments.get(WS, name).scoring_uri).removesuffix("/score")})())


@pytest.mark.parametrize(
    ("script", "lines", "told"),
    [
        (USES_APP, ["tiny-app==1.0"], "score.py, line 1: tiny_app 1.0 cannot be imported"),
        (b"import tiny_crash\n" + USES_APP, ["tiny-crash"], "SIGSEGV"),
    ],
)
def test_what_cannot_be_imported_ends_the_deployment_before_the_service_starts(
    index: None,
    home: DockerDeployments,  # noqa: F811
    script: bytes,
    lines: list[str],
    told: str,
) -> None:
    operation = home.deploy(inference=inference(home, script, *lines, as_of="never"), deployment=ACI)
    assert operation.state == "Failed" and operation.error is not None, operation
    assert operation.error["code"] == "environment_failed"
    assert told in operation.error["message"]
    states = {step.name: step.state for step in operation.steps}
    assert (states["image"], states["start"]) == ("failed", "skipped")


def test_a_package_is_made_of_packages_that_go_together_or_says_which_do_not(
    index: None,
    home: DockerDeployments,  # noqa: F811
) -> None:
    never, name = packaged(home, inference(home, USES_APP, "tiny-app==1.0", as_of="never"))
    assert never.state == "Failed" and never.error is not None, never
    assert "score.py, line 1: tiny_app 1.0 cannot be imported" in never.error["message"]
    package, name = packaged(home, inference(home, USES_APP, "tiny-app==1.0"))
    try:
        assert package.state == "Succeeded", package
        assert any("is the day whose packages are taken instead" in note for note in package.operation.notes), (
            package.operation.notes
        )
    finally:
        images.remove(home.engine, name)


@pytest.mark.parametrize("target", ["process", "docker"])
def test_a_profile_measures_with_packages_that_go_together(
    index: None,
    home: DockerDeployments,  # noqa: F811
    target: str,
) -> None:
    digest, size = home.store.blobs.put_bytes(b"[1]")
    body = CreateProfile(
        name="first",
        inference=inference(home, USES_APP, "tiny-app==1.0"),
        bodies=[ManifestFile(path="1.json", digest=digest, size=size)],
        target=target,
    )
    profiles = Profiles(home.rooms, home.operations)
    profile = profiles.create(WS, body)
    wait_for(lambda: profiles.get(WS, profile.id).state in FINAL, 300)
    ended = profiles.get(WS, profile.id)
    assert ended.state == "Succeeded", ended
    assert any("is the day whose packages are taken instead" in note for note in ended.operation.notes), (
        ended.operation.notes
    )
