"""The entry script of a service without code of its own: init() and run() as every entry script has them."""

import importlib
from typing import Any, Dict

from sendoff_serving.worker.http_request import rawhttp

application: Any = None


def init() -> None:
    """Load the model, and the hooks beside it."""
    global application
    application = importlib.import_module("sendoff_no_code.application").load()


@rawhttp
def run(request: Any) -> Any:
    """Answer one request."""
    return application.run(request)


def describe_service() -> Dict[str, Any]:
    """Say what the model takes and gives."""
    found: Dict[str, Any] = application.describe()
    return found


def infer_tensors(inputs: Dict[str, Any]) -> Dict[str, Any]:
    """Score tensors of the Open Inference Protocol."""
    found: Dict[str, Any] = application.infer(inputs)
    return found
