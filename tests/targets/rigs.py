"""What the tests of targets share: bundles made by hand, and a rig for each target that knows how to make, reach and
clean up real services. A further target joins the conformance suite with a rig and a line in ``RIGS``.
"""

from __future__ import annotations

import hashlib
import hmac
import importlib.util
import json
import os
import shutil
import signal
import sys
import textwrap
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from fake_target import FakeTarget, fake_target

from sendoff import processes
from sendoff.spec.access import Access
from sendoff.spec.settings import Settings
from sendoff.targets import supervisor
from sendoff.targets.base import (
    INTERPRETER,
    SERVICE,
    Artefact,
    Limits,
    Listen,
    Observation,
    Place,
    Surroundings,
    Target,
    Used,
    Wanted,
    observe_one,
)
from sendoff.targets.process import fronts
from sendoff.targets.process.records import ProcessFolder
from sendoff.targets.process.target import ProcessTarget
from sendoff.targets.run_folder import uids

STAND_IN = [sys.executable, str(Path(__file__).with_name("standin_front.py"))]
REAL_SERVER = importlib.util.find_spec("sendoff_serving.__main__") is not None and not os.environ.get(
    "SENDOFF_STAND_IN"
)

ANSWERS = """
import os
def init():
    global said
    said = {said!r}
    print("init of", said, flush=True)
def run(data):
    return {{"said": said, "got": data}}
"""
FAILS = """
def init():
    unready = 1
    raise ValueError("no model here")
def run(data):
    return data
"""
HANGS = """
import time
def init():
    time.sleep(3600)
def run(data):
    return data
"""


def wait_for(what: Callable[[], bool], seconds: float = 30.0, why: Callable[[], object] = lambda: "") -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, f"not within {seconds:g} s: {why()}"
        time.sleep(0.02)


class Rig:
    """One target under test; ``real`` when requests can be sent to what it runs."""

    name = ""
    real = False
    stand_in = False
    target: Target
    first: Wanted

    def __init__(self, tmp_path: Path) -> None:
        self.tmp = tmp_path
        self.home = tmp_path / "home"
        self._bundles = 0

    def bundle(self, script: str) -> Path:
        """A bundle's folder, made by hand, with this entry script."""
        self._bundles += 1
        folder = self.home / "bundles" / f"bundle-{self._bundles}"
        (folder / "app").mkdir(parents=True)
        (folder / "app" / "score.py").write_text(textwrap.dedent(script))
        manifest = {
            "schema_version": 1,
            "service": {"name": "tested", "version": "1.0", "path_prefix": ""},
            "app_root": "app",
            "entry_script": "score.py",
            "source_directory": None,
            "models": [],
            "model_dir": None,
            "environment": {"name": "e", "version": "1", "lock_digest": "sha256:0", "variables": {}},
            "serving": {"workers": 1},
        }
        (folder / "bundle.json").write_text(json.dumps(manifest))
        return folder

    def wanted(self, script: str, *, uid: str = "u1", revision: int = 1, port: int = 0, **more: object) -> Wanted:
        """A wanted service with this entry script."""
        limits = Limits(cpus=more.pop("cpus", None), memory_mb=more.pop("memory_mb", None))  # type: ignore[arg-type]
        facts = {"uid": uid, "name": f"name-{uid}", "workspace": "ws", "revision": revision, "limits": limits}
        facts |= {"bundle": self.bundle(script).name, "artefact": self.artefact(), "listen": Listen(port=port)}
        return Wanted(**{**facts, "drain_seconds": 5.0, **more})  # type: ignore[arg-type]

    def artefact(self, python: str = sys.executable) -> Artefact:
        """What the services of this rig run in."""
        return Artefact(kind=INTERPRETER, reference="here", python=python)

    def folder(self, wanted: Wanted) -> Path:
        """The folder of a wanted service's bundle."""
        return self.home / "bundles" / wanted.bundle

    def observe(self, uid: str = "u1", *, metrics: bool = False) -> Observation:
        """What is seen of one service now."""
        return observe_one(self.target, uid, metrics=metrics)

    def present(self) -> list[str]:
        """Uids of all services that the target holds."""
        return [one.id for one in self.target.held(Used(services=(), images=())) if one.kind == SERVICE]

    def answering(self, said: str, **more: object) -> Wanted:
        """A service that answers with this text."""
        return self.wanted(ANSWERS.format(said=said), **more)

    def failing(self, **more: object) -> Wanted:
        """A service whose init() raises ValueError at line 4 of score.py."""
        return self.wanted(FAILS, **more)

    def until(self, phase: str, *, uid: str = "u1", revision: int | None = None, seconds: float = 30.0) -> Observation:
        """Observe until the service is in that phase (with that revision), and return what was seen."""
        seen: list[Observation] = []

        def there() -> bool:
            seen[:] = [self.observe(uid)]
            return seen[0].phase == phase and (revision is None or seen[0].revision == revision)

        wait_for(there, seconds, lambda: seen)
        return seen[0]

    def until_pending(self, phase: str | None, *, uid: str = "u1", seconds: float = 30.0) -> Observation:
        """Observe until what is on its way is in that phase."""
        seen: list[Observation] = []

        def there() -> bool:
            seen[:] = [self.observe(uid)]
            return seen[0].pending_phase == phase

        wait_for(there, seconds, lambda: seen)
        return seen[0]

    def front(self, uid: str = "u1") -> processes.Identity | None:
        """The process behind the service's address, where the target has one that a test may kill."""
        return None

    def leftovers(self, uid: str) -> list[str]:
        """What is still there of a service that was removed."""
        return []

    def close(self) -> None:
        """End everything that this rig started."""


def access(key: str, *, made: int = 1, auth: str = "key") -> Access:
    """What lets in who has this key."""
    salt = b"pepper"
    digest = {"name": "primary", "salt": salt.hex(), "sha256": hmac.digest(salt, key.encode(), "sha256").hex()}
    document = {"schema_version": 1, "audience": "u", "open": [], "keys": [digest], "auth": auth, "tls": None}
    return Access(document={**document, "revisions": {}}, made=made)


def process_target(home: Path, *, front: list[str] | None = None) -> ProcessTarget:
    """The process target of a home."""
    return ProcessTarget(Place(kind="process"), Surroundings(home=home, settings=Settings()), front=front)


class ProcessRig(Rig):
    """The process target, on the real scoring server when it is there, else on the stand-in."""

    name = "process"
    real = True

    def __init__(self, tmp_path: Path) -> None:
        super().__init__(tmp_path)
        self.stand_in = not REAL_SERVER
        self.command = None if REAL_SERVER else STAND_IN
        self.target: ProcessTarget = process_target(self.home, front=self.command)
        self.seen: dict[str, list[tuple[str, str]]] = {}

    def until(self, phase: str, **more: object) -> Observation:  # type: ignore[override]
        found = super().until(phase, **more)  # type: ignore[arg-type]
        self.note()
        return found

    def note(self) -> None:
        """Remember tokens and sockets, so that what should be gone can be looked for later."""
        for uid in uids(self.home):
            for front in ProcessFolder(self.home, uid).fronts():
                entry = (front.token, front.control)
                if entry not in self.seen.setdefault(uid, []):
                    self.seen[uid].append(entry)

    def front(self, uid: str = "u1") -> processes.Identity | None:
        running = fronts.live(ProcessFolder(self.home, uid))
        return running[-1].process if running else None

    def leftovers(self, uid: str) -> list[str]:
        found = [str(ProcessFolder(self.home, uid).path)] if ProcessFolder(self.home, uid).exists else []
        for token, control in self.seen.get(uid, []):
            found += [control] if Path(control).exists() else []
            found += [f"process {process.pid}" for process in processes.marked(token)]
        return found

    def close(self) -> None:
        self.note()
        supervisor.stop(self.home)
        self.note()
        for uid in uids(self.home):
            folder = ProcessFolder(self.home, uid)
            for front in fronts.live(folder):
                processes.send(front.process, signal.SIGKILL)
            for front in folder.fronts():
                folder.forget(front)
            folder.delete()
        for entries in self.seen.values():
            for token, control in entries:
                for process in processes.marked(token):
                    processes.send(process, signal.SIGKILL)
                Path(control).unlink(missing_ok=True)
        # A supervisor that a test left behind ends when its home is gone.
        shutil.rmtree(self.home, ignore_errors=True)


class FakeRig(Rig):
    """The fake: what the services do is scripted by name instead of written in their entry scripts."""

    name = "fake"

    def __init__(self, tmp_path: Path) -> None:
        super().__init__(tmp_path)
        self.target: FakeTarget = fake_target(self.home)

    def answering(self, said: str, **more: object) -> Wanted:
        wanted = super().answering(said, **more)
        self.target.script(wanted.name, "succeed")
        return wanted

    def failing(self, **more: object) -> Wanted:
        wanted = super().failing(**more)
        self.target.script(wanted.name, "fail-init")
        return wanted


RIGS: list[type[Rig]] = [ProcessRig, FakeRig]


def score(observation: Observation, data: str = '"x"', seconds: float = 10.0, *, key: str = "") -> object:
    """Send one request to a service and give the parsed answer."""
    request = urllib.request.Request(
        f"{observation.base_url}/score", data=data.encode(), headers={"Content-Type": "application/json"}
    )
    if key:
        request.add_header("Authorization", f"Bearer {key}")
    # No proxy: the address is on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=seconds) as answer:
        return json.loads(answer.read())


def listing(folder: Path) -> dict[str, tuple[int, str]]:
    """Every file of a folder with its mode and digest, without what Python keeps there of what it has compiled."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mode, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.parent.name != "__pycache__"
    }
