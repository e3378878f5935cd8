"""Packages from the shell and from Python: an image, or a folder to build one from (issue D 1, 6; pains 22, 23)."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from image_rig import SCORE, ask, docker_build, files, running, server_packages

import sendoff
from sendoff.cli.__main__ import run
from sendoff.sdk.exceptions import WebserviceException

ARGUMENTS = ["model", "package", "-m", "m:1", "--es", "score.py", "--sd", "src", "--cf", "environment.yml"]


@pytest.mark.slow
def test_the_folder_is_written_without_an_engine_and_builds_to_the_same_files(work, engine, monkeypatch, capsys):
    name = f"sendoff-test-{os.getpid()}"
    assert run([*ARGUMENTS, "--image-name", name, "--image-label", "direct", "-o", "json"]) == 0
    capsys.readouterr()
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    assert run([*ARGUMENTS, "--image-name", name, "--output-path", "image", "-o", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["outputPath"] == "image"
    assert {"Dockerfile", "app", "models", "wheels", "sendoff.lock"} <= {path.name for path in Path("image").iterdir()}
    monkeypatch.delenv("DOCKER_HOST")
    docker_build(Path("image"), f"{name}:folder")
    try:
        direct, built = files(engine, f"{name}:direct"), files(engine, f"{name}:folder")
        assert sorted(direct) == sorted(built)
        assert [one for one in built if direct[one].startswith("b'2'") and direct[one] != built[one]] == []
        with running(engine, f"{name}:folder") as address:
            assert ask(address)["model"] == "a model"
    finally:
        for tag in ("direct", "folder"):
            engine.images.remove(f"{name}:{tag}", force=True)


@pytest.mark.slow
def test_from_python_as_the_article_does_it(work, engine, capsys):
    ws = sendoff.Workspace.create("default", exist_ok=True, show_output=False)
    environment = sendoff.Environment.from_conda_specification("e", "environment.yml")
    config = sendoff.InferenceConfig("score.py", source_directory="src", environment=environment)
    package = sendoff.Model.package(ws, [sendoff.Model.register(ws, "m.txt", "n")], config)
    package.wait_for_creation(show_output=True)
    assert "Succeeded" in capsys.readouterr().out
    assert package.serialize() == {"generateDockerfile": False, "location": package.location, "state": "Succeeded"}
    package.pull()
    assert "image: " in package.get_logs()
    assert package.get_logs(decode=False, offset=3) == package.get_logs().encode()[3:]
    assert package.get_container_registry().address is None
    with pytest.raises(WebserviceException, match="no folder to save"):
        package.save("out")
    with running(engine, package.location) as address:
        assert ask(address)["model"] == "a model"
    engine.images.remove(package.location, force=True)

    folder = sendoff.Model.package(ws, [sendoff.Model(ws, "n")], config, generate_dockerfile=True)
    folder.wait_for_creation()
    folder.save("out")
    assert Path("out/Dockerfile").is_file()
    with pytest.raises(WebserviceException, match="folder to build from"):
        folder.pull()
    with pytest.raises(WebserviceException, match="has files in it"):
        folder.save("out")


@pytest.mark.slow
def test_an_environments_variables_and_the_stacks_version_count_in_both_forms(work, engine, capsys):
    name = f"sendoff-test-variables-{os.getpid()}"
    said = "grüß Gott = 'quoted' $HOME"
    definition = {
        "name": "e",
        "environmentVariables": {"GREETING": said, "EMPTY": ""},
        "inferencingStackVersion": "latest",
        "python": {"condaDependenciesFile": "environment.yml"},
    }
    Path("src/score.py").write_text(SCORE.replace("ADDED = 0", 'ADDED = [os.environ["GREETING"], os.environ["EMPTY"]]'))
    config = {"entryScript": "score.py", "sourceDirectory": "src", "environment": definition}
    Path("ic.json").write_text(json.dumps(config))
    arguments = ["model", "package", "-m", "m:1", "--ic", "ic.json", "--image-name", name, "--image-label", "direct"]
    assert run([*arguments, "-o", "json"]) == 0, capsys.readouterr().err
    assert run([*arguments[:-4], "--output-path", "image"]) == 0, capsys.readouterr().err
    docker_build(Path("image"), f"{name}:folder")
    try:
        for form in ("direct", "folder"):
            with running(engine, f"{name}:{form}") as address:
                assert ask(address)["added"] == [said, ""]
    finally:
        for form in ("direct", "folder"):
            engine.images.remove(f"{name}:{form}", force=True)


@pytest.mark.slow
def test_pain_23_an_image_is_made_with_no_network_from_a_wheelhouse(
    work, engine, monkeypatch, tmp_path, capsys, server_wheels
):
    wheelhouse = server_wheels
    Path(os.environ["SENDOFF_HOME"], "images").unlink()
    monkeypatch.setenv("SENDOFF_WHEELHOUSE", str(wheelhouse))
    monkeypatch.setenv("SENDOFF_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "empty-cache"))
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    assert run([*ARGUMENTS, "-o", "json"]) == 0
    made = json.loads(capsys.readouterr().out)
    with running(engine, made["location"]) as address:
        assert ask(address)["model"] == "a model"
    engine.images.remove(made["location"], force=True)


def test_pain_22_without_an_engine_the_error_says_so_and_what_works_without(work, monkeypatch, capsys):
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    assert run(ARGUMENTS) != 0
    assert "no Docker engine answers at unix:///nowhere/docker.sock" in capsys.readouterr().err
    assert run(["image", "inspect", "x"]) != 0


def test_wrong_names_and_an_image_that_is_not_there_are_errors_at_once(work, capsys):
    assert run([*ARGUMENTS, "--image-name", "Not Lower"]) != 0
    assert "image name 'Not Lower' is not allowed" in capsys.readouterr().err
    assert run([*ARGUMENTS, "--image-label", "-"]) != 0
    assert run(["image", "inspect", "sendoff-no-such-image:0"]) != 0
    assert "docker images" in capsys.readouterr().err


def test_the_servers_packages_in_images_are_those_that_are_tested():
    lock = Path(__file__).parents[2].joinpath("requirements-dev.lock").read_text()
    tested = {line.split(" ")[0] for line in lock.splitlines()}
    for line in server_packages():
        assert line in tested, f"{line}: write packaging/front.lock anew from requirements-dev.lock"


def test_docker_contexts_are_followed_as_the_docker_command_does(tmp_path):
    from sendoff.containers.endpoint import find_endpoint
    from sendoff.errors import InvalidInput

    environ = {"DOCKER_CONFIG": str(tmp_path), "PATH": os.environ["PATH"]}
    subprocess.run(
        ["docker", "context", "create", "far", "--docker", "host=tcp://127.0.0.1:2"],
        env=environ, check=True, capture_output=True,
    ) if shutil.which("docker") else pytest.skip("no docker command")  # fmt: skip
    assert find_endpoint(environ).host == "unix:///var/run/docker.sock"
    assert find_endpoint({**environ, "DOCKER_CONTEXT": "far"}).host == "tcp://127.0.0.1:2"
    (tmp_path / "config.json").write_text('{"currentContext": "far"}')
    assert find_endpoint(environ).context == "far"
    assert find_endpoint({**environ, "DOCKER_HOST": "tcp://127.0.0.1:3"}).host == "tcp://127.0.0.1:3"
    with pytest.raises(InvalidInput, match="the Docker context 'gone'"):
        find_endpoint({**environ, "DOCKER_CONTEXT": "gone"})
