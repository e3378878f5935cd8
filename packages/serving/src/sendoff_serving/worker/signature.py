"""What goes in and out of run() as tensors: names, datatypes and shapes, from the samples of its schema."""

import sys
from typing import Any, Dict, List, Optional

from . import schema, tensors

Described = Dict[str, Any]
_LEAVES = {"integer": "INT64", "number": "FP64", "boolean": "BOOL", "string": "BYTES"}
_SCALARS = ((bool, "BOOL"), (int, "INT64"), (float, "FP64"), (str, "BYTES"))


def columns_of(kinds: Dict[str, Any], parameters: List[str]) -> Dict[str, str]:
    """Return the inputs that are columns of frames, and the parameter that each belongs to.

    A frame that is the only parameter has its columns as inputs, one among others has ``parameter.column``.
    """
    found: Dict[str, str] = {}
    for parameter, kind in kinds.items():
        columns = getattr(getattr(kind, "sample_input", None), "columns", None)
        if columns is not None and hasattr(kind, "orient"):
            for column in columns:
                found[str(column) if len(parameters) == 1 else "%s.%s" % (parameter, column)] = parameter
    return found


def describe(
    run: Any, shape: str, parameters: List[str], text: str, output: Any
) -> Optional[Dict[str, List[Described]]]:
    """Return the metadata of a script's inputs and outputs as the protocol has it.

    Args:
        run: the script's function.
        shape: "string", "schema" or "raw".
        parameters: the names of its parameters.
        text: the parameter that receives the text of a script without a schema.
        output: the recorded OpenAPI schema of the result, or None.

    Returns:
        "inputs" and "outputs"; None for a script that cannot be called with tensors.
    """
    if shape == "raw":
        return None
    try:
        outputs = _outputs(output)
        if shape == "string":
            return {"inputs": [_one(text, "BYTES", [1])], "outputs": outputs}
        inputs: List[Described] = []
        kinds = schema.parameter_types(run)
        for parameter in parameters:
            inputs += _inputs(parameter, kinds.get(parameter), columns_of(kinds, parameters))
    except Exception as error:  # a parameter type of the user's own, whose sample we do not know how to read
        sys.stderr.write("The tensors of run() cannot be described: %s\n" % error)
        return None
    return {"inputs": inputs, "outputs": outputs}


def _one(name: str, datatype: str, shape: List[int]) -> Described:
    return {"name": name, "datatype": datatype, "shape": shape}


def _inputs(parameter: str, kind: Any, columns: Dict[str, str]) -> List[Described]:
    sample: Any = getattr(kind, "sample_input", None)
    names = [name for name, owner in columns.items() if owner == parameter]
    if names:
        types = [tensors.datatype_of(dtype) or "BYTES" for dtype in sample.dtypes]
        return [_one(name, datatype, [-1]) for name, datatype in zip(names, types)]
    if hasattr(sample, "dtype") and hasattr(sample, "shape"):
        sizes = [-1] + [int(size) if getattr(kind, "enforce_shape", False) else -1 for size in sample.shape[1:]]
        return [_one(parameter, tensors.datatype_of(sample.dtype) or "BYTES", sizes)]
    for known, datatype in _SCALARS:
        if isinstance(sample, known):
            return [_one(parameter, datatype, [1])]
    if isinstance(sample, (list, tuple)):
        made = tensors.write(list(sample))
        if len(made) == 1 and made[0]["name"] == "output" and "parameters" not in made[0]:
            return [_one(parameter, made[0]["datatype"], [-1 for _ in made[0]["shape"]])]
    return [_one(parameter, "BYTES", [1])]


def _outputs(recorded: Any) -> List[Described]:
    if not isinstance(recorded, dict) or recorded == {"type": "object"}:
        return []
    if recorded.get("type") == "object":
        return [_output(name, item) for name, item in recorded.get("properties", {}).items()]
    rows = recorded.get("items", {})
    if rows.get("type") == "object" and rows.get("properties"):
        return [_output(name, {"type": "array", "items": item}) for name, item in rows["properties"].items()]
    return [_output("output", recorded)]


def _output(name: str, recorded: Dict[str, Any]) -> Described:
    sizes: List[int] = []
    while recorded.get("type") == "array":
        sizes.append(-1)
        recorded = recorded.get("items", {})
    leaf = _LEAVES.get(str(recorded.get("type")))
    if leaf is None:
        return _one(name, "BYTES", [1])
    return _one(name, leaf, sizes or [1])
