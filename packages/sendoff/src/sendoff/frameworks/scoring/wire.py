"""The protobuf messages of the ONNX Runtime server, read and written by hand: no package is needed for three of them.

Source: onnxruntime/server/protobuf/predict.proto and onnx.proto3. PredictRequest: inputs (2, a map of TensorProto),
output_filter (3). PredictResponse: outputs (1). TensorProto: dims (1), data_type (2), float_data (4), int32_data (5),
string_data (6), int64_data (7), raw_data (9), double_data (10), uint64_data (11).
"""

import struct
from typing import Any, Dict, Iterator, List, Tuple, Union

Tensor = Dict[str, Any]

_REPEATED = {4: ("floatData", "f"), 10: ("doubleData", "d")}
_VARINTS = {5: "int32Data", 7: "int64Data", 11: "uint64Data"}


class BadMessage(ValueError):
    """The bytes are no such message."""


def read_request(data: bytes) -> Dict[str, Any]:
    """Return a PredictRequest in its JSON form, with ``rawData`` as bytes."""
    found: Dict[str, Any] = {"inputs": {}, "outputFilter": []}
    for number, value in _fields(data):
        if number == 2 and isinstance(value, bytes):
            entry = dict(_fields(value))
            name, tensor = entry.get(1, b""), entry.get(2, b"")
            if not isinstance(name, bytes) or not isinstance(tensor, bytes):
                raise BadMessage("an input has no name or no tensor")
            found["inputs"][_text(name)] = read_tensor(tensor)
        elif number == 3 and isinstance(value, bytes):
            found["outputFilter"].append(_text(value))
    return found


def read_tensor(data: bytes) -> Tensor:
    """Return a TensorProto in its JSON form."""
    found: Tensor = {"dims": []}
    for number, value in _fields(data):
        if number == 1:
            found["dims"] += _numbers(value)
        elif number == 2:
            found["dataType"] = value
        elif number == 9:
            found["rawData"] = value
        elif number == 6:
            found.setdefault("stringData", []).append(value)
        elif number in _REPEATED:
            name, kind = _REPEATED[number]
            if not isinstance(value, bytes):
                value = struct.pack("<I" if kind == "f" else "<Q", value)
            size = struct.calcsize(kind)
            if len(value) % size:
                raise BadMessage("the numbers of a tensor are cut off")
            found.setdefault(name, []).extend(struct.unpack("<%d%s" % (len(value) // size, kind), value))
        elif number in _VARINTS:
            numbers = _numbers(value)
            if number != 11:
                numbers = [one - (1 << 64) if one >= 1 << 63 else one for one in numbers]
            found.setdefault(_VARINTS[number], []).extend(numbers)
    return found


def write_response(outputs: Dict[str, Tuple[List[int], int, Union[bytes, List[bytes]]]]) -> bytes:
    """Return a PredictResponse.

    Args:
        outputs: dims, data type and content of each: raw bytes, or a list of texts.
    """
    whole = b""
    for name, (dims, kind, content) in outputs.items():
        tensor = _field(1, b"".join(map(_varint, dims))) if dims else b""
        tensor += b"\x10" + _varint(kind)
        if isinstance(content, list):
            tensor += b"".join(_field(6, text) for text in content)
        else:
            tensor += _field(9, content)
        whole += _field(1, _field(1, name.encode("utf-8")) + _field(2, tensor))
    return whole


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadMessage("a name is not UTF-8") from error


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _fields(data: bytes) -> Iterator[Tuple[int, Union[int, bytes]]]:
    at, end = 0, len(data)
    while at < end:
        tag, at = _read_varint(data, at)
        kind = tag & 7
        if kind == 0:
            value, at = _read_varint(data, at)
            yield tag >> 3, value
            continue
        if kind == 2:
            size, at = _read_varint(data, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise BadMessage("a field is of an unknown kind")
        if at + size > end:
            raise BadMessage("the message is cut off")
        piece = data[at : at + size]
        at += size
        yield tag >> 3, piece if kind == 2 else int.from_bytes(piece, "little")


def _read_varint(data: bytes, at: int) -> Tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise BadMessage("the message is cut off")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _numbers(value: Union[int, bytes]) -> List[int]:
    if isinstance(value, int):
        return [value]
    found, at = [], 0
    while at < len(value):
        number, at = _read_varint(value, at)
        found.append(number)
    return found
