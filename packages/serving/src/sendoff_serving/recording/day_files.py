"""Appending to files of one day each: whole rows, one writer a file, repaired after a crash.

The first writer of a day has ``data.csv``, held by a lock as long as it is open; another, or one with other columns,
has ``data.2.csv`` and so on. What is written goes out whole: a write that the disk cuts short is taken back.
"""

from __future__ import annotations

import csv
import fcntl
import io
import os
from collections.abc import Sequence
from pathlib import Path

MOST_FILES = 10_000
_OPEN_AT_ONCE = 48


def line(cells: Sequence[str]) -> str:
    """One row of a file."""
    made = io.StringIO()
    csv.writer(made, lineterminator="\n").writerow(cells)
    return made.getvalue()


def whole_rows(data: bytes) -> int:
    """How many bytes at the start are whole rows: a crash may have cut the last one.

    A row ends with a line feed that is not within quotes.
    """
    if data.endswith(b"\n") and data.count(b'"') % 2 == 0:
        return len(data)
    end = at = 0
    quoted = False
    while (found := data.find(b"\n", at)) >= 0:
        quoted ^= data.count(b'"', at, found) % 2 == 1
        at = found + 1
        if not quoted:
            end = at
    return end


class DayFile:
    """One file, held by this process alone."""

    def __init__(self, path: Path, descriptor: int, size: int) -> None:
        self.path = path
        self.size = size
        self._descriptor = descriptor

    def append(self, data: bytes) -> None:
        """Write whole rows, or nothing.

        Raises:
            OSError: the disk does not take them.
        """
        done = 0
        try:
            while done < len(data):
                done += os.write(self._descriptor, data[done:])
        except OSError:
            if done:
                os.ftruncate(self._descriptor, self.size)
            raise
        self.size += len(data)

    def close(self) -> None:
        """Give the file up."""
        os.close(self._descriptor)


class DayFiles:
    """Files by folder, stem and columns.

    Args:
        root: the folder that everything goes below.
        max_file_bytes: size from which the next file is begun.
    """

    def __init__(self, root: Path, max_file_bytes: int) -> None:
        self._root = root
        self._most = max_file_bytes
        self._open: dict[tuple[str, str], DayFile] = {}

    def append(self, folder: str, stem: str, header: str, rows: bytes) -> int:
        """Write rows below their header; returns how many bytes the disk has more.

        Args:
            folder: path below the root; the day is its end.
            stem: name of the file, without number and suffix.
            header: the line of the columns.
            rows: whole lines.

        Raises:
            OSError: nothing was written.
        """
        key = (f"{folder}/{stem}", header)
        file = self._open.get(key)
        if file is not None and (file.size >= self._most or not _there(file)):
            self._open.pop(key).close()
            file = None
        if file is None:
            if len(self._open) >= _OPEN_AT_ONCE:
                self._open.pop(next(iter(self._open))).close()
            file = self._open[key] = self._take(self._root / folder, stem, header.encode())
        before = file.size
        file.append(rows if before else header.encode() + rows)
        return file.size - before

    def _take(self, folder: Path, stem: str, header: bytes) -> DayFile:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number in range(1, MOST_FILES):
            path = folder / (f"{stem}.csv" if number == 1 else f"{stem}.{number}.csv")
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                size = self._held(descriptor, header)
            except BaseException:
                os.close(descriptor)
                raise
            if size is not None:
                return DayFile(path, descriptor, size)
            os.close(descriptor)
        raise OSError(f"{folder} has {MOST_FILES} files of this day")

    def _held(self, descriptor: int, header: bytes) -> int | None:
        """The size of a file that is ours to go on with, None when it is another's, full, or has other columns."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        size = os.fstat(descriptor).st_size
        if size >= self._most or os.pread(descriptor, len(header), 0) != header[:size]:
            return None
        whole = whole_rows(_content(descriptor, size))
        if whole < size:
            os.ftruncate(descriptor, whole)
        return whole

    def close(self, but_day: str | None = None) -> None:
        """Give files up: all of them, or those of other days."""
        for key in [key for key in self._open if but_day is None or f"/{but_day}/" not in f"/{key[0]}"]:
            self._open.pop(key).close()


def _content(descriptor: int, size: int) -> bytes:
    data, at = bytearray(), 0
    while at < size and (piece := os.pread(descriptor, min(size - at, 1 << 22), at)):
        data += piece
        at += len(piece)
    return bytes(data)


def _there(file: DayFile) -> bool:
    """Whether the file still has its name: somebody may have removed it."""
    try:
        return file.path.stat().st_ino == os.fstat(file._descriptor).st_ino
    except OSError:
        return False
