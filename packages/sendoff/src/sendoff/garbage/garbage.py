"""Remove what nothing refers to, and nothing else."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping, Set
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import files
from ..artefacts.images_here import layers_in_use
from ..deployments import revision_rows
from ..operations import operation_rows
from ..operations.operation_rows import AnyRow
from ..operations.places import work_lock
from ..spec.operation import FINAL
from ..spec.parse import Spec
from ..targets.base import CONTAINER, IMAGE, NETWORK, SERVICE, Leftover, Used
from . import home_garbage

if TYPE_CHECKING:
    from ..operations.operations import Operations
    from ..rooms import Rooms
    from ..store.in_use import References

KEPT_REVISIONS = 10
# A client uploads blobs before it names them in a request: what is younger may be on its way.
GRACE_SECONDS = 3600.0
WAIT_SECONDS = 5.0


class GarbageReport(Spec):
    """What was, or with ``dry_run`` would be, removed; ``bytes`` is their size together."""

    dry_run: bool
    blobs: list[str] = []
    older_blobs: list[str] = []
    """Blobs that nothing refers to, older than the database itself: another one may have known them, so they stay."""
    bundles: list[str] = []
    environments: list[str] = []
    services: list[str] = []
    """Run folders of the targets that belong to no service."""
    logs: list[str] = []
    revisions: list[str] = []
    """Old revisions that were forgotten, as ``workspace/service:number``."""
    images: list[str] = []
    """Images on the Docker engine that no kept revision, container or package needs."""
    containers: list[str] = []
    networks: list[str] = []
    layers: list[str] = []
    """Layers of images that were kept for the next build."""
    packages: list[str] = []
    archives: list[str] = []
    """Archives that definitions brought along, laid out for an installer."""
    staging: list[str] = []
    """What was half made when its maker ended."""
    busy: bool = False
    """Whether an operation was at work: then only blobs, logs, revisions and run folders were looked at."""
    bytes: int = 0
    """On disk and on the engine; what others share is not counted."""


class Garbage:
    """What nothing of a home refers to.

    Args:
        rooms: Where to look.
        operations: What is being worked on.
    """

    def __init__(self, rooms: Rooms, operations: Operations) -> None:
        self._rooms, self._operations = rooms, operations

    def collect(
        self, *, dry_run: bool = False, grace_seconds: float = GRACE_SECONDS, wait_seconds: float = WAIT_SECONDS
    ) -> GarbageReport:
        """Find and remove garbage.

        Kept: every model version's blobs, and those of datastores and datasets; for each service the revision that
        runs, the one that is wanted and the newest ten, with their bundles, environments and images; packages' images;
        logs of their operations; everything younger than ``grace_seconds``. While an operation is at work only what it
        cannot need is removed, and one that is started meanwhile waits.

        Args:
            dry_run: Only report.
            grace_seconds: Blobs, bundles, environments, layers and half-made things younger than that stay.
            wait_seconds: Time for a runner that has done its work to end.
        """
        self._operations.revive()
        store = self._rooms.store
        with store.read() as connection:
            busy = bool(operation_rows.unfinished_operations(connection))
        if dry_run:
            return _collect(self._rooms, busy=busy, dry_run=True, grace_seconds=grace_seconds)
        with files.locked_within(work_lock(store.home), 0.0 if busy else wait_seconds) as alone:
            return _collect(self._rooms, busy=not alone, dry_run=False, grace_seconds=grace_seconds)


def _collect(rooms: Rooms, *, busy: bool, dry_run: bool, grace_seconds: float) -> GarbageReport:
    home = rooms.store.home
    before = time.time() - grace_seconds
    # One write transaction: whoever registers or deploys meanwhile checks his blobs in a later one.
    with rooms.store.begin() as connection:
        busy = busy or bool(operation_rows.unfinished_operations(connection))
        forgotten = revision_rows.old_revisions(connection, KEPT_REVISIONS)
        if not dry_run:
            for service, numbers in forgotten:
                revision_rows.forget_revisions(connection, service.uid, numbers)
        used = rooms.in_use(connection, {(service.uid, number) for service, numbers in forgotten for number in numbers})
        operations = {row.id: row for row in operation_rows.list_operations(connection)}
        sizes = {digest: rooms.store.blobs.facts(digest) for digest in rooms.store.blobs.digests()}
        unused = sorted(digest for digest in set(sizes) - used.blobs if sizes[digest].put_time < before)
        born = rooms.store.born(connection)
        dead_blobs = [digest for digest in unused if sizes[digest].put_time >= born]
        # A runner at work may have just made what its revision does not name yet.
        dead_bundles = [] if busy else _older(home / "bundles", used.bundles, before)
        dead_environments = [
            found.key
            for found in ([] if busy else rooms.environments.present())
            if found.key not in used.environments and found.used < before
        ]
        logs = _dead_logs(operations, home, used.services)
        # Before anything goes: a bundle's files are links, and weigh something once their blob is gone.
        folders = [*dead_bundles, *(home / "environments" / key for key in dead_environments)]
        freed = sum(sizes[digest].size for digest in dead_blobs) + sum(_size(path) for path in folders)
        freed += sum(path.stat().st_size for path in logs if path.exists())
        if not dry_run:
            for digest in dead_blobs:
                rooms.store.blobs.delete(digest)
    # The same goes for images, and for layers that an image is being made from.
    leftovers = [found for found in _held(rooms, used) if not busy or found.kind == SERVICE]
    going = {found.id for found in leftovers if found.kind == IMAGE}
    kept = None if busy else layers_in_use(home, used.images, going)
    layers = home_garbage.layers(home, kept, before) if kept is not None else []
    packages = [] if busy else home_garbage.packages(home, operations, before)
    archives = [] if busy else home_garbage.archives(home, before)
    staging = [] if busy else home_garbage.staging(home, before)
    files = [path for dead in (*layers, *packages, *archives, *staging) for path in dead.paths]
    freed += sum(_size(path) for path in files) + sum(found.bytes for found in leftovers)
    report = GarbageReport(
        dry_run=dry_run,
        busy=busy,
        blobs=dead_blobs,
        older_blobs=[digest for digest in unused if sizes[digest].put_time < born],
        bundles=[path.name for path in dead_bundles],
        environments=dead_environments,
        services=[found.name for found in leftovers if found.kind == SERVICE],
        logs=[path.name for path in logs],
        revisions=[f"{one.workspace}/{one.name}:{number}" for one, numbers in forgotten for number in numbers],
        images=[found.name for found in leftovers if found.kind == IMAGE],
        containers=[found.name for found in leftovers if found.kind == CONTAINER],
        networks=[found.name for found in leftovers if found.kind == NETWORK],
        layers=[dead.name for dead in layers],
        packages=[dead.name for dead in packages],
        archives=[dead.name for dead in archives],
        staging=[dead.name for dead in staging],
        bytes=freed,
    )
    if not dry_run:
        for path in dead_bundles:
            _drop(path, home)
        for key in dead_environments:
            rooms.environments.remove(key)
        for found in leftovers:
            found.remove()
        for path in [*logs, *files]:
            _unlink(path)
    return report


def _dead_logs(known: Mapping[str, AnyRow], home: Path, uids: Set[str]) -> list[Path]:
    """Logs of operations that are over and whose service is gone, or that no operation has."""
    dead = []
    for path in sorted((home / "operations").glob("*")):
        row = known.get(path.name.partition(".")[0])
        if row is None or (row.state in FINAL and row.uid not in uids):
            dead.append(path)
    return dead


def _older(folder: Path, kept: Set[str], before: float) -> list[Path]:
    found = []
    for path in sorted(folder.glob("*")):
        try:
            if path.is_dir() and path.name not in kept and path.stat().st_mtime < before:
                found.append(path)
        except FileNotFoundError:
            continue
    return found


def _held(rooms: Rooms, used: References) -> list[Leftover]:
    """What the targets hold and nobody needs."""
    wanted = Used(services=used.services, images=used.images)
    return [found for name in rooms.target_names() for found in rooms.target(name).held(wanted)]


def _size(folder: Path) -> int:
    """Bytes that removing a file or folder frees: files that are linked elsewhere too free nothing."""
    if not folder.is_dir():
        try:
            facts: Any = folder.lstat()
        except FileNotFoundError:
            return 0
        return int(facts.st_size) if facts.st_nlink == 1 else 0
    total = 0
    for here, _, names in os.walk(folder):
        for name in names:
            facts = (Path(here) / name).lstat()
            total += facts.st_size if facts.st_nlink == 1 else 0
    return total


def _unlink(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _drop(folder: Path, home: Path) -> None:
    files.drop(folder, home / "staging" / f"dropped-{folder.name}-{os.getpid()}")
