"""Tables that notebooks show of an object in place of its ``repr``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

_CELL = "text-align:left;vertical-align:top"


def facts(title: str, values: Mapping[str, Any]) -> str:
    """A table of names and values; what is empty is left out."""
    rows = [(name, value) for name, value in values.items() if value not in (None, "", [], {})]
    return table((title, ""), rows)


def table(headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table with a line of headers; every text is escaped."""
    head = "".join(f'<th style="{_CELL}">{escape(header)}</th>' for header in headers)
    body = "".join(
        "<tr>" + "".join(f'<td style="{_CELL}">{_shown(value)}</td>' for value in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        value = ", ".join(f"{key}={inner}" for key, inner in value.items())
    elif isinstance(value, list | tuple):
        value = ", ".join(map(str, value))
    text = escape(str(value))
    return f'<a href="{text}">{text}</a>' if text.startswith(("http://", "https://")) else text
