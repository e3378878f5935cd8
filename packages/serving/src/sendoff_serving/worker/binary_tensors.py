"""Tensors whose elements are bytes after the JSON: the protocol's binary tensor data extension.

Source: triton-inference-server/server, ``docs/protocol/extension_binary_data.md``. Elements are little-endian, in
row-major order and without padding; a BOOL is one byte, an element of BYTES its length in four bytes and then itself.
"""

import struct
import sys
from typing import Any, Dict, List, Optional, Sequence, Tuple

# The BF16 of accelerators has no code of its own: it is the upper half of an FP32.
BF16 = "BF16"
_CODES = {"BOOL": "?", "FP16": "e", "FP32": "f", "FP64": "d"}
_CODES.update(zip(("INT8", "INT16", "INT32", "INT64"), "bhiq"))
_CODES.update(zip(("UINT8", "UINT16", "UINT32", "UINT64"), "BHIQ"))
# Bytes of one element, but for BYTES, whose elements differ.
SIZES = dict({name: struct.calcsize("<" + code) for name, code in _CODES.items()}, **{BF16: 2})
_LENGTH = struct.Struct("<I")
SIZE = "binary_data_size"
LENGTH_HEADER = "Inference-Header-Content-Length"


class BadTensor(Exception):
    """A tensor of the request is not what the protocol says; the message names it."""


class Piece:
    """The bytes of one tensor of a request, in the place of its data."""

    __slots__ = ("content",)

    def __init__(self, content: memoryview) -> None:
        self.content = content


def attach(given: Dict[str, Any], rest: memoryview) -> None:
    """Give each input of a request the bytes that belong to it, as its ``data``.

    Args:
        given: the request's JSON.
        rest: what follows the JSON in the body.

    Raises:
        BadTensor: the sizes that the inputs name are not those of the bytes that came.
    """
    at = 0
    inputs = given.get("inputs")
    for tensor in inputs if isinstance(inputs, list) else ():
        size = _size_of(tensor)
        if size is None:
            continue
        if size > len(rest) - at:
            message = "the %s of %r is %d, but the body has only %d bytes left for it"
            raise BadTensor(message % (SIZE, tensor.get("name"), size, len(rest) - at))
        tensor["data"] = Piece(rest[at : at + size])
        at += size
    if at != len(rest):
        message = "%d bytes follow the JSON of the body, but the %s of all inputs together is %d"
        raise BadTensor(message % (len(rest), SIZE, at))


def _size_of(tensor: Any) -> Optional[int]:
    parameters = tensor.get("parameters") if isinstance(tensor, dict) else None
    if not isinstance(parameters, dict) or SIZE not in parameters:
        return None
    name, size = tensor.get("name"), parameters[SIZE]
    if type(size) is not int or size < 0:
        raise BadTensor("the %s of %r should be a number of bytes, not %r" % (SIZE, name, size))
    if "data" in tensor:
        raise BadTensor("%r has both data and %s; give one of them" % (name, SIZE))
    return size


def whole(body: bytes, inputs: Sequence[Dict[str, Any]]) -> Dict[str, Any]:
    """Return the request that a body without JSON stands for: the one input of a model, and all outputs as bytes.

    Args:
        body: the bytes of the input.
        inputs: the model's inputs, as its metadata has them.

    Raises:
        BadTensor: what the model takes cannot be told from the bytes alone.
    """
    if len(inputs) != 1:
        message = "%s: 0 is for models of one input; this one has %d: %s"
        raise BadTensor(message % (LENGTH_HEADER, len(inputs), ", ".join(str(one["name"]) for one in inputs)))
    name, datatype, shape = inputs[0]["name"], inputs[0]["datatype"], list(inputs[0]["shape"])
    content = memoryview(body)
    if datatype == "BYTES":
        shape, content = [1], memoryview(_LENGTH.pack(len(body)) + body)
    elif shape.count(-1) == 1:
        row = SIZES[datatype]
        for size in shape:
            row *= abs(size)
        shape[shape.index(-1)] = len(body) // row if row else 0
    elif -1 in shape:
        message = "the shape %s of %r cannot be told from bytes alone; send the JSON with its shape before them"
        raise BadTensor(message % (shape, name))
    tensor = {"name": name, "datatype": datatype, "shape": shape, "data": Piece(content)}
    return {"inputs": [tensor], "parameters": {"binary_data_output": True}}


def elements(name: str, datatype: str, shape: List[int], count: int, piece: Piece) -> List[Any]:
    """Return the elements of a tensor; those of BYTES as ``bytes``.

    Args:
        name: what the tensor is called; shape: of it; count: how many elements that is.
        datatype: one of the protocol's.
        piece: its bytes.

    Raises:
        BadTensor: there are too few bytes, too many, or wrong ones.
    """
    content = piece.content
    if datatype == "BYTES":
        return _strings(name, shape, count, content)
    size = SIZES[datatype]
    if len(content) != count * size:
        message = "the shape %s of %r needs %d bytes as %s, its %s is %d"
        raise BadTensor(message % (shape, name, count * size, datatype, SIZE, len(content)))
    if datatype == "BOOL" and bytes(content).translate(None, b"\0\1"):
        raise BadTensor("the data of %r holds something that is not BOOL: its bytes should be 0 or 1" % name)
    if datatype == BF16:
        wide = bytearray(2 * len(content))
        wide[2::4], wide[3::4] = content[0::2], content[1::2]
        return list(struct.unpack("<%df" % count, wide))
    return list(struct.unpack("<%d%s" % (count, _CODES[datatype]), content))


def _strings(name: str, shape: List[int], count: int, content: memoryview) -> List[Any]:
    found: List[Any] = []
    at, end = 0, len(content)
    while at < end:
        if end - at < _LENGTH.size:
            raise BadTensor("the data of %r ends within the length of its element %d" % (name, len(found)))
        size = _LENGTH.unpack_from(content, at)[0]
        at += _LENGTH.size
        if size > end - at:
            message = "element %d of %r should have %d bytes, but only %d are left of its data"
            raise BadTensor(message % (len(found), name, size, end - at))
        found.append(bytes(content[at : at + size]))
        at += size
    if len(found) != count:
        raise BadTensor("the shape %s of %r has %d elements, its data %d" % (shape, name, count, len(found)))
    return found


def array(datatype: str, shape: List[int], piece: Piece, dtype: Any) -> Any:
    """Return a numpy array of its own memory with the numbers of a tensor whose size has been found right.

    Args:
        datatype: of the tensor; shape: of it.
        piece: its bytes.
        dtype: what the array should be of.

    Returns:
        The array; None where making it from a list of the numbers could give something else.
    """
    numpy = sys.modules["numpy"]
    if datatype == BF16:
        found = (numpy.frombuffer(piece.content, "<u2").astype("<u4") << 16).view("<f4")
    else:
        found = numpy.frombuffer(piece.content, "<" + _CODES[datatype])
    if not (numpy.can_cast(found.dtype, dtype, "safe") or (found.dtype.kind == "f" and dtype.kind == "f")):
        return None
    return found.reshape(shape).astype(dtype)


def packed(datatype: str, values: Sequence[Any]) -> bytes:
    """Return elements as the bytes of a tensor.

    Raises:
        Exception: one of them is not of the datatype.
    """
    if datatype != "BYTES":
        return struct.pack("<%d%s" % (len(values), _CODES[datatype]), *values)
    pieces: List[bytes] = []
    for value in values:
        content = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else bytes(value)
        pieces += (_LENGTH.pack(len(content)), content)
    return b"".join(pieces)


def packed_array(found: Any) -> bytes:
    """Return the numbers of a numpy array as the bytes of a tensor."""
    content: bytes = found.astype(found.dtype.newbyteorder("<"), copy=False).tobytes()
    return content


def joined(text: bytes, pieces: Sequence[bytes]) -> Tuple[bytes, List[Tuple[str, str]]]:
    """Return a response's body, its JSON followed by the tensors, and the headers that say so."""
    headers = [("Content-Type", "application/octet-stream"), (LENGTH_HEADER, str(len(text)))]
    return b"".join([text] + list(pieces)), headers
