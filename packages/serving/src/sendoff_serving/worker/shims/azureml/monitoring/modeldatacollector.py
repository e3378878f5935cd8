"""The data collector that scripts make in init() and use in run() (spec/behaviour.md sec. 17.2)."""

import os
from typing import Any, Dict, List, Optional

from sendoff_serving.worker.collection import collection, table

_DEFAULT = "default"
_NO_WORKSPACE = "default/default/default"


class ModelDataCollector:
    """Stores what a script collects, one file a day, when the service is deployed with ``collect_model_data=True``.

    Otherwise ``collect`` does nothing, and says so once.

    Args:
        model_name: name of the model the data belongs to.
        designation: "inputs", "predictions", "labels", "signals", "general" or a word of your own; ``identifier`` in
            older scripts.
        feature_names: names of the columns, in order; a frame has its own.
        workspace: "subscription/group/workspace"; the service's own stands in place of any other.
        webservice_name: the service's own name stands in place of any other.
        model_version: by default that of the service's model of this name.
        collection_name: name of the file, where the designation is neither inputs, predictions nor labels.
    """

    AML_DC_BOUNDARY_HEADER = "$aml_dc_boundary"
    AML_DC_CORRELATION_HEADER = "$aml_dc_correlation_id"
    AML_DC_SCORING_TIMESTAMP_HEADER = "$aml_dc_scoring_timestamp"
    AML_MODEL_NAME_HEADER = "$aml_model_name"
    AML_MODEL_VERSION_HEADER = "$aml_model_version"
    AML_REQUEST_ID_HEADER = "$aml_request_id"
    AML_SERVICE_NAME_HEADER = "$aml_service_name"
    AML_WORKSPACE_HEADER = "$aml_workspace"

    def __init__(
        self,
        model_name: str,
        designation: str = _DEFAULT,
        feature_names: Optional[List[str]] = None,
        workspace: str = _NO_WORKSPACE,
        webservice_name: str = _DEFAULT,
        model_version: str = _DEFAULT,
        collection_name: str = _DEFAULT,
        **older: Any,
    ) -> None:
        designation = older.pop("identifier", designation)
        if older:
            raise TypeError("ModelDataCollector got an unexpected argument %r" % sorted(older)[0])
        collection.add()
        self.model_name = str(model_name)
        self.designation = str(designation)
        self.feature_names = None if feature_names is None else [str(name) for name in feature_names]
        self.workspace = collection.workspace or workspace
        self.workspace_name = self.workspace.split("/")[-1]
        self.webservice_name = self.service_name = collection.service or webservice_name
        version = collection.version_of(self.model_name) if model_version == _DEFAULT else None
        self.model_version = str(version or model_version)
        self.collection_name = str(collection_name or _DEFAULT)
        self.model_internal_id = "%s:%s" % (self.model_name, self.model_version)
        self.workspace_internal_id = self.workspace
        self.service_internal_id = self.service_name
        self.compute_name = self.compute_type = self.compute_location = ""
        self.aml_dc_hour_boundary = os.environ.get("AML_MODEL_DC_BOUNDARY", "")
        self.model_config_map = {}  # type: Dict[str, Any]
        self.data_collector_storage_path = "/modeldata/%s/%s/%s/%s/%s" % (
            self.workspace,
            self.service_name,
            self.model_name,
            self.model_version,
            self.designation,
        )
        self.filename = "data.csv"
        self.headersUpdated = False

    def collect(self, input_data: Any, user_correlation_id: str = "") -> Dict[str, str]:
        """Store rows, off the request's path; never raises.

        Args:
            input_data: a list, array, pandas or Spark frame; of one dimension it is one row.
            user_correlation_id: a key of your own, beside the id of the request.

        Returns:
            "status": collected, dropped (counted in the service's metrics) or off.
        """
        if not collection.on:
            return {"status": "off"}
        what = {
            "model": self.model_name,
            "version": self.model_version,
            "designation": self.designation,
            "collection": self.collection_name,
            "correlation": str(user_correlation_id or ""),
        }
        kept = collection.send(what, input_data, self.feature_names)
        if os.environ.get("AML_MODEL_DC_DEBUG"):
            print("ModelDataCollector %s: %s" % (self.designation, "collected" if kept else "dropped"))  # noqa: T201
        return {"status": "collected" if kept else "dropped"}

    def add_correlations(self, input_data: Any, correlations: Dict[str, Any]) -> Any:
        """Return the data with columns added, each of one value for all rows.

        Args:
            input_data: a list, array, pandas or Spark frame.
            correlations: values by the names of their columns.

        Returns:
            A pandas frame for a frame; else a list of rows, each a mapping from names to values.
        """
        if hasattr(input_data, "withColumn"):
            import importlib

            literal = importlib.import_module("pyspark.sql.functions").lit
            for name, value in correlations.items():
                input_data = input_data.withColumn(name, literal(value))
            return input_data
        if hasattr(input_data, "assign"):
            return input_data.assign(**correlations)
        found, rows = table(input_data)
        names = self.feature_names or found or [str(index) for index in range(max(map(len, rows), default=0))]
        return [dict(zip(names, row), **correlations) for row in rows]
