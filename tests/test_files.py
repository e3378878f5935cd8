"""Files are whole or as they were, also when their writer dies; locks end with their holder."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from sendoff import files
from sendoff.errors import InvalidInput, StoreError


def in_another_process(code: str, *arguments: object) -> subprocess.Popen[str]:
    program = "import os, signal, sys, time\nfrom pathlib import Path\nfrom sendoff import files\n" + code
    command = [sys.executable, "-c", program, *(str(one) for one in arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)


def first_line(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def end(child: subprocess.Popen[str]) -> None:
    child.kill()
    child.wait(10)
    for stream in (child.stdin, child.stdout):
        if stream is not None:
            stream.close()


# Files


def test_what_was_written_is_there_and_nothing_else(tmp_path: Path) -> None:
    files.write(tmp_path / "a.json", "ünï\r\n")
    files.write(tmp_path / "b", b"\x00\xff", lasting=True)
    files.write_json(tmp_path / "c", {"a": [1, None]})
    assert (tmp_path / "a.json").read_bytes() == "ünï\r\n".encode()
    assert (tmp_path / "b").read_bytes() == b"\x00\xff"
    assert json.loads((tmp_path / "c").read_text()) == {"a": [1, None]}
    assert sorted(os.listdir(tmp_path)) == ["a.json", "b", "c"]


@pytest.mark.parametrize("mode", [files.OWN, files.PUBLIC, 0o400])
def test_a_file_has_its_permissions_from_the_start_less_the_umask(tmp_path: Path, mode: int) -> None:
    before = os.umask(0o027)
    try:
        files.write(tmp_path / "f", "x", mode=mode)
        files.write(tmp_path / "f", "y", mode=mode)  # also where one of 0400 is there
    finally:
        os.umask(before)
    assert (tmp_path / "f").stat().st_mode & 0o777 == mode & ~0o027
    assert (tmp_path / "f").read_text() == "y"


def test_folders_are_made_with_the_permissions_that_were_given(tmp_path: Path) -> None:
    files.write(tmp_path / "own" / "f", "x", folder=0o700)
    assert (tmp_path / "own").stat().st_mode & 0o777 == 0o700
    with pytest.raises(StoreError, match=r"no/f cannot be written: No such file or directory"):
        files.write(tmp_path / "no" / "f", "x")


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_a_file_is_given_to_another_user_before_anybody_sees_it(tmp_path: Path) -> None:
    files.write(tmp_path / "f", "x", mode=0o400, owner=1234)
    facts = (tmp_path / "f").stat()
    assert (facts.st_uid, facts.st_gid, facts.st_mode & 0o777) == (1234, 1234, 0o400)


@pytest.mark.parametrize("there", [None, "old"])
def test_a_writer_that_is_killed_before_the_renaming_leaves_the_old_file_and_no_other_name(
    tmp_path: Path, there: str | None
) -> None:
    place = tmp_path / "state.json"
    if there is not None:
        place.write_text(there)
    code = (
        "die = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)\n"
        "Path.replace = die\n"
        "files.write(Path(sys.argv[1]), 'new', lasting=True)\n"
    )
    child = in_another_process(code, place)
    assert child.wait(30) == -signal.SIGKILL
    end(child)
    assert (place.read_text() if place.exists() else None) == there
    left = [path for path in tmp_path.iterdir() if path != place]
    assert [path.read_text() for path in left] == ["new"]  # it was written whole, and had no name that anybody reads
    assert all(path.name.startswith(".") and path.name.endswith(".part") for path in left)
    files.write(place, "next")
    assert place.read_text() == "next"


def test_readers_see_whole_files_while_two_write_and_one_of_them_is_killed(tmp_path: Path) -> None:
    place = tmp_path / "state"
    size = 200_000
    files.write(place, "0" * size)
    code = (
        "print('ready', flush=True)\nwhile True:\n    files.write(Path(sys.argv[1]), sys.argv[2] * int(sys.argv[3]))\n"
    )
    writers = [in_another_process(code, place, letter, size) for letter in "ab"]
    try:
        assert [first_line(writer) for writer in writers] == ["ready", "ready"]
        seen = set()
        stop = time.monotonic() + 2.0
        while time.monotonic() < stop:
            text = place.read_text()
            assert len(text) == size
            assert len(set(text)) == 1
            seen.add(text[0])
            if time.monotonic() > stop - 1.0:
                writers[0].kill()
        assert {"a", "b"} <= seen
    finally:
        for writer in writers:
            end(writer)


def test_a_full_disk_is_an_error_that_leaves_the_old_file_and_nothing_staged(tmp_path: Path) -> None:
    place = tmp_path / "f"
    place.write_text("old")
    code = (
        "import resource\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "try:\n"
        "    files.write(Path(sys.argv[1]), b'x' * 100_000)\n"
        "except files.StoreError as error:\n"
        "    print(error.message)\n"
    )
    child = in_another_process(code, place)
    said, _ = child.communicate(timeout=30)
    assert said == f"{place} cannot be written: File too large\n"
    assert place.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def no_space(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_no_space_at_the_very_end_is_the_same_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(StoreError, match="No space left on device") as caught:
        files.write(tmp_path / "f", "x", lasting=True)
    assert caught.value.context == {"path": str(tmp_path / "f")}
    assert list(tmp_path.iterdir()) == []


def test_callers_say_which_error_it_is(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        files.write(tmp_path / "no" / "f", "x", failure=InvalidInput)
    with pytest.raises(FileNotFoundError):
        files.write(tmp_path / "no" / "f", "x", failure=None)


def test_a_block_that_fails_leaves_nothing_and_its_own_error(tmp_path: Path) -> None:
    for error in (ValueError("of the block"), KeyboardInterrupt()):
        with pytest.raises(type(error)), files.staged(tmp_path / "f") as place:
            place.write_text("half")
            raise error
    assert list(tmp_path.iterdir()) == []


def test_the_longest_names_can_be_written(tmp_path: Path) -> None:
    for name in ("n" * 255, "ñ" * 127):
        files.write(tmp_path / name, "x")
        assert (tmp_path / name).read_text() == "x"


def test_a_file_that_holds_it_already_is_left_alone(tmp_path: Path) -> None:
    place = tmp_path / "f"
    assert files.write_changed(place, "one")
    inode = place.stat().st_ino
    assert not files.write_changed(place, "one")
    assert place.stat().st_ino == inode
    assert files.write_changed(place, "two")
    assert place.read_text() == "two"


def test_a_folder_is_dropped_whole_or_was_never_there(tmp_path: Path) -> None:
    (tmp_path / "folder" / "inner").mkdir(parents=True)
    assert files.drop(tmp_path / "folder", tmp_path / "grave")
    assert not files.drop(tmp_path / "folder", tmp_path / "grave")
    assert list(tmp_path.iterdir()) == []


def test_removing_asks_no_questions(tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    files.remove(tmp_path / "f")
    files.remove(tmp_path / "f")
    files.remove(tmp_path)
    assert tmp_path.exists()


# Locks

HOLD = (
    "with files.locked(Path(sys.argv[1]), shared='shared' in sys.argv):\n    print('held', flush=True)\n    input()\n"
)


def test_one_holds_a_lock_and_it_ends_with_the_holder(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    child = in_another_process(HOLD, lock)
    try:
        assert first_line(child) == "held"
        assert files.is_locked(lock)
        assert files.acquire(lock, seconds=0) is None
        with files.locked_within(lock, 0.1) as held:
            assert not held
    finally:
        end(child)  # killed: the kernel gives the lock up
    with files.locked_within(lock, 5.0) as held:
        assert held
        assert files.is_locked(lock)
    assert not files.is_locked(lock)


def test_patience_has_an_end_and_whoever_waits_hears_how_long(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    heard: list[float] = []
    with files.locked(lock):
        began = time.monotonic()
        assert files.acquire(lock, seconds=0.5, waiting=heard.append) is None
        assert 0.5 <= time.monotonic() - began < 5.0
    assert len(heard) > 2
    assert heard == sorted(heard)


def test_who_waits_gets_it_when_the_holder_is_done(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    child = in_another_process(HOLD, lock)
    try:
        assert first_line(child) == "held"
        got: list[int | None] = []
        ways = [lambda: files.acquire(lock), lambda: files.acquire(lock, seconds=30)]
        waiters = [threading.Thread(target=lambda way=way: got.append(way())) for way in ways]
        for waiter in waiters:
            waiter.start()
        time.sleep(0.2)
        assert got == []
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
        for _ in waiters:
            deadline = time.monotonic() + 30
            while not got and time.monotonic() < deadline:
                time.sleep(0.01)
            descriptor = got.pop()
            assert descriptor is not None
            os.close(descriptor)
        for waiter in waiters:
            waiter.join(10)
    finally:
        end(child)


def test_sharers_hold_it_together_and_keep_out_who_wants_it_alone(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    child = in_another_process(HOLD, lock, "shared")
    try:
        assert first_line(child) == "held"
        assert not files.is_locked(lock)
        with files.locked(lock, shared=True):
            assert files.acquire(lock, seconds=0) is None
    finally:
        end(child)


def test_a_child_that_inherited_the_descriptor_holds_the_lock_on(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    descriptor = files.acquire(lock)
    assert descriptor is not None
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[descriptor])
    os.close(descriptor)
    try:
        assert files.is_locked(lock)
    finally:
        child.kill()
        child.wait(10)
        assert child.stdin is not None
        child.stdin.close()
    assert not files.is_locked(lock)


def test_a_lock_whose_file_was_removed_meanwhile_is_not_taken_for_the_one_in_its_place(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    old = files.acquire(lock)
    assert old is not None
    lock.unlink()
    new = files.acquire(lock, seconds=0)
    assert new is not None
    assert files.acquire(lock, seconds=0) is None
    os.close(old)
    assert files.is_locked(lock)
    os.close(new)


def test_looking_makes_no_file(tmp_path: Path) -> None:
    assert not files.is_locked(tmp_path / "lock")
    assert list(tmp_path.iterdir()) == []


def test_the_module_is_light() -> None:
    code = "import sys, sendoff.files, sendoff.processes; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {one.partition(".")[0] for one in loaded} & {"msgspec", "sqlalchemy", "psutil", "yaml", "click"}
