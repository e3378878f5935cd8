"""Calls about what services have collected."""

from __future__ import annotations

from collections.abc import Iterator

from ..spec.modeldata import DataRows, DeletedData, ServiceData
from .caller import LONG_SECONDS, Caller, answer_of, q


class CollectedCalls(Caller):
    """One method a route."""

    def service_data(self, workspace: str, name: str) -> ServiceData:
        """Files and counts of what a service has collected."""
        return self._get(ServiceData, f"/workspaces/{q(workspace)}/services/{q(name)}/data")

    def data_rows(
        self,
        workspace: str,
        name: str,
        *,
        day: str,
        designation: str = "inputs",
        model: str | None = None,
        version: str | None = None,
        offset: int = 0,
        limit: int | None = None,
    ) -> DataRows:
        """Rows of one day, from an offset on."""
        return self._get(
            DataRows,
            f"/workspaces/{q(workspace)}/services/{q(name)}/data/rows",
            day=day,
            designation=designation,
            model=model,
            version=version,
            offset=offset or None,
            limit=limit,
        )

    def data_pages(
        self, workspace: str, name: str, *, day: str, designation: str, model: str | None, version: str | None
    ) -> Iterator[DataRows]:
        """Every row of one day, some at a time."""
        offset: int | None = 0
        while offset is not None:
            page = self.data_rows(
                workspace, name, day=day, designation=designation, model=model, version=version, offset=offset
            )
            yield page
            offset = page.next

    def copy_data(self, workspace: str, name: str) -> ServiceData:
        """Copy what has changed to the store of the settings."""
        path = f"/workspaces/{q(workspace)}/services/{q(name)}/data/copy"
        return self._send(ServiceData, "POST", path, timeout=LONG_SECONDS)

    def delete_data(self, workspace: str, name: str, before: str | None = None) -> DeletedData:
        """Delete files of days before one; all when None."""
        path = f"/workspaces/{q(workspace)}/services/{q(name)}/data"
        return answer_of(DeletedData, self._request("DELETE", path, query={"before": before}))
