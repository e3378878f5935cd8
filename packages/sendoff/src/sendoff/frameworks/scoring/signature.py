"""The signature of an MLflow folder: its columns' names and types, and rows made into them.

A request's values are never changed to fit: what MLflow's own server would cast with loss (a fraction to a whole
number, 2 to true) is refused. Source: mlflow.types.schema, and mlflow.models.utils for what may be cast.
"""

import base64
import binascii
import datetime
import json
from typing import Any, Dict, List, Optional

import numpy as np

from . import tensors
from .application import bad_input
from .columns import is_missing
from .tabular import Table

_NUMBERS = {"double": "float64", "float": "float32", "integer": "int32", "long": "int64"}
_OPENAPI = {"string": "string", "boolean": "boolean", "integer": "integer", "long": "integer"}


class Signature:
    """What a folder's MLmodel says of the input.

    Attributes:
        columns: those with names, in order; empty where it describes tensors, or nothing.
        names: theirs.
        tensors: numpy's name of the kind of each tensor; None names the one that has no name.
    """

    def __init__(self, text: Any) -> None:
        whole = _inputs(text)
        self.columns = [one for one in whole if one.get("name") and one.get("type") != "tensor"]
        self.names = [str(one["name"]) for one in self.columns]
        self.tensors: Dict[Optional[str], str] = {
            one.get("name") or None: str((one.get("tensor-spec") or {}).get("dtype"))
            for one in whole
            if one.get("type") == "tensor"
        }

    def schemas(self) -> Dict[str, Any]:
        """Return the schemas of the columns, by name."""
        return {name: _schema(one) for name, one in zip(self.names, self.columns)}

    def texts(self) -> Dict[str, List[Any]]:
        """Return the columns whose values are texts in a CSV body; an empty one is a missing one."""
        return {name: [None] for name, kind in self.schemas().items() if kind["type"] == "string"}

    def optional(self) -> List[str]:
        """Return the columns that a request may leave away."""
        return [str(one["name"]) for one in self.columns if one.get("required") is False or one.get("optional")]

    def values(self, table: Table) -> Table:
        """Return rows with the values that the columns' types have: dates of texts, bytes of base64.

        Raises:
            Refusal: a value is none of its column's type.
        """
        if table.columns is None or not table.rows:
            return table
        kinds = dict(zip(self.names, self.columns))
        made = []
        for name, values in zip(table.columns, zip(*table.rows)):
            kind = kinds.get(name)
            made.append(values if kind is None else [_value(name, str(kind.get("type")), value) for value in values])
        return Table(table.columns, [list(row) for row in zip(*made)])

    def frame(self, frame: Any) -> Any:
        """Return a frame whose columns have the types of the signature."""
        for name, one in zip(self.names, self.columns):
            wanted = _NUMBERS.get(str(one.get("type")))
            if wanted is None or name not in frame.columns or str(frame[name].dtype) == "category":
                continue
            if wanted.startswith("int") and frame[name].isnull().any():
                raise bad_input("The column %s takes whole numbers; a value is missing" % name)
            frame[name] = _cast("The column %s" % name, frame[name].to_numpy(), wanted)
        return frame

    def array(self, value: Any, hint: str, name: Optional[str] = None) -> Any:
        """Return nested lists as an array of a tensor's kind."""
        wanted = self.tensors.get(name, next(iter(self.tensors.values())) if len(self.tensors) == 1 else None)
        try:
            made = np.array(value)
            if made.dtype.kind == "O" and wanted != "object":
                raise ValueError("the lists are not equally long, or hold null")
        except (TypeError, ValueError, OverflowError) as error:
            raise bad_input("The input cannot be made into an array: %s" % error, hint) from error
        if wanted is None or np.dtype(wanted).kind in "OUS":
            return made if wanted is None else made.astype(wanted)
        return _cast("The input" if name is None else "The input %s" % name, made, wanted)


def _cast(of: str, values: Any, kind: str) -> Any:
    try:
        return tensors.cast(values, kind)
    except (TypeError, ValueError, OverflowError) as error:
        raise bad_input("%s takes %s: %s" % (of, kind, error)) from error


def _inputs(text: Any) -> List[Dict[str, Any]]:
    try:
        found = json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return []
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _schema(column: Dict[str, Any]) -> Dict[str, Any]:
    kind = str(column.get("type"))
    if kind in _OPENAPI:
        return {"type": _OPENAPI[kind]}
    return {"type": "number", "format": "double"} if kind in _NUMBERS else {"type": "string"}


def _value(name: str, kind: str, value: Any) -> Any:
    if is_missing(value):
        return value
    try:
        if kind in _NUMBERS and (isinstance(value, bool) or not isinstance(value, (int, float))):
            raise ValueError("a number is wanted")
        if kind in ("integer", "long") and value != int(value):
            raise ValueError("a whole number is wanted")
        if kind == "string" and not isinstance(value, str):
            raise ValueError("a text is wanted")
        if kind == "boolean":
            if value not in (True, False):
                raise ValueError("true or false is wanted")
            return bool(value)
        if kind == "datetime":
            return _time(value)
        if kind == "binary":
            return base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise bad_input("The column %s is %s in the model's signature; %r: %s" % (name, kind, value, error)) from error
    return value


def _time(value: Any) -> Any:
    import pandas

    if not isinstance(value, str):
        raise ValueError("a text such as %r is wanted" % datetime.datetime(2026, 1, 31, 12).isoformat())
    made = pandas.Timestamp(value)
    if made.tzinfo is not None:
        raise ValueError("a time without a zone is wanted")
    return made
