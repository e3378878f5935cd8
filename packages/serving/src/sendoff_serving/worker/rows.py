"""How many rows a result has, for the counter in /metrics."""

from typing import Any


def rows_of(value: Any) -> int:
    """Return the rows of what run() returned.

    The length of a list, array, frame or series, also where it is the only member of an object; none for None; one
    for anything else.
    """
    if isinstance(value, dict) and len(value) == 1:
        value = next(iter(value.values()))
    if value is None:
        return 0
    if isinstance(value, (str, bytes, dict)):
        return 1
    try:
        return len(value)
    except Exception:  # an array without dimensions, an object that answers in its own way
        return 1
