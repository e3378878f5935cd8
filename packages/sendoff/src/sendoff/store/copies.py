"""The database's copies: one a day is kept, and a home whose database is gone comes back from the newest."""

from __future__ import annotations

import os
import shlex
import time
from pathlib import Path

from .. import files
from ..errors import StoreError
from . import sqlite

FOLDER = "backups"
KEPT = 7
_DAILY = "daily-"
_KNOWN_TO_A_DATABASE = ("blobs", "bundles", "secrets.json")
"""What only exists in a home because its database once said so."""


def refuse_lost(home: Path, database: Path) -> None:
    """Refuse an empty or missing database in a home that had one: it is no new home, and a new database would be wrong
    about everything in it.

    Raises:
        StoreError: Names the file, and gives the command that brings the newest copy back.
    """
    left = next((name for name in _KNOWN_TO_A_DATABASE if _holds_something(home / name)), None)
    if left is None:
        return
    what = "is empty" if database.exists() and not database.stat().st_size else "is gone, or holds nothing"
    raise StoreError(
        f"the database {database} {what}, and {home / left} holds what it knew of",
        hint=how_to_restore(home, database),
        path=str(database),
    )


def how_to_restore(home: Path, database: Path) -> str:
    """The command that puts the newest copy in the database's place, or what to do when there is none."""
    copies = sorted((home / FOLDER).glob("*.db"), key=lambda copy: copy.stat().st_mtime)
    if not copies:
        return (
            f"Put the file back from a backup of your own. There is no copy in {home / FOLDER}. To begin anew, set "
            "SENDOFF_HOME to another folder: here 'sendoff gc' could take files for unused ones."
        )
    beside = " ".join(shlex.quote(f"{database}{end}") for end in ("-wal", "-shm"))
    command = f"rm -f {beside} && cp -p {shlex.quote(str(copies[-1]))} {shlex.quote(str(database))}"
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(copies[-1].stat().st_mtime))
    return f"No sendoff may be running; then the copy of {when} is put back by: {command}"


def copy_of_the_day(home: Path, database: Path) -> None:
    """Keep a copy of the database unless today's is there; the newest seven days on which it was opened stay.

    A home that cannot be written, a full disk, or another process at the same moment is no reason to fail: the next
    command tries again.
    """
    folder = home / FOLDER
    today = folder / time.strftime(f"{_DAILY}%Y%m%d.db", time.gmtime())
    if today.exists():
        return
    staged = folder / f".{today.name}.{os.getpid()}"
    try:
        with files.locked_within(home / "staging" / "copy.lock", 0.0) as alone:
            if not alone or today.exists():
                return
            try:
                sqlite.backup(database, staged)
                staged.chmod(0o600)
                staged.replace(today)
            finally:
                staged.unlink(missing_ok=True)
            for old in sorted(folder.glob(f"{_DAILY}*.db"))[:-KEPT]:
                old.unlink(missing_ok=True)
    except (OSError, sqlite.Error):
        return


def _holds_something(path: Path) -> bool:
    """Whether it is a file, or a folder with a file somewhere in it."""
    if not path.is_dir():
        return path.exists()
    return any(names for _, _, names in os.walk(path))
