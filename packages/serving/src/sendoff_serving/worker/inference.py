"""A request of the Open Inference Protocol (V2): tensors in, run(), tensors out."""

import json
import sys
import time
from typing import Any, Callable, Dict, List, Tuple

from . import schema, signature, tensors
from .invoke import Answer, Invoker, Refusal, _object
from .rows import rows_of
from .script import RAW, SCHEMA

_KNOWN = (dict, list, str, int, float, bool, type(None))


def infer(invoker: Invoker, body: bytes, request: Dict[str, Any]) -> Answer:
    """Score one inference request.

    Args:
        invoker: calls the script.
        body: the request's JSON.
        request: what the front says of it; ``inference`` holds "model" and "version".

    Returns:
        The inference response; an AMLResponse of the script's own as it is.

    Raises:
        Refusal: the request does not fit the script, or the script failed.
    """
    script = invoker.script
    if script.shape == RAW and not callable(script.infer):
        message = "run() takes HTTP requests (@rawhttp), which tensors cannot give it"
        raise Refusal(400, "protocol_unsupported", message, hint="send the request to /score")
    given = _object(body)
    if script.shape == RAW:
        return _own(invoker, given, request)
    try:
        read = _read(given)
        if script.shape == SCHEMA:
            arguments = _completed(invoker, _schema_values(invoker, read))
        else:
            arguments = _text_argument(invoker, read)
    except tensors.BadTensor as error:
        raise Refusal(400, "tensor_invalid", str(error)) from error
    if script.wants_headers:
        arguments["request_headers"] = {name.title(): value for name, value in request["headers"]}
    invoker.add_model(arguments, request)
    start = time.perf_counter()
    try:
        value = script.run(**arguments)
    except BaseException as error:
        raise invoker._refusal(error, time.perf_counter() - start) from error
    return _answer(invoker, given, request, value, time.perf_counter() - start)


def joinable(invoker: Invoker, body: bytes, request: Dict[str, Any]) -> Tuple[Any, Callable[[Any, float], Answer]]:
    """Return what /score would be sent for an inference request, and how its part of a result is answered.

    Args:
        invoker: calls the script.
        body: the request's JSON.
        request: what the front says of it.

    Raises:
        Exception: it cannot be joined with others, or is wrong.
    """
    given = _object(body)
    if invoker.script.shape == SCHEMA:
        sent: Any = _schema_values(invoker, _read(given))
    else:
        sent = json.loads(_text_argument(invoker, _read(given))[invoker.script.input_parameter])

    def finish(value: Any, seconds: float) -> Answer:
        return _answer(invoker, given, request, value, seconds)

    return sent, finish


def _answer(invoker: Invoker, given: Dict[str, Any], request: Dict[str, Any], value: Any, seconds: float) -> Answer:
    if type(value) not in _KNOWN and type(value).__module__.partition(".")[0] not in ("numpy", "pandas"):
        answer = invoker._from_value(value, seconds)
        if answer.headers is not None or answer.pieces is not None:
            return answer
        invoker.rows -= rows_of(value)  # counted below
        value = json.loads(answer.body.decode("utf-8"))
    return invoker.encoded(_response(given, request["inference"], _made(value, seconds)), seconds, rows_of(value))


def _own(invoker: Invoker, given: Dict[str, Any], request: Dict[str, Any]) -> Answer:
    """Score a request with a script that takes tensors itself (``described.py``)."""
    try:
        read = _named(given, tensors.flat)
    except tensors.BadTensor as error:
        raise Refusal(400, "tensor_invalid", str(error)) from error
    start = time.perf_counter()
    try:
        value = invoker.script.infer(read)
    except BaseException as error:
        raise invoker._refusal(error, time.perf_counter() - start) from error
    seconds = time.perf_counter() - start
    rows = max([rows_of(item) for item in value.values()] or [0])
    return invoker.encoded(_response(given, request["inference"], _made(value, seconds)), seconds, rows)


def _made(value: Any, seconds: float) -> List[tensors.Tensor]:
    try:
        return tensors.write(value)
    except Exception as error:
        message = "The result of run() cannot be made into tensors: %s" % error
        raise Refusal(500, "result_not_encodable", message, seconds=seconds) from error


def _read(given: Dict[str, Any]) -> Dict[str, Any]:
    return _named(given, tensors.read)


def _named(given: Dict[str, Any], reader: Any) -> Dict[str, Any]:
    inputs = given.get("inputs")
    if not isinstance(inputs, list) or not inputs:
        raise tensors.BadTensor("inputs should be a list of tensors")
    read: Dict[str, Any] = {}
    for tensor in inputs:
        value = reader(tensor)
        if tensor["name"] in read:
            raise tensors.BadTensor("the input %r is given twice" % tensor["name"])
        read[tensor["name"]] = value
    return read


def _text_argument(invoker: Invoker, read: Dict[str, Any]) -> Dict[str, Any]:
    name = invoker.script.input_parameter
    value = _single(read.get(name))
    if len(read) != 1 or not isinstance(value, str):
        message = "run() has no schema: it takes one input %r, BYTES of one element, the text that /score is sent"
        raise tensors.BadTensor(message % name)
    return {name: value}


def _single(value: Any) -> Any:
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value


def _schema_values(invoker: Invoker, read: Dict[str, Any]) -> Dict[str, Any]:
    """Return the members that /score would be sent."""
    script = invoker.script
    kinds = schema.parameter_types(script.run)
    columns = signature.columns_of(kinds, script.parameters)
    frames: Dict[str, Dict[str, Any]] = {}
    arguments: Dict[str, Any] = {}
    for name, value in read.items():
        if name in columns:
            column = name if len(script.parameters) == 1 else name[len(columns[name]) + 1 :]
            frames.setdefault(columns[name], {})[column] = value
        elif name in script.parameters:
            arguments[name] = _fitting(name, value, kinds.get(name))
        else:
            expected = list(columns) + [other for other in script.parameters if other not in columns.values()]
            raise tensors.BadTensor("there is no input %r; the inputs are %s" % (name, ", ".join(expected)))
    for parameter, members in frames.items():
        arguments[parameter] = _frame(parameter, members, kinds[parameter])
    return arguments


def _completed(invoker: Invoker, arguments: Dict[str, Any]) -> Dict[str, Any]:
    """Convert arrays, and add what run() has defaults for."""
    script = invoker.script
    invoker.convert_arrays(arguments)
    for name, value in script.defaults.items():
        arguments.setdefault(name, value)
    for name in script.required:
        if name not in arguments:
            raise Refusal(400, "parameter_missing", "A value is not provided for the %r parameter." % name)
    return arguments


def _fitting(name: str, value: Any, kind: Any) -> Any:
    """Return a tensor's value as /score would have been given it: scalars alone, objects from their JSON text."""
    sample = getattr(kind, "sample_input", None)
    if isinstance(sample, (bool, int, float, str)):
        return _single(value)
    if isinstance(sample, dict) or (sample is not None and not hasattr(sample, "shape") and _is_json(value)):
        text = _single(value)
        try:
            return json.loads(text)
        except (TypeError, ValueError, RecursionError) as error:
            raise tensors.BadTensor("%r should be one BYTES element that holds JSON: %s" % (name, error)) from error
    return value


def _is_json(value: Any) -> bool:
    text = _single(value)
    return isinstance(text, str) and text[:1] in ("{", "[")


def _frame(parameter: str, members: Dict[str, Any], kind: Any) -> Any:
    """Return columns as the JSON value that the parameter's orient prescribes, for the package's own conversion."""
    lengths = {len(value) if isinstance(value, list) else 1 for value in members.values()}
    if len(lengths) != 1:
        raise tensors.BadTensor("the columns of %r are not equally long" % parameter)
    names = [str(column) for column in kind.sample_input.columns]
    missing = [name for name in names if name not in members]
    if missing:
        raise tensors.BadTensor("the columns %s of %r are missing" % (", ".join(missing), parameter))
    columns = {name: [_single(item) for item in _list(members[name])] for name in names}
    if kind.orient == "records":
        return [dict(zip(names, row)) for row in zip(*columns.values())]
    frame = sys.modules["pandas"].DataFrame(columns, columns=names)
    return json.loads(frame.to_json(orient=kind.orient, date_format="iso"))


def _list(value: Any) -> List[Any]:
    return value if isinstance(value, list) else [value]


def _response(given: Dict[str, Any], target: Dict[str, Any], made: List[tensors.Tensor]) -> Dict[str, Any]:
    response: Dict[str, Any] = {"model_name": target["model"]}
    if target.get("version"):
        response["model_version"] = target["version"]
    if given.get("id") is not None:
        response["id"] = str(given["id"])
    wanted = given.get("outputs")
    if wanted:
        by_name = {tensor["name"]: tensor for tensor in made}
        names = [item.get("name") if isinstance(item, dict) else None for item in _list(wanted)]
        unknown = [str(name) for name in names if name not in by_name]
        if unknown:
            message = "there is no output %s; run() gave %s" % (", ".join(unknown), ", ".join(by_name) or "none")
            raise Refusal(400, "tensor_invalid", message)
        made = [by_name[name] for name in names]
    response["outputs"] = made
    return response
