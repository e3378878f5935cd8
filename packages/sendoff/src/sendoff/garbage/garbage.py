"""Remove what nothing refers to, and nothing else."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, select

from .. import files
from ..datasets.datasets import used_blobs
from ..deployments import revision_rows, service_rows
from ..deployments.plan import plan_from
from ..operations import operation_rows
from ..operations.kinds import PACKAGE
from ..operations.places import work_lock
from ..packages.request import PackageRequest
from ..spec.operation import FINAL
from ..spec.parse import Spec, decode
from ..store.tables import datasets, datastore_files, models, run_files
from ..targets.docker import garbage as docker
from . import home_garbage

if TYPE_CHECKING:
    from ..operations.operations import Operations
    from ..rooms import Rooms

KEPT_REVISIONS = 10
# A client uploads blobs before it names them in a request: what is younger may be on its way.
GRACE_SECONDS = 3600.0
WAIT_SECONDS = 5.0


class GarbageReport(Spec):
    """What was, or with ``dry_run`` would be, removed; ``bytes`` is their size together."""

    dry_run: bool
    blobs: list[str] = []
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
        forgotten = _old_revisions(connection)
        if not dry_run:
            for uid, _, numbers in forgotten:
                revision_rows.forget_revisions(connection, uid, numbers)
        dropped = {(uid, number) for uid, _, numbers in forgotten for number in numbers}
        used = in_use(connection, dropped)
        operations = {row.id for row in operation_rows.list_operations(connection)}
        sizes = {digest: rooms.store.blobs.facts(digest) for digest in rooms.store.blobs.digests()}
        dead_blobs = sorted(digest for digest in set(sizes) - used.blobs if sizes[digest].put_time < before)
        # A runner at work may have just made what its revision does not name yet.
        dead_bundles = [] if busy else _older(home / "bundles", used.bundles, before)
        dead_environments = [
            found.key
            for found in ([] if busy else rooms.environments.present())
            if found.key not in used.environments and found.used < before
        ]
        logs = _dead_logs(connection, home, used.services)
        # Before anything goes: a bundle's files are links, and weigh something once their blob is gone.
        folders = [*dead_bundles, *(home / "environments" / key for key in dead_environments)]
        freed = sum(sizes[digest].size for digest in dead_blobs) + sum(_size(path) for path in folders)
        freed += sum(path.stat().st_size for path in logs if path.exists())
        if not dry_run:
            for digest in dead_blobs:
                rooms.store.blobs.delete(digest)
    strangers = _strangers(rooms, used.services)
    # The same goes for images, and for layers that an image is being made from.
    engine = None if busy else on_engine(home, used)
    leftovers = engine.leftovers if engine is not None else []
    layers = home_garbage.layers(home, engine.layers, before) if engine is not None else []
    packages = [] if busy else home_garbage.packages(home, operations, before)
    staging = [] if busy else home_garbage.staging(home, before)
    files = [path for dead in (*layers, *packages, *staging) for path in dead.paths]
    freed += sum(_size(path) for path in files) + sum(found.bytes for found in leftovers)
    report = GarbageReport(
        dry_run=dry_run,
        busy=busy,
        blobs=dead_blobs,
        bundles=[path.name for path in dead_bundles],
        environments=dead_environments,
        services=[uid for _, uid in strangers],
        logs=[path.name for path in logs],
        revisions=[f"{label}:{number}" for _, label, numbers in forgotten for number in numbers],
        images=[found.name for found in leftovers if found.kind == docker.IMAGE],
        containers=[found.name for found in leftovers if found.kind == docker.CONTAINER],
        networks=[found.name for found in leftovers if found.kind == docker.NETWORK],
        layers=[dead.name for dead in layers],
        packages=[dead.name for dead in packages],
        staging=[dead.name for dead in staging],
        bytes=freed,
    )
    if not dry_run:
        for path in dead_bundles:
            _drop(path, home)
        for key in dead_environments:
            rooms.environments.remove(key)
        for target, uid in strangers:
            rooms.target(target).remove(uid)
        for found in leftovers:
            docker.remove(found)
        for path in [*logs, *files]:
            _unlink(path)
    return report


def on_engine(home: Path, used: InUse) -> docker.Found | None:
    """What of a home is on the Docker engine and nothing needs; None when there is no engine, or nothing ever was."""
    if not (home / "docker").is_dir() and not (home / "images").is_dir():
        return None
    return docker.find(home, services=used.services, images=used.images)


def _old_revisions(connection: Connection) -> list[tuple[str, str, list[int]]]:
    """Revisions beyond the newest ten that neither run nor are wanted, by service."""
    found = []
    for service in service_rows.list_services(connection):
        numbers = [row.number for row in revision_rows.list_revisions(connection, service.uid)]
        kept = {*numbers[-KEPT_REVISIONS:], service.wanted_revision, *_serving(connection, service.uid)}
        old = [number for number in numbers if number not in kept]
        if old:
            found.append((service.uid, f"{service.workspace}/{service.name}", old))
    return found


def _serving(connection: Connection, uid: str) -> set[int]:
    number = revision_rows.serving_revision(connection, uid)
    return set() if number is None else {number}


class InUse(NamedTuple):
    """Blob digests, bundle names, environment keys, service uids and image ids that something refers to."""

    blobs: set[str]
    bundles: set[str]
    environments: set[str]
    services: set[str]
    images: set[str]


def in_use(connection: Connection, dropped: Collection[tuple[str, int]] = (), *, without: str = "") -> InUse:
    """What revisions and packages refer to.

    Args:
        connection: A transaction.
        dropped: Revisions (service uid and number) that do not count.
        without: The uid of a service that does not count.
    """
    found = InUse(set(), set(), set(), set(), set())
    found.blobs.update(file["digest"] for files in connection.scalars(select(models.c.files)) for file in files)
    found.blobs.update(connection.scalars(select(datastore_files.c.digest)))
    found.blobs.update(connection.scalars(select(run_files.c.digest)))
    found.blobs.update(used_blobs(list(connection.scalars(select(datasets.c.definition)))))
    for service in service_rows.list_services(connection):
        if service.uid == without:
            continue
        found.services.add(service.uid)
        for row in revision_rows.list_revisions(connection, service.uid):
            if (service.uid, row.number) in dropped:
                continue
            plan = plan_from(row.wanted)
            found.blobs.update(file.digest for file in plan.inference.source.files)
            found.bundles.update(name for name in [plan.pinned.bundle] if name)
            found.images.update(image for image in [plan.pinned.image] if image)
            found.environments.update(key for key in [plan.pinned.environment_key] if key)
    found.services.update(row.uid for row in operation_rows.unfinished_operations(connection))
    for row in operation_rows.list_operations(connection):
        if row.type == PACKAGE:
            wanted = decode(row.request, PackageRequest, where="the package's request")
            if row.state not in FINAL:
                found.blobs.update(file.digest for file in wanted.inference.source.files)
            if wanted.result is not None and wanted.result.image_id:
                found.images.add(wanted.result.image_id)
    return found


def _dead_logs(connection: Connection, home: Path, uids: set[str]) -> list[Path]:
    """Logs of operations that are over and whose service is gone, or that no operation has."""
    known = {row.id: row for row in operation_rows.list_operations(connection)}
    dead = []
    for path in sorted((home / "operations").glob("*")):
        row = known.get(path.name.partition(".")[0])
        if row is None or (row.state in FINAL and row.uid not in uids):
            dead.append(path)
    return dead


def _older(folder: Path, kept: set[str], before: float) -> list[Path]:
    found = []
    for path in sorted(folder.glob("*")):
        try:
            if path.is_dir() and path.name not in kept and path.stat().st_mtime < before:
                found.append(path)
        except FileNotFoundError:
            continue
    return found


def _strangers(rooms: Rooms, uids: set[str]) -> list[tuple[str, str]]:
    """What the targets hold of services that do not exist."""
    names: Iterable[str] = ("process", *(["docker"] if (rooms.store.home / "docker").is_dir() else []))
    return [(name, uid) for name in names for uid in rooms.target(name).present() if uid not in uids]


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
