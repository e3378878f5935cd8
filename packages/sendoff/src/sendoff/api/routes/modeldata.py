"""What services have collected: list, read, copy, delete."""

from __future__ import annotations

from ...core import Core
from ...spec.modeldata import DataRows, DeletedData, ServiceData
from ..noun import Noun, room
from ..route import Call, Query, Route

data = Noun("modeldata", ServiceData, "/workspaces/{ws}/services", "/workspaces/{ws}/services/{name}/data")


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


ROUTES = (
    data.get(
        room(lambda core: core.collected.listing),
        "Files and counts of what a service has collected, also after it was deleted",
        action="listing",
    ),
    data.part(
        "rows",
        rows,
        "Rows of one day, those of one designation or all joined by request",
        DataRows,
        Query(name="day", summary="YYYY-MM-DD, in UTC; required."),
        Query(name="designation", summary="inputs, predictions, another that the listing names, or joined."),
        Query(name="model", summary="Only rows of this model."),
        Query(name="version", summary="Only rows of this version of it."),
        Query(name="offset", type=int, summary="Rows to leave out at the start: the `next` of the answer before."),
        Query(name="limit", type=int, summary="At most this many; 50000 at the most."),
    ),
    data.act(
        "copy",
        room(lambda core: core.collected.copy),
        "Copy files that have changed to the store that the setting data_store names",
        ServiceData,
    ),
    Route(
        method="DELETE",
        path=data.one,
        handler=room(lambda core: core.collected.delete),
        summary="Delete a service's collected files on this machine",
        query=(Query(name="before", summary="Only those of days before this one, YYYY-MM-DD; all when absent."),),
        answers={200: DeletedData},
        operation=("modeldata", "delete"),
    ),
)
