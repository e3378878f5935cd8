"""What a model states of its columns (names, order, categories, missing values), and a request's rows made so."""

from typing import Any, Dict, List, Optional

import numpy as np

from .application import bad_input
from .tabular import HINT, Table, data_of, read_csv, table_of

_EXACT = 2.0**53
"""Whole numbers beyond are not all floats."""


_MOST_CATEGORIES = 100
"""More are not listed in documents."""


class Column:
    """What is known of one column's values.

    Args:
        categories: all values that the model knows, in the order of their codes; None where it does not say.
        null: what stands for a missing value.
        coded: whether the model wants them as pandas' categories.
        closed: whether any other value is an error to the model's library.
    """

    def __init__(
        self, categories: Optional[List[Any]] = None, null: Any = np.nan, coded: bool = False, closed: bool = False
    ) -> None:
        self.categories = categories
        self.null = null
        self.coded = coded
        self.nullable = coded or any(is_missing(value) for value in categories or [])
        """Whether values may be missing; where it is not known they may not."""
        self._only = frozenset(categories) if closed and categories is not None else None
        kinds = {isinstance(value, str) for value in categories or [] if not is_missing(value)}
        self.texts: Optional[bool] = next(iter(kinds)) if len(kinds) == 1 else None
        """Whether all values are texts; None where it is not known, or where there are both."""

    def check(self, name: str, values: List[Any]) -> None:
        """Refuse texts for numbers, and numbers for texts: a library would take them for an unknown category."""
        for value in values:
            if is_missing(value):
                continue
            if self.texts is not None and isinstance(value, str) != self.texts:
                wanted = "texts" if self.texts else "numbers"
                raise bad_input("The column %s takes %s; there is %r" % (name, wanted, value), hint=self._hint())
            if self._only is not None and value not in self._only:
                raise bad_input("The column %s has no category %r" % (name, value), hint=self._hint())

    def schema(self) -> Optional[Dict[str, Any]]:
        """Return what OpenAPI says of the values; None where that is a number of any size."""
        if self.texts is None:
            return None
        values = [value for value in self.categories or [] if not is_missing(value)]
        if all(isinstance(value, bool) for value in values):
            return {"type": "boolean"}
        found: Dict[str, Any] = {"type": "string" if self.texts else "number"}
        if len(values) <= _MOST_CATEGORIES:
            found["enum"] = values
        return found

    def _hint(self) -> str:
        shown = [repr(value) for value in self.categories or [] if not is_missing(value)]
        return "the model knows " + ", ".join(shown[:10]) + (", …" if len(shown) > 10 else "")


def is_missing(value: Any) -> bool:
    """Whether a value stands for a missing one: null, NaN, or pandas' NA."""
    return value is None or type(value).__name__ == "NAType" or value != value


class Columns:
    """What a model wants of its input.

    Args:
        names: the columns that it was fitted with, in its order; None where it does not know.
        count: how many columns; None where it does not know.
        known: what it says of their values, by place.
        by_name: whether it finds columns by names that we do not know, so that any order will do.
    """

    def __init__(
        self,
        names: Optional[List[str]],
        count: Optional[int],
        known: Optional[Dict[int, Column]] = None,
        by_name: bool = False,
    ) -> None:
        self.names = names
        self.count = len(names) if names is not None else count
        self.known = known or {}
        self.by_name = by_name

    def name(self, at: int) -> str:
        """Return what a column is called in messages."""
        return self.names[at] if self.names is not None and at < len(self.names) else str(at)

    def read(self, payload: Any) -> Table:
        """Return the rows of a body's value, in the order of the model's columns.

        Raises:
            Refusal: there are none, or they do not fit.
        """
        found = table_of(data_of(payload), self.names)
        if found.columns is not None:
            return self._checked(self._in_order(found))
        width = len(found.rows[0]) if found.rows and isinstance(found.rows[0], list) else None
        if self.count is not None and width is not None and width != self.count:
            named = " (%s)" % ", ".join(self.names) if self.names and len(self.names) <= 30 else ""
            raise bad_input(
                "Each row needs %d values%s; there are %d" % (self.count, named, width), expected=self.count, got=width
            )
        return self._checked(found)

    def _checked(self, table: Table) -> Table:
        if self.known and table.rows and isinstance(table.rows[0], list):
            for at, column in self.known.items():
                if at < len(table.rows[0]):
                    column.check(self.name(at), [row[at] for row in table.rows])
        return table

    def _in_order(self, table: Table) -> Table:
        assert table.columns is not None
        if len(set(table.columns)) != len(table.columns):
            twice = sorted({name for name in table.columns if table.columns.count(name) > 1})
            raise bad_input("The column %s is there more than once" % ", ".join(twice))
        names = self.names
        if names is None:
            if self.by_name:
                return table
            # Places for names: what pandas calls the columns of an array.
            names = [str(at) for at in range(self.count or 0)]
            if not names or not set(names) <= set(table.columns):
                raise bad_input(
                    "The model does not know the names of its columns, and which of %s is which cannot be told"
                    % ", ".join(table.columns[:10]),
                    hint='send the rows as lists, in the order that it was trained with: {"data": [[…], …]}',
                )
        if table.columns == names:
            return table if self.names is not None else Table(None, table.rows)
        place = {name: at for at, name in enumerate(table.columns)}
        missing = [name for name in names if name not in place]
        if missing:
            raise bad_input(
                "The column%s %s of the model %s missing"
                % ("s" * (len(missing) > 1), ", ".join(missing), "are" if len(missing) > 1 else "is"),
                hint="there is %s" % (", ".join(table.columns) or "no column"),
                missing=missing,
            )
        order = [place[name] for name in names]
        return Table(self.names and list(names), [[row[at] for at in order] for row in table.rows])

    def array(self, table: Table) -> Any:
        """Return rows as a numpy array: numbers where all are, objects where there is text."""
        if not table.rows:
            raise bad_input("There are no rows", hint=HINT)
        if not isinstance(table.rows[0], list):
            return list(table.rows)  # texts: a vectorizer takes them one by one
        made = self.numbers(table)
        if made is not None:
            return made
        columns = [self._values(at, list(values)) for at, values in enumerate(zip(*table.rows))]
        whole: Any = np.empty((len(table.rows), len(columns)), dtype=object)
        for at, values in enumerate(columns):
            whole[:, at] = values
        return whole

    def numbers(self, table: Table) -> Any:
        """Return rows as an array of numbers; None where they are not numbers alone, or would lose digits so."""
        try:
            made = np.array(table.rows)
            if made.dtype.kind == "O":
                if any(isinstance(value, str) for row in table.rows for value in row):
                    return None
                made = made.astype(float)  # None becomes NaN
        except (TypeError, ValueError, OverflowError) as error:
            raise bad_input("The rows cannot be made into an array: %s" % error, hint=HINT) from error
        if made.dtype.kind in "US" or made.ndim != 2:
            return None
        if made.dtype.kind == "f" and bool((np.abs(made) >= _EXACT).any()):
            kinds = {type(value) for row in table.rows for value in row}
            if int in kinds:
                return None
        return made

    def _values(self, at: int, values: List[Any]) -> List[Any]:
        """A column's values with missing ones as the model knows them."""
        column = self.known.get(at)
        null = column.null if column is not None else np.nan
        return [null if value is None else value for value in values]

    def frame(self, table: Table) -> Any:
        """Return rows as a pandas frame, each column of its own kind."""
        import pandas

        if not table.rows or not isinstance(table.rows[0], list):
            raise bad_input("There are no rows", hint=HINT)
        try:
            # pandas finds the kinds of most columns faster than we do; what it cannot know is put in their place.
            frame = pandas.DataFrame(table.rows)
            for at, kind in enumerate(frame.dtypes):
                if kind.kind in "OSUT" or at in self.known:
                    frame[at] = self._series(pandas, at, [row[at] for row in table.rows])
            names = table.columns or self.names
            if names is not None:
                frame.columns = names
            return frame
        except (TypeError, ValueError, OverflowError) as error:
            raise bad_input("The rows cannot be made into a frame: %s" % error, hint=HINT) from error

    def _series(self, pandas: Any, at: int, values: List[Any]) -> Any:
        column = self.known.get(at)
        values = self._values(at, values)
        if column is not None and column.coded:
            return pandas.Series(pandas.Categorical(values, categories=pandas.Index(column.categories)))
        kinds = {type(value) for value in values if not is_missing(value)}
        if not kinds and (column is None or (column.null is not None and not column.texts)):
            return pandas.Series(values, dtype=float)
        if kinds <= {int, float} and kinds and not any(value is None for value in values):
            return pandas.Series(np.array(values))
        if kinds == {bool} and len(values) == sum(type(value) is bool for value in values):
            return pandas.Series(values, dtype=bool)
        return pandas.Series(values, dtype=object)

    def codes(self, table: Table, dtype: Any) -> Any:
        """Return rows as an array of floats, with categories as their codes; NaN where there is none.

        Raises:
            Refusal: there is text where the model knows no categories.
        """
        if not table.rows or not isinstance(table.rows[0], list):
            raise bad_input("There are no rows", hint=HINT)
        made = np.empty((len(table.rows), len(table.rows[0])), dtype=dtype)
        for at, values in enumerate(zip(*table.rows)):
            column = self.known.get(at)
            given: Any = values
            if column is not None and column.categories is not None:
                places = {value: float(code) for code, value in enumerate(column.categories)}
                given = [np.nan if is_missing(value) else places.get(value, np.nan) for value in values]
            if any(isinstance(value, str) for value in given):
                raise bad_input("The column %s should be numbers" % self.name(at), hint=HINT)
            try:
                # One column at a time, and at once into the library's kind: no digit is rounded twice.
                plain = np.array([np.nan if value is None else value for value in given])
                if plain.dtype.kind == "O":
                    plain = np.array([float(value) for value in given])
                made[:, at] = plain
            except (TypeError, ValueError, OverflowError) as error:
                raise bad_input("The column %s cannot be made into numbers: %s" % (self.name(at), error)) from error
        return made

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
        return self._checked(self._in_order(Table(names, rows)))

    def read_csv(self, body: bytes) -> Any:
        """Return the rows of a CSV body, its values read as what the model says of their column."""
        return read_csv(body, self.empty_texts())

    def empty_texts(self) -> Dict[str, List[Any]]:
        """Return the columns of texts, each with what an empty value may stand for: an empty text, or a missing one."""
        found: Dict[str, List[Any]] = {}
        for at, column in self.known.items():
            if column.texts:
                empty = "" in (column.categories or [])
                found[self.name(at)] = ["", None] if empty and column.nullable else [""] if empty else [None]
        return found


class Records(Columns):
    """Of a model that takes each row as an object, such as a DictVectorizer; any members will do."""

    def __init__(self) -> None:
        super().__init__(None, None)

    def read(self, payload: Any) -> Table:
        rows = data_of(payload)
        if not isinstance(rows, list) or not rows or any(not isinstance(row, dict) for row in rows):
            raise bad_input("The model takes a list of objects", hint='send {"data": [{"name": value, …}, …]}')
        return Table(None, rows)
