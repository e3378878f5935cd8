"""Where Sendoff keeps everything on this machine when nothing else is said."""

from __future__ import annotations

import os
from pathlib import Path


def default_home() -> Path:
    """``SENDOFF_HOME``, or ``~/.sendoff``."""
    return Path(os.environ.get("SENDOFF_HOME") or Path.home() / ".sendoff").absolute()
