"""Single values of hand-written files: ``"True"`` is true, ``"5001"`` a number (spec/usage-frequency.md)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..errors import InvalidInput
from .kubernetes import KubernetesOptions, read_options
from .parse import shown

_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})


def camel(name: str) -> str:
    """A field's name as JSON keys are written: ``memory_in_gb`` is ``memoryInGb``."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def fold(key: Any) -> str:
    """A key without case, blanks, ``_`` and ``-``: what two spellings of one key have in common."""
    return str(key).strip().lower().replace("_", "").replace("-", "")


def as_bool(value: Any, where: str, key: str) -> bool:
    """A truth value, also as text in any case."""
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if isinstance(value, str | int) and text in _TRUE | _FALSE:
        return text in _TRUE
    raise _wrong(value, where, key, "true or false")


def as_int(value: Any, where: str, key: str) -> int:
    """A whole number, also as text or as a float without fraction."""
    if isinstance(value, bool):
        raise _wrong(value, where, key, "a whole number")
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        try:
            return int(value.strip())
        except ValueError:
            pass
    raise _wrong(value, where, key, "a whole number")


def as_float(value: Any, where: str, key: str) -> float:
    """A finite number, also as text."""
    if not isinstance(value, bool) and isinstance(value, int | float | str):
        try:
            number = float(value)
        except (ValueError, OverflowError):
            number = math.nan
        if math.isfinite(number):
            return number
    raise _wrong(value, where, key, "a number")


def as_text(value: Any, where: str, key: str) -> str:
    """Text; a bare number or date of YAML is what it was written as."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise _wrong(value, where, key, "text")


def as_secret(value: Any, where: str, key: str) -> str:
    """Text that no error repeats."""
    if isinstance(value, str):
        return value
    raise InvalidInput(f"{where}: {key}: text in quotes was expected", where=where, field=key, expected="text")


def as_texts(value: Any, where: str, key: str) -> list[str]:
    """A list of texts; one text alone is a list of it."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return list(value)
    raise _wrong(value, where, key, "a list of texts")


def as_text_map(value: Any, where: str, key: str) -> dict[str, str]:
    """Names to texts, as tags and properties are."""
    if not isinstance(value, Mapping):
        raise _wrong(value, where, key, "a mapping of names to texts")
    for name, inner in value.items():
        if isinstance(inner, Mapping | list):
            raise _wrong(inner, where, f"{key}.{name}", "text")
    return {str(name): "" if inner is None else str(inner) for name, inner in value.items()}


def as_kubernetes(value: Any, where: str, key: str) -> KubernetesOptions:
    """The section of what only a cluster has a use for; its keys are those of :class:`KubernetesOptions`."""
    if not isinstance(value, Mapping):
        raise _wrong(value, where, key, "a mapping")
    return read_options(value, where=f"{where}: {key}")


def _wrong(value: Any, where: str, key: str, expected: str) -> InvalidInput:
    return InvalidInput(
        f"{where}: {key}: {expected} was expected, not {shown(value)}", where=where, field=key, expected=expected
    )
