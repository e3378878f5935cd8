"""Deployments on the docker target, from the request to the answer: real engine, real images."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import environment_cache
import psutil
import pytest
from deployment_rigs import WS, Rig
from docker_rig import BASE, destroy, require_engine
from identity.pem import write_pair
from rigs import score, wait_for
from stored_text import files_with

from sendoff.containers import engine, labels
from sendoff.core import Core
from sendoff.deployments import revision_rows, service_rows
from sendoff.deployments.access import ServiceAccess
from sendoff.deployments.plan import plan_from
from sendoff.spec.deployment import DeploymentSpec
from sendoff.spec.environment import EnvironmentSpec, PythonSpec
from sendoff.spec.identity import IssueToken, RegenerateKey
from sendoff.spec.inference import InferenceSpec
from sendoff.spec.service import CheckReport, Service, UpdateService
from sendoff.targets.docker import containers

ECHO = b"""\
import json
import os
import sys


def init():
    global text
    with open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "model.bin")) as file:
        text = file.read()


def run(data):
    return [text, json.loads(data), ANSWER, sys.executable, os.getcwd()]


ANSWER = 1
"""


class DockerDeployments(Rig):
    """A home whose container instances run as containers."""

    def __init__(self, home: Path) -> None:
        environment_cache.lend_layers(home)
        super().__init__(home)
        self.engine = engine.connect(local=True)

    def another(self) -> Core:
        return Core(self.home)

    def inference(self, script: bytes = ECHO, **fields: object) -> InferenceSpec:
        spec = EnvironmentSpec(name="env", python=PythonSpec(conda_packages=["python=3.11"]))
        return super().inference(script, **{"environment": spec, **fields})

    def uid(self, name: str = "svc") -> str:
        """The service's uid."""
        with self.store.read() as connection:
            return str(service_rows.get_service(connection, WS, name).uid)

    def score(self, service: Service, value: object = 1) -> list[object]:
        assert service.scoring_uri is not None, service
        found = score(type("At", (), {"base_url": service.scoring_uri.removesuffix("/score")})(), json.dumps(value))  # type: ignore[arg-type]
        assert isinstance(found, list)
        return found

    def close(self) -> None:
        try:
            super().close()
        finally:
            environment_cache.keep_layers(self.home)
            destroy(self.home, self.engine)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DockerDeployments]:
    require_engine()
    monkeypatch.setenv("SENDOFF_ACI_TARGET", "auto")
    monkeypatch.setenv("SENDOFF_BASE_IMAGE", BASE)
    rig = DockerDeployments(tmp_path / "home")
    yield rig
    rig.close()


ACI = DeploymentSpec(compute_type="ACI", cpu_cores=1.0, memory_gb=0.5)


def test_a_container_instance_is_deployed_updated_without_a_failed_request_and_deleted_10(
    home: DockerDeployments,
) -> None:
    home.model("m", b"weights")
    operation = home.deploy(models=["m"], deployment=ACI)
    assert operation.state == "Succeeded", operation
    assert any("container of this machine's Docker engine" in note for note in operation.notes), operation.notes
    assert [step.name for step in operation.steps][3:6] == ["bundle", "image", "start"]
    service = home.deployments.get(WS, "svc")
    assert (service.state, service.target) == ("Healthy", "docker"), service
    assert home.score(service, [7]) == ["weights", [7], 1, "/opt/sendoff/environment/bin/python", "/var/azureml-app"]
    (container,) = containers.of_service(home.engine, home.home, home.uid())
    limits = containers.inspect(home.engine, container.id)["HostConfig"]
    assert (limits["Memory"], limits["NanoCpus"], limits["ReadonlyRootfs"]) == (512 * 1024**2, 10**9, True)

    answers: list[object] = []
    problems: list[Exception] = []
    stop = threading.Event()

    def hammer() -> None:
        while not stop.is_set():
            try:
                answers.append(home.score(service)[2])
            except Exception as error:
                problems.append(error)

    client = threading.Thread(target=hammer)
    client.start()
    try:
        change = UpdateService(inference=home.inference(ECHO.replace(b"ANSWER = 1", b"ANSWER = 2")))
        operation = home.wait(home.deployments.update(WS, "svc", change))
    finally:
        stop.set()
        client.join()
    assert operation.state == "Succeeded", operation
    assert problems == []
    assert home.score(home.deployments.get(WS, "svc"))[:3] == ["weights", 1, 2]
    container = containers.of_service(home.engine, home.home, home.uid())[-1]  # the one before may still drain
    assert container.name.startswith("sendoff-ws-svc-r2-")
    marks = containers.inspect(home.engine, container.id)["Config"]["Labels"]
    with home.store.read() as connection:
        plan = plan_from(revision_rows.list_revisions(connection, home.uid())[-1].wanted)
    shown = [marks[name] for name in ("sendoff.name", "sendoff.revision", "io.sendoff.bundle", "io.sendoff.models")]
    assert shown == ["svc", "2", plan.pinned.bundle, "m:1"]
    assert marks["io.sendoff.contents"] == ""
    step = next(step for step in operation.steps if step.name == "image")
    assert "as before: code is mounted" in step.message, step
    assert home.wait(home.deployments.rollback(WS, "svc")).state == "Succeeded"
    assert home.score(home.deployments.get(WS, "svc"))[:3] == ["weights", 1, 1]
    assert home.wait(home.deployments.delete(WS, "svc")).state == "Succeeded"
    assert containers.listed(home.engine, home.home) == []


def test_keys_guard_a_container_and_a_new_key_counts_at_once(home: DockerDeployments) -> None:
    guarded = DeploymentSpec(compute_type="ACI", auth_enabled=True, primary_key="first-key-of-32-characters-00001")
    operation = home.deploy(inference=home.inference(PLAIN), deployment=guarded)
    assert operation.state == "Succeeded", operation
    service = home.deployments.get(WS, "svc")
    assert service.auth_enabled
    assert status_of(service) == 401
    access = ServiceAccess(home.rooms)
    first = access.keys(WS, "svc").primary_key
    assert status_of(service, first) == 200
    second = access.regenerate(WS, "svc", RegenerateKey(key_type="Primary")).primary_key
    wait_for(lambda: (status_of(service, second), status_of(service, first)) == (200, 401), 10)


PLAIN = b"def init():\n    pass\n\n\ndef run(data):\n    return data\n"


def status_of(service: Service, key: str | None = None) -> int:
    """The status of one request, with a key or without."""
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
    request = urllib.request.Request(str(service.scoring_uri), data=b"1", headers=headers)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_tokens_guard_a_container_and_outlive_a_new_signing_key(home: DockerDeployments) -> None:
    guarded = DeploymentSpec(compute_type="ACI", token_auth_enabled=True)
    operation = home.deploy(inference=home.inference(PLAIN), deployment=guarded)
    assert operation.state == "Succeeded", operation
    assert not any("Not kept" in note for note in operation.notes), operation.notes
    service = home.deployments.get(WS, "svc")
    assert (service.token_auth_enabled, service.target) == (True, "docker")
    access = ServiceAccess(home.rooms)
    first = access.token(WS, "svc", IssueToken()).access_token
    assert (status_of(service), status_of(service, first), status_of(service, first[:-4] + "AAAA")) == (401, 200, 401)
    access.rotate_signing_key()
    second = access.token(WS, "svc", IssueToken()).access_token
    assert (status_of(service, second), status_of(service, first)) == (200, 200)
    # Tokens end with the revision that asks for them, and a request with a key is let in by the next one alone.
    change = UpdateService(deployment=DeploymentSpec(compute_type="ACI", auth_enabled=True))
    assert home.wait(home.deployments.update(WS, "svc", change)).state == "Succeeded"
    key = access.keys(WS, "svc").primary_key
    assert (status_of(service, key), status_of(service, second)) == (200, 401)


def over_tls(service: Service, certificate: Path, **versions: ssl.TLSVersion) -> tuple[int, object, str]:
    """Status and body of a request that verifies certificate and name, and the version of TLS."""
    context = ssl.create_default_context(cafile=str(certificate))
    for name, version in versions.items():
        setattr(context, name, version)
    port = urllib.parse.urlsplit(str(service.scoring_uri)).port
    with socket.create_connection(("127.0.0.1", port or 0), 10) as plain:
        with context.wrap_socket(plain, server_hostname="svc.test") as link:
            connection = http.client.HTTPConnection("svc.test")
            connection.sock = link
            connection.request("POST", "/score", b"1", {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read(), str(link.version())


def test_a_container_answers_over_tls_a_new_certificate_fails_no_request_and_its_key_is_nowhere_else(
    home: DockerDeployments, tmp_path: Path
) -> None:
    first, second = (write_pair(tmp_path, name) for name in ("first", "second"))

    def secure(pair: tuple[Path, Path]) -> DeploymentSpec:
        return DeploymentSpec(
            compute_type="ACI", ssl_enabled=True, ssl_cname="svc.test",
            ssl_cert_pem=pair[0].read_text(), ssl_key_pem=pair[1].read_text(),
        )  # fmt: skip

    operation = home.deploy(inference=home.inference(PLAIN), deployment=ACI)
    assert operation.state == "Succeeded", operation
    before = home.deployments.get(WS, "svc")
    operation = home.wait(home.deployments.update(WS, "svc", UpdateService(deployment=secure(first))))
    assert operation.state == "Succeeded" and not any("Not kept" in note for note in operation.notes), operation
    service = home.deployments.get(WS, "svc")
    port = urllib.parse.urlsplit(str(before.scoring_uri)).port
    assert (service.target, service.scoring_uri) == ("docker", f"https://svc.test:{port}/score")
    assert over_tls(service, first[0]) == (200, b'"1"', "TLSv1.3")
    older = {"minimum_version": ssl.TLSVersion.TLSv1_2, "maximum_version": ssl.TLSVersion.TLSv1_2}
    assert over_tls(service, first[0], **older)[2] == "TLSv1.2"
    with pytest.raises((ssl.SSLError, ConnectionError)), pytest.warns(DeprecationWarning):
        over_tls(service, first[0], minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)
    with pytest.raises(OSError):
        status_of(before)

    both = tmp_path / "both.crt"
    both.write_text(first[0].read_text() + second[0].read_text())
    answers: list[object] = []
    stop = threading.Event()

    def hammer() -> None:
        while not stop.is_set():
            try:
                answers.append(over_tls(service, both)[0])
            except Exception as error:
                answers.append(error)

    client = threading.Thread(target=hammer)
    client.start()
    try:
        operation = home.wait(home.deployments.update(WS, "svc", UpdateService(deployment=secure(second))))
    finally:
        stop.set()
        client.join()
    assert operation.state == "Succeeded" and set(answers) == {200}, set(answers)
    assert over_tls(service, second[0])[0] == 200
    with pytest.raises(ssl.SSLCertVerificationError):
        over_tls(service, first[0])

    wait_for(lambda: len(containers.of_service(home.engine, home.home, home.uid())) == 1, 30)
    (container,) = containers.of_service(home.engine, home.home, home.uid())
    secret = second[1].read_text().splitlines()[1]
    facts = containers.inspect(home.engine, container.id)
    image = home.engine.call("GET", f"/images/{facts['Image']}/json")
    told = json.dumps([facts, image]) + home.deployments.logs(WS, "svc") + repr(operation)
    assert secret not in told
    mounted = [Path(mount["Source"]) for mount in facts["Mounts"]]
    holders = files_with(home.home, secret)
    assert [(path.suffix, path.stat().st_mode & 0o777) for path in holders] == [(".key", 0o600)], holders
    assert not any(holders[0].is_relative_to(folder) for folder in mounted), "the key is in the container"

    plain = UpdateService(deployment=DeploymentSpec(compute_type="ACI", ssl_enabled=False))
    assert home.wait(home.deployments.update(WS, "svc", plain)).state == "Succeeded"
    assert status_of(home.deployments.get(WS, "svc")) == 200
    operation = home.wait(home.deployments.delete(WS, "svc"))
    assert operation.state == "Succeeded", operation
    assert list(home.home.rglob("tls-*")) == []


def test_gc_shows_and_removes_what_nothing_refers_to_on_the_engine(home: DockerDeployments) -> None:
    assert home.deploy(inference=home.inference(PLAIN), deployment=ACI).state == "Succeeded"
    (kept,) = containers.of_service(home.engine, home.home, home.uid())
    mine = {labels.HOME: labels.home_id(home.home)}
    told = home.garbage.collect(dry_run=True)
    assert (told.images, told.containers, told.networks) == ([], [], [])
    image = containers.inspect(home.engine, kept.id)["Image"]
    marks = {**mine, labels.SERVICE: "gone", labels.SERIAL: "1", labels.REVISION: "1"}
    stray = {"Image": image, "Labels": marks}
    home.engine.call("POST", "/containers/create", query={"name": f"stray-{home.home.parent.name}"}, body=stray)
    told = home.garbage.collect(dry_run=True)
    assert told.containers == [f"stray-{home.home.parent.name}"] and told.images == []
    assert home.garbage.collect().containers == told.containers
    assert [one.id for one in containers.of_service(home.engine, home.home, home.uid())] == [kept.id]
    assert home.deployments.get(WS, "svc").state == "Healthy"


def _images(home: DockerDeployments) -> set[str]:
    """Ids of this home's images on the engine."""
    mark = {"label": [f"{labels.HOME}={labels.home_id(home.home)}"]}
    return {one["Id"] for one in home.engine.call("GET", "/images/json", query={"filters": mark})}


def _there(home: DockerDeployments) -> dict[str, object]:
    """Everything that a service may leave: on the engine, at ports, in the home."""
    mark = {"label": [f"{labels.HOME}={labels.home_id(home.home)}"]}
    folders = ("docker/run", "run", "gateway", "packages", "staging")
    return {
        "containers": [one.name for _, one in containers.listed(home.engine, home.home)],
        "images": _images(home),
        "networks": [one["Name"] for one in home.engine.call("GET", "/networks", query={"filters": mark})],
        "volumes": {one["Name"] for one in home.engine.call("GET", "/volumes").get("Volumes") or []},
        "processes": [one.pid for one in psutil.process_iter() if _of(one, home) and "keeper" not in _command(one)],
        "files": [
            str(path.relative_to(home.home))
            for folder in folders
            for path in sorted((home.home / folder).rglob("*"))
            if "lock" not in path.name and ".supervisor" not in path.parts and path.is_file()
        ],
    }


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _of(process: psutil.Process, home: DockerDeployments) -> bool:
    return str(home.home) in _command(process)


def test_a_deleted_service_leaves_nothing(home: DockerDeployments) -> None:
    before = _there(home)
    assert home.deploy(inference=home.inference(PLAIN), deployment=ACI).state == "Succeeded"
    service = home.deployments.get(WS, "svc")
    during = _there(home)
    assert all(len(during[what]) > len(before[what]) for what in ("containers", "images", "networks", "files"))  # type: ignore[arg-type]
    port = urllib.parse.urlsplit(service.scoring_uri or "").port
    assert home.wait(home.deployments.delete(WS, "svc")).state == "Succeeded"
    wait_for(lambda: not _there(home)["processes"])
    after = _there(home)
    assert {**after, "volumes": before["volumes"]} == before, after
    assert not set(after["volumes"]) - set(during["volumes"])  # type: ignore[call-overload]
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", port))
    again = home.garbage.collect(dry_run=True)
    assert (again.images, again.containers, again.networks) == ([], [], [])


def test_gc_counts_what_images_weigh_and_leaves_those_that_somebody_named_or_runs(home: DockerDeployments) -> None:
    home.deploy("one", inference=home.inference(PLAIN), deployment=ACI)
    (image,) = _images(home)
    mark = labels.home_id(home.home)
    mine, theirs, ours = f"user-{mark}:1", f"sendoff/ws-theirs:{mark}", f"sendoff/ws-gone:{mark}"
    made = []
    try:
        for name, size in ((mine, 1), (theirs, 2), (ours, 3_000_000)):
            text = f"FROM {image}\nRUN head -c {size} /dev/zero > /tmp/{size}\nUSER 0\n".replace("RUN", "USER 0\nRUN")
            done = subprocess.run(
                ["docker", "build", "-q", "-t", name, "-"], input=text, text=True, capture_output=True, check=True
            )
            made.append(done.stdout.strip())
        name = f"user-{mark}"
        home.engine.call("POST", "/containers/create", query={"name": name}, body={"Image": theirs})
        told = home.garbage.collect(dry_run=True)
        assert told.images == [ours]
        assert 3_000_000 <= told.bytes < 4_000_000
        assert home.garbage.collect().images == [ours]
        assert _images(home) == {image, made[0], made[1]}
        assert home.deployments.get(WS, "one").state == "Healthy"
    finally:
        subprocess.run(["docker", "rm", "-f", f"user-{mark}"], check=False, capture_output=True)
        subprocess.run(["docker", "rmi", "-f", mine, theirs, ours], check=False, capture_output=True)


def test_gc_beside_a_deployment_takes_nothing_from_it(home: DockerDeployments) -> None:
    stop = threading.Event()
    problems: list[Exception] = []

    def clean() -> None:
        core = home.another()
        while not stop.is_set():
            try:
                core.garbage.collect()
            except Exception as error:
                problems.append(error)

    cleaner = threading.Thread(target=clean)
    cleaner.start()
    try:
        for _ in range(2):
            assert home.deploy(inference=home.inference(PLAIN), deployment=ACI).state == "Succeeded"
            assert home.deployments.get(WS, "svc").state == "Healthy"
            assert home.wait(home.deployments.delete(WS, "svc")).state == "Succeeded"
    finally:
        stop.set()
        cleaner.join()
    assert problems == []


def test_a_failing_script_says_its_line_and_the_service_is_gone(home: DockerDeployments) -> None:
    broken = home.inference(b"def init():\n    raise ValueError('no weights')\n\n\ndef run(data): pass\n")
    operation = home.deploy(inference=broken, deployment=ACI)
    assert operation.state == "Failed" and operation.error is not None
    assert operation.error["code"] == "script_failed", operation.error
    assert (operation.error["context"]["file"], operation.error["context"]["line"]) == ("score.py", 2)
    assert "score.py, line 2" in operation.error["message"]
    wait_for(lambda: "no weights" in home.deployments.logs(WS, "svc"))
    assert containers.listed(home.engine, home.home) == []


def test_out_of_memory_has_its_own_reason_in_the_timeline(home: DockerDeployments) -> None:
    greedy = (
        b"def init():\n    global held\n    held = [bytearray(1 << 20) for _ in range(900)]\n\n\ndef run(data): pass\n"
    )
    small = DeploymentSpec(compute_type="ACI", memory_gb=0.125)
    operation = home.deploy(inference=home.inference(greedy), deployment=small)
    failed = next(step for step in operation.steps if step.state == "failed")
    assert (failed.name, failed.reason) == ("init", "OutOfMemory"), operation


def test_without_an_engine_the_timeline_says_why_it_runs_as_processes(
    home: DockerDeployments, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///no/such/socket")
    found = home.deployments.deploy(WS, home.body(deployment=ACI, check=True))
    assert isinstance(found, CheckReport)
    assert found.target == "process"
    assert "no Docker engine answers at unix:///no/such/socket (DOCKER_HOST): there is no such socket" in found.notes[0]
