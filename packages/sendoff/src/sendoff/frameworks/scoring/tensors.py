"""What models of tensors share: the forms of a body, and what documents say of inputs and outputs.

A tensor's kind is numpy's name of it, its shape a list of sizes, in which -1 is any.
"""

from typing import Any, Collection, Dict, List, Optional

import numpy as np

from .application import bad_input

Schema = Dict[str, Any]
MOST_VALUES = 20000
"""Larger examples are too large to print in a document."""
_DATATYPES = {"float32": "FP32", "float64": "FP64", "float16": "FP16", "bool": "BOOL", "object": "BYTES"}
_MEMBERS = ("data", "inputs", "instances")
_EXACT = 2.0**53
"""Whole numbers beyond are not all floats."""


def given(payload: Any, hint: str, names: Collection[str] = ()) -> Any:
    """Return what a body gives: the value of its member, or the body itself where that is no object.

    Args:
        payload: the body's value.
        hint: what to send.
        names: inputs that an object may name without a member around them.
    """
    if not isinstance(payload, dict):
        return payload
    for name in _MEMBERS:
        if name in payload:
            return payload[name]
    if not payload or not set(payload) <= set(names):
        raise bad_input("The member 'data' is missing", hint=hint)
    return payload


def cast(values: Any, kind: Any) -> Any:
    """Return an array of numbers as another kind, none of them changed but for what a float rounds.

    Args:
        values: the array.
        kind: numpy's dtype, or its name.

    Raises:
        ValueError: a number would become another one, or there are values that are no numbers.
    """
    dtype = np.dtype(kind)
    if values.dtype == dtype:
        return values
    if values.dtype.kind not in "fiub":
        raise ValueError("there are values that are not numbers, or lists that are not equally long")
    if dtype.kind in "iub" and values.dtype.kind == "f":
        if not np.array_equal(values, np.floor(values)):
            raise ValueError("there are fractions")
        if values.size and float(np.abs(values).max()) > _EXACT:
            raise ValueError("there are numbers that are not exact beside fractions")
    if dtype.kind == "b" and not np.isin(values, (0, 1)).all():
        raise ValueError("there are numbers other than 0 and 1")
    if dtype.kind in "iu" and values.size:
        limits = np.iinfo(dtype)
        if int(values.min()) < limits.min or int(values.max()) > limits.max:
            raise ValueError("there are numbers out of its range")
    with np.errstate(over="ignore"):
        made = values.astype(dtype)
    if dtype.kind == "f" and values.dtype.kind == "f" and not np.array_equal(np.isinf(made), np.isinf(values)):
        raise ValueError("there are numbers out of its range")
    return made


def check_shape(name: str, got: List[int], wanted: List[int]) -> None:
    """Refuse an input of another shape."""
    if len(got) != len(wanted) or any(size not in (-1, one) for size, one in zip(wanted, got)):
        raise bad_input(
            "The input %s should have the shape %s; it has %s" % (name, wanted, got), expected=wanted, got=got
        )


def listed(value: Any) -> Any:
    """Return an output as plain values; sequences and maps, which classifiers give, with their keys as text."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, dict):
        return {str(key): listed(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [listed(one) for one in value]
    return value


def described(name: str, kind: str, shape: List[int]) -> Schema:
    """Return an input or output as the Open Inference Protocol has it."""
    return {"name": name, "datatype": _DATATYPES.get(kind, kind.upper()), "shape": shape}


def leaf(kind: str) -> Schema:
    """Return the schema of one value, of whole numbers with their bounds."""
    if kind.startswith(("int", "uint")):
        limits = np.iinfo(kind)
        return {"type": "integer", "minimum": int(limits.min), "maximum": int(limits.max)}
    return {"type": {"object": "string", "bool": "boolean"}.get(kind, "number")}


def nested(inner: Schema, shape: List[int], least: Optional[int] = None) -> Schema:
    """Return the schema of nested lists.

    Args:
        inner: that of one value.
        shape: their sizes.
        least: how many values a list of any size has at least.
    """
    for size in reversed(shape):
        inner = {"type": "array", "items": inner}
        if size >= 0:
            inner["minItems"] = inner["maxItems"] = size
        elif least is not None:
            inner["minItems"] = least
    return inner


def example(kind: str, shape: List[int], most: int = MOST_VALUES) -> Any:
    """Return nested lists of zeros, one where any size will do; none at all where they would be more than ``most``."""
    made: Any = {"object": "text", "bool": True}.get(kind, 0.0 if "float" in kind else 0)
    sizes = [1 if size < 0 else size for size in shape]
    if int(np.prod(sizes or [1])) > most:
        return []
    for size in reversed(sizes):
        made = [made] * size
    return made
