"""Rows in a request's body: lists, records, and the orient forms of pandas; with the model's column names honoured."""

import csv
import io
import sys
from typing import Any, Dict, List, Optional

import numpy as np

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


class Columns:
    """What a model wants of its input.

    Args:
        names: the columns that it was fitted with, in its order; None where it does not know.
        count: how many columns; None where it does not know.
    """

    def __init__(self, names: Optional[List[str]], count: Optional[int]) -> None:
        self.names = names
        self.count = len(names) if names is not None else count

    def read(self, payload: Any) -> Table:
        """Return the rows of a body's value, in the order of the model's columns.

        Raises:
            Refusal: there are none, or they do not fit.
        """
        found = _table(_data_of(payload), self.names)
        if found.columns is not None and self.names is not None:
            return self._in_order(found)
        width = len(found.rows[0]) if found.rows and isinstance(found.rows[0], list) else None
        if self.count is not None and width is not None and width != self.count:
            named = " (%s)" % ", ".join(self.names) if self.names and len(self.names) <= 30 else ""
            raise bad_input(
                "Each row needs %d values%s; there are %d" % (self.count, named, width), expected=self.count, got=width
            )
        return found

    def _in_order(self, table: Table) -> Table:
        assert self.names is not None and table.columns is not None
        place = {name: at for at, name in enumerate(table.columns)}
        missing = [name for name in self.names if name not in place]
        if missing:
            raise bad_input(
                "The column%s %s of the model %s missing"
                % ("s" * (len(missing) > 1), ", ".join(missing), "are" if len(missing) > 1 else "is"),
                hint="there is %s" % (", ".join(table.columns) or "no column"),
                missing=missing,
            )
        if table.columns == self.names:
            return table
        order = [place[name] for name in self.names]
        return Table(list(self.names), [[row[at] for at in order] for row in table.rows])

    def array(self, table: Table) -> Any:
        """Return rows as a numpy array: numbers where all are, objects where there is text."""
        if not table.rows:
            raise bad_input("There are no rows", hint=HINT)
        if not isinstance(table.rows[0], list):
            return list(table.rows)  # texts: a vectorizer takes them one by one
        try:
            made = np.array(table.rows)
            if made.dtype.kind in "US":
                return np.array(table.rows, dtype=object)
            if made.dtype.kind != "O":
                return made
            if any(isinstance(value, str) for row in table.rows for value in row):
                return made
            return made.astype(float)  # None becomes NaN
        except (TypeError, ValueError, OverflowError) as error:
            raise bad_input("The rows cannot be made into an array: %s" % error, hint=HINT) from error

    def frame(self, table: Table) -> Any:
        """Return rows as a pandas frame."""
        import pandas

        if not table.rows or not isinstance(table.rows[0], list):
            raise bad_input("There are no rows", hint=HINT)
        columns = table.columns or self.names
        try:
            return pandas.DataFrame(table.rows, columns=columns)
        except (TypeError, ValueError, OverflowError) as error:
            raise bad_input("The rows cannot be made into a frame: %s" % error, hint=HINT) from error

    def from_tensors(self, inputs: Dict[str, Any]) -> Table:
        """Return the rows of V2 tensors: one for each column, or one of all columns."""
        if len(inputs) == 1 and (self.names is None or next(iter(inputs)) not in self.names):
            tensor = next(iter(inputs.values()))
            shape, data = tensor["shape"], tensor["data"]
            if len(shape) != 2:
                if len(shape) == 1 and self.count is None:
                    return self.read({"data": data})
                raise bad_input("The tensor should have two dimensions, rows and columns; it has %d" % len(shape))
            width = shape[1]
            return self.read({"data": [data[at * width : (at + 1) * width] for at in range(shape[0])]})
        lengths = {len(tensor["data"]) for tensor in inputs.values()}
        if len(lengths) != 1:
            raise bad_input("The tensors of the columns are not equally long")
        names = list(inputs)
        rows = [list(row) for row in zip(*(inputs[name]["data"] for name in names))]
        if self.names is None:
            raise bad_input("The model has no names of columns: send one tensor of rows and columns")
        unknown = [name for name in names if name not in self.names]
        if unknown:
            raise bad_input("There is no input %s; the inputs are %s" % (", ".join(unknown), ", ".join(self.names)))
        return self._in_order(Table(names, rows))


def read_csv(body: bytes) -> Any:
    """Return the rows of a CSV body whose first line names the columns, as a body's value."""
    try:
        lines = list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error) as error:
        raise bad_input("The body is not CSV: %s" % error) from error
    lines = [line for line in lines if line]
    if len(lines) < 2:
        raise bad_input("The CSV body needs a line of column names and at least one row")
    return {"data": {"columns": lines[0], "data": [[_value(text) for text in line] for line in lines[1:]]}}


def _value(text: str) -> Any:
    if text == "":
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def _data_of(payload: Any) -> Any:
    if isinstance(payload, list):
        return payload
    if isinstance(payload, dict):
        if "columns" in payload and "data" in payload:
            return payload  # the split form without a member around it
        for name in DATA:
            if name in payload:
                return payload[name]
        listed = ", ".join(str(name) for name in list(payload)[:10]) or "none"
        raise bad_input("The member 'data' is missing; the members are: %s" % listed, hint=HINT)
    raise bad_input("The body should be an object with the member 'data'", hint=HINT)


def _table(data: Any, names: Optional[List[str]]) -> Table:
    if isinstance(data, dict):
        return _of_object(data, names)
    if not isinstance(data, list):
        raise bad_input("The data should be a list of rows", hint=HINT)
    if not data:
        raise bad_input("There are no rows", hint=HINT)
    kinds = set(map(type, data))
    if kinds == {dict}:
        return _of_records(data)
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


def _of_records(data: List[Any]) -> Table:
    columns = [str(name) for name in data[0]]
    known = set(columns)
    for row in data[1:]:
        for name in row:
            if name not in known:
                known.add(name)
                columns.append(name)
    return Table(columns, [[row.get(name) for name in columns] for row in data])


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
        return _of_records(rows)
    members = list(data.values())
    if not members:
        raise bad_input("There are no rows", hint=HINT)
    columns = [str(name) for name in data]
    if all(isinstance(member, list) for member in members):
        if len(set(map(len, members))) != 1 or not members[0]:
            raise bad_input("The columns should be equally long, and not empty")
        return Table(columns, [list(row) for row in zip(*members)])
    if all(isinstance(member, dict) for member in members):
        inner = [str(name) for name in members[0]]
        if any(list(map(str, member)) != inner for member in members) or not inner:
            raise bad_input("The members of the data should have the same keys")
        if names is not None and set(names) <= set(inner) and not set(names) <= set(columns):
            return _of_records(members)  # orient "index": row labels outside, columns inside
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
