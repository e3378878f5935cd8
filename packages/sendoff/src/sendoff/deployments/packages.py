"""Packages: models, code and environment as an image, or as a folder to build one from; each is an operation."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from ..containers.registries import Logins
from ..errors import Cancelled, InvalidInput, NotFound
from ..packaging.assemble import assemble
from ..spec.bundle import BundleEnvironment, BundleService, ServingSettings
from ..spec.environment import EnvironmentSpec, Lock
from ..spec.inference import InferenceSpec
from ..spec.operation import NOT_STARTED, STEP_PENDING, Step
from ..spec.package import CreatePackage, Package, PackageResult, check_image
from ..spec.parse import Spec, decode, replace, to_builtins
from ..store.tables import operations
from . import records, requested
from .launch import Launcher, log_path
from .preflight import Rooms
from .script_grammar import check_grammar
from .timeline import Timeline

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from .steps import Outcome

PACKAGE = "Package"
STEPS = ("validate", "environment", "bundle", "image")


class Wanted(Spec):
    """What a package's operation was asked for, with everything pinned to versions; and what came of it."""

    models: list[str]
    inference: InferenceSpec
    environment: str
    generate_dockerfile: bool
    image: str
    result: PackageResult | None = None


class Packages:
    """Packages of a home.

    Args:
        rooms: What to work with.
        revive: Takes up operations whose runner has died.
    """

    def __init__(self, rooms: Rooms, revive: Callable[[], None]) -> None:
        self._rooms, self._revive = rooms, revive
        self._launcher = Launcher(rooms.store)

    def create(self, ws: str, body: CreatePackage) -> Package:
        """Check the request and start the work.

        Args:
            ws: The workspace's name.
            body: What to package.

        Raises:
            SendoffError: Whatever would surely fail later; nothing was made.
        """
        check_image(body.image_name, body.image_label)
        store = self._rooms.store
        models, inference, notes = requested.content(self._rooms, ws, body.models, body.inference)
        notes = [*notes, *check_grammar(self._rooms, inference, images=True)]
        label, inference = requested.environment(self._rooms, ws, inference)
        now = time.time()
        name = body.image_name or "package"
        tag = body.image_label or time.strftime("%Y%m%d%H%M%S", time.gmtime(now))
        wanted = Wanted(
            models=models,
            inference=inference,
            environment=label,
            generate_dockerfile=body.generate_dockerfile,
            image=f"{name}:{tag}",
        )
        id_ = uuid.uuid4().hex
        with store.begin() as connection:
            connection.execute(
                insert(operations).values(
                    id=id_,
                    uid=f"package-{id_}",
                    workspace=ws,
                    service=wanted.image,
                    type=PACKAGE,
                    revision=None,
                    state=NOT_STARTED,
                    steps=to_builtins([Step(name=step, state=STEP_PENDING) for step in STEPS]),
                    error=None,
                    notes=notes,
                    request=to_builtins(wanted),
                    lease_pid=None,
                    lease_started=None,
                    attempts=0,
                    cancel_requested=False,
                    created=now,
                    ended=None,
                )
            )
        self._launcher.launch(id_, old=None)
        return self.get(ws, id_)

    def get(self, ws: str, id_: str) -> Package:
        """A package as it is now.

        Raises:
            NotFound: There is none with that id.
        """
        self._launcher.reap()
        self._revive()
        with self._rooms.store.read() as connection:
            row = connection.execute(
                select(operations).where(
                    operations.c.id == id_, operations.c.workspace == ws, operations.c.type == PACKAGE
                )
            ).first()
        if row is None:
            raise NotFound(f"there is no package {id_!r} in workspace {ws!r}", id=id_)
        return _view(row)

    def list(self, ws: str) -> list[Package]:
        """A workspace's packages, newest first."""
        self._revive()
        with self._rooms.store.read() as connection:
            records.require_workspace(connection, ws)
            rows = [row for row in records.list_operations(connection, ws) if row.type == PACKAGE]
        return [_view(row) for row in rows]

    def pull(self, ws: str, id_: str) -> Package:
        """Bring a package's image from its registry into this machine's engine.

        Raises:
            NotFound: There is none with that id, or its image is gone.
            SendoffError: As :func:`packaging.image_inspect.pull`.
        """
        from ..packaging.image_inspect import pull
        from ..packaging.way import Way

        found = self.get(ws, id_)
        settings = self._rooms.store.settings
        pull(
            found,
            logins=Logins(os.environ, own=settings.image_registry),
            way=Way(self._rooms.environments.indexes([]), os.environ),
        )
        return found

    def log(self, ws: str, id_: str) -> str:
        """What its work has said so far."""
        self.get(ws, id_)
        try:
            return log_path(self._rooms.store.home, id_).read_text(errors="replace")
        except OSError:
            return ""


class PackageSteps:
    """What a runner does for a package; each step may be done again."""

    repeated = frozenset[str]()

    def __init__(self, rooms: Rooms, row: records.AnyRow, timeline: Timeline) -> None:
        self._rooms, self._row, self._timeline = rooms, row, timeline
        self._wanted = decode(row.request, Wanted, where="the package's request")
        self._result: PackageResult | None = None

    def do(self, name: str) -> Outcome:
        """Do one step by its name."""
        steps: dict[str, Callable[[], Outcome]] = {
            "validate": self._validate,
            "environment": self._environment,
            "bundle": self._bundle,
            "image": self._image,
        }
        return steps[name]()

    def last_log(self) -> list[str]:
        """Nothing: no script runs."""
        return []

    def settle(self, connection: Connection) -> None:
        """Write where it is, in the transaction that ends the operation."""
        request = to_builtins(replace(self._wanted, result=self._result))
        connection.execute(update(operations).where(operations.c.id == self._row.id).values(request=request))

    def take_down(self) -> None:
        """Nothing to undo: layers that were made are used by the next try."""

    def settle_failed(self, connection: Connection) -> None:
        """Nothing to write."""

    @property
    def _spec(self) -> EnvironmentSpec:
        spec = self._wanted.inference.environment
        assert spec is not None
        return spec

    def _validate(self) -> Outcome:
        for model in self._wanted.models:
            self._rooms.registry.get(self._row.workspace, model)
        return "Validated", f"{self._wanted.inference.source.entry_script} with {_listed(self._wanted.models)}", []

    def _environment(self) -> Outcome:
        said: list[str] = []
        lock = self._lock(self._progress("environment", "ResolvingEnvironment", said))
        if lock is None:
            return "EnvironmentReady", "the base image's own interpreter", said
        self._timeline.note(lock.notes)
        return "EnvironmentReady", f"{len(lock.pins())} packages for Python {lock.python_version}", said

    def _lock(self, progress: Callable[[str], None] = lambda _: None) -> Lock | None:
        if self._spec.python.user_managed_dependencies:
            return None  # the interpreter is in the image, not on this machine
        return self._rooms.environments.resolve(self._spec, progress)

    def _folder(self, lock: Lock | None) -> Path:
        name, _, version = self._wanted.environment.partition(":")
        return assemble(
            self._rooms.store,
            service=BundleService(name=self._wanted.image.partition(":")[0].rpartition("/")[2]),
            models=[self._rooms.registry.get(self._row.workspace, model) for model in self._wanted.models],
            source=self._wanted.inference.source,
            environment=BundleEnvironment(
                name=name,
                version=version or None,
                lock_digest=lock.digest if lock is not None else "",
                variables=self._spec.environment_variables,
            ),
            serving=ServingSettings(),
        )

    def _bundle(self) -> Outcome:
        return "BundleReady", self._folder(self._lock()).name, []

    def _image(self) -> Outcome:
        from ..packaging import package

        lock = self._lock()
        said: list[str] = []
        progress = self._progress("image", "BuildingImage", said)
        home = self._rooms.store.home
        make = package.write_context if self._wanted.generate_dockerfile else package.build_image
        self._result, notes = make(
            self._rooms.store,
            bundle=self._folder(lock),
            lock=lock,
            spec=self._spec,
            image=self._wanted.image,
            folder=home / "packages" / self._row.id,
            credentials=self._rooms.environments.image_credentials(self._spec),
            indexes=self._rooms.environments.indexes(lock.pip_options if lock is not None else []),
            environ=os.environ,
            progress=progress,
        )
        self._timeline.note(notes)
        return "ImageReady", self._result.location, said

    def _progress(self, step: str, reason: str, said: list[str]) -> Callable[[str], None]:
        from .execute import say

        def progress(line: str) -> None:
            said.append(line)
            say(f"{step}: {line}")
            self._timeline.tell(step, reason, line, every=0.3)
            with self._rooms.store.read() as connection:
                if records.cancel_requested(connection, self._timeline.id):
                    raise Cancelled("the operation was cancelled")

        return progress


def _view(row: records.AnyRow) -> Package:
    try:
        wanted = decode(row.request, Wanted, where="the package's request")
    except InvalidInput:
        raise NotFound(f"operation {row.id!r} is not a package", id=row.id) from None
    return Package(
        id=row.id,
        workspace=row.workspace,
        state=records.operation_view(row).state,
        generate_dockerfile=wanted.generate_dockerfile,
        image=wanted.image,
        models=wanted.models,
        result=wanted.result,
        error=row.error,
        created_time=row.created,
        operation=records.operation_view(row),
    )


def _listed(models: list[str]) -> str:
    return ", ".join(models) or "no model"
