"""Images that are assembled here, in a real engine (issue D 2; pains 14, 15, 17, 24)."""

import io
import json
import os
import re

import pytest
from image_rig import CONDA_36, CONDA_311, SCORE, Rig, ask, files, locked, network, running, saved

from sendoff.environments.indexes import Indexes
from sendoff.errors import EnvironmentFailed, InvalidInput
from sendoff.packaging.image_layers import Entry, archived_size, digest
from sendoff.spec.environment import DockerSpec, PythonSpec


@pytest.fixture(scope="session")
def lock():
    return locked(CONDA_311)


@pytest.mark.slow
def test_it_answers_without_rights_on_a_read_only_file_system_and_says_that_it_is_healthy(rig, engine, lock):
    made = rig.build(engine, rig.bundle(lock), lock)
    with running(engine, made.id, read_only=True) as address:
        answer = ask(address, {"data": 1})
    assert answer == {
        "model": "a model", "python": "3.11", "uid": 10001, "cwd": "/var/azureml-app", "root": "/var/azureml-app",
        "added": 0,
    }  # fmt: skip
    config = engine.images.get(made.id).attrs["Config"]
    assert config["User"] == "10001:10001"
    container = engine.containers.run(made.id, detach=True, network=network(engine))
    try:
        test = config["Healthcheck"]["Test"][1:]
        for _ in range(100):
            code, _said = container.exec_run(test)
            if code == 0:
                break
        assert code == 0
    finally:
        container.remove(force=True, v=True)


@pytest.mark.slow
def test_pain_14_a_code_edit_reuses_the_package_layer_and_sends_only_what_lies_above_it(rig, engine, lock):
    before = rig.build(engine, rig.bundle(lock), lock)
    after = rig.build(engine, rig.bundle(lock, SCORE.replace("ADDED = 0", "ADDED = 1  # test_pain_14")), lock)
    digests = [{layer.name: layer.diff_id for layer in made.layers} for made in (before, after)]
    assert [layer.name for layer in after.layers] == ["server", "packages", "code", "models", "manifest"]
    assert digests[0]["server"] == digests[1]["server"]
    assert digests[0]["packages"] == digests[1]["packages"]
    assert digests[0]["models"] == digests[1]["models"]
    assert digests[0]["code"] != digests[1]["code"]
    assert not {"server", "packages"} & set(after.sent)


@pytest.mark.slow
def test_the_same_inputs_in_another_home_give_the_same_digest(rig, engine, base, lock, tmp_path):
    other = Rig(tmp_path / "other", base, share_layers=False)
    one, two = rig.build(engine, rig.bundle(lock), lock), other.build(engine, other.bundle(lock), lock)
    assert one.digest == two.digest
    assert two.sent == []
    other.store.close()


@pytest.mark.slow
def test_pain_24_no_tools_caches_certificates_or_secrets_are_in_it(rig, engine, lock, tmp_path, monkeypatch):
    ca = tmp_path / "company.pem"
    ca.write_bytes(b"planted-certificate")
    secret = "planted-s3cret"
    monkeypatch.setenv("SENDOFF_REGISTRY_PASSWORD", secret)
    said: list[str] = []
    indexes = Indexes(
        index_url=f"http://user:{secret}@127.0.0.1:9/simple",
        cert=str(ca),
        proxy=f"http://user:{secret}@127.0.0.1:9",
    )
    steps = DockerSpec(
        extra_steps=f"RUN test -f $SSL_CERT_FILE && grep -q {secret[:7]} $PIP_CONFIG_FILE\nRUN touch /made"
    )
    made = rig.build(
        engine, rig.bundle(lock), lock, docker=steps, indexes=indexes, progress=said.append, labels={"team": "x"}
    )
    content = saved(engine, made.id)
    for planted in (b"planted-s3cret", b"planted-certificate", b"opt/sendoff-build"):
        assert planted not in content
    assert secret not in "\n".join(said)
    names = set(files(engine, made.id))
    assert "made" in names
    ours = [name for name in names if name.startswith("opt/sendoff/")]
    assert not [name for name in ours if re.search(r"/(pip|uv)(-|/|$)|\.cache|activate", name)]
    labels = engine.images.get(made.id).attrs["Config"]["Labels"]
    assert labels["team"] == "x"
    assert labels["io.sendoff.lock"] == lock.digest
    assert labels["io.sendoff.models"] == "m:1"


@pytest.mark.slow
def test_a_failed_docker_step_names_the_step_and_hides_the_password(rig, engine, lock):
    indexes = Indexes(index_url="http://user:planted-s3cret@127.0.0.1:9/simple")
    steps = DockerSpec(extra_steps="RUN cat $PIP_CONFIG_FILE; false")
    with pytest.raises(EnvironmentFailed) as caught:
        rig.build(engine, rig.bundle(lock), lock, docker=steps, indexes=indexes)
    assert "RUN cat" in caught.value.hint
    assert "planted-s3cret" not in json.dumps(caught.value.payload())


@pytest.mark.slow
def test_a_python_that_the_base_lacks_is_copied_in_and_said(rig, engine):
    lock = locked(CONDA_36)
    made = rig.build(engine, rig.bundle(lock), lock)
    assert any("has no Python 3.6" in note for note in made.notes)
    with running(engine, made.id) as address:
        assert ask(address)["python"] == "3.6"


@pytest.mark.slow
def test_packages_can_be_installed_inside_the_base_when_this_machine_cannot(rig, engine, lock, monkeypatch):
    from sendoff.packaging import image_environment

    monkeypatch.setattr(image_environment, "host_glibc", lambda: "99.9")  # stands for a machine with a newer C library
    said: list[str] = []
    rig.store.home.joinpath("images").unlink()
    made = rig.build(engine, rig.bundle(lock), lock, progress=said.append)
    assert any(line.startswith("installing inside") for line in said)
    with running(engine, made.id) as address:
        assert ask(address)["model"] == "a model"


@pytest.mark.slow
def test_the_users_own_interpreter_in_the_base_is_used_as_it_is(rig, engine, base):
    python = PythonSpec(user_managed_dependencies=True, interpreter_path="python3")
    dockerfile = DockerSpec(
        base_dockerfile=f"FROM {base}\nRUN echo 'MARK = 7' > /usr/lib/python3/dist-packages/mine.py\n"
    )
    code = SCORE.replace("import os, sys, idna", "import os, sys, mine").replace("ADDED = 0", "ADDED = mine.MARK")
    made = rig.build(engine, rig.bundle(None, code), None, docker=dockerfile, python=python)
    assert [layer.name for layer in made.layers] == ["server", "code", "models", "manifest"]
    with running(engine, made.id) as address:
        assert ask(address)["added"] == 7


@pytest.mark.slow
def test_mounted_models_are_not_in_it(rig, engine, lock):
    bundle = rig.bundle(lock)
    made = rig.build(engine, bundle, lock, models="mounted")
    assert "models" not in [layer.name for layer in made.layers]
    where = {str(bundle / "app/azureml-models"): {"bind": "/var/azureml-app/azureml-models", "mode": "ro"}}
    with running(engine, made.id, volumes=where) as address:
        assert ask(address)["model"] == "a model"


@pytest.mark.slow
def test_it_holds_a_software_bill_of_materials_and_is_small(rig, engine, base, lock):
    from sendoff.packaging.image_inspect import inspect

    made = rig.build(engine, rig.bundle(lock), lock)
    report = inspect(made.id)
    assert {"name": "idna", "version": "3.10", "part": "environment"} in report.packages
    assert len(report.biggest) == 10
    assert report.layers[-1]["made_by"] == "bundle.json, software bill of materials"
    of = {layer.name: layer.size for layer in made.layers}
    installed = of["packages"] + of["server"]
    assert made.size <= 1.15 * (engine.images.get(base).attrs["Size"] + installed)


@pytest.mark.slow
def test_what_is_in_our_images_is_told_without_reading_them_and_is_what_reading_finds(rig, engine, lock, monkeypatch):
    from sendoff.packaging import image_inspect

    made = rig.build(engine, rig.bundle(lock, model=os.urandom(30_000_000)), lock)
    steps = f'FROM {made.id}\nLABEL io.sendoff.contents=""\n'
    other, _ = engine.images.build(fileobj=io.BytesIO(steps.encode()))
    try:
        read = image_inspect.inspect(other.id)
        monkeypatch.setattr(image_inspect, "_walked", None)
        before = {one.id for one in engine.containers.list(all=True, filters={"ancestor": made.id})}
        told = image_inspect.inspect(made.id)
        assert {one.id for one in engine.containers.list(all=True, filters={"ancestor": made.id})} == before
        assert told.biggest == read.biggest
        assert (told.biggest[0].path, told.biggest[0].size) == ("/var/azureml-app/azureml-models/m/1/m.txt", 30_000_000)
        assert told.packages == read.packages
        assert len(told.packages) > 2
        assert told.layers[1:] == read.layers[1:]
        # What an engine lays over four names in every container is not counted as the image's.
        assert 0 <= read.layers[0]["files"] - told.layers[0]["files"] <= 4
    finally:
        engine.images.remove(other.id, force=True)


def test_a_base_image_that_is_nowhere_is_named(rig, engine, lock):
    with pytest.raises(InvalidInput, match=r"127\.0\.0\.1:9/nothing:1 is not in the engine"):
        rig.build(engine, rig.bundle(lock), lock, docker=DockerSpec(base_image="127.0.0.1:9/nothing:1"))


def test_a_layer_depends_on_its_files_alone(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(b"x" * 700)
    (tmp_path / "two").touch()
    entries = [
        {"a/b": Entry(source=str(tmp_path / name)), "a/link": Entry(link="b"), "c": Entry(data=b"y")}
        for name in ("one", "two")
    ]
    assert digest(entries[0]) == digest(dict(reversed(entries[1].items())))
    assert archived_size(entries[0]) == digest(entries[0])[1]
