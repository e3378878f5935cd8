"""JSON bodies as rows of a table: what people mean by the inputs and predictions of a request.

Known forms: rows as lists or objects, alone or as the only member; one object for one row; members that are columns;
pandas' ``split``; the tensors of the Open Inference Protocol; JSON within a JSON text. Whatever else comes is one cell.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

MOST_COLUMNS = 2000
_TENSOR = {"name", "shape", "datatype", "data"}


class Table(NamedTuple):
    """Names of columns and rows of JSON values, each as long as the names."""

    columns: list[str]
    rows: list[list[Any]]


class NotText(ValueError):
    """The body is neither JSON nor text."""


def read(body: bytes) -> Any:
    """The JSON value of a body; text that is no JSON is a string.

    Raises:
        NotText: It is binary.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise NotText("the body is not text") from None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        if "\0" in text:
            raise NotText("the body is not text") from None
        return text
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)  # many scripts encode their result themselves
        except (ValueError, RecursionError):
            return value
    return value


def of(value: Any) -> Table:
    """The table that a JSON value is."""
    table = _of(value)
    if len(table.columns) > MOST_COLUMNS:
        return Table(["body"], [[value]])
    return table


def of_rows(columns: list[str] | None, rows: list[list[Any]]) -> Table:
    """A table of rows with names for their columns; columns without a name are called by their index."""
    width = max((len(row) for row in rows), default=0)
    names = list(columns or [])[:width]
    names += [str(index) for index in range(len(names), width)]
    return Table(_distinct(names), [row + [None] * (width - len(row)) for row in rows])


def _of(value: Any) -> Table:
    if isinstance(value, list):
        return _of_list(value, "value")
    if not isinstance(value, dict):
        return Table(["value"], [[value]])
    if isinstance(value.get("columns"), list) and isinstance(value.get("data"), list) and _lists(value["data"]):
        return of_rows([str(name) for name in value["columns"]], value["data"])
    for member in ("inputs", "outputs"):
        if _tensors(value.get(member)):
            return _of_tensors(value[member])
    if len(value) == 1:
        name, inner = next(iter(value.items()))
        if isinstance(inner, dict) and inner:
            return _of(inner)
        if isinstance(inner, list):
            return _of_list(inner, str(name))
    return _of_members(value)


def _of_list(value: list[Any], name: str) -> Table:
    if value and all(isinstance(row, dict) for row in value):
        flat = [_flat(row) for row in value]
        columns = list(dict.fromkeys(key for row in flat for key in row))
        return Table(columns, [[row.get(key) for key in columns] for row in flat])
    if value and _lists(value):
        return of_rows(None, value)
    return Table([name], [[item] for item in value])


def _of_members(value: dict[str, Any]) -> Table:
    """Members beside each other: lists of one length are columns; one table among others is the rows."""
    tables = [name for name, item in value.items() if isinstance(item, list) and item and _rows(item)]
    if len(tables) == 1:
        table = _of_list(value[tables[0]], tables[0])
        others = _flat({name: item for name, item in value.items() if name != tables[0]})
        columns = [*table.columns, *others]
        return Table(_distinct(columns), [[*row, *others.values()] for row in table.rows])
    lengths = {len(item) for item in value.values() if isinstance(item, list)}
    if len(lengths) == 1 and all(isinstance(item, list) for item in value.values()):
        return Table(list(value), [list(row) for row in zip(*value.values(), strict=True)])
    if len(lengths) == 1 and not any(isinstance(item, dict) for item in value.values()):
        size = lengths.pop()
        filled = [item if isinstance(item, list) else [item] * size for item in value.values()]
        return Table(list(value), [list(row) for row in zip(*filled, strict=True)])
    flat = _flat(value)
    return Table(list(flat), [list(flat.values())])


def _flat(row: dict[str, Any], prefix: str = "", depth: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, item in row.items():
        if isinstance(item, dict) and item and depth < 4:
            found.update(_flat(item, f"{prefix}{key}.", depth + 1))
        else:
            found[f"{prefix}{key}"] = item
    return found


def _lists(value: list[Any]) -> bool:
    return all(isinstance(row, list) for row in value)


def _rows(value: list[Any]) -> bool:
    return _lists(value) or all(isinstance(row, dict) for row in value)


def _tensors(value: Any) -> bool:
    return bool(isinstance(value, list) and value and all(isinstance(t, dict) and t.keys() >= _TENSOR for t in value))


def _of_tensors(tensors: list[dict[str, Any]]) -> Table:
    columns: list[str] = []
    cells: list[list[Any]] = []
    for tensor in tensors:
        shape, data = tensor["shape"], tensor["data"]
        flat = _flattened(data)
        count = int(shape[0]) if shape else 1
        width = len(flat) // count if count else 0
        columns += [str(tensor["name"])] if width == 1 else [f"{tensor['name']}.{n}" for n in range(width)]
        for index in range(count):
            if index == len(cells):
                cells.append([])
            cells[index] += flat[index * width : (index + 1) * width]
    return of_rows(columns, cells)


def _flattened(value: Any) -> list[Any]:
    if not isinstance(value, list):
        return [value]
    return [leaf for item in value for leaf in _flattened(item)] if value and isinstance(value[0], list) else value


def _distinct(names: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    made = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        made.append(name if seen[name] == 1 else f"{name}.{seen[name]}")
    return made


def cell(value: Any) -> str:
    """A JSON value as the text of a cell: missing is empty, texts stay, what has parts is JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    return json.dumps(value, ensure_ascii=False)
