"""TensorFlow SavedModel, asked in TensorFlow Serving's REST forms: predict, classify, regress, metadata, status.

Source: tensorflow/serving, g3doc/api_rest.md. The graph is loaded as that server does, by its signatures, so models of
TensorFlow 1 and 2 are the same here.
"""

import base64
import binascii
import json
import os
import re
from typing import Any, Dict, List

import numpy as np

from sendoff_serving.worker.http_response import AMLResponse

from . import schema, tensors
from .application import bad_input, cpu_share, not_found

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
import tensorflow  # noqa: E402  # after the variables that it reads when it is imported

_ROUTE = re.compile(r"/v1/models/([^/:]+)(?:/(versions|labels)/([^/:]+))?(/metadata|:[a-z]+)?$")
_SCORE = re.compile(r"/score:([a-z]+)$")
_DEFAULT = "serving_default"
_VERBS = ("predict", "classify", "regress")
_KNOWN = [_DEFAULT, "predict", "classify", "regress"]


def load(config: Dict[str, Any], path: str) -> "SavedModel":
    """Load the folder's graph for serving into a session that uses the service's share of the cores."""
    v1 = getattr(tensorflow.compat, "v1", tensorflow) if hasattr(tensorflow, "compat") else tensorflow
    threads = cpu_share(config)
    settings = v1.ConfigProto(intra_op_parallelism_threads=threads, inter_op_parallelism_threads=threads)
    graph = tensorflow.Graph()
    session = v1.Session(graph=graph, config=settings)
    with graph.as_default():
        found = v1.saved_model.loader.load(session, ["serve"], path)
    title = "SavedModel on TensorFlow %s with %d thread(s)" % (tensorflow.__version__, threads)
    return SavedModel(config, session, found.signature_def, title)


class _Signature:
    """One of the model's signatures: what is fed, what is fetched, under which names."""

    def __init__(self, name: str, definition: Any) -> None:
        self.name = name
        self.definition = definition
        self.method = definition.method_name
        self.inputs = {key: info for key, info in sorted(definition.inputs.items())}
        self.outputs = {key: info for key, info in sorted(definition.outputs.items()) if info.name}


class SavedModel:
    """Scores with the signatures of one SavedModel.

    Args:
        config: the service's.
        session: TensorFlow's, with the graph loaded.
        signatures: the SignatureDefs by name.
        title: what the log calls it.
    """

    hint = 'send {"instances": [ … ]}, one value for each row, or {"inputs": {name: …}}'

    def __init__(self, config: Dict[str, Any], session: Any, signatures: Any, title: str) -> None:
        self.title = title
        self._config = config
        self._session = session
        self._names = {config["name"], os.environ.get("SERVICE_NAME") or config["name"]}
        self._version = str(config["version"])
        self._calls: Dict[Any, Any] = {}
        found = {name: _Signature(name, one) for name, one in signatures.items() if not name.startswith("__")}
        self._signatures = {name: one for name, one in sorted(found.items()) if one.inputs and one.outputs}
        if not self._signatures:
            raise ValueError("the SavedModel has no signature to call: save it with signatures=…")
        first = next((name for name in _KNOWN if name in self._signatures), next(iter(self._signatures)))
        self._default = self._signatures[first]

    # Requests

    def score(self, payload: Any, request: Any) -> Any:
        """Answer /score: ``examples`` are classified or regressed by their signature, all else is predicted."""
        if isinstance(payload, dict) and "examples" in payload:
            signature = self._signature(payload)
            regresses = signature.method == "tensorflow/serving/regress"
            return self._examples(payload, signature, "regress" if regresses else "classify")
        return self._predict(payload)

    def allowed(self, path: str) -> List[str]:
        """Return the methods of a path other than /score, none where it is not there."""
        found = _ROUTE.search(path)
        if found:
            return ["GET"] if found.group(4) in (None, "/metadata") else ["POST"]
        return ["POST"] if _SCORE.search(path) else []

    def route(self, path: str, request: Any, scored: Any) -> Any:
        """Answer TensorFlow Serving's own paths, errors in its form."""
        try:
            found = _SCORE.search(path)
            if found:
                return scored(request, self._verb(found.group(1)))
            found = _ROUTE.search(path)
            if not found:
                raise not_found(path, ["/v1/models/%s" % self._config["name"]])
            name, kind, version, tail = found.groups()
            if name not in self._names or kind == "labels" or (version and version != self._version):
                wanted = "%s/%s" % (name, version or "latest")
                known = "/v1/models/%s/versions/%s" % (self._config["name"], self._version)
                raise not_found(path + ": Servable not found for request: " + wanted, [known])
            if tail is None or tail == "/metadata":
                return self._status() if tail is None else self.metadata()
            return scored(request, self._verb(tail[1:]))
        except Exception as error:
            content = getattr(error, "content", None)
            if content is None:
                raise
            body = {"error": content["message"], "code": content["code"]}
            if content.get("hint"):
                body["hint"] = content["hint"]
            status = error.status if hasattr(error, "status") else 400
            return AMLResponse(json.dumps(body), status, {"Content-Type": "application/json"})

    def _verb(self, verb: str) -> Any:
        if verb not in _VERBS:
            raise not_found(":" + verb, ["POST :" + one for one in _VERBS])
        if verb == "predict":
            return lambda payload, _: self._predict(payload)
        return lambda payload, _: self._examples(payload, self._signature(payload, verb), verb)

    def _signature(self, payload: Any, verb: str = "") -> _Signature:
        name = payload.get("signature_name") if isinstance(payload, dict) else None
        if name in (None, ""):
            return self._default
        if not isinstance(name, str) or name not in self._signatures:
            raise bad_input("The model has no signature %r" % (name,), hint="it has " + ", ".join(self._signatures))
        return self._signatures[name]

    def _predict(self, payload: Any) -> Any:
        if not isinstance(payload, dict):
            payload = {"instances": payload}
        signature = self._signature(payload)
        rows = payload.get("instances", payload.get("data"))
        if ("inputs" in payload) == (rows is not None):
            raise bad_input("One of 'instances' and 'inputs' is needed, not both", hint=self.hint)
        if rows is not None:
            feeds = self._by_rows(rows, signature)
            return {"predictions": _rows(self.run(signature, feeds))}
        given = payload["inputs"]
        if not isinstance(given, dict) or _is_binary(given):
            given = {self._only(signature): given}
        feeds = {name: self._tensor(signature, name, value) for name, value in given.items()}
        outputs = {name: _plain(name, value) for name, value in self.run(signature, feeds).items()}
        return {"outputs": next(iter(outputs.values())) if len(outputs) == 1 else outputs}

    def _by_rows(self, rows: Any, signature: _Signature) -> Dict[str, Any]:
        if not isinstance(rows, list) or not rows:
            raise bad_input("instances should be a list of rows, and not empty", hint=self.hint)
        named = isinstance(rows[0], dict) and not _is_binary(rows[0])
        if not named:
            return {self._only(signature): self._tensor(signature, self._only(signature), rows)}
        if any(not isinstance(row, dict) or row.keys() != rows[0].keys() for row in rows):
            raise bad_input("Each of instances should name the same inputs: %s" % ", ".join(signature.inputs))
        return {name: self._tensor(signature, name, [row[name] for row in rows]) for name in rows[0]}

    def _only(self, signature: _Signature) -> str:
        if len(signature.inputs) != 1:
            raise bad_input(
                "Signature %s has %d inputs: name them" % (signature.name, len(signature.inputs)),
                hint="they are " + ", ".join(signature.inputs),
            )
        return str(next(iter(signature.inputs)))

    def _tensor(self, signature: _Signature, name: str, value: Any) -> Any:
        info = signature.inputs.get(name)
        if info is None:
            raise bad_input(
                "Signature %s has no input %r" % (signature.name, name), hint="it has " + ", ".join(signature.inputs)
            )
        dtype = _dtype(info)
        try:
            if dtype == np.dtype(object):
                return _texts(value)
            made = np.array(value)
            return tensors.cast(made, dtype)
        except (TypeError, ValueError, OverflowError, binascii.Error) as error:
            raise bad_input("The input %s cannot be made into %s: %s" % (name, dtype.name, error)) from error

    def _examples(self, payload: Any, signature: _Signature, verb: str) -> Any:
        """Answer classify and regress: features become the serialized Examples that such signatures take."""
        if not isinstance(payload, dict) or not isinstance(payload.get("examples"), list) or not payload["examples"]:
            raise bad_input("examples should be a list of objects", hint='send {"examples": [{"x": 1.0}]}')
        wanted = "tensorflow/serving/" + verb
        if signature.method != wanted:
            able = [one.name for one in self._signatures.values() if one.method == wanted]
            raise bad_input(
                "Signature %s cannot %s: its method is %s" % (signature.name, verb, signature.method),
                hint="signatures that can: " + (", ".join(able) or "none"),
            )
        context = payload.get("context") or {}
        examples = [_example(context, one) for one in payload["examples"]]
        outputs = self.run(signature, {self._only(signature): np.array(examples, dtype=object)})
        if verb == "regress":
            return {"results": np.asarray(outputs["outputs"]).reshape(len(examples)).tolist()}
        return {"results": _classes(outputs, len(examples))}

    def run(self, signature: _Signature, feeds: Dict[str, Any]) -> Dict[str, Any]:
        """Run one signature.

        Raises:
            Refusal: the tensors are not what it takes.
        """
        missing = [name for name in signature.inputs if name not in feeds]
        if missing:
            raise bad_input("The input %s is missing" % ", ".join(missing), hint=self.hint)
        call = self._calls.get(signature.name)
        if call is None:
            graph = self._session.graph
            fed = [graph.as_graph_element(info.name) for info in signature.inputs.values()]
            fetched = [graph.as_graph_element(info.name) for info in signature.outputs.values()]
            call = self._calls[signature.name] = self._session.make_callable(fetched, feed_list=fed)
        for name, info in signature.inputs.items():
            if not info.tensor_shape.unknown_rank:
                tensors.check_shape(name, list(feeds[name].shape), _shape(info))
        try:
            values = call(*[feeds[name] for name in signature.inputs])
        except (tensorflow.errors.InvalidArgumentError, ValueError, TypeError) as error:
            text = str(error).split("\n\t")[0].split("\nOriginal stack")[0]
            raise bad_input("The model refuses the input: %s" % " ".join(text.split())[:500]) from error
        return dict(zip(signature.outputs, values))

    # What the model is

    def _status(self) -> Dict[str, Any]:
        status = {"error_code": "OK", "error_message": ""}
        return {"model_version_status": [{"version": self._version, "state": "AVAILABLE", "status": status}]}

    def metadata(self) -> Dict[str, Any]:
        """Return the signatures as TensorFlow Serving's metadata has them."""
        signatures = {
            name: {
                "inputs": {key: _metadata(info) for key, info in one.inputs.items()},
                "outputs": {key: _metadata(info) for key, info in one.outputs.items()},
                "method_name": one.method,
            }
            for name, one in self._signatures.items()
        }
        spec = {"name": self._config["name"], "signature_name": "", "version": self._version}
        return {"model_spec": spec, "metadata": {"signature_def": {"signature_def": signatures}}}

    def describe(self) -> Dict[str, Any]:
        """Return what the default signature takes and gives, and the further paths."""
        default = self._default
        # The forms with examples take any features: only a parser inside the graph knows them.
        single = len(default.inputs) == 1
        rows = {
            name: tensors.nested(tensors.leaf(_kind(info)), _shape(info)[1:]) for name, info in default.inputs.items()
        }
        one = {"type": "object", "properties": rows, "required": list(rows)}
        instances = next(iter(rows.values())) if single else one
        examples = {name: tensors.example(_kind(info), _shape(info)[1:]) for name, info in default.inputs.items()}
        body = {
            "type": "object",
            "properties": {
                "signature_name": {"type": "string", "enum": list(self._signatures), "default": default.name},
                "instances": {"type": "array", "items": instances, "minItems": 1},
            },
            "required": ["instances"],
            "example": {"instances": [next(iter(examples.values())) if single else examples]},
        }
        answer = {"type": "object", "properties": {"predictions": {"type": "array", "items": {}}}}
        return {
            "input": body,
            "output": answer,
            "routes": ["/v1/models/", "/score:"],
            "paths": self._paths(),
            "tensors": {"inputs": _described(default.inputs), "outputs": _described(default.outputs)},
        }

    def _paths(self) -> Dict[str, Any]:
        base = "/v1/models/%s" % self._config["name"]
        plain = {"type": "object"}
        answer, body = schema.component("ServiceOutput"), schema.component("ServiceInput")
        return {
            base: {"get": schema.operation("ModelStatus", plain, plain)},
            base + "/metadata": {"get": schema.operation("ModelMetadata", plain, plain)},
            base + ":predict": {"post": schema.operation("Predict", answer, plain, body)},
        }

    def infer(self, inputs: Dict[str, Any]) -> Dict[str, Any]:
        """Score the tensors of a V2 request with the default signature."""
        feeds = {}
        for name, tensor in inputs.items():
            feeds[name] = self._tensor(self._default, name, tensor["data"]).reshape(tensor["shape"])
        return {name: _plain("", value) for name, value in self.run(self._default, feeds).items()}


def _is_binary(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"b64"}


def _dtype(info: Any) -> Any:
    return np.dtype(tensorflow.as_dtype(info.dtype).as_numpy_dtype)


def _texts(value: Any) -> Any:
    """Return nested texts as an array of bytes; ``{"b64": …}`` is binary."""
    if isinstance(value, list):
        parts = [_texts(one) for one in value]
        made: Any = np.empty((len(parts),) + (parts[0].shape if parts else ()), dtype=object)
        for at, part in enumerate(parts):
            if part.shape != made.shape[1:]:
                raise ValueError("the lists are not equally long")
            made[at] = part if part.shape else part.item()
        return made
    if _is_binary(value):
        if not isinstance(value["b64"], str):
            raise ValueError("b64 should be text")
        return np.array(base64.b64decode(value["b64"], validate=True), dtype=object)
    if isinstance(value, bytes):  # a tensor that came as bytes, such as an image
        return np.array(value, dtype=object)
    if not isinstance(value, str):
        raise ValueError("there are values that are not text")
    return np.array(value.encode("utf-8"), dtype=object)


def _plain(name: str, value: Any) -> Any:
    """Return an output as plain values: texts, and base64 where the name ends in ``_bytes``."""
    made = np.asarray(value)
    if made.dtype.kind not in "OSU":
        return made.tolist()

    def text(one: Any) -> Any:
        if isinstance(one, list):
            return [text(item) for item in one]
        if not isinstance(one, bytes):
            return str(one)
        if name.endswith("_bytes"):
            return {"b64": base64.b64encode(one).decode("ascii")}
        return one.decode("utf-8", "replace")

    return text(made.tolist())


def _rows(outputs: Dict[str, Any]) -> List[Any]:
    plain = {name: _plain(name, value) for name, value in outputs.items()}
    sizes = {len(value) if isinstance(value, list) else -1 for value in plain.values()}
    if len(sizes) != 1 or -1 in sizes:
        raise bad_input(
            "The outputs are not one value for each row", hint='use the columnar form, {"inputs": …}, for this model'
        )
    if len(plain) == 1:
        found: List[Any] = next(iter(plain.values()))
        return found
    return [dict(zip(plain, row)) for row in zip(*plain.values())]


def _example(context: Any, features: Any) -> bytes:
    if not isinstance(features, dict) or not isinstance(context, dict):
        raise bad_input("Each of examples should be an object of features")
    shared = sorted(set(context) & set(features))
    if shared:
        raise bad_input("The feature %s is in the context and in an example" % ", ".join(shared))
    made = tensorflow.train.Example()
    for name, value in dict(context, **features).items():
        values = value if isinstance(value, list) else [value]
        feature = made.features.feature[name]
        try:
            if all(isinstance(one, int) and not isinstance(one, bool) for one in values):
                feature.int64_list.value.extend(values)
            elif all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in values):
                feature.float_list.value.extend(float(one) for one in values)
            else:
                feature.bytes_list.value.extend(_texts(one).item() for one in values)
        except (TypeError, ValueError, OverflowError, binascii.Error) as error:
            raise bad_input("The feature %s cannot be read: %s" % (name, error)) from error
    return bytes(made.SerializeToString())


def _classes(outputs: Dict[str, Any], count: int) -> List[Any]:
    scores = outputs.get("scores")
    classes = outputs.get("classes")
    values = np.asarray(scores).reshape(count, -1).tolist() if scores is not None else None
    labels = _plain("classes", np.asarray(classes).reshape(count, -1)) if classes is not None else None
    found = []
    for at in range(count):
        row_scores = values[at] if values is not None else [0.0] * len(labels[at] if labels else [])
        row_labels = labels[at] if labels is not None else [""] * len(row_scores)
        found.append([[label, score] for label, score in zip(row_labels, row_scores)])
    return found


def _shape(info: Any) -> List[int]:
    return [int(dimension.size) for dimension in info.tensor_shape.dim]


def _metadata(info: Any) -> Dict[str, Any]:
    dims = [{"size": str(dimension.size), "name": dimension.name} for dimension in info.tensor_shape.dim]
    return {
        "dtype": "DT_"
        + tensorflow.as_dtype(info.dtype).name.upper().replace("FLOAT32", "FLOAT").replace("FLOAT64", "DOUBLE"),
        "tensor_shape": {"dim": dims, "unknown_rank": bool(info.tensor_shape.unknown_rank)},
        "name": info.name,
    }


def _described(infos: Dict[str, Any]) -> List[Dict[str, Any]]:
    return [tensors.described(name, _kind(info), _shape(info)) for name, info in infos.items()]


def _kind(info: Any) -> str:
    return str(_dtype(info).name)
