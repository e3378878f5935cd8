"""Images that are made and pushed without a container engine, to Debian's registry (issue H 1)."""

import hashlib
import io
import json
import subprocess
import tarfile
from pathlib import Path

import environment_cache
import pytest
from image_rig import CONDA_311, SCORE, Rig, ask, locked, running
from registry_rig import SECRET, USER, Counting, TokenServer, certificate, docker_config, free_address, htpasswd
from registry_rig import registry as running_registry

from sendoff.artefacts import pushed_image
from sendoff.artefacts.makers import Makers
from sendoff.connections import Way
from sendoff.containers.engine import connect
from sendoff.containers.pullable import pullable
from sendoff.containers.registries import Credentials, Logins
from sendoff.containers.registry_client import RegistryClient
from sendoff.environments.service import Environments
from sendoff.errors import ImageNeedsEngine, InvalidInput, NotFound, Unauthorized, Unreachable
from sendoff.packaging import base_files, base_image
from sendoff.packaging.base_image import BaseImage
from sendoff.packaging.base_in_registry import Blob, Registries, RegistryBase, inspect
from sendoff.packaging.image_environment import Install, must_be_inside
from sendoff.packaging.image_pull import ImageSource
from sendoff.packaging.image_push import push_upon
from sendoff.packaging.image_python import ImagePython, host_glibc
from sendoff.packaging.layer_tree import LayerTree, Reader
from sendoff.spec.environment import DockerSpec, EnvironmentSpec
from sendoff.spec.imports import Import
from sendoff.spec.parse import replace
from sendoff.targets.base import Preparation

NO_ENGINE = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}
HERE = Way({})
TAR = "application/vnd.oci.image.layer.v1.tar"


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    """A registry that speaks plain HTTP, by a way that counts what it receives."""
    with running_registry(tmp_path_factory.mktemp("registry")) as address:
        counting = Counting(address)
        yield counting
        counting.close()


@pytest.fixture(scope="module")
def upon(registry, engine, base):
    """The base image's name in that registry, and nowhere else."""
    reference = f"{registry.address}/bases/slim:1"
    engine.images.get(base).tag(reference)
    engine.images.push(reference)
    engine.images.remove(reference)
    return reference


@pytest.fixture(scope="module")
def lock():
    return locked(CONDA_311)


class Pushing:
    """A home without an engine, and the makers of it."""

    def __init__(self, tmp_path, base, registry, *, engine=False, **environ):
        environ |= {"SENDOFF_IMAGE_REGISTRY": f"{registry.address}/team", **({} if engine else NO_ENGINE)}
        self.rig = Rig(tmp_path / "home", base, environ=environ)
        self.environments = Environments(self.rig.store, self.rig.environ)
        self.makers = Makers(self.rig.store, self.environments)
        self.said: list[str] = []

    def push(self, lock, code=SCORE, repository="svc", models="baked", **options):
        spec = EnvironmentSpec(name="e", docker=options.pop("docker", DockerSpec()))
        preparation = Preparation(
            uid="u", name="svc", workspace="ws", environment=spec, lock=lock,
            bundle=self.rig.bundle(lock, code).name, **options,
        )  # fmt: skip
        return self.makers.pushed_image(preparation, self.said.append, repository=repository, models=models)


@pytest.fixture
def pushing(tmp_path, upon, registry):
    made = Pushing(tmp_path, upon, registry)
    yield made
    made.rig.store.close()


@pytest.mark.slow
def test_what_a_base_image_has_is_told_without_running_it_as_running_it_tells(tmp_path, upon):
    said: list[str] = []
    found = inspect(Registries(Logins({}), HERE, said.append), upon, home=tmp_path / "registry")
    source = ImageSource(connect(), Logins({}), HERE, said.append)
    ran = base_image.inspect(source, upon, home=tmp_path / "engine")
    assert ran.pythons and ran.glibc and ran.packages and ran.libraries and ran.files
    assert found.image == replace(ran, digests=found.image.digests)
    assert found.image.digests[0] in ran.digests
    again = len(said)
    assert inspect(Registries(Logins({}), HERE, said.append), upon, home=tmp_path / "registry").image == found.image
    assert len(said) == again, "it was kept"


@pytest.mark.slow
def test_a_service_is_pushed_without_an_engine_and_a_change_of_code_sends_less_than_a_megabyte(
    pushing, registry, engine, lock
):
    began = registry.received
    made = pushing.push(lock)
    assert (made.kind, made.again, made.not_imported) == ("pushed_image", False, [])
    assert made.reference.startswith(f"{registry.address}/team/svc@sha256:")
    assert not [line for line in pushing.said if line.startswith("pushing 127")], "the base is mounted"
    assert any("mount=sha256" in line for line in registry.asked)
    base = sum(layer["size"] for layer in manifest_of(made.reference)["layers"][:1])
    assert registry.received - began < base

    began, asked = registry.received, len(registry.asked)
    changed = pushing.push(lock, SCORE.replace("ADDED = 0", "ADDED = 1"))
    assert changed.reference != made.reference
    assert 0 < registry.received - began < 1_000_000
    assert not any(
        line.startswith("PUT") and digest in line for line in registry.asked[asked:] for digest in below(made)
    )

    # The first is found again by its digest: nothing is built and nothing sent but questions.
    asked, said = len(registry.asked), len(pushing.said)
    again = pushing.push(lock)
    assert (again.reference, again.again) == (made.reference, True)
    assert [line.split(" ")[0] for line in registry.asked[asked:]] == ["GET", "HEAD"]
    assert pushing.said[said:] == []
    try:
        with running(engine, engine.images.pull(*changed.reference.split("@")).id) as where:
            assert ask(where)["added"] == 1
    finally:
        engine.images.remove(changed.reference, force=True)


@pytest.mark.slow
def test_the_same_inputs_in_another_home_and_registry_give_the_same_digest_and_the_base_passes_through(
    tmp_path, pushing, registry, lock
):
    made = pushing.push(lock, repository="same")
    with running_registry(tmp_path / "elsewhere") as address:
        other = Counting(address)
        second = Pushing(tmp_path / "second", pushing.rig.environ["SENDOFF_BASE_IMAGE"], other)
        elsewhere = second.push(lock, repository="same")
        assert elsewhere.reference.partition("@")[2] == made.reference.partition("@")[2]
        assert any(line.startswith(f"pushing {registry.address}/bases") for line in second.said)
        assert pullable(elsewhere.reference, credentials=None, way=HERE) is True
        second.rig.store.close()
        other.close()


def test_models_that_are_mounted_are_in_no_layer(pushing, lock):
    made = manifest_of(pushing.push(lock, repository="mounted", models="mounted").reference)
    baked = manifest_of(pushing.push(lock, repository="mounted").reference)
    assert len(baked["layers"]) == len(made["layers"]) + 1


@pytest.mark.slow
def test_imports_are_tried_where_an_engine_answers_and_a_note_says_where_none_does(
    tmp_path, upon, registry, pushing, lock
):
    imports = [Import(module="idna"), Import(module="no_such_module")]
    with_engine = Pushing(tmp_path / "with", upon, registry, engine=True)
    tried = with_engine.push(lock, repository="tried", imports=imports)
    assert [one.module for one in tried.not_imported] == ["no_such_module"]
    # What failed is tried again, and what is well is not.
    assert with_engine.push(lock, repository="tried", imports=imports).again is False
    with_engine.push(lock, repository="tried", imports=imports[:1])
    said = len(with_engine.said)
    assert with_engine.push(lock, SCORE + "\n", repository="tried", imports=imports[:1]).not_imported == []
    assert not any("in the image" in line for line in with_engine.said[said:])
    with_engine.rig.store.close()
    untried = pushing.push(lock, repository="untried", imports=imports)
    assert untried.not_imported == []
    assert any("was not tried" in note for note in untried.notes)


def test_no_registry_in_the_settings_is_an_error_with_the_line_to_type(pushing, lock):
    pushing.rig.store.settings = replace(pushing.rig.store.settings, image_registry=None)
    with pytest.raises(InvalidInput, match="image_registry") as caught:
        pushing.push(lock)
    assert "export SENDOFF_IMAGE_REGISTRY=" in caught.value.hint
    assert pushing.said == []


@pytest.mark.parametrize("docker", [DockerSpec(base_dockerfile="FROM x\nRUN y\n"), DockerSpec(extra_steps="RUN y")])
def test_docker_steps_need_an_engine_and_it_is_said_before_anything_is_built(pushing, lock, docker):
    spec = EnvironmentSpec(name="e", docker=docker)
    for attempt in (
        lambda: pushing.push(lock, docker=docker),
        lambda: pushed_image.check(pushing.rig.store, pushing.environments, spec, repository="svc"),
    ):
        with pytest.raises(ImageNeedsEngine, match="only a container engine can do") as caught:
            attempt()
        assert "docker.baseImage" in caught.value.hint
    assert pushing.said == []


def test_what_has_to_be_installed_inside_the_image_is_told_from_its_c_library_and_python(pushing, upon):
    base = inspect(Registries(Logins({}), HERE, pushing.said.append), upon, home=pushing.rig.store.home).image
    there = ImagePython(path="/usr/bin/python3.11", version="3.11.2")
    install = Install(at="opt/x", python=there, local="/usr/bin/python3.11", requirements="")
    assert must_be_inside(install, base) == ""
    assert "no Python 3.11" in must_be_inside(replace(install, local=None), base)
    assert host_glibc() in must_be_inside(install, replace(base, glibc="2.17"))
    assert must_be_inside(replace(install, conda=[{}]), replace(base, glibc="2.17")) == ""


def test_a_base_image_that_is_no_usual_one_is_named_with_the_two_ways_out(tmp_path, registry, pushing, lock):
    odd = put_image(registry.address, "odd", {"usr/bin/python3": b"#!/bin/sh\nexec something\n"})
    pushing.rig.store.settings = replace(pushing.rig.store.settings, base_image=odd)
    for attempt in (
        lambda: pushing.push(lock),
        lambda: pushed_image.check(pushing.rig.store, pushing.environments, EnvironmentSpec(name="e"), repository="s"),
    ):
        with pytest.raises(ImageNeedsEngine, match="cannot be looked into without running it") as caught:
            attempt()
        assert odd in caught.value.message
        assert "container engine" in caught.value.hint and "another base image" in caught.value.hint


def test_a_base_image_that_is_nowhere_is_an_error_of_the_request(pushing, registry, lock):
    missing = f"{registry.address}/bases/none:1"
    pushing.rig.store.settings = replace(pushing.rig.store.settings, base_image=missing)
    with pytest.raises(InvalidInput) as caught:
        pushing.push(lock)
    assert caught.value.context["field"] == "base_image"
    assert "base_image" in caught.value.hint


def test_a_digest_is_asked_for_with_the_credentials_that_a_cluster_has(tmp_path):
    cert = certificate(tmp_path)
    trusting = Way({}, ca_bundle=str(cert))
    user, stranger = Credentials(username=USER, password=SECRET), Credentials(username=USER, password="x")
    with running_registry(tmp_path, cert, htpasswd(tmp_path)) as address:
        client = RegistryClient(address, "a/b", credentials=user, way=trusting, push=True)
        digest = client.put_manifest(empty_image(client), "1")
        assert pullable(f"{address}/a/b@{digest}", credentials=user, way=trusting) is True
        for denied in (None, stranger):
            with pytest.raises(Unauthorized) as caught:
                pullable(f"{address}/a/b@{digest}", credentials=denied, way=trusting)
            assert caught.value.context["reason"] == "login"
            assert f"docker login {address}" in caught.value.hint
        with pytest.raises(NotFound, match="has no image sha256:0"):
            pullable(f"{address}/a/b@sha256:{'0' * 64}", credentials=user, way=trusting)
        with pytest.raises(Unreachable, match="certificate that is not trusted") as refused:
            pullable(f"{address}/a/b@{digest}", credentials=user, way=HERE)
        assert refused.value.context["reason"] == "certificate"
        # And what pushes says so too, before anything is made.
        config = docker_config(tmp_path / "docker", address)
        assert Logins({"DOCKER_CONFIG": str(config)}).of(address) == user
    with pytest.raises(Unreachable, match="cannot be reached") as away:
        pullable(f"{free_address()}/a/b@{digest}", credentials=user, way=trusting)
    assert away.value.context["reason"] == "connection"


@pytest.mark.parametrize("kind", ["password", "identity"])
def test_a_base_is_mounted_in_a_registry_that_wants_tokens(tmp_path, kind):
    tokens = TokenServer(tmp_path)
    entry = {"identitytoken": tokens.IDENTITY} if kind == "identity" else None
    with running_registry(tmp_path, tokens.cert, tokens.auth) as address:
        logins = Logins({"DOCKER_CONFIG": str(docker_config(tmp_path / "docker", address, entry))})
        said: list[str] = []
        registries = Registries(logins, Way({}, ca_bundle=str(tokens.cert)), said.append)
        client = registries.client(address, "bases/a", push=True)
        layer = Blob(digest=client.put_bytes(b"a layer"), size=7)
        image = BaseImage(reference="a", id="", config={}, diff_ids=[], architecture="amd64", os="linux")
        base = RegistryBase(image=image, remote=registries.client(address, "bases/a"), layers=[layer])
        digest = push_upon(registries, base, [], b"{}", f"{address}/team/b", home=tmp_path)
        assert "repository:team/b:pull,push repository:bases/a:pull" in [scope for _, scope, _ in tokens.asked]
        assert said == [], "it was mounted, not sent"
        written = registries.client(address, "team/b")
        assert written.has(layer.digest) and written.has_image(digest) and written.has_image(digest[7:23])
    tokens.close()


def test_layers_lie_over_one_another_with_whiteouts_hard_links_and_folders_that_are_links():
    tree = LayerTree()
    for layer in (
        {"usr/lib/a.so": b"1", "usr/lib/gone": b"22", "opt/x/old": b"", "opt/y/old": b"3", "lib": "usr/lib",
         "usr/bin/p": b"4444", "usr/bin/q": "=usr/bin/p"},
        {"usr/lib/.wh.gone": b"", "opt/x/.wh..wh..opq": b"", "opt/x/new": b"55", "lib/b.so": b"6",
         "etc/o": "../lib/a.so", "loop": "loop"},
    ):  # fmt: skip
        add(tree, layer)
    assert tree.names("/lib") == tree.names("/usr/lib") == ["a.so", "b.so"]
    assert tree.names("/opt/x") == ["new"] and tree.names("/opt/y") == ["old"]
    assert tree.find("/lib/gone") is None and tree.find("/loop") is None and tree.find("/none/at/all") is None
    assert tree.real("/etc/o") == "/usr/lib/a.so" and tree.find("/etc/../etc/o").told == b"1"
    assert tree.find("/usr/bin/p") is tree.find("/usr/bin/q")
    assert tree.find("/usr/lib/b.so").told == b"6"
    assert base_files.facts(tree, {}, "x")["files"] == 5, "a file with two names is one"


@pytest.mark.parametrize("minor", ["3.6", "3.11"])
def test_the_version_of_a_python_is_told_from_its_files(minor):
    path = Path(environment_cache.interpreter(minor))
    real = path.resolve()
    version = subprocess.run(
        [path, "-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])"], capture_output=True, text=True, check=True
    ).stdout.strip()
    tree = LayerTree()
    there = (real.parent.parent / "lib").glob("libpython3*")
    libraries = {f"usr/local/lib/{one.name}": one.read_bytes() for one in there}
    # As Python's own images have it: a program of a few kilobytes, linked to what the version is written in.
    add(tree, {f"usr/local/bin/{real.name}": real.read_bytes(), "usr/local/bin/python3": real.name, **libraries,
               f"usr/local/lib/python{minor}/json/__init__.py": b""}, base_files.read)  # fmt: skip
    assert base_files.facts(tree, {}, "x")["pythons"] == [(f"/usr/local/bin/{real.name}", version)]


def test_a_name_that_leads_out_of_a_layer_is_refused():
    with pytest.raises(ImageNeedsEngine, match="has the name"):
        add(LayerTree(), {"../x": b""})


def add(tree: LayerTree, files: dict[str, bytes | str], read: Reader = lambda path, file: file.read()) -> None:
    with tarfile.open(fileobj=io.BytesIO(archive(files)), mode="r|") as layer:
        tree.add(layer, read)


def archive(files: dict[str, bytes | str]) -> bytes:
    """A layer of files (bytes), links (text) and hard links (text with ``=``)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.mode = 0o755
            if isinstance(content, bytes):
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
            else:
                info.type = tarfile.LNKTYPE if content.startswith("=") else tarfile.SYMTYPE
                info.linkname = content.removeprefix("=")
                tar.addfile(info)
    return out.getvalue()


def put_image(address: str, repository: str, files: dict[str, bytes | str]) -> str:
    """Push an image of one layer; its name."""
    client = RegistryClient(address, repository, credentials=None, way=HERE, push=True)
    layer = archive(files)
    config = json.dumps(
        {
            "architecture": "amd64", "os": "linux", "config": {},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        }
    ).encode()  # fmt: skip
    client.put_manifest(document(client, config, [layer]), "1")
    return f"{address}/{repository}:1"


def document(client: RegistryClient, config: bytes, layers: list[bytes]) -> bytes:
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": client.put_bytes(config),
                "size": len(config),
            },
            "layers": [
                {"mediaType": TAR, "digest": client.put_bytes(one), "size": len(one)} for one in layers
            ],
        }
    ).encode()  # fmt: skip


def empty_image(client: RegistryClient) -> bytes:
    return document(client, b"{}", [])


def manifest_of(reference: str) -> dict:
    where, _, digest = reference.partition("@")
    registry, _, repository = where.partition("/")
    return RegistryClient(registry, repository, credentials=None, way=HERE).manifest(digest)[0]


def below(made) -> list[str]:
    """Digests of the layers below the code."""
    return [layer["digest"] for layer in manifest_of(made.reference)["layers"][:3]]
