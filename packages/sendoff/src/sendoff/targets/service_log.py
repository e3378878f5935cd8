"""Reads a service's log, across the files that the front has rotated away."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from .run_folder import RunFolder

_BLOCK = 1 << 16
# The scoring server's line for a worker whose init() has returned.
_READY = re.compile(r"\bsendoff - Worker with pid \d+ ready after ")


def newest(folder: RunFolder, count: int) -> list[str]:
    """The last ``count`` lines, oldest first; with what a front said that ended before it could log."""
    lines: list[str] = []
    for line in _backwards(folder):
        if len(lines) >= count:
            break
        lines.append(line)
    return lines[::-1]


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
            if _READY.search(line):
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


def _backwards(folder: RunFolder) -> Iterator[str]:
    """All lines, newest first."""
    logged = _files(folder)
    if _age(folder.console) >= max((_age(path) for path in logged), default=0.0):
        yield from _lines_backwards(folder.console)
    for path in logged:
        yield from _lines_backwards(path)


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


def _lines_backwards(path: Path) -> Iterator[str]:
    """A file's lines from its end, read in blocks: a log may be large and few of its lines are wanted."""
    try:
        file = path.open("rb")
    except OSError:
        return
    with file:
        at = file.seek(0, 2)
        rest = b""
        first = True
        while at > 0:
            size = min(_BLOCK, at)
            at -= size
            file.seek(at)
            parts = (file.read(size) + rest).split(b"\n")
            rest = parts[0]
            tail = parts[:0:-1]
            if first and tail and tail[0] == b"":
                tail = tail[1:]
            first = False
            for part in tail:
                yield part.decode("utf-8", "replace").rstrip("\r")
        if not first:
            yield rest.decode("utf-8", "replace").rstrip("\r")
