"""Text becomes values: by the type that was set for a column, or by what all of its texts can be."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from ..errors import InvalidInput
from ..spec.dataset import ColumnType, Reading

_LONG = re.compile(r"[+-]?(0|[1-9][0-9]{0,17})\Z")
_FLOAT = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|nan|inf(inity)?)\Z", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?)?\Z")
_BOOLEANS = {"true": True, "false": False}


def converted(name: str, texts: Sequence[Any], reading: Reading, *, infer: bool) -> list[Any]:
    """One column's values.

    Inference takes the first of bool, whole number, float and ISO 8601 time that every text is; numbers with leading
    zeros, as postal codes have, stay text. An empty text is None unless ``empty_as_string`` is set.

    Raises:
        InvalidInput: A text is not of the type that was set; names column, row and text.
    """
    wanted = reading.column_types.get(name)
    if wanted is not None:
        return [
            None if text in (None, "") and wanted.kind != "string" else _as(wanted, text, name, row)
            for row, text in enumerate(texts, 1)
        ]
    values = texts if reading.empty_as_string or not infer else [None if text == "" else text for text in texts]
    return _inferred(values) if infer else list(values)


def _inferred(values: Sequence[Any]) -> list[Any]:
    present = [value for value in values if value is not None]
    if not present or not all(isinstance(value, str) for value in present):
        return list(values)
    make: Callable[[str], Any]
    if all(text.lower() in _BOOLEANS for text in present):
        make = _bool
    elif all(_LONG.match(text) for text in present):
        make = int
    elif all(_FLOAT.match(text) and not _padded(text) for text in present):
        make = float
    elif all(_DATE.match(text) for text in present):
        try:
            return [None if value is None else datetime.fromisoformat(value) for value in values]
        except ValueError:
            return list(values)
    else:
        return list(values)
    return [None if value is None else make(value) for value in values]


def _padded(text: str) -> bool:
    digits = text.lstrip("+-")
    return len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()


def _bool(text: str) -> bool:
    return _BOOLEANS[text.lower()]


def _as(wanted: ColumnType, value: Any, name: str, row: int) -> Any:
    try:
        if wanted.kind == "string":
            return None if value is None else str(value)
        if wanted.kind == "bool":
            return value if isinstance(value, bool) else _bool(str(value).strip())
        if wanted.kind == "long":
            return int(value)
        if wanted.kind == "float":
            return float(str(value).replace(wanted.decimal_mark, ".") if isinstance(value, str) else value)
        return _time(str(value), wanted.formats)
    except (ValueError, KeyError):
        raise InvalidInput(
            f"column {name!r}, row {row}: {value!r} is no {wanted.kind}",
            hint="Correct the row, or set another type for the column.",
            field=name,
        ) from None


def _time(text: str, formats: Sequence[str]) -> datetime:
    for form in formats:
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    if formats:
        raise ValueError(text)
    return datetime.fromisoformat(text)
