"""Where the front's JSON parser lies, for workers that can borrow it (``worker/borrowed.py``)."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path


@cache
def extension() -> str | None:
    """Return the path of orjson's extension module, None where it is not installed; nothing is imported."""
    spec = importlib.util.find_spec("orjson")
    for folder in (spec.submodule_search_locations or []) if spec is not None else []:
        for file in Path(folder).glob("orjson.*.so"):
            return str(file)
    return None
