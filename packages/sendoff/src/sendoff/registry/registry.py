"""Workspaces and model versions: make, find, change, delete."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from ..errors import AlreadyExists, Conflict, InUse, InvalidInput, ModelNotFound
from ..spec.model import Model, ModelSummary, RegisterModel, UpdateModel, check_framework
from ..spec.names import check_workspace, split_model_id
from ..spec.page import ALL, Listed, Window
from ..spec.parse import did_you_mean, replace, to_builtins
from ..spec.workspace import CreateWorkspace, UpdateWorkspace, Workspace
from ..store import Store
from ..store.pages import select_page
from ..store.rows import names, view
from ..store.tables import (
    datasets,
    datastore_files,
    environments,
    metadata,
    model_names,
    models,
    operations,
    services,
    workspaces,
)
from ..store.workspaces import require_workspace
from . import labels, rules
from .rows import SUMMARY, columns_of, model_of, summary_of


class Registry:
    """The registry on a store. Methods are whole: each does all or nothing, also when processes meet."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create_workspace(self, body: CreateWorkspace) -> Workspace:
        """Make a workspace; with ``exist_ok`` give the one that is there.

        Raises:
            AlreadyExists: The name is taken.
        """
        check_workspace(body.name)
        rules.check_pairs(body.tags, "tag")
        values: dict[str, Any] = to_builtins(body)
        exist_ok = values.pop("exist_ok")
        try:
            with self._store.begin() as connection:
                connection.execute(insert(workspaces).values(**values, created=time.time()))
        except IntegrityError:
            if not exist_ok:
                raise AlreadyExists(
                    f"workspace {body.name!r} exists already",
                    hint="Choose another name, or ask for it with exist_ok.",
                    name=body.name,
                ) from None
        return self.workspace(body.name)

    def workspaces(self, *, window: Window = ALL) -> Listed[Workspace]:
        """All workspaces by name."""
        with self._store.read() as connection:
            return select_page(
                connection, select(workspaces), [workspaces.c.name], window, lambda row: view(row, Workspace)
            )

    def workspace(self, name: str) -> Workspace:
        """One workspace.

        Raises:
            WorkspaceNotFound: The hint names the nearest that exists.
        """
        with self._store.read() as connection:
            require_workspace(connection, name)
            row = connection.execute(select(workspaces).where(workspaces.c.name == name)).one()
        return view(row, Workspace)

    def update_workspace(self, name: str, body: UpdateWorkspace) -> Workspace:
        """Change its name for people, or its tags.

        Raises:
            WorkspaceNotFound: There is none.
        """
        values: dict[str, Any] = {}
        if body.friendly_name is not None:
            values["friendly_name"] = body.friendly_name
        if body.tags is not None:
            rules.check_pairs(body.tags, "tag")
            values["tags"] = body.tags
        with self._store.begin() as connection:
            require_workspace(connection, name)
            if values:
                connection.execute(update(workspaces).where(workspaces.c.name == name).values(**values))
        return self.workspace(name)

    def delete_workspace(self, name: str) -> None:
        """Delete an empty workspace with its profiles; version numbers begin anew should it be made again.

        Raises:
            WorkspaceNotFound: There is none.
            InUse: It holds models, environments, services, datasets or files; context counts them.
        """
        with self._store.begin() as connection:
            require_workspace(connection, name)
            connection.execute(delete(datasets).where(datasets.c.workspace == name, datasets.c.name.is_(None)))
            counts = {
                table.name: connection.execute(
                    select(func.count()).select_from(table).where(table.c.workspace == name)
                ).scalar_one()
                for table in (models, environments, services, datasets, datastore_files)
            }
            held = [f"{count} {noun.replace('_', ' ')}" for noun, count in counts.items() if count]
            if held:
                raise InUse(
                    f"workspace {name!r} still holds {' and '.join(held)}",
                    hint="Delete what it holds first.",
                    used_by=held,
                )
            # The rest goes with it, what refers to others first; operations stay as history.
            for table in reversed(metadata.sorted_tables):
                if "workspace" in table.c and table is not operations:
                    connection.execute(delete(table).where(table.c.workspace == name))
            connection.execute(delete(workspaces).where(workspaces.c.name == name))

    def register(self, workspace: str, body: RegisterModel) -> Model:
        """Make the next version of a model from blobs that are in the store.

        Pickles are scanned; what is found is stored with the version and refused only under ``pickle_policy = "deny"``.

        Raises:
            WorkspaceNotFound: No such workspace.
            InvalidInput: A name, path, tag or amount is not allowed; or the pickle policy refuses.
            Conflict: Blobs of the manifest are not in the store (``missing`` lists them) or have another size.
        """
        from .framework_files import framework_of_files, stated, version_of
        from .scan import scan

        body = rules.checked(body)
        with self._store.read() as connection:
            require_workspace(connection, workspace)
        self._require_blobs(body)
        settings = self._store.settings
        found = scan(body.files, self._store.blobs, seconds=settings.scan_seconds)
        if settings.pickle_policy == "deny" and found.report.verdict == "dangerous":
            named = sorted({finding.imported for finding in found.report.findings if finding.verdict == "dangerous"})
            raise InvalidInput(
                f"model {body.name!r} holds a pickle that imports {', '.join(named)}",
                hint="The setting pickle_policy is 'deny'. Save the model without them, or change the setting.",
                field="files",
                findings=to_builtins(found.report.findings),
            )
        detected = {**found.detected, **stated(body.files, self._store.blobs)}
        if body.framework is None:
            body = replace(body, framework=framework_of_files(body.files, detected, found.root, self._store.blobs))
        if body.framework_version is None:
            body = replace(body, framework_version=version_of(str(body.framework), detected))
        if body.python_version:
            detected.setdefault("python", body.python_version)
        with self._store.begin() as connection:
            require_workspace(connection, workspace)
            self._require_blobs(body)  # again: garbage collection deletes inside a write transaction
            version = _next_version(connection, workspace, body.name)
            now = time.time()
            connection.execute(
                insert(models).values(
                    **columns_of(body),
                    workspace=workspace,
                    version=version,
                    created=now,
                    modified=now,
                    size=sum(file.size for file in body.files),
                    scan=to_builtins(found.report),
                    detected=detected,
                )
            )
            made = _get(connection, workspace, f"{body.name}:{version}")
            labels.keep(connection, workspace, made)
            return made

    def get(self, workspace: str, id: str) -> Model:
        """A version by ``name:version``, or the newest by ``name``.

        Raises:
            WorkspaceNotFound, ModelNotFound: The hint names what exists.
        """
        with self._store.read() as connection:
            require_workspace(connection, workspace)
            return _get(connection, workspace, id)

    def list(
        self,
        workspace: str,
        *,
        name: str | None = None,
        tags: Sequence[tuple[str, str | None]] = (),
        properties: Sequence[tuple[str, str | None]] = (),
        run_id: str | None = None,
        framework: str | None = None,
        latest: bool = False,
        window: Window = ALL,
    ) -> Listed[ModelSummary]:
        """Versions that match all filters, newest first; those of one name by their number.

        Args:
            workspace: Where to look.
            name: Exactly this name.
            tags: ``(key, None)`` asks for the key, ``(key, value)`` for both; all have to hold.
            properties: The same for properties.
            run_id: Exactly this run.
            framework: One of ``spec.model.FRAMEWORKS``, in any case.
            latest: Of each name only the newest version *that matches*.
            window: Which part of the list.
        """
        asked = labels.wanted(
            run_id=run_id,
            framework=None if framework is None else check_framework(framework),
            tags=tags,
            properties=properties,
        )
        only_one = latest and name is not None
        query, order = labels.matching(SUMMARY, workspace, asked, name=name, latest=latest)
        with self._store.read() as connection:
            require_workspace(connection, workspace)
            if only_one:
                window = Window(limit=1, after=window.after)
            found = select_page(connection, query, order, window, summary_of)
        if only_one:
            return Listed(found if window.after is None else ())
        return found

    def update(self, workspace: str, id: str, body: UpdateModel) -> Model:
        """Change what may change: description, tags, framework, resources, sample data sets; properties may be added.

        Raises:
            ModelNotFound: No such version.
            Conflict: A property that is set would change.
        """
        from .framework_files import version_of

        rules.check_resources(body.resource_configuration)
        with self._store.begin() as connection:
            require_workspace(connection, workspace)
            old = _get(connection, workspace, id)
            values: dict[str, Any] = {
                "modified": time.time(),
                "tags": rules.changed_tags(old.tags, body.tags, body.add_tags, body.remove_tags),
                "properties": rules.added_properties(old.properties, body.add_properties),
            }
            for field in ("description", "sample_input_dataset_id", "sample_output_dataset_id"):
                if (value := getattr(body, field)) is not None:
                    rules.check_text(value, field)
                    values[field] = value
            if body.framework is not None:
                values["framework"] = check_framework(body.framework)
                values["framework_version"] = version_of(values["framework"], old.detected)
            if body.framework_version is not None:
                values["framework_version"] = body.framework_version
            if body.resource_configuration is not None:
                values["resources"] = to_builtins(body.resource_configuration)
            connection.execute(update(models).where(*_is(workspace, old.name, old.version)).values(**values))
            new = _get(connection, workspace, old.id)
            labels.change(connection, workspace, old, new)
            return new

    def delete(self, workspace: str, id: str, used_by: Iterable[str] | Callable[[Model], Iterable[str]] = ()) -> None:
        """Delete one version; its number is never given out again. Its blobs go with the next garbage collection.

        Args:
            workspace: Where it is.
            id: ``name:version``.
            used_by: Names of the services that use it; or what tells them, asked inside the transaction, so that no
                service can begin to use it meanwhile.

        Raises:
            ModelNotFound: No such version.
            InUse: A service uses it; context lists ``used_by``.
        """
        if split_model_id(id)[1] is None:
            raise InvalidInput(f"model id {id!r} names no version", hint="Write NAME:VERSION.", field="id")
        with self._store.begin() as connection:
            require_workspace(connection, workspace)
            model = _get(connection, workspace, id)
            users = sorted(set(used_by(model) if callable(used_by) else used_by))
            if users:
                raise InUse(
                    f"model {model.id} is used by {', '.join(users)}",
                    hint="Delete these services, or update them to another version, first.",
                    used_by=users,
                )
            # Where writers do not queue anyway, one that registers the next version of this name waits here.
            counter = select(model_names).where(model_names.c.workspace == workspace, model_names.c.name == model.name)
            connection.execute(counter.with_for_update())
            connection.execute(delete(models).where(*_is(workspace, model.name, model.version)))
            labels.forget(connection, workspace, model)

    def materialise(self, model: Model, dest: Path | str, *, link: bool = False) -> Path:
        """Lay a version's files out below a folder, verified; gives the folder.

        Args:
            model: The version.
            dest: The folder; made when needed. Files that are in the way are refused before anything is written.
            link: Share bytes with the store, read-only (for bundles); else the files are the caller's own.

        Raises:
            AlreadyExists: A file of that name is there.
            CorruptBlob: A stored file does not match its digest; files laid out before it are removed again.
        """
        dest = Path(dest)
        targets = [(file.digest, dest / file.path) for file in model.files]
        taken = [str(path) for _, path in targets if path.exists() or path.is_symlink()]
        if taken:
            raise AlreadyExists(f"{taken[0]} exists already", hint="Remove it, or choose another folder.", paths=taken)
        done: list[Path] = []
        try:
            for digest, path in targets:
                self._store.blobs.materialise(digest, path, link=link)
                done.append(path)
        except BaseException:
            for path in done:
                path.unlink(missing_ok=True)
            raise
        return dest

    def _require_blobs(self, body: RegisterModel) -> None:
        blobs = self._store.blobs
        missing = blobs.missing(file.digest for file in body.files)
        if missing:
            raise Conflict(
                f"{len(missing)} of the files' blobs are not in the store",
                hint="Upload the blobs that POST /v1/blobs/missing names, then register.",
                missing=missing,
            )
        for file in body.files:
            size = blobs.facts(file.digest).size
            if size != file.size:
                raise Conflict(
                    f"{file.path} is {file.size} bytes in the manifest, and its blob {size}",
                    hint="Read the files again: the manifest is not of these blobs.",
                    path=file.path,
                    digest=file.digest,
                )


def _is(workspace: str, name: str, version: int) -> tuple[Any, ...]:
    return (models.c.workspace == workspace, models.c.name == name, models.c.version == version)


def _next_version(connection: Connection, workspace: str, name: str) -> int:
    mine = (model_names.c.workspace == workspace, model_names.c.name == name)
    step = update(model_names).where(*mine).values(last_version=model_names.c.last_version + 1)
    if connection.execute(step).rowcount == 0:
        try:
            with connection.begin_nested():
                connection.execute(insert(model_names).values(workspace=workspace, name=name, last_version=1))
        except IntegrityError:  # where writers do not queue, another may have been first
            connection.execute(step)
    version: int = connection.execute(select(model_names.c.last_version).where(*mine)).scalar_one()
    return version


def _get(connection: Connection, workspace: str, id: str) -> Model:
    name, version = split_model_id(id)
    query = select(models).where(models.c.workspace == workspace, models.c.name == name)
    if version is not None:
        query = query.where(models.c.version == version)
    row = connection.execute(query.order_by(models.c.version.desc()).limit(1)).first()
    if row is not None:
        return model_of(row)
    held = connection.execute(
        select(models.c.version)
        .where(models.c.workspace == workspace, models.c.name == name)
        .order_by(models.c.version.desc())
        .limit(10)
    )
    versions = [str(found) for found in held.scalars()]
    if versions:
        hint = f"Versions that exist: {', '.join(versions)}."
    else:
        known = names(connection, models, workspace)
        hint = did_you_mean(name, known, f"List what exists: sendoff model list -w {workspace}")
    raise ModelNotFound(f"model {id!r} does not exist in workspace {workspace!r}", hint=hint, id=id)
