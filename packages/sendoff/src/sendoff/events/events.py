"""Events are kept with what they tell of, and read in the order in which they happened."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, insert, select

from ..spec.event import StoredEvent
from ..spec.page import ALL, Listed, Window
from ..store.pages import select_page
from ..store.tables import events, workspaces

if TYPE_CHECKING:
    from ..store import Store


def keep(connection: Connection, workspace: str, type_: str, subject: str, data: dict[str, Any]) -> None:
    """Store an event, within the transaction of what it tells of."""
    row = {"id": str(uuid.uuid4()), "workspace": workspace, "type": type_, "subject": subject, "time": time.time()}
    connection.execute(insert(events).values(**row, data=data))


def listed(store: Store, workspace: str, type_: str | None = None, *, window: Window = ALL) -> Listed[StoredEvent]:
    """Events of a workspace, the oldest first; with ``type_`` those alone."""
    query = select(events).where(events.c.workspace == workspace)
    if type_ is not None:
        query = query.where(events.c.type == type_)
    with store.read() as connection:
        facts = connection.execute(select(workspaces).where(workspaces.c.name == workspace)).first()
        source = f"/workspaces/{workspace}"
        if facts is not None and facts.subscription_id:
            source = (
                f"/subscriptions/{facts.subscription_id}/resourceGroups/{facts.resource_group}"
                f"/providers/Microsoft.MachineLearningServices/workspaces/{workspace}"
            )

        def view(row: Any) -> StoredEvent:
            return StoredEvent(
                id=row.id,
                source=source,
                subject=row.subject,
                type=row.type,
                time=datetime.fromtimestamp(row.time, UTC).isoformat().replace("+00:00", "Z"),
                data=row.data,
            )

        return select_page(connection, query, [events.c.number], window, view)
