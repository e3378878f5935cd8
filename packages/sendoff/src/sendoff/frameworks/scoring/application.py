"""What every framework's service shares: the model's place, request bodies, hooks, errors of the caller."""

import importlib
import importlib.util
import inspect
import json
import os
import sys
import time
from typing import Any, Dict, List, Optional

from sendoff_serving.worker.answer import Refusal
from sendoff_serving.worker.http_response import AMLResponse
from sendoff_serving.worker.invoke import query_values

ADAPTERS = {
    "scikit-learn": "estimator",
    "xgboost": "boosters",
    "lightgbm": "boosters",
    "onnx": "onnx_graph",
    "tensorflow": "saved_model",
    "torch": "torch_program",
    "mlflow": "mlflow_folder",
}
"""The module of each framework; it has ``load(config, path)``, which gives an adapter."""

BINARY = frozenset({"application/octet-stream", "application/x-protobuf", "application/vnd.google.protobuf"})


def load() -> "Application":
    """Load the model that ``model.json`` beside this file names."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "model.json"), encoding="utf-8") as file:
        config: Dict[str, Any] = json.load(file)
    path = os.path.join(os.environ["AZUREML_MODEL_DIR"], *config["file"].split("/"))
    hooks = _hooks(config)
    module = importlib.import_module("sendoff_no_code." + ADAPTERS[config["framework"]])
    began = time.time()
    adapter = module.load(config, path)
    print("Loaded %s:%s, %s, in %.1f s" % (config["name"], config["version"], adapter.title, time.time() - began))
    return Application(config, adapter, hooks)


def bad_input(message: str, hint: Optional[str] = None, **details: Any) -> Refusal:
    """The refusal of a request that does not fit the model."""
    more: Dict[str, Any] = {"hint": hint} if hint else {}
    if details:
        more["details"] = details
    return Refusal(400, "input_invalid", message, **more)


def sentence(error: BaseException) -> str:
    """Return what a library says of an input, in one line that is not too long for an answer."""
    return " ".join(str(error).split())[:500] or type(error).__name__


def cpu_share(config: Dict[str, Any]) -> int:
    """Return how many cores one worker may keep busy: those that the service is allowed, divided among its workers."""
    cores: float = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    quota = _quota()
    given = os.environ.get("OMP_NUM_THREADS", "")
    if given.isdigit() and int(given) > 0:
        return int(given)
    if quota is not None:
        cores = min(cores, quota)
    if config.get("cpu"):  # what the deployment asked for, where nothing holds the service to it
        cores = min(cores, float(config["cpu"]))
    workers = os.environ.get("WORKER_COUNT", "1")
    return max(1, int(cores // (int(workers) if workers.isdigit() and int(workers) else 1)))


def _quota() -> Optional[float]:
    """Cores that the control group of a container may use, None for any number."""
    try:
        with open("/sys/fs/cgroup/cpu.max") as file:
            limit, period = file.read().split()
        return None if limit == "max" else float(limit) / float(period)
    except (OSError, ValueError):
        pass
    try:
        with open("/sys/fs/cgroup/cpu/cpu.cfs_quota_us") as file:
            limit = file.read().strip()
        with open("/sys/fs/cgroup/cpu/cpu.cfs_period_us") as file:
            period = file.read().strip()
        return None if int(limit) <= 0 else float(limit) / float(period)
    except (OSError, ValueError):
        return None


def _hooks(config: Dict[str, Any]) -> Any:
    """Execute the user's hooks file, if there is one."""
    if not config.get("hooks"):
        return None
    path = os.path.join(os.environ.get("AML_APP_ROOT") or os.getcwd(), *config["hooks"].split("/"))
    folder = os.path.dirname(path)
    if folder not in sys.path:
        sys.path.append(folder)
    spec = importlib.util.spec_from_file_location("sendoff_hooks", path)
    if spec is None or spec.loader is None:
        raise ImportError("%s is not a Python file" % path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["sendoff_hooks"] = module
    spec.loader.exec_module(module)
    main = sys.modules["__main__"]
    for name, value in vars(module).items():
        # Pickles name what the training script defined as __main__.NAME: the hooks may define it again.
        if not name.startswith("_") and not hasattr(main, name):
            setattr(main, name, value)
    return module


class _Hook:
    """One of the user's functions, called with the request too where it has a second parameter."""

    def __init__(self, function: Any) -> None:
        self._function = function
        try:
            count = len(inspect.signature(function).parameters)
        except (TypeError, ValueError):
            count = 1
        self._wants_request = count > 1

    def __call__(self, value: Any, request: Any) -> Any:
        return self._function(value, request) if self._wants_request else self._function(value)


class Application:
    """Answers the requests of one model.

    Args:
        config: the content of ``model.json``.
        adapter: scores; from a framework's module.
        hooks: the user's module, or None.
    """

    def __init__(self, config: Dict[str, Any], adapter: Any, hooks: Any) -> None:
        self._config = config
        self._adapter = adapter
        self._hooks = hooks
        self._before = self._hook("preprocess")
        self._after = self._hook("postprocess")
        self._binary = frozenset(getattr(adapter, "binary_types", ()))
        prefix = (os.environ.get("SERVICE_PATH_PREFIX") or "").strip("/")
        self._prefix = "/" + prefix if prefix else ""

    def _hook(self, name: str) -> Optional[_Hook]:
        function = getattr(self._hooks, name, None)
        return _Hook(function) if callable(function) else None

    def run(self, request: Any) -> Any:
        """Answer one HTTP request.

        Raises:
            Refusal: it does not fit the model.
        """
        path = request.path
        if self._prefix and path.startswith(self._prefix):
            path = path[len(self._prefix) :] or "/"
        if path == "/score" and request.method != "OPTIONS":
            return self.scored(request, self._adapter.score)
        methods = ["GET", "POST"] if path == "/score" else self._adapter.allowed(path)
        if methods and request.method not in methods:
            return _other_method(request.method, methods)
        return self._adapter.route(path, request, self.scored)

    def scored(self, request: Any, score: Any, payload: Any = None) -> Any:
        """Read a request's body, and score it between the user's hooks.

        Args:
            request: the HTTP request.
            score: given the body's value and the request, returns the result.
            payload: the body's value where it has been read.
        """
        if payload is None:
            payload = self._payload(request)
        if self._before is not None:
            payload = self._before(payload, request)
        result = score(payload, request)
        if self._after is not None:
            result = self._after(result, request)
        return result

    def _payload(self, request: Any) -> Any:
        if request.method == "GET":
            return query_values(request.full_path)
        body = request.get_data()
        kind = (request.content_type or "").partition(";")[0].strip().lower()
        if kind in self._binary:
            return body
        if self._before is not None and kind and not _is_json(kind):
            return body  # an image, say: what it means is for the hook to say
        if not body:
            raise Refusal(400, "body_empty", "The body is empty.", hint=self._adapter.hint)
        if kind == "text/csv" and hasattr(self._adapter, "read_csv"):
            return self._adapter.read_csv(body)
        try:
            return json.loads(body.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise Refusal(400, "body_not_utf8", "The body is not UTF-8 text: %s" % error) from error
        except (ValueError, RecursionError) as error:
            raise Refusal(400, "body_not_json", "The body is not JSON: %s" % error, hint=self._adapter.hint) from error

    def describe(self) -> Dict[str, Any]:
        """Return what the model takes and gives (``sendoff_serving/worker/described.py``)."""
        found: Dict[str, Any] = {"required": True}
        found.update(self._adapter.describe())
        names = [self._config["name"], os.environ.get("SERVICE_NAME") or self._config["name"]]
        found["models"] = {name: [str(self._config["version"])] for name in names}
        if self._before is not None:
            # What comes in is the hook's business; a sample of it may stand in the hooks file.
            sample = getattr(self._hooks, "sample_input", None)
            found["input"] = {"example": {} if sample is None else sample}
            if sample is None or isinstance(sample, dict):
                found["input"]["type"] = "object"
        if self._after is not None:
            sample = getattr(self._hooks, "sample_output", None)
            found["output"] = {} if sample is None else {"example": sample}
        return found

    def infer(self, inputs: Dict[str, Any]) -> Dict[str, Any]:
        """Score tensors; the hooks are for bodies and are not asked."""
        found: Dict[str, Any] = self._adapter.infer(inputs)
        return found


def _is_json(kind: str) -> bool:
    return kind.endswith(("/json", "+json")) or kind == "application/x-www-form-urlencoded"


def _other_method(method: str, methods: List[str]) -> Any:
    """Answer OPTIONS, and methods that a path does not have."""
    response = AMLResponse("", 200)
    if method != "OPTIONS":
        message = "The method is not allowed for the requested URL."
        body = {"status_code": 405, "message": message, "code": "method_not_allowed", "error": message}
        response = AMLResponse(json.dumps(body), 405, {"Content-Type": "application/json"})
    response.headers["Allow"] = ", ".join(sorted([*methods, "OPTIONS"]))
    return response


def not_found(path: str, known: List[str]) -> Refusal:
    """The refusal of a path that the model's own routes do not have."""
    return Refusal(404, "not_found", "There is nothing at %s" % path, hint="there is " + ", ".join(known))
