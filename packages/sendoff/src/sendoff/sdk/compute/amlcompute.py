"""Training and batch clusters (spec/surface.md sec. 2.12): what is given to one runs on this machine."""

from __future__ import annotations

import builtins
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...spec import compute as spec
from ..given import together
from ..signatures import making
from ..unsupported import refusing
from .configuration import Configuration
from .target import ComputeTarget

if TYPE_CHECKING:
    from ..workspace import Workspace


class ScaleSettings:
    """How many nodes there would be."""

    def __init__(self, min_node_count: int, max_node_count: int | None, idle_seconds_before_scaledown: int) -> None:
        self.minimum_node_count = self.min_node_count = min_node_count
        self.maximum_node_count = self.max_node_count = max_node_count
        self.idle_seconds_before_scaledown = idle_seconds_before_scaledown


class AmlComputeStatus:
    """The state of a cluster that is this machine: as many nodes as asked for at least, none busy."""

    def __init__(self, view: spec.Compute, scale: ScaleSettings) -> None:
        self.allocation_state = "Steady"
        self.allocation_state_transition_time = None
        self.creation_time = view.created_time
        self.current_node_count = self.target_node_count = scale.min_node_count
        self.errors: list[Any] | None = None
        self.modified_time = view.modified_time
        self.node_state_counts: dict[str, int] = {"idleNodeCount": scale.min_node_count, "runningNodeCount": 0}
        self.provisioning_state = view.provisioning_state
        self.scale_settings = scale
        self.vm_priority = view.properties.get("vm_priority", "dedicated")
        self.vm_size = view.properties.get("vm_size", "")

    def serialize(self) -> dict[str, Any]:
        """The state as a JSON object."""
        return {
            "allocationState": self.allocation_state,
            "currentNodeCount": self.current_node_count,
            "targetNodeCount": self.target_node_count,
            "nodeStateCounts": self.node_state_counts,
            "provisioningState": self.provisioning_state,
            "errors": self.errors,
            "vmPriority": self.vm_priority,
            "vmSize": self.vm_size,
            "scaleSettings": {
                "minNodeCount": self.scale_settings.min_node_count,
                "maxNodeCount": self.scale_settings.max_node_count,
                "nodeIdleTimeBeforeScaleDown": f"PT{self.scale_settings.idle_seconds_before_scaledown}S",
            },
        }


@dataclass(eq=False, repr=False)
class AmlComputeProvisioningConfiguration(Configuration):
    """What `AmlCompute.provisioning_configuration` gives."""

    _compute_type = spec.AML_COMPUTE
    _secret = ("admin_user_password", "admin_user_ssh_key")

    vm_size: str = ""
    vm_priority: str = "dedicated"
    min_nodes: int = 0
    max_nodes: int | None = None
    idle_seconds_before_scaledown: int = 1800
    admin_username: str | None = None
    admin_user_password: str | None = None
    admin_user_ssh_key: str | None = None
    vnet_resourcegroup_name: str | None = None
    vnet_name: str | None = None
    subnet_name: str | None = None
    tags: dict[str, str] | None = None
    description: str | None = None
    remote_login_port_public_access: str = "NotSpecified"
    identity_type: str | None = None
    identity_id: list[str] | None = None
    location: str | None = None
    enable_node_public_ip: bool = True

    def _problems(self) -> list[str]:
        problems = together(self, "vnet_resourcegroup_name", "vnet_name", "subnet_name")
        if self.max_nodes is not None and self.min_nodes > self.max_nodes:
            problems.append(f"min_nodes ({self.min_nodes}) is more than max_nodes ({self.max_nodes})")
        return problems


@refusing(
    "AmlCompute",
    {
        "There are no quotas: a service's cpu_cores and memory_gb limit it.": """
            update_quotas(workspace, vm_family, limit=None, location=None)
        """,
    },
)
class AmlCompute(ComputeTarget):
    """A training or batch cluster by name; it stands for this machine.

    Args:
        workspace: Where it is kept.
        name: Its name.

    Raises:
        ComputeTargetException: There is none, or it is of another kind.
    """

    _compute_type = spec.AML_COMPUTE

    def _fill(self, view: spec.Compute) -> None:
        super()._fill(view)
        given = view.properties
        self.vm_size = given.get("vm_size", "")
        self.vm_priority = given.get("vm_priority", "dedicated")
        self.scale_settings = ScaleSettings(
            given.get("min_nodes", 0), given.get("max_nodes"), given.get("idle_seconds_before_scaledown", 1800)
        )
        self.admin_username = given.get("admin_username")
        self.admin_user_password = None
        self.admin_user_ssh_key = None
        self.vnet_resourcegroup_name = given.get("vnet_resourcegroup_name")
        self.vnet_name = given.get("vnet_name")
        self.subnet_name = given.get("subnet_name")
        self.remote_login_port_public_access = given.get("remote_login_port_public_access", "NotSpecified")
        self.identity_type = given.get("identity_type")
        self.identity_id = given.get("identity_id")
        self.status = AmlComputeStatus(view, self.scale_settings)

    @staticmethod
    @making(AmlComputeProvisioningConfiguration)
    def provisioning_configuration() -> None:
        """What a cluster would be made with; kept and shown, since none is made here.

        Raises:
            ComputeTargetException: Values do not go together.
        """

    def wait_for_completion(  # type: ignore[override]
        self,
        show_output: bool = False,
        min_node_count: int | None = None,
        timeout_in_minutes: int = 25,
        is_delete_operation: bool = False,
        **_: Any,
    ) -> None:
        """Nothing to wait for: it is there at once.

        Args:
            show_output: Print the state, and where what is given to it runs.
            min_node_count: Not used.
            timeout_in_minutes: Not used.
            is_delete_operation: Not used.
        """
        super().wait_for_completion(show_output)

    def get_status(self) -> AmlComputeStatus:
        """Its state with nodes and scale settings."""
        self.refresh_state()
        return self.status

    def get(self) -> dict[str, Any]:
        """The target as a JSON object."""
        self.refresh_state()
        return self.serialize()

    def list_nodes(self) -> builtins.list[dict[str, Any]]:
        """Nodes: there are none beside this machine."""
        return []

    def update(
        self,
        min_nodes: int | None = None,
        max_nodes: int | None = None,
        idle_seconds_before_scaledown: int | None = None,
    ) -> None:
        """Keep other scale settings."""
        self._update(
            min_nodes=min_nodes, max_nodes=max_nodes, idle_seconds_before_scaledown=idle_seconds_before_scaledown
        )

    def get_active_runs(
        self, type: str | None = None, tags: Any = None, properties: Any = None, status: str | None = None
    ) -> Iterator[Any]:
        """Runs that are going on, of any target: they all run on this machine."""
        from ..runs.run import Run

        for view in self.workspace._client.runs(self.workspace.name):
            if view.status in ("NotStarted", "Running") and (status is None or view.status == status):
                yield Run._of(self.workspace, view)

    def add_identity(self, identity_type: str, identity_id: builtins.list[str] | None = None) -> None:
        """Keep an identity's name; nothing here uses it."""
        self._update(identity_type=identity_type, identity_id=identity_id)

    def remove_identity(self, identity_id: builtins.list[str] | None = None) -> None:
        """Forget identities; None forgets all."""
        kept = [one for one in (self.identity_id or ()) if identity_id is not None and one not in identity_id]
        self._update(identity_id=kept)

    @staticmethod
    def supported_vmsizes(workspace: Workspace, location: str | None = None) -> builtins.list[dict[str, Any]]:
        """This machine, as a size."""
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
        return [{"name": "this-machine", "vCPUs": os.cpu_count(), "gpus": 0, "memoryGB": round(memory, 1)}]

    @staticmethod
    def list_usages(
        workspace: Workspace, show_all: bool = False, location: str | None = None
    ) -> builtins.list[dict[str, Any]]:
        """Usages of quotas: there are no quotas here."""
        return []

    @staticmethod
    def list_quotas(workspace: Workspace, location: str | None = None) -> builtins.list[dict[str, Any]]:
        """Quotas: there are none here."""
        return []
