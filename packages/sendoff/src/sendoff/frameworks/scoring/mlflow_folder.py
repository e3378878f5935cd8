"""MLflow model folders, asked in the forms of MLflow's own scoring server, at /score and at /invocations.

Flavours whose library is known are loaded by it; any other through ``mlflow.pyfunc``. Source of the forms: MLflow's
documentation of its scoring server: ``dataframe_split``, ``dataframe_records``, ``instances``, ``inputs``.
"""

import importlib
import os
from typing import Any, Dict, List

import numpy as np

from . import estimator, pickles, schema, tabular
from .application import bad_input, not_found, sentence
from .columns import Columns
from .signature import Signature

_TENSOR = ("inputs", "instances")


def load(config: Dict[str, Any], path: str) -> "Folder":
    """Load the folder by its own flavour, else through MLflow."""
    native = config.get("native")
    flavor = (config.get("flavors") or {}).get(native) or {}
    if native is None:
        return Folder(config, _Function(path), "MLflow's python_function")
    if native == "sklearn" or config.get("estimator"):
        file = os.path.join(path, flavor.get("pickled_model") or flavor.get("data") or "model.pkl")
        default = config.get("method") or "predict"
        inner: Any = estimator.Estimator(_estimator(config, native, file), "", default=default)
    else:
        module = importlib.import_module("sendoff_no_code." + ("onnx_graph" if native == "onnx" else "boosters"))
        default = {"onnx": "model.onnx", "xgboost": "model.xgb"}.get(native, "model.lgb")
        file = os.path.join(path, flavor.get("data") or default)
        inner = module.load(dict(config, framework=native), file)
    return Folder(config, inner, "MLflow folder of flavour %s" % native)


def _estimator(config: Dict[str, Any], native: str, file: str) -> Any:
    """Load an object that has scikit-learn's methods; XGBoost's are in the library's own form."""
    if native != "xgboost":
        return pickles.load(file, config)
    made = getattr(importlib.import_module("xgboost.sklearn"), config["estimator"])()
    made.load_model(file)
    return made


class _Function:
    """A folder's python_function: whatever MLflow can load."""

    hint = 'send {"dataframe_split": {"columns": […], "data": [[…]]}} or {"inputs": …}'

    def __init__(self, path: str) -> None:
        import mlflow.pyfunc

        self._model = mlflow.pyfunc.load_model(path)
        self.columns = Columns(None, None, by_name=True)

    def call(self, rows: Any, params: Any = None) -> Any:
        try:
            return self._model.predict(rows) if params is None else self._model.predict(rows, params=params)
        except Exception as error:
            if type(error).__name__ in ("MlflowException", "ValueError", "TypeError", "KeyError"):
                raise bad_input("The model refuses the input: %s" % sentence(error)) from error
            raise


class Folder:
    """Scores with a folder's model.

    Args:
        config: the service's, with the folder's signature and flavours.
        inner: the adapter of the flavour.
        title: what the log calls it.
    """

    hint = _Function.hint

    def __init__(self, config: Dict[str, Any], inner: Any, title: str) -> None:
        self.title = title
        self._config = config
        self._inner = inner
        self._signature = Signature((config.get("signature") or {}).get("inputs"))
        self._named = self._signature.columns
        if self._named and isinstance(inner, _Function) and not self._signature.optional():
            inner.columns = Columns(self._signature.names, None)
        elif self._named and hasattr(inner, "columns") and inner.columns.names is None:
            inner.columns = Columns(self._signature.names, None, inner.columns.known)
        if hasattr(inner, "cast"):
            inner.cast = self._signature

    def read_csv(self, body: bytes) -> Any:
        """Return the rows of a CSV body as a body's value."""
        columns = getattr(self._inner, "columns", None)
        return tabular.read_csv(body, {**self._signature.texts(), **(columns.empty_texts() if columns else {})})

    def score(self, payload: Any, request: Any) -> Any:
        """Answer ``{"predictions": …}``."""
        if isinstance(payload, dict) and not any(name in payload for name in tabular.DATA):
            raise bad_input("One of dataframe_split, dataframe_records, instances and inputs is needed", hint=self.hint)
        return {"predictions": self._predict(payload, request)}

    def _predict(self, payload: Any, request: Any) -> Any:
        if isinstance(self._inner, _Function):
            return tabular.plain(self._function(payload))
        if isinstance(payload, dict) and payload.get("params"):
            raise bad_input("The model takes no params", hint="its flavour's predict() is called with the rows alone")
        if not hasattr(self._inner, "columns"):  # a graph takes tensors
            made = self._inner.score(payload, request)
            return made.get("outputs", made) if isinstance(made, dict) else made
        method = payload.get("method") if isinstance(payload, dict) else None
        if method is not None and method not in self._inner.methods:
            return self._inner.score(payload, request)  # which refuses it
        rows = self._signature.values(self._inner.columns.read(payload))
        return self._inner.call(rows, method or self._inner.methods[0])

    def _function(self, payload: Any) -> Any:
        params = payload.get("params") if isinstance(payload, dict) else None
        tensor = next((name for name in _TENSOR if isinstance(payload, dict) and name in payload), None)
        given = payload[tensor] if tensor is not None and not self._named else None
        if isinstance(given, dict):
            rows: Any = {name: self._signature.array(value, self.hint, name) for name, value in given.items()}
        elif given is not None and not (isinstance(given, list) and given and isinstance(given[0], dict)):
            rows = self._signature.array(given, self.hint)
        else:
            rows = self._frame(self._inner.columns.read(payload))
        return self._inner.call(rows, params)

    def _frame(self, table: tabular.Table) -> Any:
        return self._signature.frame(self._inner.columns.frame(self._signature.values(table)))

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
            made = schema.rows(self._signature.names, None, self._signature.schemas())
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
        return schema.tensors(self._signature.names, None, self._signature.schemas(), False)

    def infer(self, inputs: Dict[str, Any]) -> Dict[str, Any]:
        """Score the tensors of a V2 request."""
        if not isinstance(self._inner, _Function):
            found: Dict[str, Any] = self._inner.infer(inputs)
            return found
        if self._named:
            table = self._inner.columns.from_tensors(inputs)
            return {"output": tabular.plain(self._inner.call(self._frame(table)))}
        values = {name: np.array(one["data"]).reshape(one["shape"]) for name, one in inputs.items()}
        given = next(iter(values.values())) if len(values) == 1 else values
        return {"output": tabular.plain(self._inner.call(given))}
