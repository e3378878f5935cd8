"""The docker target at its edges: HTTPS turned on and off and what a raw script sees of it, images of one's own."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import sys
import threading
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker_rig import BASE, require_engine
from identity.pem import write_pair
from registry_rig import SECRET, USER, certificate, htpasswd
from registry_rig import registry as running_registry
from rigs import wait_for
from stored_text import files_with
from test_docker_services import WS, DockerDeployments

from sendoff.deployments.access import ServiceAccess
from sendoff.errors import NotSupported
from sendoff.spec.deployment import DeploymentSpec
from sendoff.spec.environment import DockerSpec, EnvironmentSpec, PythonSpec
from sendoff.spec.service import CheckReport, Service, UpdateService
from sendoff.targets.docker import containers

RAW = b"""\
import time
from azureml.contrib.services.aml_request import rawhttp


def init():
    pass


@rawhttp
def run(request):
    time.sleep(float(request.args.get("seconds", "0")))
    return {"url": request.url, "host": request.host, "secure": request.is_secure}
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DockerDeployments]:
    require_engine()
    monkeypatch.setenv("SENDOFF_ACI_TARGET", "docker")
    monkeypatch.setenv("SENDOFF_BASE_IMAGE", BASE)
    rig = DockerDeployments(tmp_path / "home")
    yield rig
    rig.close()


class Client:
    """One connection that is kept, plain or over TLS."""

    def __init__(self, service: Service, cert: Path | None = None) -> None:
        port = urllib.parse.urlsplit(str(service.scoring_uri)).port or 0
        self.link = http.client.HTTPConnection("svc.test", port)
        plain = socket.create_connection(("127.0.0.1", port), 20)
        context = ssl.create_default_context(cafile=str(cert)) if cert is not None else None
        self.link.sock = context.wrap_socket(plain, server_hostname="svc.test") if context is not None else plain

    def ask(self, key: str | None = None, query: str = "", **headers: str) -> tuple[int, dict[str, object]]:
        given = {**headers, **({"Authorization": f"Bearer {key}"} if key else {})}
        self.link.request("POST", f"/score{query}", b"{}", {"Content-Type": "application/json", **given})
        answer = self.link.getresponse()
        data = answer.read()
        return answer.status, json.loads(data) if answer.status == 200 else {}


def test_https_is_turned_on_and_off_with_connections_open_and_a_raw_script_sees_which(
    home: DockerDeployments, tmp_path: Path
) -> None:
    cert, key = write_pair(tmp_path, "one")
    guarded = DeploymentSpec(compute_type="ACI", cpu_cores=1.0, memory_gb=0.5, auth_enabled=True)
    operation = home.deploy(inference=home.inference(RAW), deployment=guarded)
    assert operation.state == "Succeeded", operation
    plain = home.deployments.get(WS, "svc")
    password = ServiceAccess(home.rooms).keys(WS, "svc").primary_key
    port = urllib.parse.urlsplit(str(plain.scoring_uri)).port
    idle, busy = Client(plain), Client(plain)
    seen = {"url": f"http://svc.test:{port}/score", "host": f"svc.test:{port}", "secure": False}
    assert idle.ask(password) == (200, seen)
    # What a client says of its own connection counts for nothing.
    forged = {"X-Forwarded-Proto": "https"}
    assert busy.ask(password, **forged) == (200, seen)
    assert busy.ask()[0] == 401

    stop, answers = threading.Event(), []

    def go_on() -> None:
        while not stop.is_set():
            try:
                answers.append(busy.ask(password, "?seconds=0.2")[0])
            except (OSError, http.client.HTTPException):
                return  # closed between two requests, or said so with the last answer

    client = threading.Thread(target=go_on)
    client.start()
    secure = DeploymentSpec(
        compute_type="ACI", ssl_enabled=True, ssl_cname="svc.test", ssl_cert_pem=cert.read_text(),
        ssl_key_pem=key.read_text(),
    )  # fmt: skip
    try:
        operation = home.wait(home.deployments.update(WS, "svc", UpdateService(deployment=secure)))
    finally:
        stop.set()
        client.join(30)
    assert operation.state == "Succeeded", operation
    assert set(answers) == {200} and len(answers) > 2
    service = home.deployments.get(WS, "svc")
    assert service.scoring_uri == f"https://svc.test:{port}/score"
    over_tls = Client(service, cert)
    assert over_tls.ask()[0] == 401
    seen = {"url": f"https://svc.test:{port}/score?seconds=0", "host": f"svc.test:{port}", "secure": True}
    assert over_tls.ask(password, "?seconds=0", **{"X-Forwarded-Proto": "http"}) == (200, seen)

    def closed() -> bool:
        idle.link.sock.settimeout(0.2)
        try:
            return idle.link.sock.recv(1) == b""
        except TimeoutError:
            return False
        except OSError:
            return True

    wait_for(closed, 20)
    off = UpdateService(deployment=DeploymentSpec(compute_type="ACI", ssl_enabled=False))
    assert home.wait(home.deployments.update(WS, "svc", off)).state == "Succeeded"
    back = home.deployments.get(WS, "svc")
    assert back.scoring_uri == plain.scoring_uri
    assert Client(back).ask(password)[1]["secure"] is False
    with pytest.raises((ssl.SSLError, OSError)):
        Client(back, cert)


OWN = b"""\
import sys
import mine


def init():
    pass


def run(data):
    return [mine.MARK, sys.executable]
"""


def test_an_interpreter_of_the_image_is_used_as_it_is(home: DockerDeployments, tmp_path: Path) -> None:
    steps = f"FROM {BASE}\nRUN echo 'MARK = 7' > /usr/lib/python3/dist-packages/mine.py\n"
    python = PythonSpec(user_managed_dependencies=True, interpreter_path="/usr/bin/python3.11")
    spec = EnvironmentSpec(name="own", python=python, docker=DockerSpec(base_dockerfile=steps))
    operation = home.deploy(inference=home.inference(OWN, environment=spec), deployment=ACI)
    assert operation.state == "Succeeded", operation
    assert home.score(home.deployments.get(WS, "svc")) == [7, "/usr/bin/python3.11"]
    step = next(step for step in operation.steps if step.name == "environment")
    assert "the image's own interpreter" in step.message
    change = UpdateService(inference=home.inference(OWN.replace(b"MARK, ", b"MARK + 1, "), environment=spec))
    assert home.wait(home.deployments.update(WS, "svc", change)).state == "Succeeded"
    assert home.score(home.deployments.get(WS, "svc"))[0] == 8


def test_an_interpreter_of_this_machine_is_left_where_it_is(
    home: DockerDeployments, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENDOFF_ACI_TARGET", "auto")
    home.store.close()
    rig = DockerDeployments(home.home.parent / "other")
    try:
        spec = EnvironmentSpec(
            name="own", python=PythonSpec(user_managed_dependencies=True, interpreter_path=sys.executable)
        )
        found = rig.deployments.deploy(
            WS, rig.body(inference=rig.inference(environment=spec), deployment=ACI, check=True)
        )
        assert isinstance(found, CheckReport)
        assert found.target == "process"
        assert f"interpreter {sys.executable} is of this machine" in found.notes[0]
    finally:
        rig.close()


ACI = DeploymentSpec(compute_type="ACI", cpu_cores=1.0, memory_gb=0.5)
PLAIN = b"def init():\n    pass\n\n\ndef run(data):\n    return data\n"


def test_a_private_base_image_is_pulled_for_a_service_and_its_password_is_kept_nowhere(
    home: DockerDeployments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENDOFF_ACI_TARGET", "auto")
    folder = tmp_path / "registry"
    folder.mkdir()
    with running_registry(folder, certificate(folder), htpasswd(folder)) as address:
        import docker

        reference = f"{address}/private/base:1"
        client = docker.from_env()
        # In a folder of its own: what is sent is read by this process, and closing the home's database would give up
        # the locks that this process has on it (sqlite.org, "How To Corrupt", sec. 2.2).
        (tmp_path / "base").mkdir()
        (tmp_path / "base" / "Dockerfile").write_text(f"FROM {BASE}\nLABEL mark={time.time_ns()}\n")
        client.images.build(path=str(tmp_path / "base"), tag=reference)
        client.images.push(reference, auth_config={"username": USER, "password": SECRET})
        client.images.remove(reference, force=True)

        def inference(password: str) -> object:
            private = {"address": address, "username": USER, "password": password}
            spec = EnvironmentSpec(
                name="env",
                python=PythonSpec(conda_packages=["python=3.11"]),
                docker=DockerSpec(base_image="private/base:1", base_image_registry=private),
            )
            return home.inference(PLAIN, environment=spec)

        wrong = home.body(inference=inference(f"not-{SECRET}"), deployment=ACI, check=True)
        with pytest.raises(NotSupported, match=f"the base image {reference} is not in the engine and cannot be pulled"):
            home.deployments.deploy(WS, wrong)
        try:
            operation = home.deploy(inference=inference(SECRET), deployment=ACI)
            assert operation.state == "Succeeded", operation
            service = home.deployments.get(WS, "svc")
            assert service.target == "docker"
            (container,) = containers.of_service(home.engine, home.home, home.uid())
            told = json.dumps(containers.inspect(home.engine, container.id)) + repr(operation) + repr(service)
            assert SECRET not in told + home.deployments.logs(WS, "svc")
            assert files_with(home.home, SECRET) == []
        finally:
            client.images.remove(reference, force=True)
            client.close()


def test_a_base_image_that_cannot_be_pulled_has_a_reason_of_its_own(home: DockerDeployments) -> None:
    docker = DockerSpec(base_image="127.0.0.1:9/nothing:1")
    spec = EnvironmentSpec(name="env", python=PythonSpec(conda_packages=["python=3.11"]), docker=docker)
    operation = home.deploy(inference=home.inference(PLAIN, environment=spec), deployment=ACI)
    failed = next(step for step in operation.steps if step.state == "failed")
    assert (failed.name, failed.reason) == ("image", "ImageMissing"), operation
    assert operation.error is not None
    assert "127.0.0.1:9/nothing:1 is not in the engine and cannot be pulled" in operation.error["message"]
    assert containers.listed(home.engine, home.home) == []
