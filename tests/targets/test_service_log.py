"""Reading a service's log across rotated files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sendoff.targets import service_log
from sendoff.targets.run_folder import RunFolder


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder(tmp_path, "u")
    made.path.mkdir(parents=True)
    return made


def rotated(folder: RunFolder, number: int) -> Path:
    return folder.path / f"service.log.{number}"


def test_lines_come_from_as_many_files_as_are_needed(folder: RunFolder) -> None:
    rotated(folder, 2).write_text("1\n2\n")
    rotated(folder, 1).write_text("3\n4\n")
    folder.log.write_text("5\n6\n")
    assert service_log.newest(folder, 3) == ["4", "5", "6"]
    assert service_log.newest(folder, 100) == ["1", "2", "3", "4", "5", "6"]
    assert service_log.newest(folder, 0) == []


@pytest.mark.parametrize("lines", [["a"], ["", "a", ""], ["a" * 100_000, "b" * 70_000, "é" * 40_000]])
@pytest.mark.parametrize("end", ["", "\n"])
def test_lines_are_whole_whatever_their_length(folder: RunFolder, lines: list[str], end: str) -> None:
    text = "\n".join(lines) + end
    folder.log.write_text(text)
    assert service_log.newest(folder, 1000) == text.splitlines()


def test_an_empty_or_missing_log_gives_nothing(folder: RunFolder) -> None:
    assert service_log.newest(folder, 10) == []
    folder.log.touch()
    assert service_log.newest(folder, 10) == []


def test_the_last_words_of_a_front_come_last_when_they_are_newer(folder: RunFolder) -> None:
    folder.log.write_text("logged\n")
    folder.console.write_text("said\n")
    os.utime(folder.log, (1, 1))
    assert service_log.newest(folder, 10) == ["logged", "said"]
    os.utime(folder.console, (0, 0))
    assert service_log.newest(folder, 10) == ["logged"]


READY = "2026-11-22 07:38:34,801 I [7] sendoff - Worker with pid 7 ready after 0.10 s"


def test_a_start_up_reaches_from_its_mark_to_the_first_ready_worker(folder: RunFolder) -> None:
    folder.log.write_text("old\n")
    folder.mark_start_up()
    folder.log.write_text(f"old\nloading\n{READY}\nscored\n")
    assert service_log.start_up(folder, 100) == ["loading", READY]
    assert service_log.start_up(folder, 1) == [READY]


def test_a_start_up_is_found_after_its_log_was_rotated(folder: RunFolder) -> None:
    folder.log.write_text("old\n")
    folder.mark_start_up()
    with folder.log.open("a") as file:
        file.write("loading\n")
    folder.log.rename(rotated(folder, 1))
    folder.log.write_text(f"more\n{READY}\nscored\n")
    assert service_log.start_up(folder, 100) == ["loading", "more", READY]


def test_a_start_up_that_never_got_ready_is_all_there_is(folder: RunFolder) -> None:
    folder.mark_start_up()
    folder.log.write_text("loading\nfailed\n")
    folder.console.write_text("last words\n")
    assert service_log.start_up(folder, 100) == ["loading", "failed", "last words"]


def test_a_binary_log_is_still_text(folder: RunFolder) -> None:
    folder.log.write_bytes(b"\xff\xfe\n")
    assert len(service_log.newest(folder, 10)) == 1
