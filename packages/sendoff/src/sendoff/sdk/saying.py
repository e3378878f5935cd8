"""Lines that the SDK says on standard output, as SDK v1 did."""

from __future__ import annotations

import sys


def say(line: str) -> None:
    """One line, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
