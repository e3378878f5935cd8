"""What run() returned, as JSON text: documented rules for values that JSON does not know.

=====================================  ==========================================
value                                  JSON
=====================================  ==========================================
numpy scalar                           the Python value of the same kind
numpy array                            nested lists
pandas DataFrame                       list of row objects (orient "records")
pandas Series, Index                   list of values
missing values in either               null; in float columns NaN, see below
Spark DataFrame, Row in it             list of row objects
datetime, date, time, Timestamp        ISO 8601 text
timedelta                              seconds, a number
NaT, pandas NA                         null
bytes, bytearray, memoryview           base64 text
set, frozenset, tuple, range, deque    list
Decimal                                number
tensors, arrow arrays, other arrays    nested lists
UUID, Path, Enum (its value), others   text, where the kind is listed in ``_convert``
dataclass, attrs class, pydantic model an object of its fields
exception within a result              its text, and its traceback in the log
keys of objects                        text of the key, as ``json`` has it for int, float, bool and None
=====================================  ==========================================

Anything else is an error of the script. NaN and infinity follow the setting ``nan``
(settled.md, "Scoring server"): legacy, null, string, error.
"""

import base64
import datetime
import json
import math
import sys
from typing import Any, Dict, List, Optional, Tuple

from . import failure


class NotEncodable(Exception):
    """run() returned something that has no JSON form."""


class NotFinite(Exception):
    """run() returned NaN or infinity and the setting says that this is an error; names where."""


def _convert(value: Any) -> Any:
    """Give ``json`` something that it knows in place of a value that it does not."""
    kind = type(value)
    module = kind.__module__.partition(".")[0]
    if module == "numpy":
        return _from_numpy(value)
    if module == "pandas" and _is_missing(value):
        return None
    if module == "pandas" and not isinstance(value, (datetime.datetime, datetime.timedelta)):
        return _from_pandas(value)
    if module == "pyspark" and hasattr(value, "collect") and hasattr(value, "columns"):
        return [row.asDict(True) for row in value.collect()]
    if isinstance(value, (bytes, bytearray, memoryview)):
        return base64.b64encode(bytes(value)).decode("ascii")
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, (set, frozenset)):
        try:
            return sorted(value)
        except TypeError:
            return list(value)
    return _from_rarer(value)


# What a numpy scalar becomes that is no complex number.
_PLAIN = (bool, int, float, str, bytes, list, tuple, dict, type(None), datetime.date, datetime.timedelta)


def _from_numpy(value: Any) -> Any:
    name = type(value).__name__
    if name in ("datetime64", "timedelta64"):
        text = str(value)
        if text == "NaT":
            return None
        return text if name == "datetime64" else value.astype("timedelta64[ns]").astype("int64").item() / 1e9
    numpy = sys.modules["numpy"]
    if isinstance(value, numpy.ndarray):
        kind = value.dtype.kind
        if kind in "mM":
            return [_convert(item) for item in value] if value.ndim else _convert(value[()])
        if kind == "c":
            raise NotEncodable("complex numbers have no JSON form")
        return value.tolist()
    if isinstance(value, numpy.generic):
        plain = value.item()
        if isinstance(plain, _PLAIN):
            return plain
        raise NotEncodable("numpy %s has no JSON form" % name)
    return _from_rarer(value)


def _is_missing(value: Any) -> bool:
    return (isinstance(value, float) and value != value) or type(value).__name__ in ("NAType", "NaTType")


def _from_pandas(value: Any) -> Any:
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        if not value.columns.is_unique:  # a row object could hold one of them only
            names = sorted({str(name) for name in value.columns[value.columns.duplicated()]})
            raise NotEncodable("a DataFrame has more than one column of the name %s" % ", ".join(map(repr, names)))
        rows = value.to_dict(orient="records")
        # In columns that do not hold floats, NaN is how pandas writes "missing".
        for name in [column for column, dtype in value.dtypes.items() if getattr(dtype, "kind", "O") != "f"]:
            for row in rows:
                if _is_missing(row[name]):
                    row[name] = None
        return rows
    if hasattr(value, "tolist"):
        values = value.tolist()
        if getattr(value.dtype, "kind", "O") == "f":
            return values
        return [None if _is_missing(item) else item for item in values]
    return str(value)


def _from_rarer(value: Any) -> Any:
    import collections.abc
    import decimal
    import enum
    import inspect
    import os
    import uuid

    if isinstance(value, BaseException):
        # Most likely str(error) was meant; what it says is the answer's, where it happened is for the log.
        sys.stderr.write(
            "The result of run() holds an exception; it is sent as its text\n%s\n" % failure.text_of(value)
        )
        return str(value) or type(value).__name__
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, (uuid.UUID, os.PathLike)):
        return str(value)
    if isinstance(value, (range, collections.deque)):
        return list(value)
    if isinstance(value, (type({}.keys()), type({}.values()), type({}.items()), map, filter, zip)):
        return list(value)
    if isinstance(value, collections.abc.Mapping):
        return dict(value)
    fields = _fields(value)
    if fields is not None:
        return fields
    if inspect.isgenerator(value) or inspect.isasyncgen(value) or inspect.isawaitable(value):
        raise NotEncodable(
            "a %s is no value yet: return list(…) of a generator, what 'await' gives of a coroutine, "
            "or an AMLResponse of pieces for an answer that is sent bit by bit" % type(value).__name__
        )
    # Tensors and columnar arrays of other libraries offer one of these. An object that answers to any name, as
    # mocks and proxies of remote objects do, offers none: each call would give the next such object, for ever.
    if not hasattr(value, "sendoff_asks_for_a_name_that_nothing_has"):
        for method in ("to_pylist", "tolist", "numpy"):
            if hasattr(value, method):
                return getattr(value, method)()
    raise NotEncodable("an object of type %s.%s has no JSON form" % (type(value).__module__, type(value).__name__))


def _fields(value: Any) -> Optional[Dict[str, Any]]:
    """The fields of an object whose class says that it has them, by name; None for any other object."""
    kind = type(value)
    known = getattr(kind, "__dataclass_fields__", None)
    if isinstance(known, dict):
        from dataclasses import fields

        return {field.name: getattr(value, field.name) for field in fields(value)}
    attributes = getattr(kind, "__attrs_attrs__", None)
    if isinstance(attributes, tuple):
        return {attribute.name: getattr(value, attribute.name) for attribute in attributes}
    for known, method in (("model_fields", "model_dump"), ("__fields__", "dict")):  # pydantic 2, pydantic 1
        if isinstance(getattr(kind, known, None), dict) and callable(getattr(kind, method, None)):
            plain = getattr(value, method)()
            return plain if isinstance(plain, dict) else None
    return None


def _key(key: Any) -> Any:
    if key is None or isinstance(key, (str, bool, int, float)):
        return key
    plain = _convert(key) if not isinstance(key, tuple) else str(key)
    return plain if isinstance(plain, (str, bool, int, float)) or plain is None else str(plain)


def _plain(value: Any, non_finite: str, path: str) -> Any:
    """Copy a result into plain lists and dicts, with every key and every number made encodable."""
    if isinstance(value, float):
        if math.isfinite(value) or non_finite == "legacy":
            return value
        if non_finite == "error":
            raise NotFinite("%s at %s" % (float.__repr__(value), path or "the result itself"))
        if non_finite == "null":
            return None
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, dict):
        plain = {_key(key): _plain(item, non_finite, "%s[%r]" % (path, key)) for key, item in value.items()}
        if len(plain) != len(value):
            raise NotEncodable("two keys%s are one and the same text" % (path and " of " + path))
        return plain
    if isinstance(value, (list, tuple)):
        return [_plain(item, non_finite, "%s[%d]" % (path, index)) for index, item in enumerate(value)]
    return _plain(_convert(value), non_finite, path)


_NUMBERS = frozenset({int, float})
# json.dumps() makes an encoder for each call that has arguments of its own.
_encoder = json.JSONEncoder(default=_convert)


def number_list(values: List[Any]) -> Optional[str]:
    """Return the JSON of a list of finite numbers, None for any other list."""
    if not _NUMBERS.issuperset(map(type, values)):
        return None
    text = repr(values)  # Python writes finite numbers, and lists of them, as JSON does
    return None if "n" in text else text


def encode(value: Any, non_finite: str) -> Tuple[bytes, bool]:
    """Encode a result.

    Args:
        value: what run() returned. None gives ``{}`` (spec/scoring-server.md sec. 6).
        non_finite: what becomes of NaN and infinity: "legacy", "null", "string" or "error".

    Returns:
        The JSON text as bytes, and whether it holds NaN or infinity in Python's own spelling.

    Raises:
        NotEncodable: the value has no JSON form.
        NotFinite: NaN or infinity, and ``non_finite`` is "error".
    """
    if value is None:
        return b"{}", False
    try:
        if type(value) is list:
            text = number_list(value)
            if text is not None:
                return text.encode("ascii"), False
        try:
            text = _encoder.encode(value)
        except TypeError as error:
            if "key" not in str(error):
                raise
            text = json.dumps(_plain(value, "legacy", ""))
        # Only a text with these letters can hold one; strings with them are told apart by the strict encoder.
        if "NaN" not in text and "Infinity" not in text:
            return text.encode("ascii"), False
        plain = json.loads(text)
        try:
            json.dumps(plain, allow_nan=False)
        except ValueError:
            if non_finite == "legacy":
                return text.encode("ascii"), True
            text = json.dumps(_plain(plain, non_finite, ""), allow_nan=False)
        return text.encode("ascii"), False
    except (TypeError, ValueError, RecursionError, OverflowError) as error:
        raise NotEncodable(str(error)) from error
