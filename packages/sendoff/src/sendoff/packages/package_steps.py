"""What a runner does for a package; each step may be done again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import update

from ..artefacts import package
from ..code.bundles import make_bundle
from ..code.model_versions import stated_versions
from ..code.try_imports import FirstImport
from ..operations.operation_rows import AnyRow
from ..operations.timeline import Timeline
from ..operations.work import Outcome, Work
from ..packaging.image_request import ImageRequest
from ..progress import Progress, silent
from ..spec.bundle import ServingSettings
from ..spec.environment import EnvironmentSpec, Lock
from ..spec.imports import Import, NotImported
from ..spec.package import PackageResult
from ..spec.parse import decode, replace, to_builtins
from ..store.tables import operations
from .request import PackageRequest

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ..rooms import Rooms


class PackageSteps(Work):
    """Steps of a package's operation."""

    def __init__(self, rooms: Rooms, row: AnyRow, timeline: Timeline) -> None:
        self._rooms, self._row, self._timeline = rooms, row, timeline
        self._wanted = decode(row.request, PackageRequest, where="the package's request")
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

    def settle(self, connection: Connection) -> None:
        """Write where it is, in the transaction that ends the operation."""
        request = to_builtins(replace(self._wanted, result=self._result))
        connection.execute(update(operations).where(operations.c.id == self._row.id).values(request=request))

    @property
    def _spec(self) -> EnvironmentSpec:
        return self._wanted.inference.environment

    def _validate(self) -> Outcome:
        for model in self._wanted.models:
            self._rooms.registry.get(self._row.workspace, model)
        models = ", ".join(self._wanted.models) or "no model"
        return "Validated", f"{self._wanted.inference.source.entry_script} with {models}", []

    def _environment(self) -> Outcome:
        said: list[str] = []
        lock = self._lock(self._timeline.progress("environment", "ResolvingEnvironment", said))
        if lock is None:
            return "EnvironmentReady", "the base image's own interpreter", said
        self._timeline.note(lock.notes)
        return "EnvironmentReady", f"{len(lock.pins())} packages for Python {lock.python_version}", said

    def _lock(self, progress: Progress = silent) -> Lock | None:
        if self._spec.python.user_managed_dependencies:
            return None  # the interpreter is in the image, not on this machine
        stated = stated_versions(self._rooms, self._row.workspace, self._wanted.models)
        return self._rooms.environments.resolve(self._spec, progress, stated=stated)

    def _folder(self, lock: Lock | None) -> Path:
        return make_bundle(
            self._rooms,
            self._row.workspace,
            service=self._wanted.image.partition(":")[0].rpartition("/")[2],
            models=self._wanted.models,
            code=self._wanted.inference,
            environment=self._wanted.environment,
            lock_digest=lock.digest if lock is not None else "",
            serving=ServingSettings(),
        )

    def _bundle(self) -> Outcome:
        return "BundleReady", self._folder(self._lock()).name, []

    def _image(self) -> Outcome:
        said: list[str] = []
        progress = self._timeline.progress("image", "BuildingImage", said)
        form = package.write_context if self._wanted.generate_dockerfile else package.build_image
        environments, folder = self._rooms.environments, self._rooms.store.home / "packages" / self._row.id

        def make(lock: Lock | None, imports: list[Import]) -> tuple[package.Packaged, list[NotImported]]:
            request = ImageRequest(
                store=self._rooms.store,
                bundle=self._folder(lock),
                lock=lock,
                spec=self._spec,
                supply=environments.supply(lock, progress),
                credentials=environments.image_credentials(self._spec),
            )
            made = form(request, self._wanted.image, folder, imports)
            return made, made.not_imported

        lock, notes = self._lock(), list[str]()
        if lock is None:
            made = make(None, [])[0]
        else:
            first = FirstImport(self._rooms, self._wanted.inference, self._wanted.models, self._row.workspace)
            _, made, notes = first.working(lock, make, progress)
        self._result = made.result if made.push is None else replace(made.result, manifest_digest=made.push())
        self._timeline.note([*notes, *made.notes])
        return "ImageReady", self._result.location, said
