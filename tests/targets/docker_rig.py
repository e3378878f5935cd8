"""The docker target's rig: a real engine, and an image with the scoring server that is built once."""

from __future__ import annotations

import fcntl
import functools
import hashlib
import importlib.util
import io
import json
import os
import shutil
import signal
import subprocess
import tarfile
import time
from pathlib import Path

import pytest
from rigs import Rig

from sendoff import processes
from sendoff.containers.engine import Engine, connect
from sendoff.containers.labels import HOME, home_id
from sendoff.spec.settings import Settings
from sendoff.targets import supervisor
from sendoff.targets.base import IMAGE, Artefact, Observation, Place, Surroundings
from sendoff.targets.docker import containers
from sendoff.targets.docker.records import ServiceFolder, place
from sendoff.targets.docker.target import DockerTarget
from sendoff.targets.run_folder import uids

ROOT = Path(__file__).parents[2]
CACHE = Path(os.environ.get("SENDOFF_TEST_CACHE", ROOT / ".cache"))
BASE = "sendoff-test/base:bookworm-slim"
PYTHON = "/usr/bin/python3"


@functools.cache
def missing() -> str:
    """Why there is no engine to test with; on CI it is made, and a failure to make it is an error."""
    if os.environ.get("CI") == "true":
        subprocess.run([ROOT / "tests/engine/setup.sh"], check=True, stdout=subprocess.DEVNULL)
        return ""
    done = subprocess.run([ROOT / "tests/engine/setup.sh", "--check"], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else "no Docker engine with the tests' base image (tests/engine/setup.sh)"


def require_engine() -> None:
    """Skip in one line on a machine without an engine; on CI it is there."""
    if missing():
        pytest.skip(missing())


@functools.cache
def image() -> str:
    """An image with the scoring server of this working tree; its worker runs on the base's own Python 3.11."""
    parts = {name: Path(str(importlib.util.find_spec(name).origin)).parent for name in ("httptools", "uvloop")}  # type: ignore[union-attr]
    parts["sendoff_serving"] = ROOT / "packages/serving/src/sendoff_serving"
    archive = io.BytesIO()
    digest = hashlib.sha256()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name, folder in sorted(parts.items()):
            for path in sorted(folder.rglob("*")):
                if path.is_file() and "__pycache__" not in path.parts:
                    entry = tarfile.TarInfo(f"front/{name}/{path.relative_to(folder)}")
                    data = path.read_bytes()
                    entry.size, entry.mode = len(data), 0o644
                    digest.update(f"{entry.name}\0{len(data)}\0".encode() + data)
                    tar.addfile(entry, io.BytesIO(data))
        text = (
            f"FROM {BASE}\nCOPY front /opt/front\nENV PYTHONPATH=/opt/front PYTHONDONTWRITEBYTECODE=1\n"
            f'USER 10001\nENTRYPOINT ["{PYTHON}", "-m", "sendoff_serving"]\n'
        ).encode()
        entry = tarfile.TarInfo("Dockerfile")
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text))
        digest.update(text)
    name = f"sendoff-test/front:{digest.hexdigest()[:16]}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "front-image.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        there = subprocess.run(["docker", "image", "inspect", name], capture_output=True, check=False)
        if there.returncode != 0:
            command = ["docker", "build", "-q", "-t", name, "-"]
            subprocess.run(
                command,
                input=archive.getvalue(),
                check=True,
                capture_output=True,
                env={**os.environ, "DOCKER_BUILDKIT": "0"},
            )
    return name


def docker_target(home: Path) -> DockerTarget:
    """The docker target of a home."""
    return DockerTarget(Place(kind="docker"), Surroundings(home=home, settings=Settings()))


class DockerRig(Rig):
    """The docker target on a real engine."""

    name = "docker"
    real = True

    def __init__(self, tmp_path: Path) -> None:
        require_engine()
        super().__init__(tmp_path)
        self.engine = connect(local=True)
        self.image = image()
        self.target: DockerTarget = docker_target(self.home)

    def artefact(self, python: str = PYTHON) -> Artefact:
        return Artefact(kind=IMAGE, reference=self.image, python=python)

    def until(self, phase: str, *, seconds: float = 60.0, **more: object) -> Observation:  # type: ignore[override]
        return super().until(phase, seconds=seconds, **more)  # type: ignore[arg-type]

    def containers(self, uid: str | None = None) -> list[containers.Container]:
        """This home's containers."""
        return [container for _, container in containers.listed(self.engine, self.home, uid)]

    def front(self, uid: str = "u1") -> processes.Identity | None:
        running = [one for one in self.containers(uid) if one.state == "running"]
        facts = containers.inspect(self.engine, running[-1].id) if running else {}
        return processes.identify(int(facts["State"]["Pid"])) if facts else None

    def leftovers(self, uid: str) -> list[str]:
        found = [container.name for container in self.containers(uid)]
        folder = ServiceFolder(self.home, uid).path
        found += [str(folder)] if folder.exists() else []
        if not uids(place(self.home)):
            found += [str(path) for path in (self.home / "gateway").glob("*") if path.name != "lock"]
            label = {"label": [f"{HOME}={home_id(self.home)}"]}
            found += [net["Name"] for net in self.engine.call("GET", "/networks", query={"filters": label})]
        return found

    def close(self) -> None:
        destroy(self.home, self.engine)


def destroy(home: Path, engine: Engine) -> None:
    """End and remove everything of a home on the engine, and its keeper and Envoy, each by its id."""
    supervisor.stop(place(home))
    for _, container in containers.listed(engine, home):
        containers.remove(engine, container.id)
    containers.remove_network(engine, home)
    for image in engine.call("GET", "/images/json", query={"filters": {"label": [f"{HOME}={home_id(home)}"]}}):
        engine.call("DELETE", f"/images/{image['Id']}", query={"force": "1"}, seconds=60.0)
    try:
        record = json.loads((home / "gateway" / "envoy.json").read_bytes())
    except OSError:
        record = None
    if record is not None:
        for process in processes.marked(record["token"]):
            processes.send(process, signal.SIGKILL)
        Path(record["admin"]).unlink(missing_ok=True)
    # A keeper that a test left behind ends when its home is gone.
    shutil.rmtree(home, ignore_errors=True)
    end = time.monotonic() + 10
    while supervisor.running(place(home)) and time.monotonic() < end:
        time.sleep(0.05)
