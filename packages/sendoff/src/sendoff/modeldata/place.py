"""Where the data of a service lies: ``home/modeldata/<subscription>/<resource group>/<workspace>/<service>``."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from sendoff_serving.recording.layout import part

from ..store import Store
from ..store import tables as t

ROOT = "modeldata"
UNKNOWN = "default"


def scope(store: Store, workspace: str, service: str) -> str:
    """Subscription, resource group, workspace and service as one path; what a workspace lacks is ``default``."""
    columns = t.workspaces.c.subscription_id, t.workspaces.c.resource_group
    with store.read() as connection:
        row = connection.execute(select(*columns).where(t.workspaces.c.name == workspace)).first()
    subscription, group = (UNKNOWN, UNKNOWN) if row is None else (row.subscription_id, row.resource_group)
    return "/".join(part(name or UNKNOWN) for name in (subscription, group, workspace, service))


def folder(store: Store, workspace: str, service: str) -> Path:
    """The service's folder on this machine; it may not exist."""
    return store.home / ROOT / scope(store, workspace, service)
