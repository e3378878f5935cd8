"""What has happened."""

from __future__ import annotations

from ...core import Core
from ...spec.event import StoredEvent
from ...spec.page import Listed, Page
from ..route import Call, Query, Route


def list_(core: Core, call: Call) -> Listed[StoredEvent]:
    """A workspace's."""
    from ...events import listed  # loads the database, which routes that ask for nothing stored do without

    return listed(core.store, call.path["ws"], call.query["type"], window=call.window)


ROUTES = (
    Route(
        method="GET",
        path="/workspaces/{ws}/events",
        handler=list_,
        summary="Events of a workspace, the oldest first, as CloudEvents 1.0",
        query=(Query(name="type", summary="Only events of this type."),),
        answers={200: Page[StoredEvent]},
        paged=True,
    ),
)
