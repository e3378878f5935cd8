"""What scripts log, as JSON values and back."""

from __future__ import annotations

import math
from typing import Any

_TEXTS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def plain(value: Any) -> Any:
    """A value as JSON can hold it: numpy's numbers and arrays as Python's, NaN and infinity as their names."""
    if isinstance(value, bool) or value is None or isinstance(value, int | str):
        return value
    if isinstance(value, float):
        if math.isnan(value):
            return "NaN"
        return value if math.isfinite(value) else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(one) for one in value]
    if hasattr(value, "tolist"):  # numpy's scalars and arrays, pandas' series
        return plain(value.tolist())
    if hasattr(value, "item"):
        return plain(value.item())
    return str(value)


def number(value: Any) -> Any:
    """A logged value as the script gave it: the names of NaN and infinity become numbers again."""
    if isinstance(value, str):
        return _TEXTS.get(value, value)
    if isinstance(value, list):
        return [number(one) for one in value]
    return value
