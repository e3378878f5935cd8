"""What ``inference_schema`` of the user's environment knows about run(): its schema and its conversions.

The package is used as it is; here we only read what its decorators recorded and tell its conversion errors
from errors of the script.
"""

import inspect
import json
import sys
from types import TracebackType
from typing import Any, Dict, List, Optional, Tuple

from .encoding import encode


def _recorded() -> Any:
    """The package's module that holds the recorded schemas, if the script has imported it."""
    return sys.modules.get("inference_schema.schema_util")


def is_decorated(run: Any) -> bool:
    """Whether run() carries ``@input_schema`` (``@output_schema`` alone does not change how it is called)."""
    recorded = _recorded()
    if recorded is None:
        return False
    try:
        properties = recorded.get_input_schema(run).get("properties", {})
    except Exception:
        return False
    return bool(properties)


def parameter_types(run: Any, optional: bool = True) -> Dict[str, Any]:
    """Return the parameter type objects of run()'s input decorators, by parameter name.

    Args:
        run: the decorated function.
        optional: list those too that the decorator says are optional.

    They are found in what the decorators closed over; a release of the package that keeps them elsewhere gives
    an empty answer, and what depends on them is left out.
    """
    found: Dict[str, Any] = {}
    function = run
    while hasattr(function, "__wrapped__"):
        wrapper = getattr(function, "_self_wrapper", None)
        names = getattr(getattr(wrapper, "__code__", None), "co_freevars", ())
        closed = {name: cell.cell_contents for name, cell in zip(names, getattr(wrapper, "__closure__", None) or ())}
        wanted = closed.get("convert_to_provided_type", True) and (optional or not closed.get("optional"))
        if "param_name" in closed and "param_type" in closed and wanted:
            found[closed["param_name"]] = closed["param_type"]
        function = function.__wrapped__
    return found


def shapes(run: Any) -> List[Tuple[List[str], List[int]]]:
    """Return the sizes that numpy samples prescribe for every dimension but the first.

    Each comes after the path of its array: the parameter, and the members of the objects it lies in.
    """
    found: List[Tuple[List[str], List[int]]] = []

    def look(path: List[str], kind: Any) -> None:
        for name, inner in (getattr(kind, "sample_data_type_map", None) or {}).items():
            look(path + [str(name)], inner)
        shape = getattr(getattr(kind, "sample_input", None), "shape", None)
        if type(kind).__name__ == "NumpyParameterType" and shape and getattr(kind, "enforce_shape", False):
            found.append((path, [int(size) for size in shape[1:]]))

    for name, kind in parameter_types(run).items():
        look([name], kind)
    return found


def document(run: Any) -> Optional[Dict[str, Any]]:
    """Return the recorded schemas of run() as plain JSON values.

    Returns:
        "input" and "output" (OpenAPI schema objects with their examples) and "versions" (document versions
        they can be expressed in), "shapes" (sizes that arrays must have); None where nothing is recorded.
    """
    recorded = _recorded()
    if recorded is None:
        return None
    try:
        found = {
            "input": recorded.get_input_schema(run),
            "output": recorded.get_output_schema(run),
            "versions": _versions(recorded, run),
            "shapes": shapes(run),
        }
        plain: Dict[str, Any] = json.loads(encode(found, "null")[0].decode("ascii"))
    except Exception as error:
        sys.stderr.write("The schema of run() cannot be described: %s\n" % error)
        return None
    return plain


def _versions(recorded: Any, run: Any) -> List[str]:
    if not hasattr(recorded, "get_supported_versions"):
        return ["2.0", "3.0", "3.1"]  # releases before 1.4 knew only what every version can express
    return [str(version) for version in recorded.get_supported_versions(run)]


def conversion_error(error: BaseException, run: Any) -> Optional[Dict[str, Any]]:
    """Tell whether an exception came from converting the input, before the script's own code ran.

    Args:
        error: what calling run() raised.
        run: the decorated function.

    Returns:
        "path" (parameter), "got" (kind of the value) and "message", or None for an error of the script.
    """
    own_code = getattr(inspect.unwrap(run), "__code__", None)
    found: Optional[Dict[str, Any]] = None
    at: Optional[TracebackType] = error.__traceback__
    while at is not None:
        frame = at.tb_frame
        if frame.f_code is own_code:
            return None
        if frame.f_code.co_name == "_deserialize_input_argument":
            name = frame.f_locals.get("param_name")
            path = "%s.%s" % (found["path"], name) if found and found["path"] != name else name
            found = {
                "path": path,
                "expected": _expected(frame.f_locals.get("param_type")),
                "got": type(frame.f_locals.get("input_data")).__name__,
                "message": _said(error),
            }
        at = at.tb_next
    return found


def _said(error: BaseException) -> str:
    if type(error) is KeyError:  # its text is the key alone
        return "%s is missing" % error
    return str(error).strip() or type(error).__name__


def _expected(param_type: Any) -> str:
    """Say in a few words what a parameter type takes."""
    sample = getattr(param_type, "sample_input", None)
    name = type(param_type).__name__.replace("ParameterType", "")
    shape, dtype = getattr(sample, "shape", None), getattr(sample, "dtype", None)
    if shape is not None and dtype is not None:
        sizes = ", ".join(["any"] + [str(size) for size in shape[1:]])
        return "%s array of %s, shape (%s)" % (name.lower(), dtype, sizes)
    columns = getattr(sample, "columns", None)
    if columns is not None:
        return "%s frame with columns %s" % (name.lower(), ", ".join(str(column) for column in columns))
    return type(sample).__name__
