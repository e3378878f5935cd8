"""Kubernetes clusters that were attached (spec/surface.md sec. 2.12)."""

from __future__ import annotations

import builtins
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...spec import compute as spec
from ..signatures import making
from .configuration import Configuration
from .target import ComputeTarget

if TYPE_CHECKING:
    from ..workspace import Workspace


class KubernetesComputeStatus:
    """A cluster's state as far as it is known."""

    def __init__(self, provisioning_state: str) -> None:
        self.provisioning_state = provisioning_state

    def serialize(self) -> dict[str, Any]:
        """The state as a JSON object."""
        return {"provisioningState": self.provisioning_state}


@dataclass(eq=False, repr=False)
class KubernetesComputeAttachConfiguration(Configuration):
    """What `KubernetesCompute.attach_configuration` gives."""

    _compute_type = spec.KUBERNETES

    resource_id: str | None = None
    namespace: str | None = None
    identity_type: str | None = None
    identity_ids: list[str] | None = None
    context: str | None = None
    kubeconfig: str | None = None
    in_cluster: bool | None = None
    kubernetes: dict[str, Any] | None = None

    def _problems(self) -> list[str]:
        if self.resource_id or self.context or self.in_cluster:
            return []
        return ["resource_id or context is needed: which cluster is to be attached"]

    def _resource_id(self, workspace: Workspace) -> str | None:
        return self.resource_id


class KubernetesCompute(ComputeTarget):
    """An attached Kubernetes cluster by name.

    Args:
        workspace: Where it is kept.
        name: Its name.

    Raises:
        ComputeTargetException: There is none, or it is of another kind.
    """

    _compute_type = spec.KUBERNETES

    def _fill(self, view: spec.Compute) -> None:
        super()._fill(view)
        given = view.properties
        self.status = KubernetesComputeStatus(view.provisioning_state)
        self.namespace = view.namespace or "default"
        self.default_instance_type: str | None = None
        self.instance_types: builtins.list[Any] = []
        self.identity_type = given.get("identity_type")
        self.identity_ids = given.get("identity_ids")
        self.identity: Any = None
        self.public_ip: str | None = None
        self.vm_size: str | None = None

    @staticmethod
    @making(KubernetesComputeAttachConfiguration)
    def attach_configuration() -> None:
        """Which cluster to attach: by a context of the kubeconfig, or by a resource id whose last part is one's name.

        Raises:
            ComputeTargetException: The id is missing.
        """

    def get_status(self) -> KubernetesComputeStatus:
        """Its state."""
        self.refresh_state()
        return self.status

    def get(self) -> dict[str, Any]:
        """The target as a JSON object."""
        self.refresh_state()
        return self.serialize()
