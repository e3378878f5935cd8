"""``from azureml.ai.monitoring import Collector``: stores frames as ``ModelDataCollector`` does."""

import uuid
from typing import Any, Callable, Optional

from sendoff_serving.worker.collection import collection

_DESIGNATIONS = {"model_inputs": "inputs", "model_outputs": "predictions"}


class BasicCorrelationContext:
    """Ties the outputs of a request to its inputs.

    Args:
        id: the id; a new one when None.
    """

    def __init__(self, id: Optional[str] = None) -> None:  # noqa: A002
        self._id = id or str(uuid.uuid4())

    def get_id(self) -> str:
        """Return the id."""
        return self._id


class Collector:
    """Stores what a script collects for monitoring, when the service is deployed with ``collect_model_data=True``.

    Args:
        name: name of the collection; "model_inputs" and "model_outputs" become inputs and predictions.
        on_error: called with an exception when a frame is not stored; nothing is raised.
    """

    def __init__(self, *, name: str = "", on_error: Optional[Callable[[Exception], Any]] = None, **_: Any) -> None:
        collection.add()
        self.name = name
        self.on_error = on_error

    def collect(self, data: Any, correlation_context: Any = None) -> Any:
        """Store a frame; returns the context that was given, or a new one."""
        context = correlation_context or BasicCorrelationContext()
        if collection.on:
            model, version = collection.models[0] if collection.models else ("default", "default")
            designation = _DESIGNATIONS.get(self.name, self.name or "general")
            what = {"model": model, "version": version, "designation": designation, "collection": "default"}
            kept = collection.send(dict(what, correlation=str(context.get_id())), data, None)
            if not kept and self.on_error is not None:
                self.on_error(ValueError("the data is not stored: it is too large, or cannot be written as rows"))
        return context
