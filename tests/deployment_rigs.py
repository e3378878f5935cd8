"""Rooms for tests of deployments: a real store and registry, and fakes for targets and environments that say so."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sendoff.artefacts.makers import Makers
from sendoff.computes.places import Places
from sendoff.core import Core, users
from sendoff.deployments import Deployments
from sendoff.errors import EnvironmentFailed, EnvironmentNotFound
from sendoff.garbage.garbage import Garbage
from sendoff.operations import operation_rows
from sendoff.operations.operation_rows import operation_view
from sendoff.operations.operations import Operations
from sendoff.operations.places import log_path
from sendoff.registry import Registry
from sendoff.rooms import Rooms
from sendoff.spec.deployment import DeploymentSpec
from sendoff.spec.environment import Environment, EnvironmentSpec, Lock, PythonSpec
from sendoff.spec.inference import InferenceSpec, SourceSpec
from sendoff.spec.model import ManifestFile, RegisterModel
from sendoff.spec.operation import Operation
from sendoff.spec.service import DeployService
from sendoff.spec.workspace import CreateWorkspace
from sendoff.store import Store
from sendoff.targets import table
from sendoff.targets.base import Kind, Place, Surroundings

sys.path.append(str(Path(__file__).parent / "targets"))
from fake_target import FakeTarget, fake_target

WS = "ws"
RUNNER = [sys.executable, str(Path(__file__).with_name("fake_runner.py"))]
SCORE = b"def init():\n    pass\n\n\ndef run(data):\n    return data\n"


class FakeTargets:
    """There is one target, and it is the fake one."""

    def kinds(self) -> dict[str, Kind]:
        return {"process": table.kinds()["process"]}

    def load(self, place: Place, surroundings: Surroundings) -> FakeTarget:
        return FakeTarget(place, surroundings)


class FakeEnvironments:
    """Builds nothing: every environment is this interpreter.

    A conda package ``impossible`` fails to resolve, ``huge`` fills the disk, ``endless`` takes until there is a
    file ``go`` in the home.
    """

    def __init__(self, store: Store) -> None:
        self._home = store.home
        self.removed: list[str] = []
        self.pythons: dict[str, str] = {}

    def register(self, ws: str, spec: EnvironmentSpec) -> Environment:
        return Environment(name=spec.name, version="1", digest="sha256:" + "0" * 64, spec=spec, created_time=0.0)

    def get(self, ws: str, name: str, version: str | None = None) -> Environment:
        if name not in ("known", "env"):
            raise EnvironmentNotFound(f"there is no environment {name!r}")
        return Environment(name=name, version=version or "3", digest="", spec=environment(name), created_time=0.0)

    def resolve(self, spec: EnvironmentSpec, progress: Callable[[str], None], **_: Any) -> Lock:
        progress("resolving, says the fake")
        if "impossible" in spec.python.conda_packages:
            raise EnvironmentFailed("no version of 'impossible' exists", log=["the resolver's last line"])
        if "huge" in spec.python.conda_packages:
            with Path("/dev/full").open("wb", buffering=0) as disk:
                disk.write(b"x")
        if "endless" in spec.python.conda_packages:
            while not (self._home / "go").exists():
                time.sleep(0.05)
        return Lock(
            digest="sha256:" + "1" * 64,
            python=sys.executable,
            python_version="3.11.0",
            platform="any",
            method="user-managed",
            notes=["a note of the lock"],
        )

    def lock(self, digest: str) -> Lock | None:
        return None

    def ensure(self, lock: Lock, progress: Callable[[str], None]) -> Any:
        return SimpleNamespace(
            python=Path(sys.executable), key=lock.key, notes=lock.notes, how="", again=(self._home / "built").exists()
        )

    def interpreters(self) -> list[Any]:
        return [SimpleNamespace(path=path, version=version, problem="") for version, path in self.pythons.items()]

    def present(self) -> list[str]:
        return []

    def remove(self, key: str) -> None:
        self.removed.append(key)


def fake_rooms(store: Store) -> Rooms:
    environments: Any = FakeEnvironments(store)
    return Rooms(
        store=store,
        registry=Registry(store),
        environments=environments,
        targets=FakeTargets(),
        makers=Makers(store, environments),
        users=users(),
        places=Places(store),
    )


class FakeCore(Core):
    """A home whose operations run on the fakes."""

    @cached_property
    def rooms(self) -> Rooms:
        return fake_rooms(self.store)

    @cached_property
    def operations(self) -> Operations:
        return Operations(self.rooms, runner_command=RUNNER)


def environment(name: str = "env", *, conda_packages: Sequence[str] = (), **fields: Any) -> EnvironmentSpec:
    python = PythonSpec(
        user_managed_dependencies=True, interpreter_path=sys.executable, conda_packages=list(conda_packages)
    )
    return EnvironmentSpec(name=name, python=python, **fields)


class Rig:
    """A home with a workspace, and shorthand for what tests do in it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.core = self.another()
        self.store = self.core.store
        self.registry = self.core.registry
        self.registry.create_workspace(CreateWorkspace(name=WS))
        self.target = fake_target(home)

    def another(self) -> Core:
        """As another process would see the same home."""
        return FakeCore(self.home)

    @property
    def rooms(self) -> Rooms:
        return self.core.rooms

    @property
    def deployments(self) -> Deployments:
        return self.core.deployments

    @property
    def operations(self) -> Operations:
        return self.core.operations

    @property
    def garbage(self) -> Garbage:
        return self.core.garbage

    def source(self, script: bytes = SCORE, **others: bytes) -> SourceSpec:
        files = {"score.py": script, **others}
        manifest = []
        for path, content in files.items():
            digest, size = self.store.blobs.put_bytes(content)
            manifest.append(ManifestFile(path=path, digest=digest, size=size))
        return SourceSpec(entry_script="score.py", source_directory=None, files=manifest)

    def inference(self, script: bytes = SCORE, **fields: Any) -> InferenceSpec:
        return InferenceSpec(source=self.source(script), **{"environment": environment(), **fields})

    def model(self, name: str = "m", content: bytes = b"weights") -> str:
        digest, size = self.store.blobs.put_bytes(content)
        body = RegisterModel(name=name, files=[ManifestFile(path="model.bin", digest=digest, size=size)])
        return self.registry.register(WS, body).id

    def body(self, name: str = "svc", **fields: Any) -> DeployService:
        if "inference" not in fields:
            fields["inference"] = self.inference()
        fields.setdefault("deployment", DeploymentSpec(compute_type="LOCAL"))
        return DeployService(name=name, **fields)

    def deploy(self, name: str = "svc", **fields: Any) -> Operation:
        """Deploy and wait."""
        return self.wait(self.deployments.deploy(WS, self.body(name, **fields)))

    def wait(self, operation: Any, seconds: float = 60.0) -> Operation:
        assert isinstance(operation, Operation), operation
        return self.operations.wait(operation.id, seconds=seconds)

    def until(self, holds: Callable[[], bool], seconds: float = 30.0) -> None:
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, f"it never came about; the runners' logs say: {self.logs()}"
            time.sleep(0.02)

    def has_runner(self, operation: Any) -> bool:
        """Whether the holder of the operation's lease is alive, as a look would see it."""
        with self.store.read() as connection:
            return operation_rows.is_worked_on(connection, operation_rows.get_operation(connection, operation.id))

    def logs(self) -> str:
        """The end of every runner's log."""
        return "\n".join(path.read_text()[-1500:] for path in sorted((self.home / "operations").glob("*.log")))

    def step(self, operation: Any, name: str) -> str:
        """State of a step as it is recorded; looking this way revives nobody."""
        with self.store.read() as connection:
            view = operation_view(operation_rows.get_operation(connection, operation.id))
        return next((step.state for step in view.steps if step.name == name), "pending")

    def runners(self) -> list[int]:
        """Runner processes of this home that are alive: those whose output is an operation's log."""
        found = []
        logs = log_path(self.home, "any").parent.resolve()
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                output = Path(os.readlink(entry / "fd" / "1"))
                leads = int((entry / "stat").read_text().rpartition(")")[2].split()[3]) == int(entry.name)
            except OSError:
                continue
            if output.parent == logs and leads:
                found.append(int(entry.name))
        return found

    def close(self) -> None:
        for operation in self.operations.list(WS):
            if operation.state in ("NotStarted", "Running"):
                try:
                    self.operations.cancel(operation.id)
                    self.wait(operation)
                except Exception as error:
                    print("at clean-up:", error)
        self.core.close()
