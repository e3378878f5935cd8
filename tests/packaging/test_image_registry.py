"""Pushing to and pulling from Debian's registry, with TLS, passwords and tokens (issue D 3; pain 24)."""

import base64
import json
import os

import pytest
from image_rig import CONDA_311, Rig, ask, locked, running
from registry_rig import SECRET, USER, TokenServer, certificate, docker_config, htpasswd
from registry_rig import registry as running_registry

from sendoff.connections import Way
from sendoff.containers.engine import connect
from sendoff.containers.registries import Credentials, Logins, host_of, split_reference
from sendoff.containers.registry_client import RegistryClient
from sendoff.environments.indexes import Indexes
from sendoff.errors import InvalidInput, SendoffError, Unauthorized, Unreachable
from sendoff.packaging import image
from sendoff.packaging.image_inspect import pull
from sendoff.packaging.image_pull import ImageSource
from sendoff.packaging.image_push import push
from sendoff.spec.environment import DockerSpec, EnvironmentSpec


def way(cert: str | None) -> Way:
    return Indexes(cert=cert).way({})


@pytest.fixture(scope="module")
def registry(tmp_path_factory, base):
    """``host:port`` and certificate of a running registry that wants a password."""
    folder = tmp_path_factory.mktemp("registry")
    cert = certificate(folder)
    with running_registry(folder, cert, htpasswd(folder)) as address:
        yield address, str(cert)


@pytest.fixture(scope="module")
def tokens(tmp_path_factory):
    made = TokenServer(tmp_path_factory.mktemp("tokens"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def bearer(tmp_path_factory, base, tokens):
    """A registry that wants a token."""
    folder = tmp_path_factory.mktemp("bearer")
    cert = certificate(folder)
    with running_registry(folder, cert, tokens.auth) as address:
        yield address, str(cert)


def put(rig, lock, reference, cert, said, environ):
    """Make the image of a lock and push it; what was made, and the digest of its manifest."""
    ours = connect()  # `engine` is another client than ours, to look at what we did
    ready = image.prepare(rig.request(rig.bundle(lock), lock, EnvironmentSpec(name="e"), progress=said.append), ours)
    logins = Logins(environ, own=rig.store.settings.image_registry)
    source = ImageSource(ours, logins, way(cert), said.append)
    digest = push(source, ready.base, ready.parts, ready.config, reference, home=rig.store.home)
    return ready, digest


@pytest.mark.slow
def test_an_image_is_pushed_once_pulled_back_and_answers(tmp_path, base, engine, registry):
    address, cert = registry
    lock = locked(CONDA_311)
    config = docker_config(tmp_path / "docker", address)
    environ = {"DOCKER_CONFIG": str(config), "SENDOFF_IMAGE_REGISTRY": f"{address}/team"}
    rig = Rig(tmp_path / "home", base, environ=environ)
    said: list[str] = []
    reference = f"{address}/team/svc:1"
    ready, first = put(rig, lock, reference, cert, said, rig.environ)
    sent = len([line for line in said if line.startswith("pushing")])
    assert sent == len(ready.parts) + len(ready.base.diff_ids)
    # The same bytes, and nothing travels a second time.
    assert put(rig, lock, reference, cert, said, rig.environ)[1] == first
    assert len([line for line in said if line.startswith("pushing")]) == sent
    remote = RegistryClient(address, "team/svc", credentials=Logins(rig.environ).of(address), way=way(cert))
    manifest, found = remote.manifest("1")
    assert found == first
    assert all(layer["mediaType"].endswith("tar+gzip") for layer in manifest["layers"])
    assert remote.blob(manifest["config"]["digest"]) == ready.config

    # The engine trusts registries of this machine; it gets the password from us.
    pull(_package(reference, f"{address}/team"), logins=Logins(rig.environ), way=way(None))
    try:
        assert engine.images.get(reference).id == manifest["config"]["digest"]
        with running(engine, reference) as where:
            assert ask(where)["model"] == "a model"
    finally:
        engine.images.remove(reference, force=True)
    for blob in (rig.store.home / "images" / "blobs").iterdir():
        assert SECRET.encode() not in blob.read_bytes()
    assert SECRET not in "\n".join(said)
    assert SECRET not in repr(Logins(rig.environ)) + repr(Logins(rig.environ).of(address))
    rig.store.close()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["password", "identity"])
def test_a_registry_that_wants_tokens_is_pushed_to_and_pulled_from(tmp_path, base, engine, bearer, tokens, kind):
    address, cert = bearer
    entry = {"identitytoken": tokens.IDENTITY} if kind == "identity" else None
    config = docker_config(tmp_path / "docker", address, entry)
    rig = Rig(tmp_path / "home", base, environ={"DOCKER_CONFIG": str(config)})
    said: list[str] = []
    tokens.asked.clear()
    reference = f"{address}/team/{kind}:1"
    _, digest = put(rig, locked(CONDA_311), reference, cert, said, rig.environ)
    method = "POST" if kind == "identity" else "GET"
    assert set(tokens.asked) == {(method, f"repository:team/{kind}:pull,push", True)}
    tokens.asked.clear()
    remote = RegistryClient(address, f"team/{kind}", credentials=Logins(rig.environ).of(address), way=way(cert))
    assert remote.manifest("1")[1] == digest
    assert tokens.asked == [(method, f"repository:team/{kind}:pull", True)]
    pull(_package(reference, address), logins=Logins(rig.environ), way=way(None))
    engine.images.remove(reference, force=True)
    assert not any(secret in "\n".join(said) for secret in (SECRET, tokens.IDENTITY))

    stranger = RegistryClient(address, "team/svc", credentials=Credentials(username=USER, password="x"), way=way(cert))
    with pytest.raises(Unauthorized) as caught:
        stranger.manifest("1")
    assert f"docker login {address}" in caught.value.hint
    assert tokens.asked[-1] == ("GET", "repository:team/svc:pull", False)
    rig.store.close()


@pytest.mark.slow
def test_a_private_base_image_is_pulled_with_the_environments_own_credentials(tmp_path, base, engine, registry):
    address, _ = registry
    mark = tmp_path.name.encode()
    (tmp_path / "Dockerfile").write_bytes(b"FROM " + base.encode() + b"\nLABEL mark=" + mark + b"\n")
    reference = f"{address}/private/base:1"
    engine.images.build(path=str(tmp_path), tag=reference)
    engine.images.push(reference, auth_config={"username": USER, "password": SECRET})
    engine.images.remove(reference, force=True)
    rig = Rig(tmp_path / "home", base)
    lock = locked(CONDA_311)
    private = {"address": f"https://{address}", "username": USER}
    docker = DockerSpec(base_image="private/base:1", base_image_registry=private)
    said: list[str] = []
    with pytest.raises(InvalidInput, match="cannot be pulled") as caught:
        rig.build(engine, rig.bundle(lock), lock, docker=docker, credentials=(USER, f"not-{SECRET}"))
    assert "baseImageRegistry" in caught.value.hint
    assert SECRET not in json.dumps(caught.value.payload())
    # The two variables are for the registry that images go to, and are not shown to others.
    rig.environ |= {"SENDOFF_REGISTRY_USERNAME": USER, "SENDOFF_REGISTRY_PASSWORD": SECRET}
    with pytest.raises(InvalidInput, match="cannot be pulled"):
        rig.build(engine, rig.bundle(lock), lock, docker=docker)
    try:
        whole = rig.build(
            engine, rig.bundle(lock), lock, docker=docker, credentials=(USER, SECRET), progress=said.append
        )
        assert engine.images.get(reference).labels["mark"] == mark.decode()
        assert whole.labels["org.opencontainers.image.base.name"] == reference
        # So does a Dockerfile of the user's own that starts from it.
        engine.images.remove(reference, force=True)
        steps = DockerSpec(
            base_dockerfile=f"FROM {reference}\nRUN touch /{mark.decode()}\n", base_image_registry=private
        )
        rig.build(engine, rig.bundle(lock), lock, docker=steps, credentials=(USER, SECRET), progress=said.append)
        assert SECRET.encode() not in b"".join(engine.api.get_image(whole.id))
        assert SECRET not in "\n".join(said)
    finally:
        engine.images.remove(reference, force=True)
    rig.store.close()


def _package(location: str, registry: str):
    from sendoff.spec.operation import Operation
    from sendoff.spec.package import Package, PackageResult

    operation = Operation(
        id="x", type="Package", service="svc:1", workspace="ws", revision=None, state="Succeeded", steps=[],
        error=None, created_time=0.0, end_time=0.0,
    )  # fmt: skip
    return Package(
        id="x", workspace="ws", state="Succeeded", generate_dockerfile=False, image="svc:1", models=[],
        result=PackageResult(location=location, registry=registry), error=None, created_time=0.0, operation=operation,
    )  # fmt: skip


def test_no_or_a_wrong_password_is_an_error_that_says_what_to_type_and_never_the_password(registry):
    address, cert = registry
    environ = {"SENDOFF_REGISTRY_USERNAME": USER, "SENDOFF_REGISTRY_PASSWORD": f"not-{SECRET}"}
    for credentials in (None, Logins(environ, own=address).of(address)):
        with pytest.raises(Unauthorized) as caught:
            RegistryClient(address, "team/svc", credentials=credentials, way=way(cert), push=True).put_bytes(b"x")
        assert f"docker login {address}" in caught.value.hint
        assert SECRET not in json.dumps(caught.value.payload())


def test_a_certificate_that_is_not_trusted_is_named_with_the_setting_that_mends_it(registry, tmp_path):
    client = RegistryClient(registry[0], "team/svc", credentials=None, way=way(None))
    with pytest.raises(Unreachable) as caught:
        client.has("sha256:" + "0" * 64)
    assert "ca_bundle" in caught.value.hint
    with pytest.raises(InvalidInput, match="ca_bundle"):
        RegistryClient(registry[0], "x", credentials=None, way=way(str(tmp_path / "none.pem"))).has("sha256:0")


def test_a_password_is_never_sent_to_a_token_server_without_encryption():
    client = RegistryClient("r.example", "a", credentials=Credentials(username="u", password=SECRET), way=way(None))
    with pytest.raises(SendoffError, match="without encryption") as caught:
        client._authorize('Bearer realm="http://tokens.example/token",service="s"')
    assert SECRET not in json.dumps(caught.value.payload())


def test_credentials_come_from_the_environment_then_dockers_helpers_then_its_file(tmp_path):
    helper = tmp_path / "docker-credential-mine"
    helper.write_text('#!/bin/sh\necho "{\\"Username\\": \\"helped\\", \\"Secret\\": \\"by $(cat)\\"}"\n')
    helper.chmod(0o755)
    store = tmp_path / "docker-credential-all"
    store.write_text(
        '#!/bin/sh\nread name; [ "$name" = s.example ] || exit 1\n'
        'echo "{\\"Username\\": \\"<token>\\", \\"Secret\\": \\"t\\"}"\n'
    )
    store.chmod(0o755)
    auth = base64.b64encode(b"filed:away").decode()
    config = {
        "auths": {"a.example": {"auth": auth}, "https://index.docker.io/v1/": {"auth": auth}},
        "credHelpers": {"b.example:5000": "mine"},
        "credsStore": "all",
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    environ = {"DOCKER_CONFIG": str(tmp_path), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    ours = {"SENDOFF_REGISTRY_USERNAME": "u", "SENDOFF_REGISTRY_PASSWORD": "p"}

    def found(registry: str, **more: object) -> tuple[str, str] | None:
        got = Logins({**environ, **ours}, own="https://own.example/team", **more).of(registry)
        return None if got is None else (got.username, got.password)

    assert found("own.example") == ("u", "p")
    assert found("a.example") == ("filed", "away")
    assert found("docker.io") == ("filed", "away")
    assert found("b.example:5000") == ("helped", "by b.example:5000")
    assert found("s.example") == ("<token>", "t")
    assert found("c.example") is None
    assert found("a.example", given={"a.example": Credentials(username="g", password="h")}) == ("g", "h")
    token = Logins({**environ}).of("s.example")
    assert token is not None and json.loads(base64.urlsafe_b64decode(token.header())) == {"identitytoken": "t"}
    assert json.loads(base64.urlsafe_b64decode(token.header())) == {"identitytoken": "t"}


def test_names_of_images_are_read_as_docker_reads_them():
    assert split_reference("python:3.11") == ("docker.io", "python", "3.11")
    assert split_reference("team/app") == ("docker.io", "team/app", "latest")
    assert split_reference("localhost/app:1") == ("localhost", "app", "1")
    digest = "sha256:" + "a" * 64
    assert split_reference(f"r.example:5000/team/app:1@{digest}") == ("r.example:5000", "team/app", digest)
    assert host_of("https://r.example:5000/team") == host_of("r.example:5000/team") == "r.example:5000"
