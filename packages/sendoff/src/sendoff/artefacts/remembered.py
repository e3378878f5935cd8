"""What was made before, by what it was made from: a small file of the home, which is only a short cut."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

from .. import files

_KEPT = 100


class Remembered:
    """JSON values by key; the newest hundred.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, key: str) -> Any:
        """The value of a key; None when it is not known."""
        return self._known().get(key)

    def put(self, key: str, value: Any) -> None:
        """Keep a value; where the home cannot be written nothing is kept."""
        known = self._known()
        known.pop(key, None)
        known[key] = value
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            files.write_json(self._path, dict(list(known.items())[-_KEPT:]))

    def _known(self) -> dict[str, Any]:
        try:
            found = json.loads(self._path.read_bytes())
            return found if isinstance(found, dict) else {}
        except (OSError, ValueError):
            return {}
