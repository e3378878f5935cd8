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


def test_a_binary_log_is_still_text(folder: RunFolder) -> None:
    folder.log.write_bytes(b"\xff\xfe\n")
    assert len(service_log.newest(folder, 10)) == 1
