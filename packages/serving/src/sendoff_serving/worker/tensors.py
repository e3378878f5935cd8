"""Values of run() as tensors of the Open Inference Protocol (V2), in both directions.

Source: the protocol's REST specification, kserve/open-inference-protocol, ``inference_rest.md``. Data is flat in
row-major order, or nested as the shape says. What no tensor can hold is one BYTES element with its JSON text.
"""

import json
from typing import Any, Dict, List, Optional

from .encoding import encode

Tensor = Dict[str, Any]

JSON_TEXT = {"content_type": "application/json"}
_BITS = {"BOOL": 0, "FP16": 16, "FP32": 32, "FP64": 64, "BYTES": 0}
for _size in (8, 16, 32, 64):
    _BITS["INT%d" % _size] = _BITS["UINT%d" % _size] = _size


class BadTensor(Exception):
    """A tensor of the request is not what the protocol says; the message names it."""


def datatype_of(dtype: Any) -> Optional[str]:
    """Return the protocol's name of a numpy dtype, None for one that it does not have."""
    kind = getattr(dtype, "kind", "O")
    if kind == "b":
        return "BOOL"
    if kind in "SUO":
        return "BYTES"
    name = {"i": "INT%d", "u": "UINT%d", "f": "FP%d"}.get(kind, "") % (dtype.itemsize * 8 if kind in "iuf" else ())
    return name if name in _BITS else None


def flat(tensor: Any) -> Tensor:
    """Return the "shape", "datatype" and "data" of a request's tensor, the data as one list, all of it checked.

    Args:
        tensor: the JSON value.

    Raises:
        BadTensor: a member is missing or wrong, or the data is not of the datatype or the shape.
    """
    if not isinstance(tensor, dict) or not isinstance(tensor.get("name"), str):
        raise BadTensor("each of inputs should be an object with name, shape, datatype and data")
    name, shape, datatype = tensor["name"], tensor.get("shape"), tensor.get("datatype")
    if not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in shape):
        raise BadTensor("the shape of %r should be a list of whole numbers" % name)
    if datatype not in _BITS:
        raise BadTensor("the datatype of %r should be one of %s" % (name, ", ".join(sorted(_BITS))))
    if not isinstance(tensor.get("data"), list):
        raise BadTensor("the data of %r should be a list" % name)
    data = _flat(tensor["data"])
    count = 1
    for size in shape:
        count *= size
    if count != len(data):
        raise BadTensor("the shape %s of %r has %d elements, its data %d" % (shape, name, count, len(data)))
    _check(name, datatype, data)
    return {"shape": shape, "datatype": datatype, "data": data}


def read(tensor: Any) -> Any:
    """Return the elements of a request's tensor as lists nested by its shape; a tensor of no dimension is its element.

    Raises:
        BadTensor: see ``flat``.
    """
    found = flat(tensor)
    data, shape = found["data"], found["shape"]
    if not shape:
        return data[0]
    if not data:
        if shape[0]:
            raise BadTensor("only the first dimension of %r can be 0" % tensor["name"])
        return data
    for size in reversed(shape[1:]):
        data = [data[at : at + size] for at in range(0, len(data), size)]
    return data


def _flat(data: List[Any]) -> List[Any]:
    while data and isinstance(data[0], list):
        if not all(isinstance(item, list) for item in data):
            break
        data = [item for part in data for item in part]
    return data


def _check(name: str, datatype: str, flat: List[Any]) -> None:
    kinds = set(map(type, flat))
    if datatype == "BOOL":
        good = kinds <= {bool}
    elif datatype == "BYTES":
        good = kinds <= {str}
    elif datatype.startswith("FP"):
        good = kinds <= {int, float}
    else:
        bits = _BITS[datatype]
        least, most = (0, (1 << bits) - 1) if datatype[0] == "U" else (-(1 << bits - 1), (1 << bits - 1) - 1)
        good = kinds <= {int} and (not flat or (min(flat) >= least and max(flat) <= most))
    if not good:
        raise BadTensor("the data of %r holds something that is not %s" % (name, datatype))


def write(value: Any) -> List[Tensor]:
    """Return a result of run() as output tensors.

    A frame, a list of alike row objects and an object give one tensor for each column or member, None gives none,
    anything else one that is called ``output``.
    """
    if value is None:
        return []
    if hasattr(value, "columns") and hasattr(value, "dtypes"):
        return [_tensor(str(name), value[name]) for name in value.columns]
    if isinstance(value, dict) and value:
        return [_tensor(str(name), item) for name, item in value.items()]
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        names = list(value[0])
        if names and all(list(row) == names for row in value):
            return [_tensor(str(name), [row[name] for row in value]) for name in names]
    return [_tensor("output", value)]


def _tensor(name: str, value: Any) -> Tensor:
    array = value if hasattr(value, "ravel") and hasattr(value, "dtype") and hasattr(value, "shape") else None
    datatype = datatype_of(array.dtype) if array is not None else None
    if array is not None and datatype not in (None, "BYTES"):
        if hasattr(array, "values"):
            array = array.values
        return _made(name, datatype, [int(size) for size in array.shape] or [1], array.ravel().tolist())
    plain = json.loads(encode(value, "legacy")[0].decode("ascii")) if value is not None else None
    shape = _shape(plain)
    if shape is not None:
        flat = _flat(plain) if isinstance(plain, list) else [plain]
        plain_type = _datatype(flat)
        if plain_type is not None:
            return _made(name, plain_type, shape, flat)
    return dict(_made(name, "BYTES", [1], [json.dumps(plain)]), parameters=JSON_TEXT)


def _made(name: str, datatype: Optional[str], shape: List[int], data: List[Any]) -> Tensor:
    return {"name": name, "shape": shape, "datatype": datatype, "data": data}


def _shape(value: Any) -> Optional[List[int]]:
    """Return the shape of nested lists, None where they are ragged or hold objects."""
    if not isinstance(value, list):
        return None if isinstance(value, dict) or value is None else [1]
    if not value or not isinstance(value[0], list):
        return None if any(isinstance(item, (list, dict)) for item in value) else [len(value)]
    inner = _shape(value[0])
    if inner is None or any(not isinstance(item, list) or _shape(item) != inner for item in value[1:]):
        return None
    return [len(value)] + inner


def _datatype(flat: List[Any]) -> Optional[str]:
    kinds = set(map(type, flat))
    if kinds == {bool}:
        return "BOOL"
    if kinds == {int}:
        return "INT64" if -(1 << 63) <= min(flat) and max(flat) < 1 << 63 else None
    if kinds <= {int, float}:
        return "FP64"
    return "BYTES" if kinds == {str} else None
