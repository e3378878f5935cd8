"""Reads a service's log, across the files that the front has rotated away."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from .run_folder import RunFolder

_BLOCK = 1 << 16
READY = re.compile(r"\bsendoff - Worker with pid \d+ ready after ")
"""The scoring server\'s line for a worker whose init() has returned."""


def newest(folder: RunFolder, count: int) -> list[str]:
    """The last ``count`` lines, oldest first; with what a front said that ended before it could log."""
    files = _files(folder)
    if _age(folder.console) >= max((_age(path) for path in files), default=0.0):
        files.insert(0, folder.console)
    lines: list[str] = []
    for path in files:
        lines = [*tail(path, count - len(lines)), *lines]
    return lines


def start_up(folder: RunFolder, count: int) -> list[str]:
    """The last ``count`` lines of the newest start-up: from where it began to where a worker was first ready.

    Where it began is noted when a front is started or told to load a revision, not guessed from the text.
    """
    inode, offset = folder.start_up_mark()
    files = _files(folder)[::-1]
    marked = [index for index, path in enumerate(files) if _inode(path) == inode]
    lines: deque[str] = deque(maxlen=max(count, 0))
    for path in files[marked[0] if marked else 0 :]:
        for line in _lines(path, offset if marked and _inode(path) == inode else 0):
            lines.append(line)
            if READY.search(line):
                return list(lines)
    if _age(folder.console) >= max((_age(path) for path in files), default=0.0):
        lines.extend(_lines(folder.console, 0))
    return list(lines)


def _lines(path: Path, offset: int) -> Iterator[str]:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            for line in file:
                yield line.decode("utf-8", "replace").rstrip("\r\n")
    except OSError:
        return


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return 0


def _files(folder: RunFolder) -> list[Path]:
    """``service.log``, ``service.log.1``…, newest first."""
    found = []
    for path in folder.path.glob(folder.log.name + "*"):
        suffix = path.name.removeprefix(folder.log.name).lstrip(".")
        if suffix == "" or suffix.isdigit():
            found.append((int(suffix or 0), path))
    return [path for _, path in sorted(found)]


def _age(path: Path) -> float:
    try:
        facts = path.stat()
        return facts.st_mtime if facts.st_size else 0.0
    except OSError:
        return 0.0


def tail(path: Path, count: int) -> list[str]:
    """A file's last lines, read from its end in larger and larger blocks: of a large log few lines are wanted."""
    data, block = b"", _BLOCK
    try:
        with path.open("rb") as file:
            at = file.seek(0, os.SEEK_END) if count > 0 else 0
            while at > 0 and data.count(b"\n") <= count:
                size = min(block, at)
                at, block = at - size, block * 2
                file.seek(at)
                data = file.read(size) + data
    except OSError:
        return []
    lines = data.removesuffix(b"\n").split(b"\n") if data else []
    return [line.decode("utf-8", "replace").rstrip("\r") for line in lines[-count:]]
