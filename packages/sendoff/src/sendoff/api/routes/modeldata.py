"""What services have collected: list, read, copy, delete."""

from __future__ import annotations

from ...core import Core
from ...spec.modeldata import DataRows, DeletedData, ServiceData
from ..route import Call, Query, Route

_PATH = "/workspaces/{ws}/services/{name}/data"


def listing(core: Core, call: Call) -> ServiceData:
    """Files and counts."""
    return core.collected.listing(call.path["ws"], call.path["name"])


def rows(core: Core, call: Call) -> DataRows:
    """Rows of one day."""
    query = call.query
    return core.collected.rows(
        call.path["ws"],
        call.path["name"],
        day=query["day"] or "",
        designation=query["designation"] or "inputs",
        model=query["model"],
        version=query["version"],
        offset=query["offset"] or 0,
        limit=50_000 if query["limit"] is None else query["limit"],
    )


def copy(core: Core, call: Call) -> ServiceData:
    """Copy to the store of the settings."""
    return core.collected.copy(call.path["ws"], call.path["name"])


def delete(core: Core, call: Call) -> DeletedData:
    """Delete files of earlier days."""
    return core.collected.delete(call.path["ws"], call.path["name"], call.query["before"])


ROUTES = (
    Route(
        method="GET",
        path=_PATH,
        handler=listing,
        summary="Files and counts of what a service has collected, also after it was deleted",
        answers={200: ServiceData},
    ),
    Route(
        method="GET",
        path=f"{_PATH}/rows",
        handler=rows,
        summary="Rows of one day, those of one designation or all joined by request",
        query=(
            Query(name="day", summary="YYYY-MM-DD, in UTC; required."),
            Query(name="designation", summary="inputs, predictions, another that the listing names, or joined."),
            Query(name="model", summary="Only rows of this model."),
            Query(name="version", summary="Only rows of this version of it."),
            Query(name="offset", type=int, summary="Rows to leave out at the start: the `next` of the answer before."),
            Query(name="limit", type=int, summary="At most this many; 50000 at the most."),
        ),
        answers={200: DataRows},
    ),
    Route(
        method="POST",
        path=f"{_PATH}/copy",
        handler=copy,
        summary="Copy files that have changed to the store that the setting data_store names",
        answers={200: ServiceData},
    ),
    Route(
        method="DELETE",
        path=_PATH,
        handler=delete,
        summary="Delete a service's collected files on this machine",
        query=(Query(name="before", summary="Only those of days before this one, YYYY-MM-DD; all when absent."),),
        answers={200: DeletedData},
    ),
)
