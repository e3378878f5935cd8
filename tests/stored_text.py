"""Where a text lies in a folder: what tests of secrets look for."""

from __future__ import annotations

import subprocess
from pathlib import Path


def files_with(folder: Path, text: str) -> list[Path]:
    """The files below a folder that hold a text.

    Another process reads them: closing a file of SQLite's would give up the locks that this process has on it, and the
    next process to end its connection would take the write-ahead log away (sqlite.org, "How To Corrupt", sec. 2.2).
    """
    assert any(folder.rglob("*")), f"nothing is in {folder}"
    done = subprocess.run(
        ["grep", "--recursive", "--files-with-matches", "--fixed-strings", "--null", "--file=-", str(folder)],
        input=text.encode(),
        capture_output=True,
        check=False,
    )
    # 1: none has it; 2 also when a file went while it was looked through.
    assert done.returncode in (0, 1) or b"No such file" in done.stderr, done.stderr
    return [Path(name.decode()) for name in done.stdout.split(b"\0") if name]
