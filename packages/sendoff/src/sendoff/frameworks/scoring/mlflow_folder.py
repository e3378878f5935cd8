"""MLflow model folders, asked in the forms of MLflow's own scoring server, at /score and at /invocations.

Flavours whose library is known are loaded by it; any other through ``mlflow.pyfunc``. Source of the forms: MLflow's
documentation of its scoring server: ``dataframe_split``, ``dataframe_records``, ``instances``, ``inputs``.
"""

import importlib
import json
import os
from typing import Any, Dict, List, Optional

import numpy as np

from . import schema, tabular
from .application import bad_input, not_found, sentence

_NUMBERS = ("double", "float", "integer", "long")
_OPENAPI = {"string": "string", "boolean": "boolean", "integer": "integer", "long": "integer"}
_TENSOR = ("inputs", "instances")


def load(config: Dict[str, Any], path: str) -> "Folder":
    """Load the folder by its own flavour, else through MLflow."""
    native = config.get("native")
    flavor = (config.get("flavors") or {}).get(native) or {}
    if native is None:
        return Folder(config, _Function(path), "MLflow's python_function")
    if native == "sklearn":
        from . import estimator, pickles

        file = os.path.join(path, flavor.get("pickled_model") or "model.pkl")
        inner: Any = estimator.Estimator(pickles.load(file, config), "", default="predict")
    else:
        module = importlib.import_module("sendoff_no_code." + ("onnx_graph" if native == "onnx" else "boosters"))
        default = {"onnx": "model.onnx", "xgboost": "model.xgb"}.get(native, "model.lgb")
        file = os.path.join(path, flavor.get("data") or default)
        inner = module.load(dict(config, framework=native), file)
    return Folder(config, inner, "MLflow folder of flavour %s" % native)


class _Function:
    """A folder's python_function: whatever MLflow can load."""

    hint = 'send {"dataframe_split": {"columns": […], "data": [[…]]}} or {"inputs": …}'

    def __init__(self, path: str) -> None:
        import mlflow.pyfunc

        self._model = mlflow.pyfunc.load_model(path)
        self.columns = tabular.Columns(None, None)

    def call(self, rows: Any) -> Any:
        return self._model.predict(rows)


class Folder:
    """Scores with a folder's model.

    Args:
        config: the service's, with the folder's signature and flavours.
        inner: the adapter of the flavour.
        title: what the log calls it.
    """

    hint = _Function.hint
    read_csv = staticmethod(tabular.read_csv)

    def __init__(self, config: Dict[str, Any], inner: Any, title: str) -> None:
        self.title = title
        self._config = config
        self._inner = inner
        self._signature = _signature((config.get("signature") or {}).get("inputs"))
        self._named = [one for one in self._signature if one.get("name") and one.get("type") != "tensor"]
        if self._named and hasattr(inner, "columns") and inner.columns.names is None:
            inner.columns = tabular.Columns([one["name"] for one in self._named], None)

    def score(self, payload: Any, request: Any) -> Any:
        """Answer ``{"predictions": …}``."""
        if isinstance(payload, dict) and not any(name in payload for name in tabular.DATA):
            raise bad_input("One of dataframe_split, dataframe_records, instances and inputs is needed", hint=self.hint)
        return {"predictions": self._predict(payload, request)}

    def _predict(self, payload: Any, request: Any) -> Any:
        if isinstance(self._inner, _Function):
            return tabular.plain(self._function(payload))
        if not hasattr(self._inner, "columns"):  # a graph takes tensors
            made = self._inner.score(payload, request)
            return made.get("outputs", made) if isinstance(made, dict) else made
        if isinstance(payload, dict) and "method" in payload:
            return self._inner.score(payload, request)
        return self._inner.call(self._inner.columns.read(payload), self._inner.methods[0])

    def _function(self, payload: Any) -> Any:
        rows: Any
        tensor = next((name for name in _TENSOR if isinstance(payload, dict) and name in payload), None)
        if tensor is not None and not self._named:
            given = payload[tensor]
            if isinstance(given, dict):
                rows = {name: self._array(value) for name, value in given.items()}
            elif isinstance(given, list) and given and isinstance(given[0], dict):
                rows = self._inner.columns.frame(self._inner.columns.read(given))
            else:
                rows = self._array(given)
        else:
            rows = self._inner.columns.frame(self._inner.columns.read(payload))
        try:
            return self._inner.call(rows)
        except Exception as error:
            if type(error).__name__ in ("MlflowException", "ValueError", "TypeError", "KeyError"):
                raise bad_input("The model refuses the input: %s" % sentence(error)) from error
            raise

    def _array(self, value: Any) -> Any:
        try:
            made = np.array(value)
            if made.dtype == object:
                raise ValueError("the lists are not equally long")
            wanted = next((one.get("tensor-spec", {}).get("dtype") for one in self._signature), None)
            return made.astype(wanted) if wanted else made
        except (TypeError, ValueError, OverflowError) as error:
            raise bad_input("The input cannot be made into an array: %s" % error, hint=self.hint) from error

    def allowed(self, path: str) -> List[str]:
        """Return the methods of a path other than /score, none where it is not there."""
        return ["POST"] if path == "/invocations" else []

    def route(self, path: str, request: Any, scored: Any) -> Any:
        """Answer the paths of MLflow's scoring server."""
        if path == "/invocations":
            return scored(request, self.score)
        raise not_found(path, ["/score", "POST /invocations"])

    def describe(self) -> Dict[str, Any]:
        """Return the inner model's description, with MLflow's request around it."""
        found: Dict[str, Any] = {} if isinstance(self._inner, _Function) else self._inner.describe()
        body: Dict[str, Any] = found.get("input") or {}
        inner = body.get("properties", {})
        example = body.get("example") or {}
        if self._named:
            kinds = {one["name"]: _kind(one) for one in self._named}
            made = schema.rows([one["name"] for one in self._named], None, kinds)
            inner, example = made["properties"], made["example"]
        if "data" in inner:
            records = self._named or (inner["data"].get("items") or {}).get("type") == "object"
            member = "dataframe_records" if records else "inputs"
            properties = {member: inner["data"]}
            example = {member: example["data"]}
            required = [member]
        else:
            properties = inner or {"inputs": {"description": "What the model takes."}}
            required = ["inputs"] if "inputs" in properties else []
        body = {"type": "object", "properties": properties, "required": required, "example": example}
        answer: Dict[str, Any] = {"type": "object", "properties": {"predictions": {}}, "required": ["predictions"]}
        if "output" in found and "example" in found["output"]:
            answer["example"] = {"predictions": found["output"]["example"]}
        invocations = schema.operation(
            "Invocations",
            schema.component("ServiceOutput"),
            schema.component("ErrorResponse"),
            schema.component("ServiceInput"),
        )
        tensors = found.get("tensors") or {"inputs": self._tensors(), "outputs": []}
        if self._named and "tensors" in found:
            tensors = dict(tensors, inputs=self._tensors())
        return {
            "input": body,
            "output": answer,
            "tensors": tensors,
            "routes": ["/invocations"],
            "paths": {"/invocations": {"post": invocations}},
        }

    def _tensors(self) -> List[Dict[str, Any]]:
        if not self._named:
            return schema.tensors(None, None, {}, False)
        names = [one["name"] for one in self._named]
        return schema.tensors(names, None, {one["name"]: _kind(one) for one in self._named}, False)

    def infer(self, inputs: Dict[str, Any]) -> Dict[str, Any]:
        """Score the tensors of a V2 request."""
        if not isinstance(self._inner, _Function):
            found: Dict[str, Any] = self._inner.infer(inputs)
            return found
        if self._named:
            table = self._inner.columns.from_tensors(inputs)
            return {"output": tabular.plain(self._inner.call(self._inner.columns.frame(table)))}
        values = {name: np.array(one["data"]).reshape(one["shape"]) for name, one in inputs.items()}
        given = next(iter(values.values())) if len(values) == 1 else values
        return {"output": tabular.plain(self._inner.call(given))}


def _signature(text: Optional[str]) -> List[Dict[str, Any]]:
    if not text:
        return []
    try:
        found = json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return []
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _kind(column: Dict[str, Any]) -> Dict[str, Any]:
    kind = str(column.get("type"))
    if kind in _OPENAPI:
        return {"type": _OPENAPI[kind]}
    return {"type": "number", "format": "double"} if kind in _NUMBERS else {"type": "string"}
