"""``--reload``: a change of the script's files makes a new generation; the old one answers until it is ready."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable
from pathlib import Path

_SUFFIXES = frozenset({".py", ".json", ".yaml", ".yml", ".toml", ".txt", ".cfg", ".ini"})
_MOST_FILES = 5000
_EVERY = 0.4

Snapshot = dict[str, tuple[int, int]]


def snapshot(folders: Iterable[Path]) -> Snapshot:
    """Return time and size of the source files below some folders; hidden folders and caches are left out."""
    found: Snapshot = {}
    for top in folders:
        for folder, folders_below, names in os.walk(top):
            folders_below[:] = [name for name in folders_below if not name.startswith((".", "__pycache__"))]
            for name in names:
                if Path(name).suffix in _SUFFIXES:
                    path = Path(folder, name)
                    try:
                        stat = path.stat()
                    except OSError:
                        continue  # it has just been removed
                    found[str(path)] = (stat.st_mtime_ns, stat.st_size)
                    if len(found) >= _MOST_FILES:
                        return found
    return found


async def watch(folders: Iterable[Path], on_change: Callable[[list[str]], None]) -> None:
    """Call back with the changed files, for ever.

    Args:
        folders: where the script and its modules lie.
        on_change: called once a change has settled.
    """
    places = list(folders)
    before = await asyncio.to_thread(snapshot, places)
    pending: Snapshot | None = None
    while True:
        await asyncio.sleep(_EVERY)
        now = await asyncio.to_thread(snapshot, places)
        if now != before and now == pending:  # an editor that writes in steps is waited for
            changed = sorted(name for name in {*now, *before} if now.get(name) != before.get(name))
            before = now
            on_change(changed)
        pending = now
