"""``from azureml.monitoring import ModelDataCollector``: accepted; nothing is collected without a capture setting."""

import sys
from typing import Any, List, Optional

_said = []  # type: List[bool]


class ModelDataCollector:
    """Takes what scripts collect (spec/behaviour.md sec. 17.2); says once that collection is off.

    Args:
        model_name: name of the model the data belongs to.
        designation: "inputs", "predictions", "labels", "signals" or "general"; ``identifier`` in older scripts.
        feature_names: names of the columns.
    """

    def __init__(
        self,
        model_name: str,
        designation: str = "default",
        feature_names: Optional[List[str]] = None,
        workspace: str = "default/default/default",
        webservice_name: str = "default",
        model_version: str = "default",
        collection_name: Optional[str] = None,
        **_: Any,
    ) -> None:
        self.model_name = model_name
        self.designation = designation
        self.feature_names = feature_names
        if not _said:
            _said.append(True)
            sys.stderr.write("ModelDataCollector: data collection is off; collect() has no effect\n")

    def collect(self, input_data: Any, user_correlation_id: str = "") -> None:
        """Accept one array or frame."""

    def add_correlations(self, input_data: Any, correlations: Any) -> Any:
        """Return the data unchanged."""
        return input_data
