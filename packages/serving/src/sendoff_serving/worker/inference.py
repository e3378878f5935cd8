"""A request of the Open Inference Protocol (V2): tensors in, run(), tensors out."""

import base64
import json
import sys
import time
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Set, Tuple

from . import arrays, binary_tensors, schema, signature, tensors
from .answer import Answer, Refusal, rows_of
from .binary_tensors import BadTensor
from .body import object_of, unpacked
from .coroutines import awaited
from .inference_answer import WantedOutputs, response
from .script import RAW, SCHEMA, EntryScript

if TYPE_CHECKING:
    from .invoke import Invoker

# Datatypes any of whose bytes are numbers, so that an array of them needs no look at each.
_NUMBERS = frozenset(binary_tensors.SIZES) - {"BOOL"}
_KNOWN = (dict, list, str, int, float, bool, type(None))


def infer(invoker: "Invoker", body: bytes, request: Dict[str, Any]) -> Answer:
    """Score one inference request.

    Args:
        invoker: calls the script.
        body: the request's JSON, and the tensors that follow it.
        request: what the front says of it; ``inference`` holds "model" and "version", and "length", the bytes of the
            JSON, where the client says that more than that follows it.

    Returns:
        The inference response; an AMLResponse of the script's own as it is.

    Raises:
        Refusal: the request does not fit the script, or the script failed.
    """
    script = invoker.script
    if script.shape == RAW and not callable(script.infer):
        message = "run() takes HTTP requests (@rawhttp), which tensors cannot give it"
        raise Refusal(400, "protocol_unsupported", message, hint="send the request to /score")
    try:
        given = _given(invoker, body, request)
        wanted = WantedOutputs(given)
        if script.shape == RAW:
            return _own(invoker, wanted, _named(given, _as_sent), request)
        if script.shape == SCHEMA:
            arguments = _schema_values(invoker, given)
            invoker.complete(arguments)
        else:
            arguments = _text_argument(invoker, given)
    except BadTensor as error:
        raise Refusal(400, "tensor_invalid", str(error)) from error
    if script.wants_headers:
        arguments["request_headers"] = {name.title(): value for name, value in request["headers"]}
    invoker.add_model(arguments, request)
    start = time.perf_counter()
    try:
        value = awaited(script.run(**arguments))
    except BaseException as error:
        raise invoker.refusal(error, time.perf_counter() - start) from error
    return _answer(invoker, wanted, request, value, time.perf_counter() - start)


def joinable(invoker: "Invoker", body: bytes, request: Dict[str, Any]) -> Tuple[Any, Callable[[Any, float], Answer]]:
    """Return what /score would be sent for an inference request, and how its part of a result is answered.

    Args:
        invoker: calls the script.
        body: the request's JSON.
        request: what the front says of it.

    Raises:
        Exception: it cannot be joined with others, or is wrong.
    """
    if "packed" in request:
        body = unpacked(body, request["packed"])
    given = _given(invoker, body, request)
    wanted = WantedOutputs(given)
    if invoker.script.shape == SCHEMA:
        sent: Any = _schema_values(invoker, given, arrays_too=False)
    else:
        sent = json.loads(_text_argument(invoker, given)[invoker.script.input_parameter])

    def finish(value: Any, seconds: float) -> Answer:
        return _answer(invoker, wanted, request, value, seconds)

    return sent, finish


def _given(invoker: "Invoker", body: bytes, request: Dict[str, Any]) -> Dict[str, Any]:
    """Return the request's JSON, with the bytes that follow it in the places of the inputs' data."""
    length = request["inference"].get("length")
    if length is None:
        return object_of(body)
    if length > len(body):
        message = "%s is %d, but the body has only %d bytes"
        raise BadTensor(message % (binary_tensors.LENGTH_HEADER, length, len(body)))
    if not length:
        return binary_tensors.whole(body, (invoker.script.tensors or {}).get("inputs", []))
    given = object_of(body[:length])
    binary_tensors.attach(given, memoryview(body)[length:])
    return given


def _answer(invoker: "Invoker", wanted: WantedOutputs, request: Dict[str, Any], value: Any, seconds: float) -> Answer:
    kind = type(value)
    if kind not in _KNOWN and kind.__module__.partition(".")[0] not in ("numpy", "pandas"):
        answer = invoker._from_value(value, seconds)
        if answer.headers is not None or answer.pieces is not None:
            return answer
        invoker.rows -= rows_of(value)  # counted below
        value = json.loads(answer.body.decode("utf-8"))
    return response(invoker, wanted, request["inference"], value, seconds, rows_of(value))


def _own(invoker: "Invoker", wanted: WantedOutputs, read: Dict[str, Any], request: Dict[str, Any]) -> Answer:
    """Score a request with a script that takes tensors itself (``described.py``)."""
    start = time.perf_counter()
    try:
        value = awaited(invoker.script.infer(read))
    except BaseException as error:
        raise invoker.refusal(error, time.perf_counter() - start) from error
    seconds = time.perf_counter() - start
    rows = max([rows_of(item) for item in value.values()] or [0])
    return response(invoker, wanted, request["inference"], value, seconds, rows)


def _as_sent(tensor: Any) -> Any:
    """Return a tensor as ``infer_tensors()`` is given it: BYTES are text where all of them are."""
    found = tensors.flat(tensor)
    if found["datatype"] == "BYTES":
        try:
            found["data"] = tensors.texts(tensor["name"], found["data"])
        except BadTensor:
            pass
    return found


def _named(given: Dict[str, Any], reader: Any) -> Dict[str, Any]:
    inputs = given.get("inputs")
    if not isinstance(inputs, list) or not inputs:
        raise BadTensor("inputs should be a list of tensors")
    read: Dict[str, Any] = {}
    for tensor in inputs:
        value = reader(tensor)
        if tensor["name"] in read:
            raise BadTensor("the input %r is given twice" % tensor["name"])
        read[tensor["name"]] = value
    return read


def _text_argument(invoker: "Invoker", given: Dict[str, Any]) -> Dict[str, Any]:
    def reader(tensor: Any) -> Any:
        found = tensors.flat(tensor)
        return tensors.texts(tensor["name"], found["data"]) if found["datatype"] == "BYTES" else None

    name = invoker.script.input_parameter
    read = _named(given, reader)
    values = next(iter(read.values()))  # whatever it is called: there is no other
    if len(read) != 1 or not values or len(values) != 1:
        message = "run() has no schema: it takes one input %r, BYTES of one element, the text that /score is sent"
        raise BadTensor(message % name)
    return {name: values[0]}


def _single(value: Any) -> Any:
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value


class Inputs:
    """What the inputs of a script with a schema are, looked up once.

    Args:
        script: the script.

    Attributes:
        kinds: the parameter types; columns: the parameter that each column of a frame belongs to.
        expected: the names of all inputs.
        lists: parameters that are lists of plain values or arrays of one dimension.
        base64: parameters that are bytes, which /score is sent as base64; bytes: those that are arrays of bytes.
    """

    def __init__(self, script: EntryScript) -> None:
        self.kinds = schema.parameter_types(script.run)
        self.columns = signature.columns_of(self.kinds, script.parameters)
        self.expected = list(self.columns)
        self.expected += [other for other in script.parameters if other not in self.columns.values()]
        self.lists: Set[str] = set()
        self.base64: Set[str] = set()
        self.bytes: Set[str] = set()
        for name, kind in self.kinds.items():
            sample: Any = getattr(kind, "sample_input", None)
            if isinstance(sample, list):
                if not any(isinstance(item, list) for item in sample):
                    self.lists.add(name)
            elif isinstance(sample, (bytes, bytearray)):
                self.base64.add(name)
            elif hasattr(sample, "ravel") and hasattr(sample, "dtype"):
                if sample.ndim == 1 and getattr(kind, "enforce_shape", False):
                    self.lists.add(name)
                if sample.dtype.kind == "S" or (sample.size and isinstance(sample.ravel()[0], bytes)):
                    self.bytes.add(name)


def _schema_values(invoker: "Invoker", given: Dict[str, Any], arrays_too: bool = True) -> Dict[str, Any]:
    """Return the members that /score would be sent; with ``arrays_too`` bytes of numbers as arrays, where it can be."""
    script = invoker.script
    known: Inputs = invoker.inputs or Inputs(script)
    invoker.inputs = known
    kinds, columns, expected = known.kinds, known.columns, known.expected
    rules = invoker.arrays if arrays_too else {}

    def reader(tensor: Any) -> Any:
        return _value(tensor, known, rules)

    read = _named(_of_one_input(given, expected) if len(expected) == 1 else given, reader)
    if len(read) == 1 and len(script.parameters) == 1:
        read = _as_columns(read, expected)
    frames: Dict[str, Dict[str, Any]] = {}
    arguments: Dict[str, Any] = {}
    for name, value in read.items():
        if name in columns:
            column = name if len(script.parameters) == 1 else name[len(columns[name]) + 1 :]
            frames.setdefault(columns[name], {})[column] = value
        elif name in script.parameters:
            arguments[name] = _fitting(name, value, kinds.get(name))
        else:
            raise BadTensor("there is no input %r; the inputs are %s" % (name, ", ".join(expected)))
    for parameter, members in frames.items():
        arguments[parameter] = _frame(parameter, members, kinds[parameter])
    return arguments


def _of_one_input(given: Dict[str, Any], expected: List[str]) -> Dict[str, Any]:
    """Give the only input of a request the name of the only one there is, which clients often call input-0."""
    inputs = given.get("inputs")
    if not isinstance(inputs, list) or len(inputs) != 1 or not isinstance(inputs[0], dict):
        return given
    if inputs[0].get("name") == expected[0] or not isinstance(inputs[0].get("name"), str):
        return given
    return dict(given, inputs=[dict(inputs[0], name=expected[0])])


def _as_columns(read: Dict[str, Any], expected: List[str]) -> Dict[str, Any]:
    """Return one tensor of rows as the columns of the frame that run() takes; anything else as it is."""
    name, rows = next(iter(read.items()))
    if name in expected or not isinstance(rows, list):
        return read
    if not all(isinstance(row, list) and len(row) == len(expected) for row in rows):
        return read
    return {column: [row[place] for row in rows] for place, column in enumerate(expected)}


def _value(tensor: Any, known: Inputs, rules: Dict[str, arrays.Rule]) -> Any:
    """Return a tensor's elements as lists nested by its shape, or as the array that its numpy sample asks for."""
    count = tensors.checked(tensor)
    name, shape, datatype, data = tensor["name"], tensor["shape"], tensor["datatype"], tensor["data"]
    if len(shape) == 2 and shape[1] == 1 and name in known.lists:  # MLServer's client writes a list as a column
        shape = shape[:1]
    if type(data) is list:
        return tensors.nested(name, shape, tensors.listed(tensor, count))
    rule = rules.get(name) if datatype in _NUMBERS else None
    if rule is not None and arrays.fits(shape, rule) and len(data.content) == count * binary_tensors.SIZES[datatype]:
        array = binary_tensors.array(datatype, shape, data, rule[0])
        if array is not None:
            return array
    values = tensors.listed(tensor, count)
    if datatype == "BYTES":
        if name in known.base64:
            values = [base64.b64encode(value).decode("ascii") for value in values]
        elif name not in known.bytes:
            values = tensors.texts(name, values)
    return tensors.nested(name, shape, values)


def _fitting(name: str, value: Any, kind: Any) -> Any:
    """Return a tensor's value as /score would have been given it: scalars alone, objects from their JSON text."""
    sample = getattr(kind, "sample_input", None)
    if isinstance(sample, (bool, int, float, str, bytes, bytearray)):
        return _single(value)
    if isinstance(sample, dict) or (sample is not None and not hasattr(sample, "shape") and _is_json(value)):
        text = _single(value)
        try:
            return json.loads(text)
        except (TypeError, ValueError, RecursionError) as error:
            raise BadTensor("%r should be one BYTES element that holds JSON: %s" % (name, error)) from error
    return value


def _is_json(value: Any) -> bool:
    text = _single(value)
    return isinstance(text, str) and text[:1] in ("{", "[")


def _frame(parameter: str, members: Dict[str, Any], kind: Any) -> Any:
    """Return columns as the JSON value that the parameter's orient prescribes, for the package's own conversion."""
    lengths = {len(value) if isinstance(value, list) else 1 for value in members.values()}
    if len(lengths) != 1:
        raise BadTensor("the columns of %r are not equally long" % parameter)
    names = [str(column) for column in kind.sample_input.columns]
    missing = [name for name in names if name not in members]
    if missing:
        raise BadTensor("the columns %s of %r are missing" % (", ".join(missing), parameter))
    columns = {name: [_single(item) for item in _list(members[name])] for name in names}
    if kind.orient == "records":
        return [dict(zip(names, row)) for row in zip(*columns.values())]
    frame = sys.modules["pandas"].DataFrame(columns, columns=names)
    return json.loads(frame.to_json(orient=kind.orient, date_format="iso"))


def _list(value: Any) -> List[Any]:
    return value if isinstance(value, list) else [value]
