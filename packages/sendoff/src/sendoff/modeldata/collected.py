"""What services have collected: listing, reading, deleting."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sendoff_serving.recording.layout import COUNTS

from ..errors import InvalidInput, NotFound, ServiceNotFound, StoreError
from ..spec.modeldata import JOINED, DataCounts, DataFile, DataRows, DeletedData, ServiceData
from ..store import tables as t
from ..store.rows import named
from . import files, place, tables
from .remote import Remote, copy

if TYPE_CHECKING:
    from ..store import Store

MOST_ROWS = 50_000


class Collected:
    """The data of a home's services.

    Args:
        store: The home's store.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def listing(self, workspace: str, service: str) -> ServiceData:
        """Everything that a service has collected; what was copied away and is not here any more is read from there.

        A store of copies that does not answer is told in ``error``: what is on this machine is listed all the same.

        Raises:
            ServiceNotFound: There is no such service, and there are no data of one.
        """
        folder = place.folder(self._store, workspace, service)
        remote = self._remote()
        here = files.local(folder)
        trouble = None
        if remote is not None:
            known = {one.path for one in here}
            scope = place.scope(self._store, workspace, service)
            try:
                here = files.ordered([*here, *(one for one in remote.files(scope) if one.path not in known)])
            except StoreError as failure:
                trouble = failure.message
        if not here and not folder.is_dir() and not self._exists(workspace, service):
            raise ServiceNotFound(f"there is no service {service!r} in workspace {workspace!r}, and no data of one")
        counts, last_write, error = _counts(folder)
        return ServiceData(
            workspace=workspace,
            service=service,
            folder=str(folder),
            store=None if remote is None else remote.address,
            files=here,
            capture=counts["capture"],
            collector=counts["collector"],
            last_write=last_write,
            error=error or trouble,
        )

    def rows(
        self,
        workspace: str,
        service: str,
        *,
        day: str,
        designation: str,
        model: str | None = None,
        version: str | None = None,
        offset: int = 0,
        limit: int = MOST_ROWS,
    ) -> DataRows:
        """Rows of one day.

        Args:
            workspace: Where the service is, or was.
            service: Its name.
            day: ``YYYY-MM-DD``, in UTC.
            designation: One that the listing names, or ``joined``.
            model: Only rows of this model.
            version: Only rows of this version of it.
            offset: Rows to leave out at the start.
            limit: At most so many, 50,000 at the most.

        Raises:
            InvalidInput: The day is none.
            NotFound: There are no such rows; the hint says what there is.
            StoreError: A file cannot be read.
        """
        check_day(day)
        chosen = self._chosen(workspace, service, day, designation, model, version)
        remote, scope = self._remote(), place.scope(self._store, workspace, service)
        folder = place.folder(self._store, workspace, service)

        def read(file: DataFile) -> bytes:
            return _content(folder, scope, file, remote)

        if designation == JOINED:
            columns, whole = tables.joined(chosen, read)
            found = iter(whole)
        else:
            columns, found = tables.united(chosen, read)
        limit = max(1, min(limit, MOST_ROWS))
        rows = list(itertools.islice(found, offset, offset + limit + 1))
        more = len(rows) > limit
        return DataRows(columns=columns, rows=rows[:limit], next=offset + limit if more else None)

    def copy(self, workspace: str, service: str) -> ServiceData:
        """Copy what has changed to the store that the settings name, and list anew.

        Raises:
            InvalidInput: They name none.
            StoreError: It does not take files.
        """
        remote = self._remote()
        if remote is None:
            raise InvalidInput(
                "there is no store to copy to",
                hint="Name one in the setting data_store, such as s3://bucket/prefix (docs/data-collection.md).",
                field="data_store",
            )
        folder = place.folder(self._store, workspace, service)
        copy(folder, place.scope(self._store, workspace, service), remote)
        return self.listing(workspace, service)

    def delete(self, workspace: str, service: str, before: str | None) -> DeletedData:
        """Delete the files of earlier days on this machine; None deletes all, and the counts.

        What was copied to another store stays there.

        Raises:
            InvalidInput: The day is none.
            StoreError: A file cannot be removed.
        """
        folder = place.folder(self._store, workspace, service)
        if before is not None:
            check_day(before)
        removed = [one for one in files.local(folder) if before is None or one.day < before]
        try:
            for one in removed:
                (folder / one.path).unlink(missing_ok=True)
            if before is None:
                for path in (folder / COUNTS).glob("*.json"):
                    path.unlink(missing_ok=True)
            for path in sorted(folder.rglob("*"), key=lambda p: len(p.parts), reverse=True):
                if path.is_dir() and not any(path.iterdir()):
                    path.rmdir()
        except OSError as error:
            raise StoreError(f"{error.filename} cannot be removed: {error.strerror}") from None
        return DeletedData(files=len(removed), size=sum(one.size for one in removed))

    def _chosen(
        self, workspace: str, service: str, day: str, designation: str, model: str | None, version: str | None
    ) -> list[DataFile]:
        def fitting(listed: list[DataFile]) -> list[DataFile]:
            return [
                one
                for one in listed
                if one.day == day
                and designation in (one.designation, JOINED)
                and model in (None, one.model)
                and version in (None, one.version)
            ]

        chosen = fitting(files.local(place.folder(self._store, workspace, service)))
        if not chosen:
            # Whole days are deleted on this machine: only then another store is asked.
            listed = self.listing(workspace, service).files
            chosen = fitting(listed)
        if not chosen:
            there = sorted({f"{one.designation} of {one.model}:{one.version}" for one in listed if one.day == day})
            days = sorted({one.day for one in listed})
            known = f"That day has {', '.join(there)}." if there else f"Days with data: {', '.join(days) or 'none'}."
            raise NotFound(f"service {service!r} has no {designation} of {day}", hint=known, day=day)
        return chosen

    def _exists(self, workspace: str, service: str) -> bool:
        with self._store.read() as connection:
            return named(connection, t.services, workspace, service) is not None

    def _remote(self) -> Remote | None:
        return Remote.of(self._store.settings)


def check_day(day: str) -> None:
    """Refuse what is no day.

    Raises:
        InvalidInput: It is not ``YYYY-MM-DD``.
    """
    try:
        if date.fromisoformat(day).isoformat() == day:
            return
    except ValueError:
        pass
    raise InvalidInput(f"{day!r} is no day", hint="Write it as 2026-03-09.", field="day", got=day)


def _counts(folder: Path) -> tuple[dict[str, DataCounts], float | None, str | None]:
    """Sums over all servers that have written here, the time of the last rows, and the newest server's trouble."""
    sums = {source: Counter[str]() for source in ("capture", "collector")}
    dropped = {source: Counter[str]() for source in sums}
    last_write, newest, error = 0.0, 0.0, None
    for path in (folder / COUNTS).glob("*.json"):
        try:
            content: dict[str, Any] = json.loads(path.read_bytes())
        except (OSError, ValueError):
            continue
        for source in sums:
            for name in ("offered", "stored"):
                sums[source][name] += content[source][name]
            dropped[source].update(content[source]["dropped"])
        last_write = max(last_write, content["last_write"])
        if content["time"] > newest:
            newest, error = content["time"], content["error"]
    counts = {
        source: DataCounts(
            offered=sums[source]["offered"],
            stored=sums[source]["stored"],
            dropped=dict(sorted(dropped[source].items())),
        )
        for source in sums
    }
    return counts, last_write or None, error


def _content(folder: Path, scope: str, file: DataFile, remote: Remote | None) -> bytes:
    try:
        if file.where == "local":
            return (folder / file.path).read_bytes()
    except OSError as error:
        raise StoreError(f"{folder / file.path} cannot be read: {error.strerror}") from None
    assert remote is not None
    return remote.read(scope, file.path)
