from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from deployment_rigs import SCORE, WS, Rig

from sendoff.files import locked, locked_within
from sendoff.garbage import garbage
from sendoff.operations.places import work_lock
from sendoff.spec.service import UpdateService


def _age(rig: Rig) -> None:
    """Two hours pass."""
    then = time.time() - 7200
    for folder in ("blobs", "bundles", "operations"):
        for path in (rig.home / folder).rglob("*"):
            os.utime(path, (then, then))
    with closing(sqlite3.connect(rig.home / "sendoff.db")) as database:
        database.execute(f"PRAGMA user_version = {int(then // 60)}")


def test_nothing_in_use_and_nothing_young_is_removed(rig: Rig) -> None:
    rig.model()
    rig.deploy(models=["m"])
    rig.store.blobs.put_bytes(b"on its way")
    before = set(rig.store.blobs.digests())
    report = rig.garbage.collect()
    assert (report.blobs, report.bundles, report.bytes) == ([], [], 0)
    _age(rig)
    rig.store.blobs.put_bytes(b"just now")
    report = rig.garbage.collect()
    assert len(report.blobs) == 1 and report.bytes == len(b"on its way")
    assert len(set(rig.store.blobs.digests()) & before) == len(before) - 1
    assert rig.deployments.get(WS, "svc").state == "Healthy"


def test_blobs_that_are_older_than_the_database_stay_and_are_told(rig: Rig) -> None:
    digest, _ = rig.store.blobs.put_bytes(b"known to a database that is gone")
    then = time.time() - 7200
    for path in (rig.home / "blobs").rglob("*"):
        os.utime(path, (then, then))
    report = rig.garbage.collect()
    assert (report.blobs, report.older_blobs, report.bytes) == ([], [digest], 0)
    assert rig.store.blobs.has(digest)
    _age(rig)
    assert rig.garbage.collect().blobs == [digest]


def test_what_a_deleted_service_left_goes_and_a_dry_run_only_tells(rig: Rig) -> None:
    kept = rig.deploy("kept", inference=rig.inference(SCORE + b"# kept\n"))
    gone = rig.deploy("gone", inference=rig.inference(SCORE + b"# gone\n"))
    rig.wait(rig.deployments.delete(WS, "gone"))
    _age(rig)
    told = rig.garbage.collect(dry_run=True)
    assert len(told.bundles) == 1 and len(told.blobs) == 1 and f"{gone.id}.log" in told.logs
    assert len(list((rig.home / "bundles").iterdir())) == 2
    done = rig.garbage.collect()
    assert (done.bundles, done.blobs, done.logs) == (told.bundles, told.blobs, told.logs)
    assert done.bytes == told.bytes > 0
    assert [path.name for path in (rig.home / "bundles").iterdir()] != done.bundles
    assert (rig.home / "operations" / f"{kept.id}.log").exists()
    assert rig.deployments.get(WS, "kept").state == "Healthy"
    assert rig.garbage.collect().bytes == 0


def test_the_newest_ten_revisions_are_kept(rig: Rig, monkeypatch: object) -> None:
    garbage_kept = garbage.KEPT_REVISIONS
    garbage.KEPT_REVISIONS = 2
    try:
        rig.deploy()
        for number in (2, 3, 4):
            inference = rig.inference(SCORE + f"# {number}\n".encode())
            rig.wait(rig.deployments.update(WS, "svc", UpdateService(inference=inference)))
        _age(rig)
        report = rig.garbage.collect()
    finally:
        garbage.KEPT_REVISIONS = garbage_kept
    assert report.revisions == ["ws/svc:1", "ws/svc:2"]
    assert [revision.number for revision in rig.deployments.revisions(WS, "svc")] == [3, 4]
    assert len(report.bundles) == 2
    assert rig.wait(rig.deployments.rollback(WS, "svc", 3)).state == "Succeeded"
    assert rig.deployments.revisions(WS, "svc")[-1].number == 5


def test_folders_that_nothing_refers_to_are_removed_and_young_ones_and_locks_stay(rig: Rig) -> None:
    for name in ("bundle-half/app", "layer-half"):
        (rig.home / "staging" / name).mkdir(parents=True)
    (rig.home / "staging" / "bundle-half/app/score.py").write_text("x" * 100)
    (rig.home / "staging" / "secrets.lock").touch()
    (rig.home / "packages" / "gone").mkdir(parents=True)
    (rig.home / "packages" / "gone" / "Dockerfile").write_text("FROM x")
    (rig.home / "packages" / "gone.json").write_text("{}")
    blob = rig.home / "staging" / "bundle-half/app/score.py"
    (rig.home / "cache" / "archives" / "ab12").mkdir(parents=True)
    os.link(blob, rig.home / "cache" / "archives" / "ab12" / "mine-1.0.whl")
    report = rig.garbage.collect()
    assert (report.staging, report.packages, report.archives) == ([], [], [])
    then = time.time() - 7200
    for folder in ("staging", "packages", "cache"):
        for path in (rig.home / folder).rglob("*"):
            os.utime(path, (then, then))
    (rig.home / "staging" / "layer-half" / "young").touch()
    told = rig.garbage.collect(dry_run=True)
    assert (told.staging, told.packages, told.archives) == (["bundle-half"], ["gone"], ["ab12"])
    assert told.bytes == 8, "what is linked elsewhere frees nothing"
    assert (rig.home / "packages" / "gone.json").exists()
    assert rig.garbage.collect().staging == ["bundle-half"]
    assert [*(rig.home / "packages").iterdir(), *(rig.home / "cache" / "archives").iterdir()] == []
    assert {path.name for path in (rig.home / "staging").glob("*")} >= {"layer-half", "secrets.lock"}


def test_while_a_runner_works_bundles_stay_and_one_that_starts_meanwhile_waits(rig: Rig) -> None:
    rig.deploy("gone")
    rig.wait(rig.deployments.delete(WS, "gone"))
    _age(rig)
    with locked(work_lock(rig.home), shared=True):
        report = rig.garbage.collect(wait_seconds=0.2)
    assert (report.busy, report.bundles) == (True, [])
    with locked_within(work_lock(rig.home), 10.0) as alone:
        assert alone
        operation = rig.deployments.deploy(WS, rig.body("late"))
        rig.until(lambda: rig.has_runner(operation))
        time.sleep(1.0)
        steps = rig.operations.get(operation.id).steps
        assert {step.start for step in steps} == {None}, steps
    assert rig.wait(operation).state == "Succeeded"
    report = rig.garbage.collect()
    assert (report.busy, len(report.bundles)) == (False, 1)


def test_run_folders_of_no_service_are_removed(rig: Rig, tmp_path: Path) -> None:
    from sendoff.targets.base import Wanted

    stray = Wanted(uid="stray", name="x", workspace=WS, revision=1, bundle="b")
    rig.target.apply(stray)
    rig.deploy()
    assert rig.garbage.collect().services == ["stray"]
    assert len(rig.target.uids()) == 1
