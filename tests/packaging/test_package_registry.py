"""A package from the shell and from Python, by way of a registry, to the article's client (issue D 1, 3)."""

import json
import os
import re
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest
from image_rig import CONDA_311, network
from registry_rig import SECRET, USER, certificate, htpasswd
from registry_rig import registry as running_registry
from stored_text import files_with

import sendoff
from sendoff.cli.__main__ import run
from sendoff.containers.registries import Logins
from sendoff.containers.registry_client import RegistryClient
from sendoff.environments.indexes import Indexes
from sendoff.sdk.exceptions import AuthenticationException

SUMS = """
def init():
    pass
def run(data):
    import json
    return [sum(row) for row in json.loads(data)["data"]]
"""
CLIENT = """
import requests
import json
scoring_uri = 'http://localhost:6789/score'
data = {"data": [[1,2,3,4,5,6,7,8,9,10], [10,9,8,7,6,5,4,3,2,1]]}
resp = requests.post(scoring_uri, json.dumps(data), headers={'Content-Type': 'application/json'})
print(resp.text)
"""


@pytest.fixture
def registry(tmp_path, work, monkeypatch):
    """A registry that packages go to, with the credentials in the environment."""
    folder = tmp_path / "registry"
    folder.mkdir()
    cert = certificate(folder)
    bundle = tmp_path / "bundle.pem"
    system = ssl.get_default_verify_paths().cafile
    bundle.write_text(cert.read_text() + (Path(system).read_text() if system else ""))
    with running_registry(folder, cert, htpasswd(folder)) as address:
        monkeypatch.setenv("SENDOFF_IMAGE_REGISTRY", f"{address}/team")
        monkeypatch.setenv("SENDOFF_CA_BUNDLE", str(bundle))
        monkeypatch.setenv("SENDOFF_REGISTRY_USERNAME", USER)
        monkeypatch.setenv("SENDOFF_REGISTRY_PASSWORD", SECRET)
        yield address


def article_client(port: int) -> str:
    """What the article's client prints when it is sent to that port."""
    article = os.environ.get("SENDOFF_ARTICLE")
    text = CLIENT
    if article:
        blocks = re.findall(r"```python\n(.*?)```", Path(article).read_text(encoding="utf-8"), re.DOTALL)
        text = next(block for block in blocks if "localhost:6789/score" in block)
    code = text.replace("localhost:6789", f"localhost:{port}")
    environ = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environ, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def answers(port: int, name: str) -> None:
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                said = subprocess.run(["docker", "logs", name], capture_output=True, text=True)
                if "Listening on" in said.stdout + said.stderr:
                    return
        time.sleep(0.1)
    raise AssertionError(subprocess.run(["docker", "logs", name], capture_output=True, text=True).stderr)


@pytest.mark.slow
def test_it_is_pushed_under_its_name_pulled_back_and_answers_the_articles_client(work, engine, registry, capsys):
    Path("src/score.py").write_text(SUMS)
    arguments = ["model", "package", "-m", "m:1", "--es", "score.py", "--sd", "src", "--cf", "environment.yml"]
    assert run([*arguments, "--image-name", "diabetes", "--image-label", "v1", "-o", "json"]) == 0
    told = capsys.readouterr()
    made = json.loads(told.out)
    location = f"{registry}/team/diabetes:v1"
    assert made["location"] == location
    assert f"docker run -p 6789:5001 {location}" in told.err
    logins = Logins(os.environ, own=os.environ["SENDOFF_IMAGE_REGISTRY"])
    way = Indexes(cert=os.environ["SENDOFF_CA_BUNDLE"]).way({})
    remote = RegistryClient(registry, "team/diabetes", credentials=logins.of(registry), way=way)
    assert remote.manifest("v1")[1] == made["manifestDigest"]
    engine.images.remove(location, force=True)

    ws = sendoff.Workspace.get("default")
    environment = sendoff.Environment.from_conda_specification("e", "environment.yml")
    config = sendoff.InferenceConfig("score.py", source_directory="src", environment=environment)
    package = sendoff.Model.package(ws, [sendoff.Model(ws, "m")], config)
    package.wait_for_creation(show_output=True)
    assert re.fullmatch(rf"{re.escape(registry)}/team/package:\d{{14}}", package.location)
    found = package.get_container_registry()
    assert (found.address, found.username, found.password) == (registry, None, None)
    engine.images.remove(package.location, force=True)
    package.pull()

    name = f"mycontainer-{os.getpid()}"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["docker", "run", "-d", "-p", f"{port}:5001", "--name", name, "--network", network(engine)]
    try:
        subprocess.run([*command, package.location], check=True, capture_output=True)
        answers(port, name)
        assert json.loads(article_client(port)) == [55, 55]
        assert subprocess.run(["docker", "kill", name], capture_output=True).returncode == 0
    finally:
        subprocess.run(["docker", "rm", "-f", name], capture_output=True)
        engine.images.remove(package.location, force=True)
    home = Path(os.environ["SENDOFF_HOME"])
    assert files_with(home, SECRET) == []
    assert SECRET not in told.out + told.err + package.get_logs()


@pytest.mark.slow
def test_a_wrong_password_fails_the_package_with_the_line_to_type(work, registry, monkeypatch, capsys):
    monkeypatch.setenv("SENDOFF_REGISTRY_PASSWORD", f"not-{SECRET}")
    arguments = ["model", "package", "-m", "m:1", "--es", "score.py", "--sd", "src", "--cf", "environment.yml"]
    assert run(arguments) != 0
    said = capsys.readouterr().err
    assert f"the registry {registry} does not let us into team/package" in said
    assert f"docker login {registry}" in said
    assert SECRET not in said
    ws = sendoff.Workspace.get("default")
    environment = sendoff.Environment.from_conda_specification("e", "environment.yml")
    config = sendoff.InferenceConfig("score.py", source_directory="src", environment=environment)
    package = sendoff.Model.package(ws, [sendoff.Model(ws, "m")], config)
    with pytest.raises(AuthenticationException, match="does not let us into") as caught:
        package.wait_for_creation()
    assert SECRET not in str(caught.value)
    assert Path("environment.yml").read_text() == CONDA_311


@pytest.mark.slow
def test_without_an_engine_it_is_made_and_pushed_and_an_import_that_may_fail_is_no_reason_not_to(
    work, engine, base, registry, monkeypatch, capsys
):
    upstream = f"{registry}/bases/slim:1"
    engine.images.get(base).tag(upstream)
    engine.images.push(upstream, auth_config={"username": USER, "password": SECRET})
    engine.images.remove(upstream)
    Path("src/score.py").write_text("try:\n    import no_such_module\nexcept ImportError:\n    pass\n" + SUMS)
    arguments = ["model", "package", "-m", "m:1", "--es", "score.py", "--sd", "src", "--cf", "environment.yml"]
    arguments += ["--image-name", "sums", "-o", "json"]

    def digest(label: str) -> str:
        assert run([*arguments, "--image-label", label]) == 0
        made = json.loads(capsys.readouterr().out)
        logins = Logins(os.environ, own=os.environ["SENDOFF_IMAGE_REGISTRY"])
        way = Indexes(cert=os.environ["SENDOFF_CA_BUNDLE"]).way({})
        remote = RegistryClient(registry, "team/sums", credentials=logins.of(registry), way=way)
        assert remote.manifest(label)[1] == made["manifestDigest"]
        return str(made["manifestDigest"])

    digest("by-an-engine")
    engine.images.remove(f"{registry}/team/sums:by-an-engine", force=True)
    monkeypatch.setenv("SENDOFF_BASE_IMAGE", upstream)
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    first = digest("by-none")
    assert digest("again") == first
