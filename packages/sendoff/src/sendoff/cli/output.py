"""Data on stdout, in the form that ``-o`` asks for, after ``--query`` has picked from it.

Without ``-o`` a terminal gets a table and anything else gets JSON, so that scripts written for ``az ml`` read what they
expect.
"""

from __future__ import annotations

import json
import shutil
import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .. import files
from ..errors import InvalidInput
from .readable import readable
from .terminal import has_controls, visible, visible_json

FORMATS = ("json", "jsonc", "table", "tsv", "yaml", "none")

Columns = Sequence[tuple[str, str]]
"""Header and JMESPath of each column of a command's own table."""


def emit(data: Any, form: str | None, query: str | None, columns: Columns | None = None) -> None:
    """Print a command's result.

    Args:
        data: JSON values: a list of records, a record, a scalar.
        form: One of :data:`FORMATS`, or None for the default.
        query: A JMESPath expression, or None.
        columns: What a table shows of each record when no query reshapes it.

    Raises:
        InvalidInput: The query is not JMESPath.
    """
    people = form is None and sys.stdout.isatty()
    form = form or ("table" if people else "json")
    if query is not None:
        data = search(query, data)
        columns = None
    elif people:
        data = readable(data)
    text = render(data, form, columns, width=shutil.get_terminal_size().columns if people else None)
    if text:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def write_metadata(path: str, data: Any) -> None:
    """Write a metadata file, staged and renamed.

    Raises:
        InvalidInput: The file cannot be written.
    """
    text = json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    try:
        files.write(Path(path), text, mode=files.PUBLIC, failure=None)
    except OSError as error:
        raise InvalidInput(
            f"metadata file {path} cannot be written: {error.strerror}", hint="Give -t a file in a folder that exists."
        ) from None


def search(query: str, data: Any) -> Any:
    """What a JMESPath expression picks from ``data``."""
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        return jmespath.search(query, data)
    except JMESPathError as error:
        raise InvalidInput(
            f"--query {query!r} is not JMESPath: {' '.join(str(error).split())}",
            hint="""For example --query "[0].id" or --query "[].{id:id, tags:tags}".""",
        ) from None


def render(data: Any, form: str, columns: Columns | None = None, *, width: int | None = None) -> str:
    """The text of a result; a query that found nothing prints ``null`` in JSON and YAML and nothing elsewhere.

    Args:
        data: JSON values.
        form: One of :data:`FORMATS`.
        columns: What a table shows of each record.
        width: Of the terminal: records that have no room beside each other are shown below each other.
    """
    match form:
        case "none":
            return ""
        case "json":
            return visible_json(json.dumps(data, indent=2, ensure_ascii=False))
        case "jsonc":
            return _coloured(visible_json(json.dumps(data, indent=2, ensure_ascii=False)))
        case "yaml":
            import yaml

            text = str(yaml.safe_dump(data, sort_keys=False, allow_unicode=True))
            if has_controls(text):  # YAML takes them for letters; in ASCII it writes all of them out
                text = str(yaml.safe_dump(data, sort_keys=False))
            return text.removesuffix("...\n").rstrip("\n")
        case "tsv":
            return visible("\n".join(_tsv(data)))
        case _:
            lines = _table(data, columns)
            if width is not None and isinstance(data, list) and max(map(_width, lines), default=0) > width:
                blocks = ["\n".join(_table(row, columns)) if isinstance(row, dict) else _cell(row) for row in data]
                lines = "\n\n".join(blocks).splitlines()
            return visible("\n".join(lines))


def _coloured(text: str) -> str:
    if not sys.stdout.isatty():
        return text
    from rich.console import Console
    from rich.syntax import Syntax

    console = Console()
    with console.capture() as captured:
        console.print(Syntax(text, "json", background_color="default", word_wrap=True))
    return captured.get().rstrip("\n")


def _tsv(data: Any) -> list[str]:
    """Tab-separated values as ``az`` prints them: a line a record, no header, nothing for null."""
    if data is None:
        return []
    rows = data if isinstance(data, list) else [data]
    return ["\t".join(_cell(value) for value in _values(row)) for row in rows]


def _values(row: Any) -> list[Any]:
    if isinstance(row, dict):
        return list(row.values())
    return row if isinstance(row, list) else [row]


def _cell(value: Any) -> str:
    """One line of text for a value; in a table or TSV a tab or line end would break the row."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return visible_json(json.dumps(value, ensure_ascii=False))
    return visible(str(value).replace("\t", " ").replace("\r", "").replace("\n", " "))


def _table(data: Any, columns: Columns | None) -> list[str]:
    if data is None or data == []:
        return []
    if isinstance(data, dict):
        shown = _pick(data, columns) if columns else _flat(data)
        width = max((_width(key) for key in shown), default=0)
        return [_pad(key, width + 2) + _short(value) for key, value in shown.items()]
    rows = data if isinstance(data, list) else [data]
    if not all(isinstance(row, dict) for row in rows):
        if all(isinstance(row, list) for row in rows):
            return _grid([f"Column{i + 1}" for i in range(max(map(len, rows)))], [[_short(v) for v in r] for r in rows])
        return _grid(["Result"], [[_short(row)] for row in rows])
    shaped = [_pick(row, columns) if columns else _flat(row) for row in rows]
    headers = list(dict.fromkeys(key for row in shaped for key in row))
    return _grid(headers, [[_short(row.get(key)) for key in headers] for row in shaped])


def _pick(row: dict[str, Any], columns: Columns) -> dict[str, Any]:
    simple = {header: row.get(path) for header, path in columns if path.isidentifier()}
    return {header: simple[header] if header in simple else search(path, row) for header, path in columns}


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """What a table shows of a record without columns of its own: single values and flat mappings."""
    return {key: value for key, value in row.items() if value not in (None, [], {}) and not _deep(value)}


def _deep(value: Any) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(isinstance(part, dict | list) for part in inner)


def _short(value: Any) -> str:
    if isinstance(value, dict) and not _deep(value):
        return " ".join(f"{key}={_cell(part)}" for key, part in value.items())
    if isinstance(value, list) and not _deep(value):
        return ", ".join(_cell(part) for part in value)
    return _cell(value)


def _grid(headers: Sequence[str], rows: list[list[str]]) -> list[str]:
    rows = [[*row, *[""] * (len(headers) - len(row))] for row in rows]
    widths = [max(_width(cell) for cell in column) for column in zip(headers, *rows, strict=True)]
    lines = [headers, ["-" * width for width in widths], *rows]
    return ["  ".join(_pad(cell, width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text)


def _pad(text: str, width: int) -> str:
    return text + " " * max(0, width - _width(text))
