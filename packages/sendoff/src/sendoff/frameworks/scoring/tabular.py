"""Rows in a request's body: lists, records, and the orient forms of pandas; with the model's column names honoured."""

import csv
import io
import re
import sys
from typing import Any, Callable, Dict, List, Optional, Tuple

from .application import bad_input

DATA = ("data", "inputs", "instances", "input_data", "dataframe_split", "dataframe_records")
"""Members of a body that may hold the rows, best first."""

HINT = 'send {"data": [[…], …]}, one inner list for each row'


class Table:
    """Rows of a request.

    Attributes:
        columns: their names; None where the request gives none.
        rows: lists of values, or bare values for a model of texts.
    """

    def __init__(self, columns: Optional[List[str]], rows: List[Any]) -> None:
        self.columns = columns
        self.rows = rows


def read_csv(body: bytes, texts: Optional[Dict[str, List[Any]]] = None) -> Any:
    """Return the rows of a CSV body whose first line names the columns, as a body's value.

    Args:
        body: its bytes.
        texts: columns whose values are texts, whatever they look like, each with what an empty one may stand for; of
            others each is of the kind that all of its values have: numbers, true and false, else texts.
    """
    try:
        lines = list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error) as error:
        raise bad_input("The body is not CSV: %s" % error) from error
    lines = [line for line in lines if line]
    if len(lines) < 2:
        raise bad_input("The CSV body needs a line of column names and at least one row")
    names = lines[0]
    for number, line in enumerate(lines[1:], 2):
        if len(line) != len(names):
            raise bad_input("Line %d of the CSV body has %d values for %d columns" % (number, len(line), len(names)))
    columns = [_column(name, list(values), (texts or {}).get(name)) for name, values in zip(names, zip(*lines[1:]))]
    return {"data": {"columns": names, "data": [list(row) for row in zip(*columns)]}}


_WHOLE = re.compile(r"\s*[-+]?[0-9]+\s*$")
_NUMBER = re.compile(r"\s*[-+]?([0-9]+\.?[0-9]*([eE][-+]?[0-9]+)?|\.[0-9]+([eE][-+]?[0-9]+)?|inf|Infinity)\s*$")
_TRUTH = {"True": True, "TRUE": True, "true": True, "False": False, "FALSE": False, "false": False}
_NONE = frozenset(["", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "<NA>", "#N/A"])
"""What pandas reads as missing, of what is found in files; of texts only the empty one."""


def _column(name: str, values: List[str], empty: Optional[List[Any]]) -> List[Any]:
    """A column's values, all of one kind."""
    if empty is not None:
        if len(empty) > 1 and "" in values:
            raise bad_input(
                "Whether an empty value of the column %s is a missing one or an empty text cannot be told in CSV"
                % name,
                hint="send JSON, with null where a value is missing",
            )
        return [empty[0] if value == "" else value for value in values]
    there = [value for value in values if value not in _NONE]
    kinds: List[Tuple[Callable[[str], Any], Callable[[str], Any]]] = [
        (_WHOLE.match, int),
        (_NUMBER.match, float),
        (_TRUTH.__contains__, _TRUTH.__getitem__),
    ]
    for fits, made in kinds:
        if all(map(fits, there)):
            return [None if value in _NONE else made(value) for value in values]
    return [None if value == "" else value for value in values]


def data_of(payload: Any) -> Any:
    """Return what holds the rows in a body's value."""
    if isinstance(payload, list):
        return payload
    if isinstance(payload, dict):
        if "columns" in payload and "data" in payload:
            return payload  # the split form without a member around it
        there = [name for name in DATA if name in payload]
        if len(there) > 1:
            raise bad_input("There are rows in %s: send one of them" % " and in ".join(there), hint=HINT)
        if there:
            return payload[there[0]]
        listed = ", ".join(str(name) for name in list(payload)[:10]) or "none"
        raise bad_input("The member 'data' is missing; the members are: %s" % listed, hint=HINT)
    raise bad_input("The body should be an object with the member 'data'", hint=HINT)


def table_of(data: Any, names: Optional[List[str]]) -> Table:
    """Return rows in any of their forms.

    Args:
        data: lists, objects, or one of pandas' orient forms.
        names: the model's columns, which tell two of those apart.
    """
    if isinstance(data, dict):
        return _of_object(data, names)
    if not isinstance(data, list):
        raise bad_input("The data should be a list of rows", hint=HINT)
    if not data:
        raise bad_input("There are no rows", hint=HINT)
    kinds = set(map(type, data))
    if kinds == {dict}:
        return _of_records(data, names)
    if kinds == {list}:
        if len(set(map(len, data))) != 1:
            raise bad_input("The rows are not equally long", hint=HINT)
        if any(isinstance(value, (list, dict)) for value in data[0]):
            raise bad_input("The values of a row should be numbers or texts, not lists or objects", hint=HINT)
        return Table(None, data)
    if kinds == {str}:
        return Table(None, data)
    if kinds & {list, dict}:
        raise bad_input("The rows should be alike: all lists, or all objects", hint=HINT)
    raise bad_input("The data should be a list of rows, even where it is one row", hint=HINT)


def _of_records(data: List[Any], names: Optional[List[str]]) -> Table:
    columns = [str(name) for name in data[0]]
    known = set(columns)
    if any(row.keys() != known for row in data):
        # A member that some rows have and others have not may be of no concern to the model.
        everywhere = known.intersection(*data)
        partly = sorted(known.union(*data) - everywhere)
        if names is None or any(name in partly for name in names):
            raise bad_input("Not all rows have %s: send null where a value is missing" % ", ".join(partly[:10]))
        columns = [name for name in columns if name in everywhere]
    return Table(columns, [[row[name] for name in columns] for row in data])


def _of_object(data: Dict[str, Any], names: Optional[List[str]]) -> Table:
    """Rows in one of pandas' other orients: split, table, list, columns or index."""
    rows = data.get("data")
    if isinstance(rows, list) and isinstance(data.get("columns"), list):
        columns = [str(name) for name in data["columns"]]
        if not rows or any(not isinstance(row, list) or len(row) != len(columns) for row in rows):
            raise bad_input("Each row of the data should have the %d values that 'columns' names" % len(columns))
        return Table(columns, rows)
    if isinstance(rows, list) and isinstance(data.get("schema"), dict):
        if not rows or any(not isinstance(row, dict) for row in rows):
            raise bad_input("The data beside a schema should be objects")
        return _of_records(rows, names)
    members = list(data.values())
    if not members:
        raise bad_input("There are no rows", hint=HINT)
    columns = [str(name) for name in data]
    if all(isinstance(member, list) for member in members):
        if len(set(map(len, members))) != 1 or not members[0]:
            raise bad_input("The columns should be equally long, and not empty")
        return Table(columns, [list(row) for row in zip(*members)])
    if all(isinstance(member, dict) for member in members):
        if names is None:
            raise bad_input(
                "Whether the members of the data are columns or rows cannot be told for this model", hint=HINT
            )
        inner = [str(name) for name in members[0]]
        if any(list(map(str, member)) != inner for member in members) or not inner:
            raise bad_input("The members of the data should have the same keys")
        if set(names) <= set(inner) and not set(names) <= set(columns):
            return _of_records(members, names)  # orient "index": row labels outside, columns inside
        return Table(columns, [list(row) for row in zip(*(member.values() for member in members))])
    if not any(isinstance(member, (list, dict)) for member in members):
        return Table(columns, [members])  # one row as an object
    raise bad_input("The data should be a list of rows, or columns", hint=HINT)


def plain(value: Any) -> Any:
    """Return a result without what only some libraries know: sparse matrices as arrays."""
    if hasattr(value, "toarray"):
        return value.toarray()
    if "pandas" in sys.modules and hasattr(value, "to_numpy") and not hasattr(value, "columns"):
        return value.to_numpy()
    return value
