"""``from azureml.ai.monitoring import Collector``: accepted; nothing is collected."""

import sys
import uuid
from typing import Any, Callable, List, Optional

_said: List[bool] = []


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
    """Takes what scripts collect for monitoring; says once that collection is off.

    Args:
        name: name of the collection, such as "model_inputs".
        on_error: accepted; there are no errors.
    """

    def __init__(self, *, name: str = "", on_error: Optional[Callable[[Exception], Any]] = None, **_: Any) -> None:
        self.name = name
        self.on_error = on_error
        if not _said:
            _said.append(True)
            sys.stderr.write("Collector: data collection is off; collect() has no effect\n")

    def collect(self, data: Any, correlation_context: Any = None) -> Any:
        """Accept a frame; returns the context that was given, or a new one."""
        return correlation_context or BasicCorrelationContext()
