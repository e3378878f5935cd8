"""The speed table's command line; what it measures is for a quiet machine (benchmarks/serving/table.py)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TABLE = Path(__file__).resolve().parents[2] / "benchmarks" / "serving" / "table.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(TABLE), *arguments], capture_output=True, text=True, timeout=60)


def test_the_rows_can_be_listed() -> None:
    listed = [line.split()[0] for line in run("--list").stdout.splitlines()]
    assert {"small", "two-workers", "memory", "queue", "hang-up", "body-over-limit"} <= set(listed)
    assert "--short" in run("--help").stdout


def test_an_unknown_row_or_peer_is_told_with_those_there_are() -> None:
    rows = run("--rows", "tiny")
    assert rows.returncode == 1 and "tiny" in rows.stderr and "small" in rows.stderr
    peers = run("--rows", "small", "--peers", "apache")
    assert peers.returncode == 1 and "mlserver" in peers.stderr
