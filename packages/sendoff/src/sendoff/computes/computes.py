"""Compute targets by name: make, find, change, forget (settled.md, table of targets)."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from ..errors import AlreadyExists, ComputeNotFound
from ..registry import Registry
from ..spec.compute import AKS, KUBERNETES, Compute, CreateCompute, UpdateCompute, check
from ..spec.page import ALL, Listed, Window
from ..spec.parse import did_you_mean, to_builtins
from ..store import Store
from ..store.pages import select_page
from ..store.rows import named, names, view
from ..store.tables import computes


class Computes:
    """The compute targets of all workspaces.

    Nothing is provisioned: a created target stands for this machine, an attached one for a cluster that exists. What
    services on it get is said by `Compute.runs_on` and `Compute.note`.
    """

    def __init__(self, store: Store, registry: Registry) -> None:
        self._store = store
        self._registry = registry

    def create(self, workspace: str, body: CreateCompute) -> Compute:
        """Keep a target.

        Raises:
            WorkspaceNotFound, InvalidInput: No such workspace; a name or type that is none.
            AlreadyExists: The name is taken by a target of another type.
        """
        self._registry.workspace(workspace)
        values = to_builtins(check(body))
        now = time.time()
        try:
            with self._store.begin() as connection:
                connection.execute(insert(computes).values(**values, workspace=workspace, created=now, modified=now))
        except IntegrityError:
            found = self.get(workspace, body.name)
            raise AlreadyExists(
                f"compute target {body.name!r} exists already, of type {found.type}",
                hint="Take it as it is, or delete it first.",
                name=body.name,
            ) from None
        return self.get(workspace, body.name)

    def get(self, workspace: str, name: str) -> Compute:
        """One target.

        Raises:
            WorkspaceNotFound, ComputeNotFound: The hint names what exists.
        """
        self._registry.workspace(workspace)
        with self._store.read() as connection:
            row = named(connection, computes, workspace, name)
            if row is None:
                known = names(connection, computes, workspace)
                raise ComputeNotFound(
                    f"ComputeTargetNotFound: Compute Target with name {name} not found in provided workspace",
                    hint=did_you_mean(name, known, f"There are: {', '.join(known) or 'none yet'}."),
                    name=name,
                )
        return _view(row)

    def list(self, workspace: str, *, window: Window = ALL) -> Listed[Compute]:
        """All targets of a workspace, by name."""
        self._registry.workspace(workspace)
        query = select(computes).where(computes.c.workspace == workspace)
        with self._store.read() as connection:
            return select_page(connection, query, [computes.c.name], window, _view)

    def update(self, workspace: str, name: str, body: UpdateCompute) -> Compute:
        """Change what is given.

        Raises:
            WorkspaceNotFound, ComputeNotFound: There is none.
        """
        before = self.get(workspace, name)
        values: dict[str, Any] = {"modified": time.time(), "properties": {**before.properties, **body.properties}}
        if body.description is not None:
            values["description"] = body.description
        if body.tags is not None:
            values["tags"] = body.tags
        with self._store.begin() as connection:
            connection.execute(
                update(computes).where(computes.c.workspace == workspace, computes.c.name == name).values(**values)
            )
        return self.get(workspace, name)

    def delete(self, workspace: str, name: str) -> None:
        """Forget a target; services that were deployed to it go on.

        Raises:
            WorkspaceNotFound, ComputeNotFound: There is none.
        """
        self.get(workspace, name)
        with self._store.begin() as connection:
            connection.execute(delete(computes).where(computes.c.workspace == workspace, computes.c.name == name))


def _view(row: Row[Any]) -> Compute:
    runs_on, note = _runs_on(row)
    return view(row, Compute, provisioning_state="Succeeded", runs_on=runs_on, note=note)


def _runs_on(row: Row[Any]) -> tuple[str, str]:
    """Where its services go and why. No cluster can be reached from here yet, so it is this machine in each case."""
    name = row.name
    if row.type not in (AKS, KUBERNETES):
        return "local", f"{row.type} {name!r}: what is given to it runs on this machine."
    if row.attached:
        behind = row.resource_id or "a cluster"
        return "local", f"Cluster {name!r} stands for {behind}, which this version does not deploy to: as for ACI."
    return "local", (
        f"Cluster {name!r} was created here and no real cluster is behind it: as for ACI. "
        "ComputeTarget.attach names a real one."
    )
