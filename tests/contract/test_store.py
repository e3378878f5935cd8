"""What every blob store does. A back-end is added by one line in ``STORES``."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sendoff.errors import AlreadyExists, CorruptBlob, InvalidInput, NotFound
from sendoff.store import local_blobs
from sendoff.store.blobs import BlobStore
from sendoff.store.copying import CHUNK
from sendoff.store.local_blobs import LocalBlobs, open_blobs

STORES: dict[str, Callable[[Path], BlobStore]] = {"local": lambda home: LocalBlobs(home / "blobs")}
NONE = "sha256:" + "0" * 64


@pytest.fixture(params=STORES)
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    return STORES[request.param](tmp_path / "home")


@pytest.fixture
def local(tmp_path: Path) -> LocalBlobs:
    return LocalBlobs(tmp_path / "home" / "blobs")


def digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def place(local: LocalBlobs, digest: str) -> Path:
    return local.root / "sha256" / digest[7:9] / digest[9:]


def damage(local: LocalBlobs, digest: str, data: bytes) -> Path:
    path = place(local, digest)
    path.chmod(0o600)
    path.write_bytes(data)
    return path


@given(data=st.binary(max_size=4096) | st.sampled_from([b"", b"x" * CHUNK, b"y" * (CHUNK + 1)]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
def test_what_is_put_comes_back(blobs: BlobStore, tmp_path: Path, data: bytes) -> None:
    source = tmp_path / "source"
    source.write_bytes(data)
    assert blobs.put_file(source) == blobs.put_bytes(data) == (digest_of(data), len(data))
    assert blobs.has(digest_of(data))
    assert blobs.read_bytes(digest_of(data)) == data
    with blobs.open(digest_of(data)) as reader:
        assert b"".join(iter(lambda: reader.read(1000), b"")) == data
    assert blobs.facts(digest_of(data)).size == len(data)
    for link in (True, False):
        dest = tmp_path / f"dest-{link}"
        blobs.materialise(digest_of(data), dest, link=link)
        assert dest.read_bytes() == data
        assert bool(dest.stat().st_mode & 0o222) is not link
        dest.unlink()
    blobs.verify(digest_of(data))


def test_what_is_missing_is_told_in_order_and_once(blobs: BlobStore) -> None:
    here, _ = blobs.put_bytes(b"here")
    there = digest_of(b"there")
    assert blobs.missing([there, here, NONE, there]) == [there, NONE]
    assert blobs.has(there) is False


def test_a_size_that_is_not_known_is_certainly_new(blobs: BlobStore) -> None:
    blobs.put_bytes(b"four")
    assert blobs.known_sizes([4, 5, 4]) == [4]


def test_digests_lists_everything_and_delete_is_repeatable(blobs: BlobStore) -> None:
    digests = {blobs.put_bytes(data)[0] for data in (b"a", b"b", b"a")}
    assert set(blobs.digests()) == digests
    gone = digests.pop()
    assert blobs.delete(gone) is True
    assert blobs.delete(gone) is False
    assert set(blobs.digests()) == digests
    assert blobs.put_bytes(b"a")[0] in {*digests, gone}


@pytest.mark.parametrize("ask", ["read_bytes", "open", "peek", "verify", "facts"])
def test_a_blob_that_is_not_there_is_not_found(blobs: BlobStore, ask: str) -> None:
    with pytest.raises(NotFound):
        getattr(blobs, ask)(NONE)


@pytest.mark.parametrize(
    "digest", ["", "sha256:", "sha256:" + "g" * 64, "md5:" + "0" * 64, "sha256:../../etc/passwd", NONE + "\n"]
)
def test_a_digest_that_is_none_is_refused(blobs: BlobStore, digest: str) -> None:
    with pytest.raises(InvalidInput):
        blobs.has(digest)


def test_a_taken_destination_is_refused_and_left_alone(blobs: BlobStore, tmp_path: Path) -> None:
    digest, _ = blobs.put_bytes(b"new")
    dest = tmp_path / "dest"
    dest.write_text("old")
    with pytest.raises(AlreadyExists):
        blobs.materialise(digest, dest)
    assert dest.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []


def test_progress_counts_every_byte_once(blobs: BlobStore, tmp_path: Path) -> None:
    source = tmp_path / "source"
    for data in (os.urandom(3 * CHUNK + 7), os.urandom(3 * CHUNK + 7)):  # the second one's size is known
        source.write_bytes(data)
        seen: list[int] = []
        blobs.put_file(source, progress=seen.append)
        assert sum(seen) == len(data)
        seen.clear()
        blobs.materialise(digest_of(data), tmp_path / "out" / digest_of(data)[7:], progress=seen.append)
        assert sum(seen) == len(data)


def test_a_location_leads_to_the_same_blobs(blobs: BlobStore) -> None:
    digest, _ = blobs.put_bytes(b"x")
    assert open_blobs(blobs.location).has(digest)
    with pytest.raises(InvalidInput):
        open_blobs("s3://bucket")


def test_equal_files_are_stored_once_and_read_only(local: LocalBlobs, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text("the same")
        digest, _ = local.put_file(tmp_path / name)
    (stored,) = [path for path in (local.root / "sha256").rglob("*") if path.is_file()]
    assert stored == place(local, digest)
    assert stored.stat().st_mode & 0o777 == 0o444
    assert stored.stat().st_nlink == 1
    assert list(local.staging.iterdir()) == []


def test_a_blob_never_shares_its_bytes_with_the_users_file(local: LocalBlobs, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_text("before")
    digest, _ = local.put_file(source)
    source.write_text("after!")
    assert local.read_bytes(digest) == b"before"
    local.materialise(digest, tmp_path / "own", link=False)
    (tmp_path / "own").write_text("mine!!")
    assert local.read_bytes(digest) == b"before"


@pytest.mark.parametrize("change", [b"cut", b"longer than it was before", b"12345678", b""])
def test_every_way_of_reading_notices_changed_bytes(local: LocalBlobs, tmp_path: Path, change: bytes) -> None:
    digest, _ = local.put_bytes(b"original")
    path = damage(local, digest, change)

    def read_slowly() -> None:
        with local.open(digest) as reader:
            while reader.read(3):
                pass

    for read in (
        lambda: local.read_bytes(digest),
        read_slowly,
        lambda: local.verify(digest),
        lambda: local.materialise(digest, tmp_path / "out"),
        lambda: local.materialise(digest, tmp_path / "out", link=False),
    ):
        with pytest.raises(CorruptBlob) as caught:
            read()
        assert caught.value.context == {"digest": digest, "path": str(path)}
    assert not (tmp_path / "out").exists()
    assert [entry.name for entry in tmp_path.iterdir()] == ["home"]


def test_a_file_cut_off_in_the_store_is_mended_by_putting_it_again(local: LocalBlobs, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"original")
    digest, _ = local.put_file(tmp_path / "source")
    damage(local, digest, b"orig")
    assert local.put_file(tmp_path / "source")[0] == digest
    assert local.read_bytes(digest) == b"original"


@pytest.mark.parametrize("size", [5, (16 << 20) + 1])
@pytest.mark.parametrize("by", ["file", "bytes"])
def test_a_blob_changed_in_the_store_is_mended_by_putting_it_again(
    local: LocalBlobs, tmp_path: Path, size: int, by: str
) -> None:
    data = b"a" * size
    (tmp_path / "m.bin").write_bytes(data)
    put = {"file": lambda: local.put_file(tmp_path / "m.bin"), "bytes": lambda: local.put_bytes(data)}[by]
    digest, _ = put()
    linked = tmp_path / "bundle" / "m.bin"
    local.materialise(digest, linked)
    damage(local, digest, b"b" * size)
    assert put() == (digest, size)
    assert local.read_bytes(digest) == data
    local.materialise(digest, tmp_path / "bundle" / "again.bin")
    assert (tmp_path / "bundle" / "again.bin").read_bytes() == data


def test_a_file_that_changes_while_it_is_copied_is_noticed(
    local: LocalBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"x" * (4 * CHUNK))

    def write_meanwhile(done: int) -> None:
        with source.open("r+b") as file:
            file.seek(-1, os.SEEK_END)
            file.write(b"y")
        time.sleep(0.02)

    with pytest.raises(InvalidInput, match="changed while it was read"):
        local.put_file(source, progress=write_meanwhile)
    assert list(local.digests()) == []
    assert list(local.staging.iterdir()) == []


def test_a_file_that_grows_while_it_is_copied_is_noticed(local: LocalBlobs, tmp_path: Path) -> None:
    source = tmp_path / "log"
    source.write_bytes(b"x" * (4 * CHUNK))

    def append(done: int) -> None:
        with source.open("ab") as file:
            file.write(b"more")

    with pytest.raises(InvalidInput, match="changed while it was read"):
        local.put_file(source, progress=append)


def test_only_regular_files_are_taken(local: LocalBlobs, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "sock"))
        (tmp_path / "broken").symlink_to("nowhere")
        (tmp_path / "loop").symlink_to("loop")
        for bad in ("fifo", "sock", "broken", "loop", "missing", "."):
            with pytest.raises(InvalidInput) as caught:
                local.put_file(tmp_path / bad)
            assert str(tmp_path) in caught.value.message
        with pytest.raises(InvalidInput, match="pipe, socket or device"):
            local.put_file("/dev/null")
    (tmp_path / "real").write_text("r")
    (tmp_path / "link").symlink_to("real")
    assert local.put_file(tmp_path / "link") == (digest_of(b"r"), 1)


def read_as_nobody(root: str, path: str) -> None:
    """Run in a forked process: as a user who may not read the file."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    try:
        LocalBlobs(Path(root)).put_file(path)
    except InvalidInput as error:
        os._exit(0 if "Permission denied" in error.message else 2)
    os._exit(1)


def test_an_unreadable_file_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "private").write_text("x")
    (tmp_path / "private").chmod(0)
    process = multiprocessing.get_context("fork").Process(
        target=read_as_nobody, args=(str(tmp_path / "blobs"), str(tmp_path / "private"))
    )
    process.start()
    process.join(30)
    assert process.exitcode == 0


def put_all(root: str, folder: str, moment: float) -> None:
    """Run in another process."""
    time.sleep(max(0.0, moment - time.time()))
    for path in sorted(Path(folder).iterdir()):
        LocalBlobs(Path(root)).put_file(path)


def test_processes_that_put_the_same_files_at_once_store_them_once(local: LocalBlobs, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for number in range(30):
        (folder / str(number)).write_bytes(bytes([number]) * 100_000)
    context = multiprocessing.get_context("spawn")
    moment = time.time() + 2
    processes = [context.Process(target=put_all, args=(str(local.root), str(folder), moment)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert len(list(local.digests())) == 30
    for digest in local.digests():
        local.verify(digest)
    assert list(local.staging.iterdir()) == []


def test_threads_that_put_the_same_bytes_at_once_store_them_once(local: LocalBlobs) -> None:
    barrier = threading.Barrier(8)
    failed: list[BaseException] = []

    def put() -> None:
        barrier.wait()
        try:
            local.put_bytes(b"z" * 1000)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=put) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(list(local.digests())) == 1


def test_bundles_may_link_to_blobs(local: LocalBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_blobs, "reflink", lambda target, source: False)
    digest, _ = local.put_bytes(b"shared")
    local.materialise(digest, tmp_path / "bundle" / "file")
    assert (tmp_path / "bundle" / "file").stat().st_ino == place(local, digest).stat().st_ino
    assert place(local, digest).stat().st_mode & 0o777 == 0o444


def test_where_links_cannot_be_made_a_copy_is(
    local: LocalBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LocalBlobs, "_link", lambda self, digest, temporary: False)
    digest, _ = local.put_bytes(b"copied")
    local.materialise(digest, tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"copied"
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o444


def test_what_dead_writers_left_is_swept(local: LocalBlobs) -> None:
    local.staging.mkdir(parents=True)
    for name, age in (("blob-1-old", 100_000), ("blob-2-new", 10)):
        (local.staging / name).write_text("half")
        os.utime(local.staging / name, (time.time() - age,) * 2)
    assert [path.name for path in local.sweep()] == ["blob-1-old"]
    assert [path.name for path in local.staging.iterdir()] == ["blob-2-new"]


def test_a_blob_that_is_put_again_counts_as_new(local: LocalBlobs, tmp_path: Path) -> None:
    digest, _ = local.put_bytes(b"again")
    os.utime(place(local, digest), (1, 1))
    assert local.facts(digest).put_time == 1
    (tmp_path / "source").write_bytes(b"again")
    local.put_file(tmp_path / "source")
    assert local.facts(digest).put_time > time.time() - 60
