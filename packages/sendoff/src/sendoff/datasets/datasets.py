"""Datasets: registered, versioned, found again, resolved to files."""

from __future__ import annotations

import builtins
import time
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from ..errors import AlreadyExists, Conflict, InvalidInput, NotFound
from ..spec import dataset as spec
from ..spec.dataset import ACTIVE, ARCHIVED, DEPRECATED, Dataset, DatasetDefinition, RegisterDataset, UpdateDataset
from ..spec.model import ManifestFile
from ..spec.page import ALL, Key, Listed, Window, cut
from ..spec.parse import did_you_mean, to_builtins
from ..store.pages import select_page
from ..store.rows import names, view
from ..store.tables import datasets
from ..store.workspaces import require_workspace
from .datastores import Datastores

if TYPE_CHECKING:
    from ..store import Store
    from ..tabular import DataFile


class Datasets:
    """The datasets of a home's workspaces.

    Args:
        store: Metadata and blobs.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.stores = Datastores(store)

    def register(self, ws: str, body: RegisterDataset) -> Dataset:
        """Keep a dataset, under a name as its next version, or without one for a job.

        Raises:
            InvalidInput: The definition or the name is not allowed, or a source holds no file.
            AlreadyExists: The name is taken and no new version was asked for.
            Conflict: Blobs of the definition are not in the store.
        """
        if body.name is not None:
            spec.check_dataset_name(body.name)
        what = f"dataset {body.name!r}" if body.name else "the dataset"
        definition = spec.check_definition(body.definition, what)
        if body.validate:
            self.files(ws, definition)
        now, id_ = time.time(), str(uuid.uuid4())
        with self._store.begin() as connection:
            require_workspace(connection, ws)
            own = [file.digest for source in definition.sources for file in source.files]
            missing = self._store.blobs.missing(own)
            if missing:
                raise Conflict(
                    f"{len(missing)} files of {what} are not in the store", hint="Upload them.", missing=sorted(missing)
                )
            last = _last_version(connection, ws, body.name) if body.name is not None else None
            if last is not None and not body.create_new_version:
                raise AlreadyExists(
                    f"dataset {body.name!r} exists in workspace {ws!r}, with version {last}",
                    hint="create_new_version=True (command line: --create-new-version) makes the next version.",
                    name=body.name,
                )
            connection.execute(
                insert(datasets).values(
                    id=id_,
                    workspace=ws,
                    name=body.name,
                    version=None if body.name is None else (last or 0) + 1,
                    kind=definition.kind,
                    definition=to_builtins(definition),
                    description=body.description,
                    tags=body.tags,
                    state=ACTIVE,
                    deprecated_by=None,
                    created=now,
                    modified=now,
                )
            )
            return view(_by_id(connection, ws, id_), Dataset)

    def get(self, ws: str, key: str) -> Dataset:
        """One version: by its id, by ``name:version``, or the newest by ``name``.

        Raises:
            NotFound: There is none.
        """
        with self._store.read() as connection:
            return view(_find(connection, ws, key), Dataset)

    def list(
        self, ws: str, *, name: str | None = None, versions: bool = False, window: Window = ALL
    ) -> Listed[Dataset]:
        """Registered datasets by name, newest version first; archived ones are left out unless versions are asked for.

        Args:
            ws: The workspace's name.
            name: Only this one.
            versions: All versions, not the newest of each name alone.
            window: Which part of the list.
        """
        query = select(datasets).where(datasets.c.workspace == ws, datasets.c.name.is_not(None))
        if name is not None:
            query = query.where(datasets.c.name == name)
        if not versions:
            newer = datasets.alias("newer")
            same = (newer.c.workspace == datasets.c.workspace, newer.c.name == datasets.c.name)
            later = select(newer.c.id).where(*same, newer.c.version > datasets.c.version)
            query = query.where(datasets.c.state != ARCHIVED, ~later.exists())
        with self._store.read() as connection:
            require_workspace(connection, ws)
            order = [datasets.c.name, datasets.c.version.desc()]
            return select_page(connection, query, order, window, lambda row: view(row, Dataset))

    def update(self, ws: str, key: str, body: UpdateDataset) -> Dataset:
        """Change description, tags or state of one version.

        Raises:
            NotFound: There is none, or the dataset that takes its place is not there.
            InvalidInput: The state is none.
        """
        if body.state not in (None, ACTIVE, ARCHIVED, DEPRECATED):
            raise InvalidInput(
                f"state {body.state!r} is not known", hint="Use active, archived or deprecated.", field="state"
            )
        with self._store.begin() as connection:
            row = _find(connection, ws, key)
            tags = dict(row.tags if body.tags is None else body.tags)
            tags.update(body.add_tags)
            for name in body.remove_tags:
                tags.pop(name, None)
            values: dict[str, Any] = {"tags": tags, "modified": time.time()}
            if body.description is not None:
                values["description"] = body.description
            if body.state is not None:
                values["state"] = body.state
                values["deprecated_by"] = None
            if body.deprecated_by is not None:
                other = _find(connection, ws, body.deprecated_by)
                if other.id == row.id:
                    raise InvalidInput("a dataset cannot take its own place", field="deprecated_by")
                values.update(state=DEPRECATED, deprecated_by=other.id)
            connection.execute(update(datasets).where(datasets.c.id == row.id).values(**values))
            return view(_by_id(connection, ws, row.id), Dataset)

    def unregister(self, ws: str, name: str) -> None:
        """Forget all versions of a name; the data in datastores stays.

        Raises:
            NotFound: There is none of that name.
        """
        with self._store.begin() as connection:
            row = _find(connection, ws, name)
            connection.execute(delete(datasets).where(datasets.c.workspace == ws, datasets.c.name == row.name))

    def files(self, ws: str, definition: DatasetDefinition, *, window: Window = ALL) -> Listed[ManifestFile]:
        """The files that a definition speaks of at this moment, in order.

        Raises:
            InvalidInput: A source holds none.
            NotFound: There is no such datastore.
        """
        found: builtins.list[tuple[Key, ManifestFile]] = []
        for number, source in enumerate(definition.sources):
            if source.datastore is None:  # its own manifest never changes: a place in it is as good as a path
                found += [((number, place), file) for place, file in enumerate(source.files)]
                continue
            there = self.stores.files(ws, source.datastore, source.path)
            if not there:
                raise InvalidInput(
                    f"datastore {source.datastore!r} has no file at {source.path!r}",
                    hint="Upload it first: Datastore.upload_files, or `sendoff datastore upload`.",
                    field="path",
                )
            found += [
                ((number, file.path), ManifestFile(path=file.path, digest=file.digest, size=file.size))
                for file in there
            ]
        if definition.kind == spec.FILE:
            for change in definition.changes:
                found = found[: change.count] if change.action == spec.TAKE else found[change.count :]
        part = cut(found, window, "source", "file", key=lambda entry: entry[0])
        return Listed([file for _, file in part], next=part.next)

    def data(self, ws: str, definition: DatasetDefinition) -> Sequence[DataFile]:
        """The same files, ready to be read; their bytes are verified while they are."""
        from ..tabular import DataFile

        def opened(digest: str) -> Any:
            return lambda: self._store.blobs.open(digest)

        return [DataFile(file.path, opened(file.digest)) for file in self.files(ws, definition)]


def _last_version(connection: Connection, ws: str, name: str) -> int | None:
    found = connection.scalar(
        select(func.max(datasets.c.version)).where(datasets.c.workspace == ws, datasets.c.name == name)
    )
    return None if found is None else int(found)


def _by_id(connection: Connection, ws: str, id_: str) -> Row[Any]:
    return connection.execute(select(datasets).where(datasets.c.workspace == ws, datasets.c.id == id_)).one()


def _find(connection: Connection, ws: str, key: str) -> Row[Any]:
    require_workspace(connection, ws)
    query = select(datasets).where(datasets.c.workspace == ws)
    row = connection.execute(query.where(datasets.c.id == key)).first()
    if row is not None:
        return row
    name, colon, version = key.rpartition(":")
    if not colon:
        name, version = key, "latest"
    named = query.where(datasets.c.name == name).order_by(datasets.c.version.desc())
    if version.isascii() and version.isdigit():
        row = connection.execute(named.where(datasets.c.version == int(version))).first()
    elif version == "latest":
        row = connection.execute(named).first()
    if row is not None:
        return row
    versions = [str(one.version) for one in connection.execute(named)]
    if versions:
        raise NotFound(
            f"dataset {name!r} has no version {version!r}", hint=f"Versions: {', '.join(reversed(versions))}.", name=key
        )
    known = names(connection, datasets, ws)
    raise NotFound(
        f"there is no dataset {key!r} in workspace {ws!r}",
        hint=did_you_mean(name, known, f"Datasets: {', '.join(known) or 'none yet'}."),
        name=key,
    )
