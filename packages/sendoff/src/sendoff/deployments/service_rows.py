"""Services as rows."""

from __future__ import annotations

import time
import uuid
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from ..errors import AlreadyExists, ServiceNotFound
from ..operations.operation_rows import AnyRow
from ..spec.deployment import DEFAULT, DeploymentSpec
from ..spec.names import service_flags
from ..spec.parse import did_you_mean
from ..store.rows import named, names
from ..store.tables import revisions, services
from ..store.workspaces import require_workspace


def find_service(connection: Connection, workspace: str, name: str) -> AnyRow | None:
    """The service's row."""
    return named(connection, services, workspace, name)


def get_service(connection: Connection, workspace: str, name: str) -> AnyRow:
    """The service's row, or ServiceNotFound with the nearest name."""
    row = find_service(connection, workspace, name)
    if row is not None:
        return row
    require_workspace(connection, workspace)
    known = names(connection, services, workspace)
    raise ServiceNotFound(
        f"there is no service {name!r} in workspace {workspace!r}",
        hint=did_you_mean(name, known, f"Services: {', '.join(known) or 'none yet'}."),
    )


def list_services(connection: Connection, workspace: str | None = None) -> list[AnyRow]:
    """Rows of all services of a workspace, or of every workspace, by name."""
    query = select(services).order_by(services.c.workspace, services.c.name)
    if workspace is not None:
        query = query.where(services.c.workspace == workspace)
    return list(connection.execute(query))


def add_service(
    connection: Connection,
    *,
    workspace: str,
    name: str,
    target: str,
    deployment: DeploymentSpec,
) -> AnyRow:
    """Insert a service without revisions.

    Raises:
        AlreadyExists: The name is taken.
    """
    if find_service(connection, workspace, name) is not None:
        raise name_taken(name, workspace)
    now = time.time()
    uid = f"{name[:12].rstrip('-')}-{uuid.uuid4().hex[:12]}"
    connection.execute(
        insert(services).values(
            uid=uid,
            workspace=workspace,
            name=name,
            compute_type=deployment.compute_type or DEFAULT,
            target=target,
            description=deployment.description,
            tags=deployment.tags,
            properties=deployment.properties,
            auth_enabled=bool(deployment.auth_enabled),
            token_auth_enabled=bool(deployment.token_auth_enabled),
            port=deployment.port,
            wanted_revision=0,
            created=now,
            updated=now,
            deleting=False,
        )
    )
    return get_service(connection, workspace, name)


def name_taken(name: str, workspace: str) -> AlreadyExists:
    """The error for a name that a service has already, also one whose first deployment failed."""
    return AlreadyExists(
        f"service {name!r} exists in workspace {workspace!r}",
        hint="Deploy with --overwrite (overwrite=True), run 'sendoff service update "
        f"{service_flags(name, workspace)}', or delete it first.",
        name=name,
    )


def change_service(connection: Connection, uid: str, **columns: Any) -> None:
    """Set columns of a service's row."""
    connection.execute(update(services).where(services.c.uid == uid).values(updated=time.time(), **columns))


def forget_service(connection: Connection, uid: str) -> None:
    """Delete a service's row and its revisions; its operations stay as history."""
    connection.execute(delete(revisions).where(revisions.c.uid == uid))
    connection.execute(delete(services).where(services.c.uid == uid))
