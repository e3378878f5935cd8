"""Values of run() as tensors of the Open Inference Protocol (V2), in both directions.

Source: the protocol's REST specification, kserve/open-inference-protocol, ``inference_rest.md``. Data is flat in
row-major order, or nested as the shape says, or bytes (``binary_tensors.py``). What no tensor can hold is one BYTES
element with its JSON text.
"""

import json
from typing import Any, Callable, Dict, List, Optional

from . import binary_tensors
from .binary_tensors import BF16, BadTensor, Piece
from .encoding import encode

Tensor = Dict[str, Any]

JSON_TEXT = {"content_type": "application/json"}
# As MLServer's client calls it.
_BASE64 = {"content_type": "base64"}
_NAN, _MISSING = float("nan"), type(None)
_BITS = {"BOOL": 0, "FP16": 16, "FP32": 32, "FP64": 64, "BYTES": 0}
for _size in (8, 16, 32, 64):
    _BITS["INT%d" % _size] = _BITS["UINT%d" % _size] = _size


def datatype_of(dtype: Any) -> Optional[str]:
    """Return the protocol's name of a numpy dtype, None for one that it does not have."""
    kind = getattr(dtype, "kind", "O")
    if kind == "b":
        return "BOOL"
    if kind in "SUO":
        return "BYTES"
    name = {"i": "INT%d", "u": "UINT%d", "f": "FP%d"}.get(kind, "") % (dtype.itemsize * 8 if kind in "iuf" else ())
    return name if name in _BITS else None


def checked(tensor: Any) -> int:
    """Return how many elements a request's tensor has by its shape; its members are there and well formed.

    Args:
        tensor: the JSON value, its data a list or a ``Piece``.

    Raises:
        BadTensor: a member is missing or wrong.
    """
    if not isinstance(tensor, dict) or not isinstance(tensor.get("name"), str):
        raise BadTensor("each of inputs should be an object with name, shape, datatype and data")
    name, shape, datatype, data = tensor["name"], tensor.get("shape"), tensor.get("datatype"), tensor.get("data")
    if not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in shape):
        raise BadTensor("the shape of %r should be a list of whole numbers" % name)
    if datatype == BF16 and not isinstance(data, Piece):
        raise BadTensor("%r is BF16, which JSON cannot hold: send it as binary data, or as FP32" % name)
    if datatype != BF16 and (not isinstance(datatype, str) or datatype not in _BITS):
        raise BadTensor("the datatype of %r should be one of %s" % (name, ", ".join(sorted([BF16, *_BITS]))))
    parameters = tensor.get("parameters")
    if parameters is not None and not isinstance(parameters, dict):
        raise BadTensor("the parameters of %r should be an object" % name)
    if not isinstance(data, (list, Piece)):
        if parameters and "shared_memory_region" in parameters:
            raise BadTensor("%r is in shared memory of the client, which is not offered: send its data" % name)
        if parameters and binary_tensors.SIZE in parameters:
            message = "%r has a %s, but the request has no header %s, the bytes of the JSON before the tensors"
            raise BadTensor(message % (name, binary_tensors.SIZE, binary_tensors.LENGTH_HEADER))
        raise BadTensor("the data of %r should be a list" % name)
    count = 1
    for size in shape:
        count *= size
    return count


def flat(tensor: Any) -> Tensor:
    """Return the "shape", "datatype" and "data" of a request's tensor, the data as one list, all of it checked.

    Elements of BYTES are text in JSON and ``bytes`` where they came as bytes; null among floats is NaN.

    Args:
        tensor: the JSON value, its data a list or a ``Piece``.

    Raises:
        BadTensor: a member is missing or wrong, or the data is not of the datatype or the shape.
    """
    data = listed(tensor, checked(tensor))
    return {"shape": tensor["shape"], "datatype": tensor["datatype"], "data": data}


def listed(tensor: Any, count: int) -> List[Any]:
    """Return the elements of a tensor whose members have been checked, as one list; see ``flat``.

    Args:
        tensor: the JSON value.
        count: how many elements its shape has.
    """
    name, datatype, given = tensor["name"], tensor["datatype"], tensor["data"]
    if isinstance(given, Piece):
        return binary_tensors.elements(name, datatype, tensor["shape"], count, given)
    data = _flat(given)
    if count != len(data):
        message = "the shape %s of %r has %d elements, its data %d"
        raise BadTensor(message % (tensor["shape"], name, count, len(data)))
    return _check(name, datatype, data)


def texts(name: str, values: List[Any]) -> List[Any]:
    """Return elements of BYTES as text.

    Raises:
        BadTensor: one of them is no text.
    """
    made = []
    for place, value in enumerate(values):
        if isinstance(value, bytes):
            try:
                value = value.decode("utf-8")
            except UnicodeDecodeError as error:
                message = "element %d of %r is not UTF-8 text, which is what run() takes there: %s"
                raise BadTensor(message % (place, name, error)) from error
        made.append(value)
    return made


def nested(name: str, shape: List[int], data: List[Any]) -> Any:
    """Return elements as lists nested by a shape; a tensor of no dimension is its element.

    Raises:
        BadTensor: lists cannot have that shape.
    """
    if not shape:
        return data[0]
    if not data:
        if shape[0]:
            raise BadTensor("only the first dimension of %r can be 0" % name)
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


def _check(name: str, datatype: str, flat: List[Any]) -> List[Any]:
    kinds = set(map(type, flat))
    if datatype == "BOOL":
        good = kinds <= {bool}
    elif datatype == "BYTES":
        good = kinds <= {str}
    elif datatype.startswith("FP"):
        good = kinds <= {int, float, _MISSING}
    else:
        bits = _BITS[datatype]
        least, most = (0, (1 << bits) - 1) if datatype[0] == "U" else (-(1 << bits - 1), (1 << bits - 1) - 1)
        good = kinds <= {int} and (not flat or (min(flat) >= least and max(flat) <= most))
    if not good:
        raise BadTensor("the data of %r holds something that is not %s" % (name, datatype))
    if _MISSING in kinds:  # JSON has no NaN: clients such as MLServer's write null
        return [_NAN if value is None else value for value in flat]
    return flat


def write(value: Any, binary: Callable[[str], bool] = lambda name: False, unnamed: str = "output") -> List[Tensor]:
    """Return a result of run() as output tensors.

    A frame, a list of alike row objects and an object give one tensor for each column or member, None gives none,
    anything else one, which has no name of its own.

    Args:
        value: the result.
        unnamed: what the one without a name is called.
        binary: whether the output of a name is wanted as bytes; its data is ``bytes`` then, not a list.
    """
    if value is None:
        return []
    named: Any = None
    if hasattr(value, "columns") and hasattr(value, "dtypes"):
        named = [(str(name), value[name]) for name in value.columns]
    elif isinstance(value, dict) and value:
        named = [(str(name), item) for name, item in value.items()]
    elif isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        names = list(value[0])
        if names and all(list(row) == names for row in value):
            named = [(str(name), [row[name] for row in value]) for name in names]
    if named is None:
        named = [(unnamed, value)]
    return [_packed(name, item) if binary(name) else _tensor(name, item) for name, item in named]


def _numbers(value: Any) -> Any:
    """Return the array of a value that is one, or a column of one, and holds numbers of a datatype; else None."""
    if not (hasattr(value, "ravel") and hasattr(value, "dtype") and hasattr(value, "shape")):
        return None
    if datatype_of(value.dtype) in (None, "BYTES"):
        return None
    return value.values if hasattr(value, "values") else value


def _tensor(name: str, value: Any) -> Tensor:
    array = _numbers(value)
    if array is not None:
        sizes = [int(size) for size in array.shape] or [1]
        return _made(name, datatype_of(array.dtype), sizes, array.ravel().tolist())
    plain = json.loads(encode(value, "legacy")[0].decode("ascii")) if value is not None else None
    shape = _shape(plain)
    if shape is not None:
        flat = _flat(plain) if isinstance(plain, list) else [plain]
        plain_type = _datatype(flat)
        if plain_type is not None:
            made = _made(name, plain_type, shape, flat)
            return made if plain_type != "BYTES" or not _holds_bytes(value) else dict(made, parameters=_BASE64)
    return dict(_made(name, "BYTES", [1], [json.dumps(plain)]), parameters=JSON_TEXT)


def _holds_bytes(value: Any) -> bool:
    """Whether a value is bytes, or an array or list of them."""
    while isinstance(value, (list, tuple)) or getattr(value, "shape", None):
        if not len(value):
            return False
        value = value.iloc[0] if hasattr(value, "iloc") else value[0]
    return isinstance(value, (bytes, bytearray, memoryview))


def _packed(name: str, value: Any) -> Tensor:
    """Return a tensor whose data is bytes. What JSON has as base64 or null is itself here, as far as bytes can be."""
    array = _numbers(value)
    if array is not None and hasattr(array, "tobytes"):
        shape = [int(size) for size in array.shape] or [1]
        return _made(name, datatype_of(array.dtype), shape, binary_tensors.packed_array(array))
    made = _raw(name, value) or _tensor(name, value)
    try:
        return dict(made, data=binary_tensors.packed(made["datatype"], made["data"]))
    except Exception:  # a missing value in a column of whole numbers, a number that no FP64 holds
        text = json.dumps(made["data"], default=lambda missing: None)
        return dict(_made(name, "BYTES", [1], binary_tensors.packed("BYTES", [text])), parameters=JSON_TEXT)


def _raw(name: str, value: Any) -> Optional[Tensor]:
    """Return bytes, or an array or list of them, as a tensor with them; None for anything else."""
    plain = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(plain, (bytearray, memoryview)):
        plain = bytes(plain)
    shape = _shape(plain)
    if shape is None:
        return None
    flat = _flat(plain) if isinstance(plain, list) else [plain]
    if not flat or not all(isinstance(item, (bytes, bytearray, memoryview, str)) for item in flat):
        return None
    return _made(name, "BYTES", shape, flat)


def _made(name: str, datatype: Optional[str], shape: List[int], data: Any) -> Tensor:
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
