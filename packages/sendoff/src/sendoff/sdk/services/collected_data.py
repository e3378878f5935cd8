"""What a service has collected, for Python: ``service.data``."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...spec.modeldata import JOINED, DataFile
from ..exceptions import WebserviceException, as_sdk_errors

if TYPE_CHECKING:
    from ...views.data_export import Selection
    from .webservice import Webservice


class CollectedData:
    """Collected inputs, predictions and records of a service (docs/data-collection.md).

    Args:
        service: The service; its data stay when it is deleted.
    """

    def __init__(self, service: Webservice) -> None:
        self._client = service.workspace._client
        self._at = (service.workspace.name, service.name)

    @as_sdk_errors(WebserviceException)
    def list(self) -> list[DataFile]:
        """Its files, oldest day first."""
        return self._client.service_data(*self._at).files

    @as_sdk_errors(WebserviceException)
    def counts(self) -> dict[str, dict[str, Any]]:
        """By source, ``capture`` and ``collector``: ``offered`` = ``stored`` + the sum of ``dropped``."""
        found = self._client.service_data(*self._at)
        return {
            source: {"offered": one.offered, "stored": one.stored, "dropped": dict(one.dropped)}
            for source, one in (("capture", found.capture), ("collector", found.collector))
        }

    @as_sdk_errors(WebserviceException)
    def to_records(
        self,
        designation: str = JOINED,
        *,
        model: str | None = None,
        version: str | None = None,
        first: str | None = None,
        last: str | None = None,
    ) -> builtins.list[dict[str, Any]]:
        """Rows as dicts of JSON values.

        Args:
            designation: inputs, predictions, another that was collected, or all ``joined`` by request.
            model: Only rows of this model.
            version: Only rows of this version of it.
            first: First day, ``YYYY-MM-DD`` in UTC; None for the oldest.
            last: Last day, included; None for the newest.

        Raises:
            WebserviceException: There are none.
        """
        from ...views.data_export import value_of

        selection = self._selection(designation, model=model, version=version, first=first, last=last)
        columns = selection.columns()
        return [dict(zip(columns, map(value_of, row), strict=True)) for row in selection.rows(columns)]

    def to_pandas_dataframe(self, designation: str = JOINED, **chosen: Any) -> Any:
        """The rows of :meth:`to_records`, which takes the same, as a pandas frame; pandas has to be installed."""
        import importlib

        return importlib.import_module("pandas").DataFrame(self.to_records(designation, **chosen))

    @as_sdk_errors(WebserviceException)
    def export(
        self,
        path: str | Path,
        format: str | None = None,
        designation: str = JOINED,
        *,
        model: str | None = None,
        version: str | None = None,
        first: str | None = None,
        last: str | None = None,
    ) -> int:
        """Write rows to a file; how many.

        Args:
            path: The file.
            format: csv, jsonl or parquet; None for what its name says, else csv.
            designation: As for :meth:`to_records`, like all that follow.
            model: Only rows of this model.
            version: Only rows of this version of it.
            first: First day.
            last: Last day.

        Raises:
            WebserviceException: There are none, or the file cannot be written.
        """
        from ...views.data_export import FORMATS, export

        target = Path(path)
        suffix = target.suffix.lstrip(".").lower()
        selection = self._selection(designation, model=model, version=version, first=first, last=last)
        return export(selection, target, format or (suffix if suffix in FORMATS else "csv"))

    def _selection(self, designation: str, **chosen: Any) -> Selection:
        from ...views.data_export import Selection

        return Selection(self._client, *self._at, designation=designation, **chosen)
