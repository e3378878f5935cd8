"""Datastores: trees of paths whose bytes lie in the blob store."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from ..errors import Conflict, InvalidInput, NotFound
from ..spec.dataset import Datastore, DatastoreFile, FilesChanged, PutFiles, check_store_path
from ..spec.model import check_manifest
from ..spec.page import ALL, Listed, Window
from ..spec.parse import did_you_mean
from ..store.in_use import Dropped, References
from ..store.pages import select_page
from ..store.rows import named, names, view
from ..store.tables import datasets, datastore_files, datastores
from ..store.workspaces import require_workspace

if TYPE_CHECKING:
    from ..store import Store

DEFAULT = "workspaceblobstore"
BUILT_IN = {DEFAULT: "AzureBlob", "workspacefilestore": "AzureFile"}
"""What every workspace has, and what SDK v1 called their types; both lie in the blob store here."""


class Datastores:
    """The datastores of a home's workspaces.

    Args:
        store: Metadata and blobs.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def list(self, ws: str) -> list[Datastore]:
        """A workspace's datastores, by name."""
        self._supply(ws)
        with self._store.read() as connection:
            rows = connection.execute(
                select(datastores).where(datastores.c.workspace == ws).order_by(datastores.c.name)
            ).all()
            return [_view(connection, row) for row in rows]

    def get(self, ws: str, name: str) -> Datastore:
        """One datastore.

        Raises:
            NotFound: There is none of that name.
        """
        self._supply(ws)
        with self._store.read() as connection:
            return _view(connection, _row(connection, ws, name))

    def set_default(self, ws: str, name: str) -> Datastore:
        """Make it the one that `Datastore.get_default` gives."""
        self._supply(ws)
        with self._store.begin() as connection:
            _row(connection, ws, name)
            connection.execute(
                update(datastores).where(datastores.c.workspace == ws).values(is_default=datastores.c.name == name)
            )
        return self.get(ws, name)

    def files(self, ws: str, name: str, path: str = "", *, window: Window = ALL) -> Listed[DatastoreFile]:
        """Files at a path, below a folder, or that match a pattern, sorted by path.

        Args:
            ws: The workspace's name.
            name: The datastore's name.
            path: ``*`` and ``?`` stay within a segment, ``**`` does not; empty is everything.
            window: Which part of the list.
        """
        path = check_store_path(path, f"datastore {name!r}")
        wanted = matcher(path)
        fixed = re.split(r"[*?]", path, maxsplit=1)[0]
        at = datastore_files.c
        query = select(datastore_files).where(at.workspace == ws, at.datastore == name)
        query = query.where(func.substr(at.path, 1, len(fixed)) == fixed)  # the bulk; the rest is told by the pattern
        self._supply(ws)
        with self._store.read() as connection:
            _row(connection, ws, name)
            keep = (lambda row: wanted(row.path)) if path else None
            return select_page(connection, query, [at.path], window, lambda row: view(row, DatastoreFile), keep=keep)

    def put(self, ws: str, name: str, body: PutFiles) -> FilesChanged:
        """Put blobs at paths; without ``overwrite`` a path that is taken keeps what it has.

        Raises:
            InvalidInput: A path is not allowed, or would be both a file and a folder.
            Conflict: A blob is not in the store.
        """
        self._supply(ws)
        where = f"datastore {name!r}"
        check_manifest(body.files, where)
        now = time.time()
        with self._store.begin() as connection:
            _row(connection, ws, name)
            missing = self._store.blobs.missing([file.digest for file in body.files])
            if missing:
                raise Conflict(
                    f"{len(missing)} blobs are not in the store", hint="Upload them first.", missing=sorted(missing)
                )
            there = {row.path for row in _files(connection, ws, name)}
            _refuse_nesting(there, [file.path for file in body.files], where)
            skipped = [file.path for file in body.files if file.path in there and not body.overwrite]
            fresh = [file for file in body.files if file.path not in skipped]
            _forget(connection, ws, name, [file.path for file in fresh])
            for file in fresh:
                connection.execute(
                    insert(datastore_files).values(
                        workspace=ws, datastore=name, path=file.path, digest=file.digest, size=file.size, modified=now
                    )
                )
        return FilesChanged(changed=[file.path for file in fresh], skipped=skipped)

    def remove(self, ws: str, name: str, path: str) -> FilesChanged:
        """Forget the files at a path, below a folder, or that match a pattern.

        Raises:
            NotFound: Nothing is there.
        """
        wanted = matcher(check_store_path(path, f"datastore {name!r}"))
        self._supply(ws)
        with self._store.begin() as connection:
            _row(connection, ws, name)
            gone = [row.path for row in _files(connection, ws, name) if wanted(row.path)]
            if not gone:
                raise _nothing_at(connection, ws, name, path)
            _forget(connection, ws, name, gone)
        return FilesChanged(changed=gone)

    def _supply(self, ws: str) -> None:
        """Give a workspace the datastores that every workspace has."""
        with self._store.read() as connection:
            require_workspace(connection, ws)
            if names(connection, datastores, ws):
                return
        with self._store.begin() as connection:
            if not names(connection, datastores, ws):
                for name, kind in BUILT_IN.items():
                    connection.execute(
                        insert(datastores).values(
                            workspace=ws,
                            name=name,
                            type=kind,
                            details={},
                            is_default=name == DEFAULT,
                            created=time.time(),
                        )
                    )


def matcher(path: str) -> Any:
    """Tells whether a path is the given one, lies below it, or matches it as a pattern."""
    if not path or path in ("*", "**"):
        pattern = ".*" if path != "*" else "[^/]*"
    elif any(sign in path for sign in "*?"):
        parts = re.split(r"(\*\*/|\*\*|\*|\?)", path)
        signs = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
        pattern = "".join(signs.get(part, re.escape(part)) for part in parts)
    else:
        pattern = re.escape(path) + "(?:/.*)?"
    compiled = re.compile(pattern + r"\Z", re.DOTALL)
    return lambda text: compiled.match(text) is not None


def _nothing_at(connection: Connection, ws: str, name: str, path: str) -> NotFound:
    known = [row.path for row in _files(connection, ws, name)]
    return NotFound(
        f"datastore {name!r} has nothing at {path!r}",
        hint=did_you_mean(path, known, f"sendoff datastore upload -n {name} -p FOLDER puts files there."),
        path=path,
    )


def _refuse_nesting(there: set[str], fresh: Sequence[str], where: str) -> None:
    folders = {"/".join(path.split("/")[:count]) for path in there for count in range(1, path.count("/") + 1)}
    for path in fresh:
        parts = path.split("/")
        above = next((one for n in range(1, len(parts)) if (one := "/".join(parts[:n])) in there), None)
        if path in folders or above is not None:
            raise InvalidInput(
                f"{where}: {path!r} cannot be a file: {f'{above!r} is one' if above else 'there are files below it'}",
                hint="Use another target path.",
                field="path",
            )


def _row(connection: Connection, ws: str, name: str) -> Row[Any]:
    row = named(connection, datastores, ws, name)
    if row is None:
        known = names(connection, datastores, ws)
        raise NotFound(
            f"there is no datastore {name!r} in workspace {ws!r}",
            hint=did_you_mean(name, known, f"Datastores: {', '.join(known)}."),
            name=name,
        )
    return row


def _files(connection: Connection, ws: str, name: str) -> Sequence[Row[Any]]:
    return connection.execute(
        select(datastore_files)
        .where(datastore_files.c.workspace == ws, datastore_files.c.datastore == name)
        .order_by(datastore_files.c.path)
    ).all()


def _forget(connection: Connection, ws: str, name: str, paths: Sequence[str]) -> None:
    for path in paths:
        connection.execute(
            delete(datastore_files).where(
                datastore_files.c.workspace == ws,
                datastore_files.c.datastore == name,
                datastore_files.c.path == path,
            )
        )


def _view(connection: Connection, row: Row[Any]) -> Datastore:
    count, size = connection.execute(
        select(func.count(), func.coalesce(func.sum(datastore_files.c.size), 0)).where(
            datastore_files.c.workspace == row.workspace, datastore_files.c.datastore == row.name
        )
    ).one()
    return view(row, Datastore, files=int(count), size=int(size))


def in_use(connection: Connection, dropped: Dropped) -> References:
    """Blobs that datasets' own definitions name, and those that lie in datastores."""
    blobs = set(connection.scalars(select(datastore_files.c.digest)))
    for definition in connection.scalars(select(datasets.c.definition)):
        for source in definition.get("sources", []):
            blobs |= {file["digest"] for file in source.get("files", [])}
    return References(blobs=blobs)
