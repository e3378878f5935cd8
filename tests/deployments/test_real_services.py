"""Deployments with the real target, scoring server and runner: what users get."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from collected import put_source
from deployment_rigs import WS, Rig

from sendoff.core import Core
from sendoff.errors import PortInUse
from sendoff.operations.execute import KILL_AT
from sendoff.packaging.collect_source import collect_again, collect_source
from sendoff.spec.deployment import DeploymentSpec
from sendoff.spec.service import Service, UpdateService
from sendoff.targets import supervisor
from sendoff.targets.run_folder import uids

ECHO = b"""\
import json
import os


def init():
    global text
    with open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "model.bin")) as file:
        text = file.read()


def run(data):
    return [text, json.loads(data), ANSWER]


ANSWER = 1
"""


class RealRig(Rig):
    def another(self) -> Core:
        return Core(self.home)

    def score(self, service: Service, value: object = 1) -> object:
        assert service.scoring_uri is not None, service
        request = urllib.request.Request(service.scoring_uri, data=json.dumps(value).encode())
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    def processes(self) -> list[psutil.Process]:
        """Everything alive that names this home on its command line, and its runners."""
        found = [psutil.Process(pid) for pid in self.runners()]
        for process in psutil.process_iter():
            try:
                if process.status() != psutil.STATUS_ZOMBIE and any(
                    str(self.home) in part for part in process.cmdline()
                ):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def close(self) -> None:
        super().close()
        for uid in uids(self.home):
            self.another().rooms.target("process").remove(uid)
        supervisor.stop(self.home)
        end = time.monotonic() + 15
        while self.processes() and time.monotonic() < end:
            time.sleep(0.1)
        left = self.processes()
        for process in left:
            process.kill()
        assert left == [], "processes were left behind"


@pytest.fixture
def real(tmp_path: Path) -> Iterator[RealRig]:
    rig = RealRig(tmp_path / "home")
    yield rig
    rig.close()


def test_from_a_model_to_an_answer_update_rollback_and_delete(real: RealRig) -> None:
    real.model("m", b"weights")
    operation = real.deploy(models=["m"], inference=real.inference(ECHO))
    assert operation.state == "Succeeded", operation
    service = real.deployments.get(WS, "svc")
    assert service.state == "Healthy", service
    assert real.score(service, [7]) == ["weights", [7], 1]
    port = service.port

    # A client hammers during the update: no request fails, and the address stays.
    answers: list[object] = []
    problems: list[Exception] = []
    stop = threading.Event()

    def hammer() -> None:
        while not stop.is_set():
            try:
                answers.append(real.score(service)[2])  # type: ignore[index]
            except Exception as error:
                problems.append(error)

    client = threading.Thread(target=hammer)
    client.start()
    try:
        update = UpdateService(inference=real.inference(ECHO.replace(b"ANSWER = 1", b"ANSWER = 2")))
        operation = real.wait(real.deployments.update(WS, "svc", update))
    finally:
        stop.set()
        client.join()
    assert operation.state == "Succeeded", operation
    assert problems == []
    service = real.deployments.get(WS, "svc")
    assert (service.port, service.revision, service.state) == (port, 2, "Healthy")
    assert real.score(service) == ["weights", 1, 2]

    assert real.wait(real.deployments.rollback(WS, "svc")).state == "Succeeded"
    assert real.score(real.deployments.get(WS, "svc")) == ["weights", 1, 1]

    assert real.wait(real.deployments.delete(WS, "svc")).state == "Succeeded"
    assert uids(real.home) == []


@pytest.mark.parametrize(
    ("script", "line", "word"),
    [
        (b"import nothing_of_this_name\n\n\ndef init(): pass\n\n\ndef run(data): pass\n", 1, "ModuleNotFoundError"),
        (b"def init():\n    raise ValueError('no weights')\n\n\ndef run(data): pass\n", 2, "no weights"),
        (b"def init():\n    open('missing.bin')\n\n\ndef run(data): pass\n", 2, "missing.bin"),
    ],
)
def test_a_script_that_fails_says_where_within_seconds(real: RealRig, script: bytes, line: int, word: str) -> None:
    operation = real.deploy(inference=real.inference(script))
    assert operation.state == "Failed"
    assert operation.error is not None
    context = operation.error["context"]
    assert operation.error["code"] == "script_failed", operation.error
    assert (context["file"], context["line"]) == ("score.py", line), context
    assert f"score.py, line {line}" in operation.error["message"]
    assert word in context["traceback"]
    service = real.deployments.get(WS, "svc")
    assert service.state == "Failed" and service.error == operation.error
    real.until(lambda: word in real.deployments.logs(WS, "svc"))
    assert uids(real.home) == []


def test_a_failed_update_leaves_the_old_revision_answering(real: RealRig) -> None:
    real.model("m", b"weights")
    real.deploy(models=["m"], inference=real.inference(ECHO))
    broken = real.inference(b"def init():\n    1 / 0\n\n\ndef run(data): pass\n")
    operation = real.wait(real.deployments.update(WS, "svc", UpdateService(inference=broken)))
    assert operation.state == "Failed" and operation.error is not None
    assert "ZeroDivisionError" in operation.error["context"]["traceback"]
    service = real.deployments.get(WS, "svc")
    assert (service.state, service.revision, service.wanted_revision) == ("Healthy", 1, 1), service
    assert real.score(service) == ["weights", 1, 1]


def test_a_port_in_use_is_said_before_anything_starts(real: RealRig) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        spec = DeploymentSpec(compute_type="LOCAL", port=taken.getsockname()[1])
        with pytest.raises(PortInUse):
            real.deployments.deploy(WS, real.body(deployment=spec))
    assert real.deployments.list(WS) == []


@pytest.mark.parametrize("moment", ["bundle:end", "start:end", "init:begin"])
def test_a_killed_runner_leaves_one_service(real: RealRig, moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KILL_AT, moment)
    operation = real.deploy()
    assert (operation.state, operation.attempts) == ("Succeeded", 2), operation
    service = real.deployments.get(WS, "svc")
    assert service.state == "Healthy"
    assert real.score(service, 5) == "5"
    assert len(uids(real.home)) == 1


def test_cancel_ends_an_init_that_never_returns(real: RealRig) -> None:
    slow = b"import time\n\n\ndef init():\n    time.sleep(3600)\n\n\ndef run(data): pass\n"
    operation = real.deployments.deploy(WS, real.body(inference=real.inference(slow)))
    real.until(lambda: real.operations.get(operation.id).steps[5].reason == "WaitingForInit")
    assert real.deployments.get(WS, "svc").state == "Transitioning"
    real.operations.cancel(operation.id)
    assert real.wait(operation).state == "Cancelled"
    assert uids(real.home) == []


def test_a_source_folder_is_served_and_read_again(real: RealRig, tmp_path: Path) -> None:
    folder = tmp_path / "code"
    (folder / "inner").mkdir(parents=True)
    (folder / "extra.json").write_text('{"answer": 42}')
    (folder / "inner" / "helper.py").write_text("def answer(x):\n    return x['answer']\n")
    (folder / "score.py").write_text(
        "import json\n\nfrom inner.helper import answer\n\n\ndef init():\n    global found\n"
        "    found = answer(json.load(open('./code/extra.json')))\n\n\ndef run(data):\n    return found\n"
    )
    source = put_source(collect_source("score.py", folder), real.store.blobs.put_file)
    inference = real.inference()
    from sendoff.spec.parse import replace

    operation = real.deploy(inference=replace(inference, source=source))
    assert operation.state == "Succeeded", operation
    assert real.score(real.deployments.get(WS, "svc")) == 42
    (folder / "extra.json").write_text('{"answer": 43}')
    fresh = put_source(collect_again(source), real.store.blobs.put_file)
    real.wait(real.deployments.update(WS, "svc", UpdateService(inference=replace(inference, source=fresh))))
    assert real.score(real.deployments.get(WS, "svc")) == 43


def test_a_front_that_is_killed_is_not_healthy_until_it_is_back(real: RealRig) -> None:
    real.deploy()
    for process in real.processes():
        if "sendoff_serving" in " ".join(process.cmdline()):
            os.kill(process.pid, signal.SIGKILL)
    real.until(lambda: real.deployments.get(WS, "svc").state == "Healthy")
    assert real.score(real.deployments.get(WS, "svc"), 3) == "3"


def test_after_a_reboot_it_is_unhealthy_until_up(real: RealRig) -> None:
    real.deploy()
    # As a reboot leaves it: the records of another boot, and no process.
    supervisor.stop(real.home)
    running = real.processes()
    for process in running:
        process.kill()
    psutil.wait_procs(running, timeout=20)  # a process that is just dying would be seen as one that does not answer
    (wanted,) = (real.home / "run").glob("*/wanted.json")
    record = json.loads(wanted.read_text())
    wanted.chmod(0o600)
    wanted.write_text(json.dumps({**record, "boot": "an earlier one"}))
    service = real.deployments.get(WS, "svc")
    assert service.state == "Unhealthy" and service.error is not None
    assert "sendoff up" in service.error["hint"]
    assert real.deployments.up() == ["ws/svc"]
    real.until(lambda: real.deployments.get(WS, "svc").state == "Healthy")
    back = real.deployments.get(WS, "svc")
    assert back.port == service.port and real.score(back, 3) == "3"
