from __future__ import annotations

import os
import time
from pathlib import Path

from deployment_rigs import SCORE, WS, Rig

from sendoff.deployments import garbage
from sendoff.spec.service import UpdateService


def _age(rig: Rig) -> None:
    """Two hours pass."""
    then = time.time() - 7200
    for folder in ("blobs", "bundles", "operations"):
        for path in [rig.home / folder, *(rig.home / folder).rglob("*")]:
            os.utime(path, (then, then))


def test_nothing_in_use_and_nothing_young_is_removed(rig: Rig) -> None:
    rig.model()
    rig.deploy(models=["m"])
    rig.store.blobs.put_bytes(b"on its way")
    before = set(rig.store.blobs.digests())
    report = rig.deployments.gc()
    assert (report.blobs, report.bundles, report.bytes) == ([], [], 0)
    _age(rig)
    rig.store.blobs.put_bytes(b"just now")
    report = rig.deployments.gc()
    assert len(report.blobs) == 1 and report.bytes == len(b"on its way")
    assert len(set(rig.store.blobs.digests()) & before) == len(before) - 1
    assert rig.deployments.get(WS, "svc").state == "Healthy"


def test_what_a_deleted_service_left_goes_and_a_dry_run_only_tells(rig: Rig) -> None:
    kept = rig.deploy("kept", inference=rig.inference(SCORE + b"# kept\n"))
    gone = rig.deploy("gone", inference=rig.inference(SCORE + b"# gone\n"))
    rig.wait(rig.deployments.delete(WS, "gone"))
    _age(rig)
    told = rig.deployments.gc(dry_run=True)
    assert len(told.bundles) == 1 and len(told.blobs) == 1 and f"{gone.id}.log" in told.logs
    assert len(list((rig.home / "bundles").iterdir())) == 2
    done = rig.deployments.gc()
    assert (done.bundles, done.blobs, done.logs) == (told.bundles, told.blobs, told.logs)
    assert done.bytes == told.bytes > 0
    assert [path.name for path in (rig.home / "bundles").iterdir()] != done.bundles
    assert (rig.home / "operations" / f"{kept.id}.log").exists()
    assert rig.deployments.get(WS, "kept").state == "Healthy"
    assert rig.deployments.gc().bytes == 0


def test_the_newest_ten_revisions_are_kept(rig: Rig, monkeypatch: object) -> None:
    garbage_kept = garbage.KEPT_REVISIONS
    garbage.KEPT_REVISIONS = 2
    try:
        rig.deploy()
        for number in (2, 3, 4):
            inference = rig.inference(SCORE + f"# {number}\n".encode())
            rig.wait(rig.deployments.update(WS, "svc", UpdateService(inference=inference)))
        _age(rig)
        report = rig.deployments.gc()
    finally:
        garbage.KEPT_REVISIONS = garbage_kept
    assert report.revisions == ["ws/svc:1", "ws/svc:2"]
    assert [revision.number for revision in rig.deployments.revisions(WS, "svc")] == [3, 4]
    assert len(report.bundles) == 2
    assert rig.wait(rig.deployments.rollback(WS, "svc", 3)).state == "Succeeded"
    assert rig.deployments.revisions(WS, "svc")[-1].number == 5


def test_run_folders_of_no_service_are_removed(rig: Rig, tmp_path: Path) -> None:
    from sendoff.targets.base import WantedService

    stray = WantedService(uid="stray", name="x", workspace=WS, revision=1, bundle="b", python="p", port=0)
    rig.target.apply(stray)
    rig.deploy()
    assert rig.deployments.gc().services == ["stray"]
    assert len(rig.target.present()) == 1
