"""Environments of conda channels in images: bound to their place, in both forms and as a service (spec sec. 3.2)."""

import io
import json
import os
import sys
import tarfile

import pytest
from environments import conda_channels
from environments.wheels import make_wheel
from image_rig import SCORE, Rig, ask, docker_build, files, running, saved
from resolving import resolve

from sendoff.environments.indexes import effective
from sendoff.errors import EnvironmentFailed
from sendoff.packaging.dockerfile import write_folder
from sendoff.spec.environment import EnvironmentSpec, PythonSpec
from sendoff.spec.parse import replace
from sendoff.spec.settings import Settings

try:
    import rattler
except ImportError:
    if os.environ.get("CI") == "true":
        raise
    pytest.skip("py-rattler is not installed", allow_module_level=True)

MINOR = f"{sys.version_info[0]}.{sys.version_info[1]}"
PLACE = "/opt/sendoff/environment"
MODULE = b"def table():\n    return open(__file__.split('/lib/')[0] + '/share/acme/table.csv').read()\n"
CODE = SCORE.replace("import os, sys, idna", "import os, subprocess, sys, acme, acme_tiny").replace(
    "ADDED = 0", 'ADDED = [acme.table(), acme_tiny.VERSION, subprocess.getoutput("acme-tool"), sys.prefix]'
)


@pytest.fixture(scope="module")
def channel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("channel")
    conda_channels.pack_python(folder, str(rattler.Subdir.current()))
    placeholder = conda_channels.PLACEHOLDER.encode()
    tool = b"#!" + placeholder + b"/bin/python\nimport sys\nprint('bound to', sys.argv[0].rpartition('/bin/')[0])\n"
    conda_channels.pack(
        folder,
        "acme-tool",
        "2.0",
        {
            "bin/acme-tool": tool,
            "share/acme/table.csv": b"1,2\n",
            "share/acme/where.bin": b"\0at " + placeholder + b"/share\0end",
        },
        noarch="generic",
    )
    conda_channels.pack(
        folder, "acme", "1.4", {"site-packages/acme.py": MODULE}, noarch="python", depends=["python", "acme-tool >=2"]
    )
    return conda_channels.index(folder)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheels")
    make_wheel(
        folder,
        "acme-tiny",
        "1.5",
        scripts={"tiny-tool": "acme_tiny:main"},
        code="VERSION = '1.5'\ndef main(): print(7)\n",
    )
    return folder


@pytest.fixture
def lock(channel, wheels, tmp_path):
    python = PythonSpec(channels=[channel], conda_packages=[f"python={MINOR}", "acme"], pip_packages=["acme-tiny"])
    settings = Settings(offline=True, wheelhouse=str(wheels))
    environ = {**os.environ, "PIP_NO_INDEX": "1"}
    spec = EnvironmentSpec(name="e", python=python)
    return resolve(spec, home=tmp_path / "resolving", settings=settings, environ=environ)[0]


@pytest.fixture
def rig(tmp_path, base):
    """A home that shares no layers: each run's channel is another one, and its layers would stay for ever."""
    made = Rig(tmp_path / "home", base, share_layers=False)
    yield made
    made.store.close()


@pytest.fixture
def indexes(rig, wheels):
    found = effective(rig.environ, rig.store.settings, [])[0]
    return replace(found, find_links=[str(wheels), *found.find_links])


def content(engine, image_id: str, path: str) -> bytes:
    container = engine.containers.create(image_id)
    try:
        data = b"".join(container.get_archive(path)[0])
    finally:
        container.remove(force=True)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return archive.extractfile(archive.getmembers()[0]).read()


@pytest.mark.slow
def test_an_image_has_the_conda_packages_bound_to_their_place_in_it(rig, engine, lock, indexes, base, tmp_path):
    assert lock.method == "conda"
    made = rig.build(engine, rig.bundle(lock, CODE), lock, indexes=indexes)
    assert [layer.name for layer in made.layers] == ["server", "packages", "code", "models", "manifest"]
    assert made.python == f"{PLACE}/bin/python"
    with running(engine, made.id) as address:
        answer = ask(address)
    assert answer["added"] == ["1,2\n", "1.5", f"bound to {PLACE}", PLACE]
    assert answer["python"] == MINOR
    assert content(engine, made.id, f"{PLACE}/share/acme/where.bin").startswith(f"\0at {PLACE}/share\0".encode())
    assert content(engine, made.id, f"{PLACE}/bin/tiny-tool").startswith(f"#!{PLACE}/bin/python\n".encode())
    listed = {
        one["name"]: one for one in json.loads(content(engine, made.id, "/opt/sendoff/sbom.cdx.json"))["components"]
    }
    assert listed["acme"]["purl"].startswith("pkg:conda/acme@1.4?")
    # Nothing of this machine: neither the folder that it was made in nor where archives are kept.
    everything = saved(engine, made.id)
    for path in (str(rig.store.home), str(tmp_path)):
        assert path.encode() not in everything
    other = Rig(tmp_path / "other", base, share_layers=False)
    assert other.build(engine, other.bundle(lock, CODE), lock, indexes=indexes).digest == made.digest
    other.store.close()


@pytest.mark.slow
def test_the_folder_to_build_from_is_made_without_an_engine_and_gives_the_same_files(
    rig, engine, lock, indexes, tmp_path
):
    direct = rig.build(engine, rig.bundle(lock, CODE), lock, indexes=indexes)
    environ = {**rig.environ, "DOCKER_HOST": "unix:///nowhere/docker.sock"}
    before = os.umask(0o077)
    try:
        spec = EnvironmentSpec(name="e")
        write_folder(rig.request(rig.bundle(lock, CODE), lock, spec, indexes, environ), tmp_path / "image")
    finally:
        os.umask(before)
    assert (tmp_path / "image" / "conda-explicit.txt").read_text().startswith("@EXPLICIT\nfile:")
    tag = f"sendoff-test-conda-{os.getpid()}:folder"
    docker_build(tmp_path / "image", tag)
    try:
        one, two = files(engine, direct.id), files(engine, tag)
        assert sorted(one) == sorted(two)
        ours = [name for name in one if f"{name}/".startswith(f"{PLACE[1:]}/")]
        kinds = ("b'0'", "b'2'")  # files and links: of a folder only the type counts
        assert [name for name in ours if one[name].startswith(kinds) and one[name] != two[name]] == []
        with running(engine, tag) as address:
            assert ask(address)["added"][2] == f"bound to {PLACE}"
    finally:
        engine.images.remove(tag, force=True)


@pytest.mark.slow
def test_pip_packages_on_top_are_installed_inside_the_base_when_this_machine_cannot(
    rig, engine, lock, indexes, monkeypatch
):
    from sendoff.packaging import image_environment

    monkeypatch.setattr(image_environment, "host_glibc", lambda: "99.9")  # stands for a machine with a newer C library
    said: list[str] = []
    made = rig.build(engine, rig.bundle(lock, CODE), lock, indexes=indexes, progress=said.append)
    assert any(line.startswith("installing inside") for line in said)
    with running(engine, made.id) as address:
        assert ask(address)["added"][1:] == ["1.5", f"bound to {PLACE}", PLACE]


@pytest.mark.slow
def test_a_base_with_too_old_a_c_library_is_named_before_anything_is_installed(rig, engine, lock, base):
    records = [
        {**record, "depends": [*record.get("depends", []), "__glibc >=99.1,<100"]} for record in lock.conda_records
    ]
    with pytest.raises(EnvironmentFailed, match=r"needs the C library 99\.1; the base image \S+ has 2\.\d+") as caught:
        rig.build(engine, rig.bundle(lock, CODE), replace(lock, conda_records=records))
    assert "base_image" in caught.value.hint
