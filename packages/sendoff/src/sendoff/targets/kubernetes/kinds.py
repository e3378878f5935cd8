"""Kinds of objects that we make or look at, with their places in the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Kind(NamedTuple):
    """A kind: group and version, and its name in paths."""

    version: str
    plural: str

    @property
    def group(self) -> str:
        """The API group; empty for the core."""
        return self.version.rpartition("/")[0]

    def path(self, namespace: str, name: str = "") -> str:
        """Where its objects of a namespace are, or one of them."""
        root = f"/apis/{self.version}" if "/" in self.version else f"/api/{self.version}"
        return f"{root}/namespaces/{namespace}/{self.plural}" + (f"/{name}" if name else "")


KINDS: dict[str, Kind] = {
    "ServiceAccount": Kind("v1", "serviceaccounts"),
    "Secret": Kind("v1", "secrets"),
    "Service": Kind("v1", "services"),
    "Deployment": Kind("apps/v1", "deployments"),
    "PodDisruptionBudget": Kind("policy/v1", "poddisruptionbudgets"),
    "NetworkPolicy": Kind("networking.k8s.io/v1", "networkpolicies"),
    "HorizontalPodAutoscaler": Kind("autoscaling/v2", "horizontalpodautoscalers"),
    "ScaledObject": Kind("keda.sh/v1alpha1", "scaledobjects"),
}
"""What is made, in the order in which it is applied; it is removed in the other order."""
UNSURE = ("keda.sh", "autoscaling")
"""Groups that a cluster may lack, or that we may have no rights in: what is not seen there is not ours."""
POD, EVENT = Kind("v1", "pods"), Kind("v1", "events")


def path_of(made: Mapping[str, Any], namespace: str) -> str:
    """Where an object is."""
    return KINDS[made["kind"]].path(namespace, made["metadata"]["name"])
