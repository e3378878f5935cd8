"""ONNX: any inference graph, asked in the ONNX Runtime server's form, with plain lists, or with binary tensors.

Source of the server's form: onnxruntime's docs/ONNX_Runtime_Server_Usage.md and predict.proto (a TensorProto as JSON:
64-bit numbers as text, bytes as base64); spec/usage-frequency.md, "No-code deployment requests".
"""

import base64
import binascii
import re
from typing import Any, Dict, List, Optional, Tuple

import numpy as np
import onnxruntime

from sendoff_serving.worker.http_response import AMLResponse

from . import tensors, wire
from .application import BINARY, bad_input, cpu_share, not_found, sentence

_KINDS: Dict[int, Tuple[str, str, str]] = {
    # TensorProto.DataType: numpy's name, ONNX Runtime's name, the member that holds numbers that are not raw
    1: ("float32", "float", "floatData"),
    2: ("uint8", "uint8", "int32Data"),
    3: ("int8", "int8", "int32Data"),
    4: ("uint16", "uint16", "int32Data"),
    5: ("int16", "int16", "int32Data"),
    6: ("int32", "int32", "int32Data"),
    7: ("int64", "int64", "int64Data"),
    8: ("object", "string", "stringData"),
    9: ("bool", "bool", "int32Data"),
    10: ("float16", "float16", "int32Data"),
    11: ("float64", "double", "doubleData"),
    12: ("uint32", "uint32", "uint64Data"),
    13: ("uint64", "uint64", "uint64Data"),
}
_BY_DTYPE = {np.dtype(name).name: number for number, (name, _, _) in _KINDS.items()}
_BY_TYPE = {"tensor(%s)" % known: number for number, (_, known, _) in _KINDS.items()}
_ROUTE = re.compile(r"/v1/models/[^/:]+(/versions/[^/:]+)?:predict$")


def load(config: Dict[str, Any], path: str) -> "Graph":
    """Make a session that uses the service's share of the cores."""
    threads = cpu_share(config)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    if threads == 1:
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return Graph(session, "ONNX Runtime %s with %d thread(s)" % (onnxruntime.__version__, threads))


class Graph:
    """Scores with one graph.

    Args:
        session: ONNX Runtime's.
        title: what the log calls it.
    """

    hint = 'send {"data": …} for a graph of one input, or {"inputs": {name: …}}'
    binary_types = BINARY

    def __init__(self, session: Any, title: str) -> None:
        self.title = title
        self._session = session
        self._inputs = {one.name: one for one in session.get_inputs()}
        self._outputs = [one.name for one in session.get_outputs()]
        optional = {one.name for one in session.get_overridable_initializers()}
        self._required = [name for name in self._inputs if name not in optional]

    def score(self, payload: Any, request: Any) -> Any:
        """Answer a body in any of the three forms; the answer has the form of the question."""
        if isinstance(payload, bytes):
            return self._binary(payload, request)
        if isinstance(payload, dict) and _in_server_form(payload):
            wanted = payload.get("outputFilter", payload.get("output_filter")) or self._outputs
            feeds = {name: _tensor(name, tensor, self._inputs) for name, tensor in payload["inputs"].items()}
            made = self.run(feeds, _names(wanted))
            raw = any("rawData" in tensor or "raw_data" in tensor for tensor in payload["inputs"].values())
            if "x-protobuf" in str(request.headers.get("Accept")) or "octet-stream" in str(
                request.headers.get("Accept")
            ):
                return _protobuf(made)
            return {"outputs": {name: _server_form(value, raw) for name, value in made.items()}}
        wanted = payload.get("outputFilter") if isinstance(payload, dict) else None
        made = self.run(self._plain(payload), _names(wanted or self._outputs))
        if isinstance(payload, dict) and isinstance(payload.get("inputs"), dict):
            return {"outputs": {name: tensors.listed(value) for name, value in made.items()}}
        if len(made) == 1:
            return tensors.listed(next(iter(made.values())))
        return {name: tensors.listed(value) for name, value in made.items()}

    def run(self, feeds: Dict[str, Any], wanted: List[str]) -> Dict[str, Any]:
        """Run the graph.

        Raises:
            Refusal: the tensors are not the graph's.
        """
        unknown = [name for name in feeds if name not in self._inputs]
        if unknown:
            raise bad_input("There is no input %s" % ", ".join(unknown), hint="there is " + ", ".join(self._inputs))
        missing = [name for name in self._required if name not in feeds]
        if missing:
            raise bad_input("The input %s is missing" % ", ".join(missing), hint=self.hint)
        strange = [name for name in wanted if name not in self._outputs]
        if strange:
            raise bad_input("There is no output %s" % ", ".join(strange), hint="there is " + ", ".join(self._outputs))
        try:
            return dict(zip(wanted, self._session.run(wanted, feeds)))
        except Exception as error:
            # The graph was loaded: what it cannot run on is the input, but for its own faults, which look the same.
            kind = type(error).__name__
            if kind in ("InvalidArgument", "ValueError", "TypeError", "Fail", "RuntimeException"):
                raise bad_input("The graph refuses the input: %s" % sentence(error)) from error
            raise

    def _plain(self, payload: Any) -> Dict[str, Any]:
        given = tensors.given(payload, self.hint, self._inputs)
        if isinstance(given, dict):
            return {str(name): self._array(str(name), value) for name, value in given.items()}
        if len(self._required) != 1:
            raise bad_input(
                "The graph has %d inputs: name them" % len(self._required),
                hint='send {"data": {%s}}' % ", ".join('"%s": …' % name for name in self._required),
            )
        return {self._required[0]: self._array(self._required[0], given)}

    def _array(self, name: str, value: Any) -> Any:
        known = self._known(name)
        return _as_array(name, value, _kind(known), known.shape)

    def _known(self, name: str) -> Any:
        if name not in self._inputs:
            raise bad_input("There is no input %s" % name, hint="there is " + ", ".join(self._inputs))
        return self._inputs[name]

    def _binary(self, body: bytes, request: Any) -> Any:
        try:
            found = wire.read_request(body)
        except wire.BadMessage as error:
            raise bad_input("The body is no PredictRequest: %s" % error) from error
        feeds = {name: _tensor(name, tensor, self._inputs) for name, tensor in found["inputs"].items()}
        made = self.run(feeds, found["outputFilter"] or self._outputs)
        if "json" in str(request.headers.get("Accept")):
            return {"outputs": {name: _server_form(value, True) for name, value in made.items()}}
        return _protobuf(made)

    def allowed(self, path: str) -> List[str]:
        """Return the methods of a path other than /score, none where it is not there."""
        return ["POST"] if _ROUTE.search(path) else []

    def route(self, path: str, request: Any, scored: Any) -> Any:
        """Answer the ONNX Runtime server's own path; any name and version, as that server took them."""
        if not _ROUTE.search(path):
            raise not_found(path, ["/v1/models/NAME/versions/VERSION:predict, with POST"])
        return scored(request, self.score)

    def describe(self) -> Dict[str, Any]:
        """Return what the graph takes and gives."""
        properties = {name: _schema(self._inputs[name]) for name in self._inputs}
        wanted = [self._inputs[name] for name in self._required]
        example = {one.name: tensors.example(_kind(one) or "", _shape(one)) for one in wanted}
        body = {
            "type": "object",
            "properties": {
                "inputs": {"type": "object", "properties": properties, "required": list(self._required)},
                "outputFilter": {"type": "array", "items": {"type": "string", "enum": self._outputs}},
            },
            "required": ["inputs"],
            "example": {"inputs": example},
        }
        answers = {one.name: _schema(one, answer=True) for one in self._session.get_outputs()}
        made = {"type": "object", "properties": {"outputs": {"type": "object", "properties": answers}}}
        return {
            "input": body,
            "output": made,
            "tensors": {
                "inputs": [_described(one) for one in self._inputs.values()],
                "outputs": [_described(one) for one in self._session.get_outputs()],
            },
            "routes": ["/v1/models/"],
        }

    def infer(self, inputs: Dict[str, Any]) -> Dict[str, Any]:
        """Score the tensors of a V2 request."""
        feeds = {}
        for name, tensor in inputs.items():
            made = _as_array(name, tensor["data"], _kind(self._known(name)), None)
            feeds[name] = made.reshape(tensor["shape"])
        return {name: tensors.listed(value) for name, value in self.run(feeds, self._outputs).items()}


def _in_server_form(payload: Dict[str, Any]) -> bool:
    inputs = payload.get("inputs")
    if not isinstance(inputs, dict) or not inputs:
        return False
    return all(isinstance(one, dict) and ("dataType" in one or "data_type" in one) for one in inputs.values())


def _names(wanted: Any) -> List[str]:
    if not isinstance(wanted, list) or not all(isinstance(name, str) for name in wanted):
        raise bad_input("outputFilter should be a list of names")
    return wanted


def _as_array(name: str, value: Any, kind: Optional[str], shape: Optional[List[Any]]) -> Any:
    if kind is None:
        raise bad_input("The input %s is no tensor of a kind that JSON can hold" % name)
    dtype = np.dtype(kind)
    try:
        made = np.array(value)
        if dtype.kind == "O":
            made = made.astype(object)
            if not all(isinstance(one, str) for one in made.ravel()):
                raise ValueError("there are values that are not text")
        else:
            made = tensors.cast(made, dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise bad_input("The input %s cannot be made into %s: %s" % (name, dtype.name, error)) from error
    if shape is not None and shape and made.ndim == len(shape) - 1 and not isinstance(shape[0], int):
        # One row of a batch; of a column, whose rows are one value each, all rows.
        made = made[:, np.newaxis] if made.ndim == 1 and shape[1] == 1 else made[np.newaxis]
    return made


def _tensor(name: str, tensor: Dict[str, Any], inputs: Dict[str, Any]) -> Any:
    """Return the array of a TensorProto in its JSON form."""
    kind = tensor.get("dataType", tensor.get("data_type"))
    if isinstance(kind, str) and kind.isdigit():
        kind = int(kind)
    if isinstance(kind, str):
        kind = {known.upper(): number for number, (_, known, _) in _KINDS.items()}.get(kind.upper(), kind)
    if isinstance(kind, bool) or kind not in _KINDS:
        raise bad_input("The dataType of %s should be one of TensorProto's numbers, not %r" % (name, kind))
    try:
        dims = [int(size) for size in tensor.get("dims") or []]
        if any(size < 0 for size in dims):
            raise ValueError("a size is negative")
        dtype, _, member = _KINDS[kind]
        raw = tensor.get("rawData", tensor.get("raw_data"))
        if raw is not None and kind != 8:
            content = raw if isinstance(raw, bytes) else base64.b64decode(raw, validate=True)
            return np.frombuffer(content, np.dtype(dtype).newbyteorder("<")).astype(dtype, copy=False).reshape(dims)
        snake = member.replace("Data", "_data")
        values = tensor.get(member, tensor.get(snake)) or []
        if kind == 8:
            values = [one.decode("utf-8") if isinstance(one, bytes) else _unpacked(one) for one in values]
        elif kind == 10:  # half floats are sent as the bits of 16-bit numbers
            return np.array([int(one) for one in values], "uint16").view("float16").reshape(dims)
        elif kind in (1, 11):
            values = [float(one) for one in values]
        else:
            values = [int(one) for one in values]
        return np.array(values, dtype=dtype).reshape(dims)
    except (TypeError, ValueError, OverflowError, binascii.Error) as error:
        raise bad_input("The tensor of %s cannot be read: %s" % (name, error)) from error


def _unpacked(value: Any) -> str:
    return base64.b64decode(value, validate=True).decode("utf-8")


def _server_form(value: Any, raw: bool) -> Dict[str, Any]:
    """Return an output as a TensorProto in its JSON form; with raw data where the question had it."""
    if not hasattr(value, "dtype"):  # a sequence or a map, which no TensorProto holds
        return {"value": tensors.listed(value)}
    kind = _BY_DTYPE.get(value.dtype.name, 8)
    made: Dict[str, Any] = {"dims": [str(size) for size in value.shape], "dataType": kind}
    if kind == 8:
        made["stringData"] = [_packed(one) for one in value.ravel()]
    elif raw:
        little = value.astype(value.dtype.newbyteorder("<"), copy=False)
        made["rawData"] = base64.b64encode(little.tobytes()).decode("ascii")
    else:
        flat = value.ravel()
        if kind == 10:
            flat = flat.view("uint16")
        values = flat.tolist()
        member = _KINDS[kind][2]
        wide = member in ("int64Data", "uint64Data")
        made[member] = [str(one) for one in values] if wide else [int(one) if kind == 9 else one for one in values]
    made["dataLocation"] = "DEFAULT"
    return made


def _packed(value: Any) -> str:
    return base64.b64encode(str(value).encode("utf-8")).decode("ascii")


def _protobuf(made: Dict[str, Any]) -> Any:
    outputs: Dict[str, Any] = {}
    for name, value in made.items():
        if not hasattr(value, "dtype"):
            raise bad_input("The output %s is no tensor: ask for it as JSON" % name)
        kind = _BY_DTYPE.get(value.dtype.name, 8)
        if kind == 8:
            content: Any = [str(one).encode("utf-8") for one in value.ravel()]
        else:
            content = value.astype(value.dtype.newbyteorder("<"), copy=False).tobytes()
        outputs[name] = (list(value.shape), kind, content)
    return AMLResponse(wire.write_response(outputs), 200, {"Content-Type": "application/x-protobuf"})


def _schema(known: Any, answer: bool = False) -> Dict[str, Any]:
    kind = _kind(known)
    if kind is None:
        return {"description": known.type}
    leaf = tensors.leaf(kind)
    if answer and leaf["type"] == "number":
        leaf = {"description": "a number, or NaN"}  # JSON has no NaN and no infinity, and graphs give them
    return tensors.nested(leaf, _shape(known), least=None if answer else 1)


def _kind(known: Any) -> Optional[str]:
    """Return numpy's name of a tensor's kind; None for what is no tensor."""
    number = _BY_TYPE.get(known.type)
    return np.dtype(_KINDS[number][0]).name if number is not None else None


def _described(known: Any) -> Dict[str, Any]:
    return tensors.described(known.name, _kind(known) or "object", _shape(known))


def _shape(known: Any) -> List[int]:
    return [size if isinstance(size, int) else -1 for size in known.shape or []]
