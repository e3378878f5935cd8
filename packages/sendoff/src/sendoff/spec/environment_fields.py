"""What the file forms of an environment are made of: files read, keys in any case, values of one type.

Each function raises :class:`InvalidInput` that names the file and the place in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import InvalidInput
from . import parse
from .environment import check_variables
from .environment_packages import redact


def mapping_of(value: Any, known: tuple[str, ...], where: str, at: str, *, fold: bool = True) -> dict[str, Any]:
    """A mapping's values under their known spelling; unknown keys and keys given twice are errors.

    Args:
        value: What was parsed.
        known: Every key that may be there, in its canonical spelling.
        where: The file, for errors.
        at: The key path to the mapping.
        fold: True takes keys in any case.
    """
    if not isinstance(value, Mapping):
        raise parse.not_a_mapping(value, where=where, at=at, hint=f"It has the keys {', '.join(known)}.")
    folded = {key.lower(): key for key in known} if fold else {key: key for key in known}
    found: dict[str, Any] = {}
    for key, inner in value.items():
        name = folded.get(key.lower() if fold and isinstance(key, str) else key) if isinstance(key, str) else None
        if name is None or name in found:
            close = parse.nearest(str(key), known) if name is None else None
            problem = "unknown key" if name is None else "the same key twice (in another case)"
            raise InvalidInput(
                f"{where}: {problem} {str(key)!r}" + (f" in {at}" if at else ""),
                hint=f"Did you mean {close!r}?" if close else f"Known keys: {', '.join(known)}.",
                where=where,
                field=f"{at}.{key}" if at else str(key),
            )
        found[name] = inner
    return found


def wrong(where: str, field: str, expected: str, got: Any, hint: str = "") -> InvalidInput:
    """The error for a value of the wrong kind, with the value shortened and without credentials."""
    shown = redact(parse.in_words(got) if got is None or isinstance(got, bool) else repr(got))
    shown = shown if len(shown) <= 80 else shown[:77] + "..."
    return InvalidInput(
        f"{where}: {field}: {expected} was expected, got {shown}",
        hint=hint,
        where=where,
        field=field,
        expected=expected,
    )


def list_of(value: Any, where: str, field: str) -> list[Any]:
    """A list; None counts as empty."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise wrong(where, field, "a list", value, "Write one entry a line, each after '- '.")
    return value


def text_of(value: Any, where: str, field: str) -> str:
    """A text that is not blank."""
    if not isinstance(value, str) or not value.strip():
        hint = "Put it in quotes." if isinstance(value, int | float) else ""
        raise wrong(where, field, "a text", value, hint)
    return value


def texts(value: Any, where: str, field: str) -> list[str]:
    """A list of texts that are not blank; None counts as empty."""
    return [text_of(item, where, f"{field}[{index}]") for index, item in enumerate(list_of(value, where, field))]


def optional_text(value: Any, where: str, field: str) -> str | None:
    """A text, or None for null and the empty text."""
    if value is None or value == "":
        return None
    return text_of(value, where, field)


def flag(value: Any, where: str, field: str, default: bool = False) -> bool:
    """A boolean, also written as the text ``true`` or ``false`` in any case."""
    if value is None:
        return default
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise wrong(where, field, "true or false", value)


def strings(value: Any, where: str, field: str) -> dict[str, str]:
    """A mapping of names of variables to texts; None counts as empty."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise wrong(where, field, "a mapping of names to texts", value)
    for key, inner in value.items():
        if not isinstance(key, str):
            raise wrong(where, field, "names of variables", key)
        if not isinstance(inner, str):
            raise wrong(where, f"{field}.{key}", "a text", inner, "Put the value in quotes.")
    check_variables(value, where=where, field=field)
    return dict(value)


def plain(value: Any, where: str, field: str) -> dict[str, Any]:
    """A mapping whose content is not looked into; None counts as empty."""
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise wrong(where, field, "a mapping", value)
    return dict(value)


def read_value(path: Path, what: str) -> Any:
    """A JSON or YAML file's content."""
    value = parse.read_file(path, what)
    if value is None:
        raise InvalidInput(f"{what} {path} is empty", hint="It should list the packages to install.", where=str(path))
    return value
