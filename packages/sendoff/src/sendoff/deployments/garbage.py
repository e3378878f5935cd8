"""Remove what nothing refers to, and nothing else."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from ..datasets.datasets import used_blobs
from ..spec.operation import FINAL
from ..spec.parse import Spec
from ..store.tables import datasets, datastore_files, models, run_files
from ..targets.docker import garbage as docker
from . import records
from .plan import plan_from

if TYPE_CHECKING:
    from .preflight import Rooms

KEPT_REVISIONS = 10
# A client uploads blobs before it names them in a request: what is younger may be on its way.
GRACE_SECONDS = 3600.0


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
    """Images on the Docker engine that no kept revision runs."""
    containers: list[str] = []
    networks: list[str] = []
    bytes: int = 0
    """What is on the engine is not counted: layers are shared."""


def collect(rooms: Rooms, *, dry_run: bool, grace_seconds: float = GRACE_SECONDS) -> GarbageReport:
    """Find and remove garbage.

    Kept: every model version's blobs, and those of datastores and datasets; for each service the revision that runs,
    the one that is wanted and the newest ten, with their bundles and environments; logs of their
    operations; everything younger than ``grace_seconds``.

    Args:
        rooms: Where to look.
        dry_run: Only report.
        grace_seconds: Blobs, bundles and environments younger than that stay.
    """
    home = rooms.store.home
    before = time.time() - grace_seconds
    # One write transaction: whoever registers or deploys meanwhile checks his blobs in a later one.
    with rooms.store.begin() as connection:
        busy = bool(records.unfinished_operations(connection))
        forgotten = _old_revisions(connection)
        if not dry_run:
            for uid, _, numbers in forgotten:
                records.forget_revisions(connection, uid, numbers)
        dropped = {(uid, number) for uid, _, numbers in forgotten for number in numbers}
        blobs, bundles, environments, uids, images = _in_use(connection, dropped)
        sizes = {digest: rooms.store.blobs.facts(digest) for digest in rooms.store.blobs.digests()}
        dead_blobs = sorted(digest for digest in set(sizes) - blobs if sizes[digest].put_time < before)
        # A runner at work may have just made what its revision does not name yet.
        dead_bundles = [] if busy else _older(home / "bundles", bundles, before)
        dead_environments = [
            found.key
            for found in ([] if busy else rooms.environments.present())
            if found.key not in environments and found.used < before
        ]
        logs = _dead_logs(connection, home, uids)
        # Before anything goes: a bundle's files are links, and weigh something once their blob is gone.
        folders = [*dead_bundles, *(home / "environments" / key for key in dead_environments)]
        freed = sum(sizes[digest].size for digest in dead_blobs) + sum(_size(path) for path in folders)
        freed += sum(path.stat().st_size for path in logs if path.exists())
        if not dry_run:
            for digest in dead_blobs:
                rooms.store.blobs.delete(digest)
    strangers = _strangers(rooms, uids)
    # A runner at work may have built an image that its revision does not name yet.
    on_engine = [] if busy or not (home / "docker").is_dir() else docker.find(home, services=uids, images=images)
    report = GarbageReport(
        dry_run=dry_run,
        blobs=dead_blobs,
        bundles=[path.name for path in dead_bundles],
        environments=dead_environments,
        services=[uid for _, uid in strangers],
        logs=[path.name for path in logs],
        revisions=[f"{label}:{number}" for _, label, numbers in forgotten for number in numbers],
        images=[found.name for found in on_engine if found.kind == docker.IMAGE],
        containers=[found.name for found in on_engine if found.kind == docker.CONTAINER],
        networks=[found.name for found in on_engine if found.kind == docker.NETWORK],
        bytes=freed,
    )
    if not dry_run:
        for path in dead_bundles:
            _drop(path, home)
        for key in dead_environments:
            rooms.environments.remove(key)
        for target, uid in strangers:
            rooms.target(target).remove(uid)
        for found in on_engine:
            docker.remove(found)
        for path in logs:
            path.unlink(missing_ok=True)
    return report


def _old_revisions(connection: Connection) -> list[tuple[str, str, list[int]]]:
    """Revisions beyond the newest ten that neither run nor are wanted, by service."""
    found = []
    for service in records.list_services(connection):
        numbers = [row.number for row in records.list_revisions(connection, service.uid)]
        kept = {*numbers[-KEPT_REVISIONS:], service.wanted_revision, *_serving(connection, service.uid)}
        old = [number for number in numbers if number not in kept]
        if old:
            found.append((service.uid, f"{service.workspace}/{service.name}", old))
    return found


def _serving(connection: Connection, uid: str) -> set[int]:
    number = records.serving_revision(connection, uid)
    return set() if number is None else {number}


def _in_use(
    connection: Connection, dropped: set[tuple[str, int]]
) -> tuple[set[str], set[str], set[str], set[str], set[str]]:
    """Blob digests, bundle names, environment keys, service uids and image ids that something refers to."""
    blobs = {file["digest"] for files in connection.scalars(select(models.c.files)) for file in files}
    blobs |= set(connection.scalars(select(datastore_files.c.digest)))
    blobs |= used_blobs(list(connection.scalars(select(datasets.c.definition))))
    blobs |= set(connection.scalars(select(run_files.c.digest)))
    bundles: set[str] = set()
    environments: set[str] = set()
    uids: set[str] = set()
    images: set[str] = set()
    for service in records.list_services(connection):
        uids.add(service.uid)
        for row in records.list_revisions(connection, service.uid):
            if (service.uid, row.number) in dropped:
                continue
            plan = plan_from(row.wanted)
            blobs |= {file.digest for file in plan.inference.source.files}
            bundles |= {name for name in [plan.pinned.bundle] if name}
            images |= {image for image in [plan.pinned.image] if image}
            environments |= {key for key in [plan.pinned.environment_key] if key}
    uids |= {row.uid for row in records.unfinished_operations(connection)}
    return blobs, bundles, environments, uids, images


def _dead_logs(connection: Connection, home: Path, uids: set[str]) -> list[Path]:
    """Logs of operations that are over and whose service is gone, or that no operation has."""
    known = {row.id: row for row in records.list_operations(connection)}
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
    """Bytes that removing a folder frees: files that are linked elsewhere too free nothing."""
    total = 0
    for here, _, files in os.walk(folder):
        for name in files:
            facts: Any = (Path(here) / name).lstat()
            total += facts.st_size if facts.st_nlink == 1 else 0
    return total


def _drop(folder: Path, home: Path) -> None:
    """Move a folder out of sight, then remove it: nobody finds it half empty."""
    aside = home / "staging" / f"dropped-{folder.name}-{os.getpid()}"
    try:
        folder.rename(aside)
    except FileNotFoundError:
        return
    shutil.rmtree(aside, ignore_errors=True)
