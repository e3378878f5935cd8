"""Filters of lists, in the forms SDK v1 took."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def fits(found: Mapping[str, str], wanted: Any) -> bool:
    """Whether tags or properties match: ``"key"``, or a dict of keys and values; None lets all through."""
    if not wanted:
        return True
    if isinstance(wanted, str):
        return wanted in found
    return all(found.get(str(key)) == str(value) for key, value in dict(wanted).items())
