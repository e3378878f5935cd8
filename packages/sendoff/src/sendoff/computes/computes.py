"""Compute targets by name: make, find, change, forget (settled.md, table of targets)."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from ..clusters import cluster
from ..errors import AlreadyExists, ComputeNotFound, InUse, InvalidInput, NotSupported, SendoffError
from ..registry import Registry
from ..spec.compute import AKS, KUBERNETES, Compute, ComputeRights, CreateCompute, UpdateCompute, check
from ..spec.kubernetes import read_options
from ..spec.page import ALL, Listed, Window
from ..spec.parse import did_you_mean, replace, to_builtins
from ..store import Store
from ..store.pages import select_page
from ..store.rows import named, names, view
from ..store.tables import computes
from .places import WAYS, Places, context_named, default_namespace, files_of, reaches


class Computes:
    """The compute targets of all workspaces.

    Nothing is provisioned: a created target stands for this machine, an attached one for a cluster that exists. What
    services on it get is said by `Compute.runs_on` and `Compute.note`.

    Args:
        store: Where they are kept.
        registry: Knows the workspaces.
        server: Whether others ask for them: whoever names a file of this machine would have it read, and programs run
            that it names.
    """

    def __init__(self, store: Store, registry: Registry, *, server: bool = False) -> None:
        self._store = store
        self._registry = registry
        self._server = server

    def create(self, workspace: str, body: CreateCompute) -> Compute:
        """Keep a target.

        Raises:
            WorkspaceNotFound, InvalidInput: No such workspace; a name or type that is none.
            AlreadyExists: The name is taken by a target of another type.
        """
        self._registry.workspace(workspace)
        body = self._reached(check(body))
        values = to_builtins(body)
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

    def rights(self, workspace: str, name: str, namespace: str | None = None) -> ComputeRights:
        """The objects that let a service account do all that Sendoff does in one namespace of a cluster.

        Args:
            workspace: The workspace's name.
            name: An attached cluster's.
            namespace: Which one; by default that in which its services are.

        Raises:
            ComputeNotFound: There is none.
        """
        compute = self.get(workspace, name)
        where = namespace or compute.namespace or default_namespace(workspace)
        return ComputeRights(namespace=where, objects=cluster.role(where))

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
        if fixed := sorted({*WAYS, "kubernetes", "version"} & set(body.properties)):
            raise InvalidInput(
                f"compute target {name!r}: {', '.join(fixed)} cannot be changed",
                hint="Detach it and attach it again: `sendoff computetarget attach kubernetes --help`.",
                field=f"properties.{fixed[0]}",
            )
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
        """Forget a target; the cluster behind it is not touched.

        Raises:
            WorkspaceNotFound, ComputeNotFound: There is none.
            InUse: Services run on its cluster; the message names them.
        """
        self.get(workspace, name)
        if running := Places(self._store).used_by(workspace, name):
            raise InUse(
                f"services run on cluster {name!r}: {', '.join(running)}",
                hint=f"Delete them first: `sendoff service delete -n {running[0]} -w {workspace}`.",
                services=running,
            )
        with self._store.begin() as connection:
            connection.execute(delete(computes).where(computes.c.workspace == workspace, computes.c.name == name))

    def _reached(self, body: CreateCompute) -> CreateCompute:
        """An attached cluster with how it is reached, and its version.

        One that is only named gets the kubeconfig's context of that name; where there is none, it stands for nothing.
        """
        given = body.properties
        if not body.attached or body.type not in (AKS, KUBERNETES):
            return body
        if self._server and (given.get("kubeconfig") or given.get("in_cluster")):
            raise NotSupported(
                "a server reads its own kubeconfig, and no file that a client names",
                hint="Name a context of it: --context NAME. Who runs the server gives it the file (KUBECONFIG).",
                field="kubeconfig" if given.get("kubeconfig") else "in_cluster",
            )
        options = read_options(given.get("kubernetes") or {}, where=f"compute target {body.name}")
        if not given.get("context") and not given.get("in_cluster"):
            wanted = (body.resource_id or "").rpartition("/")[2] or body.name
            try:
                context = context_named(wanted, given.get("kubeconfig"))
            except SendoffError:
                return body  # a kubeconfig that cannot be read is none; who names a context is told
            if context is None:
                return body
            given = {**given, "context": context}
        if not given.get("in_cluster"):
            given = {**given, "kubeconfig": files_of(given.get("kubeconfig"))}
        ways = {name: str(given[name]) for name in WAYS if given.get(name)}
        version = cluster.version(cluster.connect(ways, self._store.settings))
        return replace(body, properties={**given, "version": version, "kubernetes": to_builtins(options)})


def _view(row: Row[Any]) -> Compute:
    runs_on, note = _runs_on(row)
    return view(row, Compute, provisioning_state="Succeeded", runs_on=runs_on, note=note)


def _runs_on(row: Row[Any]) -> tuple[str, str]:
    """Where its services go and why."""
    name = row.name
    if row.type not in (AKS, KUBERNETES):
        return "local", f"{row.type} {name!r}: what is given to it runs on this machine."
    if reaches(row.type, row.attached, row.properties):
        how = "the pod's own account" if row.properties.get("in_cluster") else f"context {row.properties['context']!r}"
        namespace = row.namespace or default_namespace(row.workspace)
        version = row.properties.get("version", "")
        return (
            "cluster",
            f"Cluster {name!r}, Kubernetes {version}, by {how}: services go into namespace {namespace}.",
        )
    if row.attached:
        behind = row.resource_id or "a cluster"
        cluster = behind.rpartition("/")[2]
        return "local", (
            f"Cluster {name!r} stands for {behind}, and no context is called {cluster!r}: as for ACI. "
            f"Get its credentials, then `sendoff computetarget attach kubernetes -n {name} --context CONTEXT`."
        )
    return "local", (
        f"Cluster {name!r} was created here and no real cluster is behind it: as for ACI. "
        "ComputeTarget.attach names a real one."
    )
