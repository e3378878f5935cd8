"""Numbers of a numpy sample, converted in one step.

``inference_schema`` passes every row through a Python function that leaves plain numbers as they are, then makes
the array. For samples of plain numbers the same call without the rows' detour gives the same array; where
anything is unusual the value is left to the package, with its own errors.
"""

import sys
from typing import Any, Dict, List, Optional, Tuple

from . import schema

Rule = Tuple[Any, Optional[List[int]], int]


def rules_of(run: Any) -> Dict[str, Rule]:
    """Return dtype, prescribed inner sizes and dimensions of the parameters that can be converted here."""
    numpy = sys.modules.get("numpy")
    found: Dict[str, Rule] = {}
    if numpy is None:
        return found
    for name, kind in schema.parameter_types(run, optional=False).items():
        sample: Any = getattr(kind, "sample_input", None)
        if (
            type(kind).__module__ == "inference_schema.parameter_types.numpy_parameter_type"
            and type(sample) is numpy.ndarray
            and getattr(kind, "enforce_column_type", False)
            and sample.dtype.kind in "iuf"
            and sample.ndim
        ):
            sizes = [int(size) for size in sample.shape[1:]] if kind.enforce_shape else None
            found[name] = (sample.dtype, sizes, sample.ndim)
    return found


def convert(value: Any, rule: Rule) -> Any:
    """Return a list as the array that the package would make of it; anything it would refuse stays as it is.

    Args:
        value: the parsed JSON value.
        rule: what the sample prescribes.
    """
    if type(value) is not list:
        return value
    dtype, sizes, dimensions = rule
    try:
        array = sys.modules["numpy"].array(value, dtype=dtype)
    except Exception:
        return value  # the package meets the same error and its message is the one that is reported
    if sizes is not None and (array.ndim != dimensions or list(array.shape[1:]) != sizes):
        return value
    return array


def fits(shape: List[int], rule: Rule) -> bool:
    """Whether an array of a shape is what a sample prescribes, so that the package would not refuse it."""
    _, sizes, dimensions = rule
    return bool(shape) and (sizes is None or (len(shape) == dimensions and shape[1:] == sizes))
