"""One request as a call of run(), and what it returned as an answer."""

import json
import os
import time
from typing import Any, Dict, List, Optional
from urllib.parse import parse_qsl

from . import arrays, borrowed, failure, http_response, multi_model, schema
from .answer import (
    Answer,
    Refusal,
    rows_of,
)  # bundles of models without code that were made before take Refusal from here
from .body import object_of, recoded, text_of, unpacked
from .coroutines import awaited
from .encoding import NotEncodable, NotFinite, encode
from .http_request import AMLRequest
from .mappings import BadRequest
from .script import RAW, RAWHTTP_HINT, SCHEMA, STRING, EntryScript


def query_values(target: str) -> Dict[str, Any]:
    """Return the query of a GET as the object that run() is given (spec/behaviour.md sec. 10.2).

    Each value is parsed as JSON where it can be and kept as text where not; a repeated name becomes a list.
    """
    found: Dict[str, List[Any]] = {}
    for name, text in parse_qsl(target.partition("?")[2], keep_blank_values=True, errors="replace"):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            value = text
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


class Invoker:
    """Calls run() of one script.

    Args:
        script: the checked script; also an attribute.
        folders: the script's folders, to name the user's own line in errors.
        non_finite: what becomes of NaN and infinity in results.
        model_memory_mb: memory that models which are loaded by name may take together; None for any.
        json_parser: the front's extension module of orjson; None where it has none.

    Attributes:
        rows: rows of all results so far.
        models: the models that are loaded by name; None for a script that keeps its models to itself.
        arrays: the parameters that are converted to arrays here, by what their samples prescribe.
        inputs: what the script's inputs are as tensors, once that was asked for.
    """

    def __init__(
        self,
        script: EntryScript,
        folders: List[str],
        non_finite: str,
        model_memory_mb: Optional[int] = None,
        json_parser: Optional[str] = None,
    ) -> None:
        self.script = script
        self._folders = folders
        self._non_finite = non_finite
        self.rows = 0
        self.inputs: Any = None
        self.models: Optional[multi_model.ModelCache] = None
        if script.init_model is not None:
            limit = None if model_memory_mb is None else model_memory_mb * 1000000
            self.models = multi_model.ModelCache(script.init_model, limit)
        # run(text) is the shape of most scripts: it is called without building a dict of arguments.
        self.arrays = arrays.rules_of(script.run) if script.shape == SCHEMA else {}
        # Where every parameter becomes an array of floats, the values are the same whichever parser reads them.
        floats = self.arrays and all(
            name in self.arrays and self.arrays[name][0].kind == "f" for name in script.parameters
        )
        self._parser = borrowed.parser(json_parser) if floats else None
        self._only_text = script.shape == STRING and not script.wants_headers and self.models is None

    def answer(self, body: bytes, request: Optional[Dict[str, Any]]) -> Answer:
        """Score one request.

        Args:
            body: the request's body.
            request: "method", "target", "headers" and more of the request, where the front sent them.

        Returns:
            The answer of the script.

        Raises:
            Refusal: the request does not fit the script, or the script failed.
        """
        if request is None and self._only_text:
            arguments: Dict[str, Any] = {self.script.input_parameter: text_of(body)}
        else:
            if request is not None and "packed" in request:
                body = unpacked(body, request["packed"])
            if request is not None and "charset" in request:
                body = recoded(body, request["charset"])
            if request is not None and "inference" in request:
                from .inference import infer

                return infer(self, body, request)
            arguments = self._arguments(body, request or {"method": "POST", "target": "/score", "headers": []})
        start = time.perf_counter()
        try:
            value = self.script.run(**arguments)
            if type(value) is not list:  # what most scripts return is no coroutine, and no response either
                value = awaited(value)
        except BaseException as error:  # SystemExit too: a script's sys.exit() ends its request, not the worker
            raise self.refusal(error, time.perf_counter() - start) from error
        seconds = time.perf_counter() - start
        return self.encoded(value, seconds) if type(value) is list else self._from_value(value, seconds)

    def _arguments(self, body: bytes, request: Dict[str, Any]) -> Dict[str, Any]:
        script = self.script
        method, target, headers = request["method"], request["target"], request["headers"]
        if script.shape == RAW:
            whole = AMLRequest(method, target, headers, body, request.get("remote_addr", ""), _scheme(request))
            arguments: Dict[str, Any] = {script.input_parameter: whole}
        elif script.shape == SCHEMA:
            given = query_values(target) if method == "GET" else self._given(body)
            arguments = {name: given[name] for name in script.parameters if name in given}
            self.complete(arguments)
        else:
            text = json.dumps(self._without_name(query_values(target))) if method == "GET" else text_of(body)
            arguments = {script.input_parameter: text}
        if script.wants_headers:
            arguments["request_headers"] = {name.title(): value for name, value in headers}
        self.add_model(arguments, request)
        return arguments

    def _given(self, body: bytes) -> Dict[str, Any]:
        """Return the object of a body, read by the borrowed parser where there is one."""
        if self._parser is not None:
            try:
                parsed = self._parser(body)
                if type(parsed) is dict:
                    return parsed
            except ValueError:
                pass  # it may be what only json reads, and its messages are the ones that are known
        return object_of(body)

    def _without_name(self, values: Dict[str, Any]) -> Dict[str, Any]:
        """Leave out of a query what names the model."""
        if self.models is None:
            return values
        return {name: value for name, value in values.items() if name not in multi_model.QUERY}

    def add_model(self, arguments: Dict[str, Any], request: Dict[str, Any]) -> None:
        """Add the model that the request names, where the script loads models by name.

        Raises:
            Refusal: there is no such model, it does not fit the limit, or the script failed to load it.
        """
        if self.models is None:
            return
        try:
            arguments["model"] = self.models.find(*multi_model.named(request))
        except Refusal:
            raise
        except BaseException as error:  # the script's init_model()
            raise self.refusal(error, 0.0) from error

    def complete(self, arguments: Dict[str, Any]) -> None:
        """Make a schema script's arguments what run() is called with: arrays converted, defaults added.

        Raises:
            Refusal: a parameter without a default is missing.
        """
        self.convert_arrays(arguments)
        for name, value in self.script.defaults.items():
            arguments.setdefault(name, value)
        for name in self.script.required:
            if name not in arguments:
                raise Refusal(400, "parameter_missing", "A value is not provided for the %r parameter." % name)

    def convert_arrays(self, arguments: Dict[str, Any]) -> None:
        """Turn lists into the arrays that numpy samples ask for, where that has no surprises."""
        for name, rule in self.arrays.items():
            if name in arguments:
                arguments[name] = arrays.convert(arguments[name], rule)

    def refusal(self, error: BaseException, seconds: float) -> Refusal:
        """Return the refusal for what the script raised after some seconds."""
        if isinstance(error, Refusal):  # a script of ours, which says itself what is wrong with the request
            return error
        if isinstance(error, BadRequest):
            return Refusal(400, "bad_request", error.reason)
        if self.script.shape == SCHEMA:
            found = schema.conversion_error(error, self.script.run)
            if found is not None:
                message = "The value of %r cannot be converted: %s" % (found["path"], found.pop("message"))
                return Refusal(400, "value_not_convertible", message, details=found)
        described = failure.describe(error, self._folders, "run_failed")
        more = {"traceback": described["traceback"], "seconds": seconds}
        if isinstance(error, SystemExit):
            more["hint"] = "run() called sys.exit(); return a value or raise an exception instead"
        elif (
            self.script.shape == STRING
            and isinstance(error, AttributeError)
            and str(error).startswith("'str' object has no attribute")
        ):
            more["hint"] = RAWHTTP_HINT
        return Refusal(500, "run_failed", described["message"], **more)

    def _from_value(self, value: Any, seconds: float) -> Answer:
        kind = type(value)
        if kind not in (dict, list, str, int, float, bool, type(None)):
            try:
                known = http_response.as_answer(value, seconds)
            except http_response.BadResponse as error:
                raise Refusal(500, "result_not_encodable", str(error), seconds=seconds) from error
            except Exception as error:  # whatever a property of the script's object raises
                message = "The response that run() returned cannot be read"
                trace = failure.text_of(error)
                raise Refusal(500, "result_not_encodable", message, traceback=trace, seconds=seconds) from error
            if known is not None:
                return known
            if isinstance(value, BaseException):
                message = "run() returned an exception instead of raising it"  # its text is for the log alone
                hint = "let run() raise it, or return a value such as {'error': str(e)}"
                trace = "%s\n%s" % (message, failure.text_of(value))
                raise Refusal(500, "result_not_encodable", message, hint=hint, traceback=trace, seconds=seconds)
        return self.encoded(value, seconds)

    def encoded(self, value: Any, seconds: float, rows: Optional[int] = None) -> Answer:
        """Return a result as JSON, and count its rows.

        Args:
            value: the result.
            seconds: time in run().
            rows: its rows, where they are not to be seen in the value.

        Raises:
            Refusal: it has no JSON form, or is not finite where that is an error.
        """
        try:
            text, non_finite = encode(value, self._non_finite)
        except Exception as error:
            raise _unencodable(error, seconds) from error
        if rows is None:
            rows = len(value) if type(value) is list else rows_of(value)
        self.rows += rows
        return Answer(seconds, text, non_finite=non_finite)


def _unencodable(error: Exception, seconds: float) -> Refusal:
    """Return the refusal for a result that is not sent."""
    code, message = "result_not_encodable", "The result of run() cannot be encoded as JSON: %s" % error
    more = {"hint": "return values that JSON knows, numpy or pandas values, or an AMLResponse"}
    if isinstance(error, NotFinite):
        code, message = "result_not_finite", "The result holds a number that is not finite: %s" % error
        more = {"hint": "remove it in run(), or choose the setting nan: legacy, null or string"}
    elif not isinstance(error, NotEncodable):
        message, more = "The result of run() cannot be encoded", {"traceback": failure.text_of(error)}
    return Refusal(500, code, message, seconds=seconds, **more)


def _scheme(request: Dict[str, Any]) -> str:
    """How the client's request came: behind a gateway of ours, which ends TLS, that is what the gateway says."""
    if "SENDOFF_GATEWAY" in os.environ:
        for name, value in request["headers"]:
            if name.lower() == "x-forwarded-proto":
                return "https" if value == "https" else "http"
    return str(request.get("scheme", "http"))
