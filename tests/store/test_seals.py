"""A large blob that nothing has touched is linked into bundles unread; whatever has touched it is seen (decision 6)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sendoff.errors import CorruptBlob
from sendoff.store.local_blobs import LocalBlobs
from sendoff.store.seals import SEALED_FROM, TRUSTED_SECONDS

SIZE = SEALED_FROM + 3


@pytest.fixture
def local(tmp_path: Path) -> LocalBlobs:
    return LocalBlobs(tmp_path / "home" / "blobs")


@pytest.fixture
def digest(local: LocalBlobs, tmp_path: Path) -> str:
    (tmp_path / "model.bin").write_bytes(os.urandom(SIZE))
    return local.put_file(tmp_path / "model.bin")[0]


def bytes_read(work: Callable[[], object]) -> int:
    """What this process read while it worked, of files in memory too (``rchar``)."""

    def so_far() -> int:
        return int(Path("/proc/self/io").read_text().split()[1])

    before = so_far()
    work()
    return so_far() - before


def place(local: LocalBlobs, digest: str) -> Path:
    return local.root / "sha256" / digest[7:9] / digest[9:]


def seal(local: LocalBlobs, digest: str) -> Path:
    return local.root / "sealed" / digest[7:]


def test_a_blob_just_stored_is_linked_without_reading_it_again_and_again(
    local: LocalBlobs, digest: str, tmp_path: Path
) -> None:
    for number in range(3):
        assert bytes_read(lambda number=number: local.materialise(digest, tmp_path / f"{number}")) < SIZE / 4
        assert (tmp_path / f"{number}").read_bytes() == (tmp_path / "model.bin").read_bytes()
    again = LocalBlobs(local.root)  # another process, to whom the first has told nothing
    assert bytes_read(lambda: again.materialise(digest, tmp_path / "again")) < SIZE / 4


def test_a_large_file_put_again_is_read_once_and_its_blob_not_at_all(
    local: LocalBlobs, digest: str, tmp_path: Path
) -> None:
    for _ in range(2):
        assert bytes_read(lambda: local.put_file(tmp_path / "model.bin")) < SIZE * 1.25
    assert bytes_read(lambda: local.materialise(digest, tmp_path / "linked")) < SIZE / 4


def test_downloads_and_checks_always_read(local: LocalBlobs, digest: str, tmp_path: Path) -> None:
    assert bytes_read(lambda: local.materialise(digest, tmp_path / "own", link=False)) >= SIZE
    assert bytes_read(lambda: local.verify(digest)) >= SIZE
    assert bytes_read(lambda: local.materialise(digest, tmp_path / "linked")) < SIZE / 4


def change(path: Path) -> None:
    """Another byte in the middle, and every time that a program can set put back."""
    before = path.stat()
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.seek(SIZE // 2)
        byte = file.read(1)
        file.seek(SIZE // 2)
        file.write(bytes([byte[0] ^ 1]))
    path.chmod(0o444)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("linked_before", [False, True])
def test_a_changed_byte_is_caught_though_size_and_time_of_change_are_as_before(
    local: LocalBlobs, digest: str, tmp_path: Path, linked_before: bool
) -> None:
    path = place(local, digest)
    if linked_before:
        local.materialise(digest, tmp_path / "first")
        path = tmp_path / "first"  # through the bundle, which is the same file
    change(path)
    with pytest.raises(CorruptBlob):
        local.materialise(digest, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_file_put_in_the_place_of_another_is_caught(local: LocalBlobs, digest: str, tmp_path: Path) -> None:
    path = place(local, digest)
    before = path.stat()
    (tmp_path / "other").write_bytes(os.urandom(SIZE))
    os.utime(tmp_path / "other", ns=(before.st_atime_ns, before.st_mtime_ns))
    (tmp_path / "other").rename(path)
    with pytest.raises(CorruptBlob):
        local.materialise(digest, tmp_path / "out")


def fields(of: Path, **changed: str) -> None:
    names = ("inode", "size", "mtime_ns", "ctime_ns", "hashed", "boot")
    known = dict(zip(names, of.read_text().split(), strict=True)) | changed
    of.write_text(" ".join(known[name] for name in names))


def test_trust_ends_a_day_after_the_bytes_were_read_and_with_the_machine_s_run(
    local: LocalBlobs, digest: str, tmp_path: Path
) -> None:
    mark = seal(local, digest)
    hashed = float(mark.read_text().split()[4])
    local.materialise(digest, tmp_path / "0")
    assert float(mark.read_text().split()[4]) == hashed, "a link is no reading: trust is not prolonged by it"
    for number, changed in enumerate(
        ({"hashed": str(hashed - TRUSTED_SECONDS)}, {"hashed": str(hashed + 3600)}, {"boot": "another"}), start=1
    ):
        fields(mark, **changed)
        assert bytes_read(lambda number=number: local.materialise(digest, tmp_path / f"read{number}")) >= SIZE
        assert bytes_read(lambda number=number: local.materialise(digest, tmp_path / f"not{number}")) < SIZE / 4


@pytest.mark.parametrize("content", [b"", b"nonsense", b"1 2 3 4 5", b"\xff\xfe"])
def test_a_seal_that_cannot_be_read_costs_a_reading(
    local: LocalBlobs, digest: str, tmp_path: Path, content: bytes
) -> None:
    seal(local, digest).write_bytes(content)
    assert bytes_read(lambda: local.materialise(digest, tmp_path / "out")) >= SIZE


def test_a_seal_goes_with_its_blob(local: LocalBlobs, digest: str) -> None:
    assert seal(local, digest).exists()
    local.delete(digest)
    assert not seal(local, digest).exists()


def test_small_blobs_are_always_read(local: LocalBlobs, tmp_path: Path) -> None:
    digest, _ = local.put_bytes(os.urandom(1 << 20))
    assert bytes_read(lambda: local.materialise(digest, tmp_path / "out")) >= 1 << 20
    assert not seal(local, digest).exists()
