"""Environments of services in containers: conda channels, variables, the stack's version; what `gc` keeps of them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from deployment_rigs import WS
from docker_rig import BASE
from environments import conda_channels
from rigs import wait_for
from test_docker_services import ACI, DockerDeployments, home  # noqa: F401 - a fixture

from sendoff.containers import labels
from sendoff.packages.packages import Packages
from sendoff.spec.environment import DockerSpec, EnvironmentSpec, PythonSpec
from sendoff.spec.operation import FINAL
from sendoff.spec.package import CreatePackage, Package
from sendoff.spec.service import UpdateService

try:
    import rattler
except ImportError:
    if os.environ.get("CI") == "true":
        raise
    pytest.skip("py-rattler is not installed", allow_module_level=True)

MINOR = f"{sys.version_info[0]}.{sys.version_info[1]}"
CONDA = b"""\
import os
import subprocess
import sys

import acme


def init():
    pass


def run(data):
    return [acme.table(), subprocess.getoutput("acme-tool"), sys.prefix, os.environ["GREETING"]]
"""
TABLE = b"def table():\n    return open(__file__.split('/lib/')[0] + '/share/acme/table.csv').read()\n"
PLAIN = b"def init():\n    pass\n\n\ndef run(data):\n    return data\n"


@pytest.fixture(scope="module")
def channel(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A channel with Python, a package of code, and one of data and a tool that is bound to its place."""
    folder = tmp_path_factory.mktemp("channel")
    conda_channels.pack_python(folder, str(rattler.Subdir.current()))
    tool = b"#!" + conda_channels.PLACEHOLDER.encode() + b"/bin/python\nimport sys\nprint(sys.prefix)\n"
    files: dict[str, bytes | Path] = {"bin/acme-tool": tool, "share/acme/table.csv": b"1,2\n"}
    conda_channels.pack(folder, "acme-tool", "2.0", files, noarch="generic")
    conda_channels.pack(
        folder, "acme", "1.4", {"site-packages/acme.py": TABLE}, noarch="python", depends=["python", "acme-tool >=2"]
    )
    return str(conda_channels.index(folder))


@pytest.mark.slow
def test_a_service_of_conda_packages_runs_in_a_container_with_its_variables_and_changes_its_code_without_an_image(
    home: DockerDeployments,  # noqa: F811
    channel: str,
) -> None:
    spec = EnvironmentSpec(
        name="conda",
        python=PythonSpec(channels=[channel], conda_packages=[f"python={MINOR}", "acme"]),
        environment_variables={"GREETING": "grüß Gott = 'quoted'"},
        inferencing_stack_version="latest",
    )
    body = home.body(inference=home.inference(CONDA, environment=spec), deployment=ACI)
    operation = home.wait(home.deployments.deploy(WS, body), seconds=300.0)
    assert operation.state == "Succeeded", operation
    assert any("conda packages" in note and channel in note for note in operation.notes), operation.notes
    service = home.deployments.get(WS, "svc")
    place = "/opt/sendoff/environment"
    assert (service.state, service.target) == ("Healthy", "docker")
    assert home.score(service) == ["1,2\n", place, place, "grüß Gott = 'quoted'"]
    change = UpdateService(inference=home.inference(CONDA.replace(b"return [", b"return ['new', "), environment=spec))
    operation = home.wait(home.deployments.update(WS, "svc", change))
    assert operation.state == "Succeeded", operation
    assert "as before" in next(step.message for step in operation.steps if step.name == "image")
    assert home.score(home.deployments.get(WS, "svc"))[:2] == ["new", "1,2\n"]


def packaged(home: DockerDeployments, spec: EnvironmentSpec, name: str) -> Package:  # noqa: F811
    """An image that was packaged, at its end."""
    packages = Packages(home.rooms, home.operations)
    body = CreatePackage(inference=home.inference(PLAIN, environment=spec), image_name=name, image_label="1")
    made = packages.create(WS, body)
    wait_for(lambda: packages.get(WS, made.id).state in FINAL, 300)
    return packages.get(WS, made.id)


def test_gc_takes_a_deleted_service_s_layers_and_docker_steps_and_leaves_what_a_package_is_made_of(
    home: DockerDeployments,  # noqa: F811
) -> None:
    name = f"sendoff-test-gc-{home.home.parent.name.replace('_', '-')}-{os.getpid()}".lower()
    steps = DockerSpec(base_image=BASE, extra_steps="USER 0\nRUN echo mark > /mark\n")
    python = PythonSpec(conda_packages=["python=3.11"])
    # The base lacks this Python: a layer of it and one of its packages are the service's alone.
    stepped = EnvironmentSpec(name="steps", docker=steps, python=PythonSpec(conda_packages=["python=3.10"]))
    plain = EnvironmentSpec(name="plain", python=python)
    try:
        package = packaged(home, plain, name)
        assert package.state == "Succeeded" and package.result is not None, package
        body = home.body(inference=home.inference(PLAIN, environment=stepped), deployment=ACI)
        operation = home.wait(home.deployments.deploy(WS, body), seconds=300.0)
        assert operation.state == "Succeeded", operation
        base = f"sendoff/base:{labels.home_id(home.home)}-"
        assert [tag for tag in tags(home) if tag.startswith(base)]
        told = aged(home).collect(dry_run=True)
        assert (told.images, told.layers) == ([], [])
        assert home.wait(home.deployments.delete(WS, "svc")).state == "Succeeded"

        told = aged(home).collect(dry_run=True)
        assert [image for image in told.images if image.startswith(base)] == told.images != []
        kept = archives(home)
        assert told.layers != [] and told.bytes > 0
        done = home.garbage.collect()
        assert (done.images, done.layers) == (told.images, told.layers)
        assert not [tag for tag in tags(home) if tag.startswith("sendoff/")]
        left = archives(home)
        assert left and left < kept, "the package's layers stay, for the next build of it"
        assert f"{name}:1" in tags(home)

        # The package's image is the user's to remove; then its layers are nobody's.
        subprocess.run(["docker", "rmi", "-f", f"{name}:1"], check=True, capture_output=True)
        assert aged(home).collect().layers != []
        assert archives(home) == set()
        assert home.garbage.collect().bytes == 0
    finally:
        subprocess.run(["docker", "rmi", "-f", f"{name}:1"], check=False, capture_output=True)


def tags(home: DockerDeployments) -> set[str]:  # noqa: F811
    """Names of this home's images on the engine."""
    mark = {"label": [f"{labels.HOME}={labels.home_id(home.home)}"]}
    listed = home.engine.call("GET", "/images/json", query={"filters": mark})
    ours = {tag for one in listed for tag in one["RepoTags"] or []}
    everything = home.engine.call("GET", "/images/json")
    return ours | {tag for one in everything for tag in one["RepoTags"] or [] if tag.startswith("sendoff-test-gc-")}


def archives(home: DockerDeployments) -> set[str]:  # noqa: F811
    """What is kept of layers."""
    folder = home.home / "images"
    return {path.name for path in folder.rglob("*") if path.suffix == ".tar" or path.parent.name == "blobs"}


def aged(home: DockerDeployments):  # type: ignore[no-untyped-def] # noqa: F811
    """What collects garbage, two hours later."""
    then = time.time() - 7200
    for path in (home.home / "images").rglob("*"):
        os.utime(path, (then, then))
    return home.garbage
