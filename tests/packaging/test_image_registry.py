"""Pushing to and pulling from Debian's registry, with TLS and a password (issue D 3; pain 24)."""

import base64
import datetime
import ipaddress
import json
import os
import shutil
import socket
import subprocess
import time
import warnings
from pathlib import Path

import pytest
from image_rig import CONDA_311, Rig, ask, locked, running

from sendoff.containers.engine import connect
from sendoff.errors import Unauthorized, Unreachable
from sendoff.packaging import image
from sendoff.packaging.image_inspect import pull
from sendoff.packaging.image_push import push
from sendoff.packaging.registry_client import RegistryClient, credentials_for
from sendoff.spec.environment import EnvironmentSpec

SECRET = "planted-registry-s3cret"
USER = "uploader"


def certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that signs itself, with its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "registry of a test")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "cert.pem"


@pytest.fixture(scope="module")
def registry(tmp_path_factory, base):
    """``host:port`` and certificate of a running registry that wants a password."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import crypt

        hashed = crypt.crypt(SECRET, crypt.mksalt(crypt.METHOD_BLOWFISH))
    if shutil.which("docker-registry") is None:
        pytest.skip("no docker-registry here: run tests/engine/setup.sh")
    folder = tmp_path_factory.mktemp("registry")
    cert = certificate(folder)
    (folder / "htpasswd").write_text(f"{USER}:{hashed}\n")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    config = {
        "version": 0.1,
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": address, "tls": {"certificate": str(cert), "key": str(folder / "key.pem")}},
        "auth": {"htpasswd": {"realm": "tests", "path": str(folder / "htpasswd")}},
    }
    (folder / "config.yml").write_text(json.dumps(config))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["docker-registry", "serve", str(folder / "config.yml")], stdout=log, stderr=log, cwd=folder
        )
    try:
        host, _, port = address.partition(":")
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex((host, int(port))) == 0:
                    break
            time.sleep(0.05)
        yield address, str(cert)
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def docker_config(tmp_path, registry) -> Path:
    folder = tmp_path / "docker-config"
    folder.mkdir()
    entry = base64.b64encode(f"{USER}:{SECRET}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {registry[0]: {"auth": entry}}}))
    return folder


@pytest.mark.slow
def test_an_image_is_pushed_once_pulled_back_and_answers(tmp_path, base, engine, registry, docker_config, monkeypatch):
    address, cert = registry
    lock = locked(CONDA_311)
    environ = {"DOCKER_CONFIG": str(docker_config), "SENDOFF_IMAGE_REGISTRY": f"{address}/team"}
    rig = Rig(tmp_path / "home", base, environ=environ)
    said: list[str] = []
    ready = image.prepare(
        rig.store, bundle=rig.bundle(lock), lock=lock, spec=EnvironmentSpec(name="e"), engine=connect(),
        environ=rig.environ, progress=said.append,
    )  # fmt: skip
    reference = f"{address}/team/svc:1"

    def pushed() -> str:
        return push(
            connect(), ready.base, ready.parts, ready.config, reference, home=rig.store.home, environ=rig.environ,
            ca=cert, progress=said.append,
        )  # fmt: skip

    first = pushed()
    sent = len([line for line in said if line.startswith("pushing")])
    assert sent == len(ready.parts) + len(ready.base.diff_ids)
    assert pushed() == first  # the same bytes, and nothing travels a second time
    assert len([line for line in said if line.startswith("pushing")]) == sent
    remote = RegistryClient(address, "team/svc", credentials=credentials_for(address, rig.environ), ca=cert)
    manifest, found = remote.manifest("1")
    assert found == first
    assert all(layer["mediaType"].endswith("tar+gzip") for layer in manifest["layers"])
    assert remote.blob(manifest["config"]["digest"]) == ready.config

    # The engine trusts registries of this machine; it gets the password from us.
    monkeypatch.setenv("DOCKER_CONFIG", str(docker_config))
    pull(_package(reference, f"{address}/team"))
    try:
        assert engine.images.get(reference).id == manifest["config"]["digest"]
        with running(engine, reference) as where:
            assert ask(where)["model"] == "a model"
    finally:
        engine.images.remove(reference, force=True)
    for blob in (rig.store.home / "images" / "blobs").iterdir():
        assert SECRET.encode() not in blob.read_bytes()
    assert SECRET not in "\n".join(said)
    assert SECRET not in repr(credentials_for(address, rig.environ))
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
    for credentials in (None, credentials_for(address, environ)):
        with pytest.raises(Unauthorized) as caught:
            RegistryClient(address, "team/svc", credentials=credentials, ca=cert).put_bytes(b"x")
        assert f"docker login {address}" in caught.value.hint
        assert SECRET not in json.dumps(caught.value.payload())


def test_a_certificate_that_is_not_trusted_is_named_with_the_setting_that_mends_it(registry):
    client = RegistryClient(registry[0], "team/svc", credentials=None, ca=None)
    with pytest.raises(Unreachable) as caught:
        client.has("sha256:" + "0" * 64)
    assert "ca_bundle" in caught.value.hint


def test_credentials_come_from_the_environment_then_dockers_helpers_then_its_file(tmp_path):
    helper = tmp_path / "docker-credential-mine"
    helper.write_text('#!/bin/sh\necho "{\\"Username\\": \\"helped\\", \\"Secret\\": \\"by $(cat)\\"}"\n')
    helper.chmod(0o755)
    auth = base64.b64encode(b"filed:away").decode()
    config = {"auths": {"a.example": {"auth": auth}}, "credHelpers": {"b.example:5000": "mine"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    environ = {"DOCKER_CONFIG": str(tmp_path), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    ours = {"SENDOFF_REGISTRY_USERNAME": "u", "SENDOFF_REGISTRY_PASSWORD": "p"}

    def found(registry: str, extra: dict[str, str]) -> tuple[str, str] | None:
        got = credentials_for(registry, {**environ, **extra})
        return None if got is None else (got.username, got.password)

    assert found("a.example", {}) == ("filed", "away")
    assert found("b.example:5000", {}) == ("helped", "by b.example:5000")
    assert found("c.example", {}) is None
    assert found("a.example", ours) == ("u", "p")
