"""Which cluster a compute target means, for whoever runs services there."""

from __future__ import annotations

import json
import os
from typing import Any

from sqlalchemy import select

from ..errors import ComputeNotFound
from ..spec.compute import AKS, KUBERNETES
from ..store import Store
from ..store.rows import named
from ..store.tables import computes, services

WAYS = ("kubeconfig", "context", "in_cluster")
"""Properties of a compute target that say how its cluster is reached."""


class Places:
    """The clusters of all workspaces; a reference is ``workspace/compute target/namespace``."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def reference(self, workspace: str, name: str, namespace: str | None = None) -> str | None:
        """What a service's record has of the cluster behind a compute target; None where there is no cluster behind it.

        Args:
            workspace: The workspace's name.
            name: The compute target's.
            namespace: What the configuration names; else the compute target's, else one of the workspace.
        """
        with self._store.read() as connection:
            row = named(connection, computes, workspace, name)
        if row is None or not reaches(row.type, row.attached, row.properties):
            return None
        return f"{workspace}/{name}/{namespace or row.namespace or default_namespace(workspace)}"

    def settings(self, reference: str) -> dict[str, str]:
        """How a cluster is reached, and its namespace and section of options.

        Raises:
            ComputeNotFound: The compute target was detached.
        """
        workspace, name, namespace = reference.split("/")
        with self._store.read() as connection:
            row = named(connection, computes, workspace, name)
        if row is None:
            raise ComputeNotFound(
                f"the cluster {name!r} that the service runs on is not attached to workspace {workspace!r} any more",
                hint=f"Attach it: `sendoff computetarget attach kubernetes -n {name} -w {workspace} --context …`.",
                name=name,
            )
        given = row.properties
        found = {name: str(given[name]) for name in WAYS if given.get(name)}
        return {**found, "namespace": namespace, "options": json.dumps(given.get("kubernetes") or {})}

    def references(self) -> list[str]:
        """Clusters and namespaces in which services of this home are, or were to be."""
        with self._store.read() as connection:
            rows = connection.scalars(select(services.c.target).where(services.c.target.contains(":")).distinct())
            return sorted(rows)

    def used_by(self, workspace: str, name: str) -> list[str]:
        """Names of the services that run on a compute target's cluster."""
        prefix = f":{workspace}/{name}/"
        with self._store.read() as connection:
            query = select(services.c.name, services.c.target).order_by(services.c.name)
            return [row.name for row in connection.execute(query) if prefix in row.target]


def reaches(type_: str, attached: bool, properties: dict[str, Any]) -> bool:
    """Whether a compute target says how its cluster is reached."""
    return attached and type_ in (AKS, KUBERNETES) and bool(properties.get("context") or properties.get("in_cluster"))


def default_namespace(workspace: str) -> str:
    """A namespace's name for a workspace."""
    import re

    return f"sendoff-{re.sub(r'[^a-z0-9]+', '-', workspace.lower()).strip('-')}"[:63].rstrip("-")


def context_named(cluster: str, kubeconfig: str | None = None) -> str | None:
    """A kubeconfig's context that is called like a cluster, as `az aks get-credentials` makes it; None for none."""
    from ..clusters import kubeconfig as files

    known = files.contexts(files.paths(kubeconfig, os.environ))
    return next((one for one in known if one in (cluster, f"{cluster}-admin")), None)


def files_of(kubeconfig: str | None) -> str:
    """The kubeconfigs that are read now, as `KUBECONFIG` has them: they are found again whatever is set then."""
    from ..clusters import kubeconfig as files

    return os.pathsep.join(str(path.absolute()) for path in files.paths(kubeconfig, os.environ))
