"""The command line inside this process, for tests of what it does: a process of its own costs half a second."""

from __future__ import annotations

import io
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

from sendoff.cli.__main__ import run


def sendoff(*words: Any) -> subprocess.CompletedProcess[str]:
    """Run one command line and give what a process would have: its exit code and what it printed."""
    argv = [str(word) for word in words]
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with redirect_stdout(out), redirect_stderr(err):
        code = run(argv)
    texts = [stream.buffer.getvalue().decode() for stream in (out, err)]
    return subprocess.CompletedProcess(argv, code, *texts)


def sendoff_process(*words: Any) -> subprocess.CompletedProcess[str]:
    """The same in a process of its own."""
    command = [sys.executable, "-m", "sendoff.cli", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)
