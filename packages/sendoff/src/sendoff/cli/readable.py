"""People's forms of times and sizes, for a terminal; whoever names a form with ``-o`` gets the values as they are."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)")
_SIZES = ("size", "bytes", "totalSize")


def readable(data: Any, name: str = "") -> Any:
    """A result with its times in this machine's zone and its sizes with units.

    Args:
        data: JSON values.
        name: The key that they stand under.
    """
    if isinstance(data, dict):
        return {key: readable(value, key) for key, value in data.items()}
    if isinstance(data, list):
        return [readable(value, name) for value in data]
    if isinstance(data, str) and _TIME.fullmatch(data):
        return f"{datetime.fromisoformat(data).astimezone():%Y-%m-%d %H:%M}"
    if isinstance(data, int) and not isinstance(data, bool) and (name in _SIZES or name.endswith("Bytes")):
        return size(data)
    return data


def size(number: int) -> str:
    """A number of bytes, in units of a thousand as disks are sold."""
    amount = float(number)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 999.5 or unit == "GB":
            break
        amount /= 1000
    return f"{number} bytes" if unit == "bytes" else f"{amount:.3g} {unit}"
