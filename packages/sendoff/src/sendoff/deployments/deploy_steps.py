"""What a runner does, step by step; every step may be done again after a crash at any point in it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import files
from ..code.bundles import make_bundle
from ..code.model_versions import stated_versions
from ..code.try_imports import FirstImport
from ..errors import (
    Conflict,
    DeploymentFailed,
    EnvironmentNotFound,
    SendoffError,
    ServiceNotFound,
    Timeout,
)
from ..operations.operation_rows import AnyRow
from ..operations.places import service_log_path
from ..operations.timeline import Timeline
from ..operations.work import Outcome
from ..progress import Progress
from ..spec.environment import METHOD_USER_MANAGED, Lock
from ..spec.identity import KEY, TOKEN
from ..spec.imports import Import, NotImported
from ..spec.names import service_flags
from ..spec.parse import replace
from ..targets.base import INTERPRETER, Artefact, Observation, Preparation, Target, observe_one
from ..targets.failures import failure, in_own_terms, speaks_of
from . import access, revision_rows, service_rows
from .plan import serving_settings
from .wanted import probe, wanted_service

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ..rooms import Rooms

START_SECONDS, INIT_SECONDS, READY_SECONDS = 60.0, 3600.0, 120.0
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.25


class DeploySteps:
    """Steps of every operation that brings a revision about: deploy, update, rollback, reload."""

    repeated = frozenset({"start"})
    """Steps that a resumed operation does again: what they did may have been undone meanwhile."""

    def __init__(self, rooms: Rooms, row: AnyRow, timeline: Timeline) -> None:
        self._rooms = rooms
        self._store = rooms.store
        self._operation = row
        self._timeline = timeline
        self._number: int = row.revision
        with self._store.read() as connection:
            service = service_rows.find_service(connection, row.workspace, row.service)
            if service is None or service.uid != row.uid:
                raise ServiceNotFound(f"there is no service {row.service!r} any more")
            plan = revision_rows.get_plan(connection, row.uid, row.revision)
        assert plan is not None
        self._service, self._plan = service, plan
        self._target: Target = rooms.target(service.target)
        self._able = self._target.capabilities()

    def do(self, name: str) -> Outcome:
        """Do one step by its name."""
        step: Callable[[], Outcome] = getattr(self, f"_{name}")  # named as in operations.kinds
        return step()

    def last_log(self) -> list[str]:
        """The newest lines that the service wrote."""
        return _log_lines(self._target, self._service.uid)

    def settle(self, connection: Connection) -> None:
        """Write what the service has become, in the transaction that ends the operation."""
        observed = observe_one(self._target, self._service.uid)
        columns: dict[str, Any] = {
            "wanted_revision": self._number,
            "auth_enabled": access.mode_of(self._plan.deployment) == KEY,
            "token_auth_enabled": access.mode_of(self._plan.deployment) == TOKEN,
        }
        if observed.port is not None:
            columns["port"] = observed.port
        service_rows.change_service(connection, self._service.uid, **columns)

    def take_down(self) -> None:
        """End what this operation started: the last good revision serves on, or nothing runs."""
        uid = self._service.uid
        _keep_log(self._target, uid, service_log_path(self._store.home, self._operation.id), self._timeline.error)
        with self._store.read() as connection:
            good = revision_rows.serving_revision(connection, uid)
            plan = revision_rows.get_plan(connection, uid, good) if good is not None else None
        wanted = None if good is None or plan is None else wanted_service(self._rooms, self._service, good, plan)
        if wanted is None:
            self._target.remove(uid)
            return
        try:
            self._target.apply(wanted)
        except SendoffError as error:
            self._timeline.note([f"Revision {good} could not be asked for again: {error.message}."])
            return
        end = time.monotonic() + 10.0
        while time.monotonic() < end:
            observed = observe_one(self._target, uid)
            if observed.revision == good and observed.phase == "ready" and observed.pending_revision is None:
                return
            time.sleep(0.05)

    def settle_failed(self, connection: Connection) -> None:
        """After a failed update the service wants its last good revision again."""
        good = revision_rows.serving_revision(connection, self._service.uid)
        if good is not None:
            service_rows.change_service(connection, self._service.uid, wanted_revision=good)

    def _validate(self) -> Outcome:
        if self._plan.pinned.bundle is None or not self._bundle_folder().is_dir():
            for model in self._plan.models:
                self._rooms.registry.get(self._operation.workspace, model)
        if self._plan.deployment.port is not None:
            name, ws, port = self._service.name, self._service.workspace, self._plan.deployment.port
            self._target.check(probe(name, ws, uid=self._service.uid, port=port))
        models = ", ".join(self._plan.models) or "no model"
        return "Validated", f"{self._plan.inference.source.entry_script} with {models}", []

    def _register(self) -> Outcome:
        # Registered with the request (services.py); a version that was deleted since is registered again.
        name, _, version = self._plan.environment.partition(":")
        spec = self._plan.inference.environment
        try:
            self._rooms.environments.get(self._operation.workspace, name, version)
        except EnvironmentNotFound:
            self._rooms.environments.register(self._operation.workspace, replace(spec, name=name, version=version))
        return "Registered", f"environment {self._plan.environment}", []

    def _environment(self) -> Outcome:
        said: list[str] = []

        def progress(line: str) -> None:
            said.append(line)
            self._timeline.tell("environment", "ResolvingEnvironment", line)

        fresh = self._plan.pinned.lock_digest is None
        lock = self._lock(progress)
        if self._able.artefact == INTERPRETER:
            lock, artefact = self._importing(lock, progress) if fresh else (lock, self._prepared(lock, progress))
            self._note("environment", list(artefact.notes), again=artefact.again)
            self._pin(lock_digest=lock.digest, environment_key=artefact.reference, python=artefact.python)
            return "EnvironmentReady", artefact.summary, said
        self._pin(lock_digest=lock.digest)
        self._note("environment", list(lock.notes), again=not said)
        if lock.method == METHOD_USER_MANAGED:
            return "EnvironmentReady", f"the image's own interpreter, {lock.python}", said
        return "EnvironmentReady", f"Python {lock.python_version}, {len(lock.pins())} packages locked", said

    def _prepared(self, lock: Lock, progress: Progress, imports: Sequence[Import] = ()) -> Artefact:
        """What the revision's code runs in, as its target wants it."""
        preparation = Preparation(
            uid=self._service.uid,
            name=self._service.name,
            workspace=self._service.workspace,
            environment=self._plan.inference.environment,
            lock=lock,
            bundle=self._plan.pinned.bundle or "",
            imports=imports,
        )
        return self._target.prepare(preparation, self._rooms.makers, progress)

    def _importing(self, lock: Lock, progress: Progress) -> tuple[Lock, Artefact]:
        """What the revision's code runs in, and in which its imports work: with that lock, or one as of another day."""

        def make(lock: Lock, imports: list[Import]) -> tuple[Artefact, list[NotImported]]:
            if self._plan.pinned.lock_digest not in (None, lock.digest):
                self._take_instead(lock)
            made = self._prepared(lock, progress, imports)
            return made, made.not_imported

        first = FirstImport(self._rooms, self._plan.inference, self._plan.models, self._operation.workspace)
        lock, artefact, notes = first.working(lock, make, progress)
        self._timeline.note(notes)
        return lock, artefact

    def _note(self, step: str, notes: list[str], *, again: bool) -> None:
        """What was mapped and left out is told once; with the same environment again it is a detail."""
        if again:
            self._timeline.detail(step, notes)
        else:
            self._timeline.note(notes)

    def _lock(self, progress: Progress) -> Lock:
        spec = self._plan.inference.environment
        pinned = self._plan.pinned.lock_digest
        if pinned is not None:
            found = self._rooms.environments.lock(pinned)
            if found is not None:
                return found
        lock = self._rooms.environments.resolve(
            spec, progress, image=self._able.artefact != INTERPRETER, stated=self._stated()
        )
        if pinned is not None and lock.digest != pinned:
            raise Conflict(
                f"the packages of environment {self._plan.environment} are not what revision "
                f"{self._plan.restores or self._number} ran with, and its lock is gone",
                hint="Deploy with the environment as it is now: `sendoff service update "
                f"{service_flags(self._service.name, self._service.workspace)} …`.",
            )
        return lock

    def _stated(self) -> list[str]:
        return stated_versions(self._rooms, self._operation.workspace, self._plan.models)

    def _bundle(self) -> Outcome:
        plan = self._plan
        if plan.pinned.bundle is not None and self._bundle_folder().is_dir():
            return "BundleReady", plan.pinned.bundle, []
        assert plan.pinned.lock_digest is not None
        folder = make_bundle(
            self._rooms,
            self._operation.workspace,
            service=self._service.name,
            models=plan.models,
            code=plan.inference,
            environment=plan.environment,
            lock_digest=plan.pinned.lock_digest,
            serving=serving_settings(plan.deployment),
        )
        self._pin(bundle=folder.name)
        return "BundleReady", folder.name, []

    def _image(self) -> Outcome:
        said: list[str] = []

        def progress(line: str) -> None:
            said.append(line)
            self._timeline.tell("image", "BuildingImage", line)

        lock, fresh = self._lock(progress), self._plan.pinned.image is None
        artefact = self._importing(lock, progress)[1] if fresh else self._prepared(lock, progress)
        self._note("image", list(artefact.notes), again=artefact.again)
        self._pin(image=artefact.reference, python=artefact.python)
        return "ImageReady", artefact.summary, said

    def _start(self) -> Outcome:
        wanted = wanted_service(self._rooms, self._service, self._number, self._plan)
        if wanted is None:
            raise DeploymentFailed(
                "the bundle or the environment was removed while the service was being started",
                hint="Deploy again.",
            )
        self._target.apply(wanted)
        return "Started", f"revision {self._number} on the {self._able.name} target", []

    def _init(self) -> Outcome:
        script = self._plan.inference.source.entry_script
        began = time.monotonic()
        self._wait("init", frozenset({"ready"}), INIT_SECONDS, f"{script} to be imported and its init() to return")
        return "Initialised", f"{script} in {time.monotonic() - began:.1f} s", self.last_log()

    def _model_files(self) -> list[str]:
        try:
            models = [self._rooms.registry.get(self._operation.workspace, model) for model in self._plan.models]
        except SendoffError:
            return []  # one was deleted since
        return [file.path for model in models for file in model.files]

    def _healthy(self) -> Outcome:
        observed = self._wait("healthy", frozenset({"ready"}), READY_SECONDS, "the service to answer")
        return "Ready", f"{observed.base_url or 'ready'}", []

    def _wait(self, step: str, until: frozenset[str], seconds: float, what: str) -> Observation:
        """Look until the revision is in one of the phases; raise when it failed, was cancelled or takes too long."""
        began = looked = time.monotonic()
        pause = FIRST_PAUSE
        seen = False
        while True:
            observed = observe_one(self._target, self._service.uid)
            phase, error = speaks_of(observed, self._number)
            now = time.monotonic()
            if phase in until:
                return observed
            if phase == "failed":
                failed = failure(error, f"revision {self._number} failed to start")
                raise in_own_terms(failed, self._plan.inference.source, self._model_files())
            seen = seen or phase != "unknown"
            if not seen and now - began > START_SECONDS:
                raise DeploymentFailed(
                    f"the target shows no sign of revision {self._number} after {START_SECONDS:.0f} seconds"
                )
            if now - began > seconds:
                raise Timeout(f"waited {seconds:.0f} seconds for {what}", hint="See the service's logs.")
            if now - looked > 0.2:
                looked = now
                self._timeline.stop_if_cancelled()
            waited = f"{now - began:.0f} s"
            extra = f"; {error['message']}" if error and error.get("message") else ""
            self._timeline.tell(step, _waiting_reason(step, phase), f"waiting for {what}, {waited}{extra}")
            time.sleep(pause)
            pause = min(pause * 1.25, LONGEST_PAUSE)

    def _take_instead(self, lock: Lock) -> None:
        """Pin other packages than those that were pinned, and the bundle that names them."""
        with self._store.begin() as connection:
            self._plan = revision_rows.unpin(connection, self._service.uid, self._number, "lock_digest", "bundle")
        self._pin(lock_digest=lock.digest)
        self._bundle()

    def _pin(self, **facts: str) -> None:
        with self._store.begin() as connection:
            self._plan = revision_rows.pin(connection, self._service.uid, self._number, **facts)
        changed = {name: value for name, value in facts.items() if getattr(self._plan.pinned, name) != value}
        if changed:
            # A rebuilt environment has its interpreter in another place; this run uses what is there now.
            self._plan = replace(self._plan, pinned=replace(self._plan.pinned, **changed))

    def _bundle_folder(self) -> Path:
        return self._store.home / "bundles" / str(self._plan.pinned.bundle)


def _waiting_reason(step: str, phase: str) -> str:
    if phase == "unschedulable":
        return "WaitingForResources"
    if phase in ("starting", "unknown"):
        return "WaitingForStart"
    return "WaitingForInit" if step == "init" else "WaitingForReady"


def _log_lines(target: Target, uid: str) -> list[str]:
    try:
        return target.logs(uid, 40, init=True).splitlines()
    except SendoffError:
        return []


def _keep_log(target: Target, uid: str, path: Path, error: dict[str, Any] | None) -> None:
    """Copy a service's log: what is taken down takes its own log along.

    The error may be known a moment before its traceback is in the log; it is waited for, and at last written here.
    """
    said = str(((error or {}).get("context") or {}).get("traceback") or "").strip()
    last = said.splitlines()[-1] if said else ""
    end = time.monotonic() + 0.5
    try:
        while last not in (text := target.logs(uid, 5000, init=True)) and time.monotonic() < end:
            time.sleep(0.02)
    except SendoffError:
        return
    if last not in text:
        text = f"{text.rstrip()}\n{said}\n"
    if text and not path.exists():
        files.write(path, text if text.endswith("\n") else f"{text}\n", folder=0o777)
