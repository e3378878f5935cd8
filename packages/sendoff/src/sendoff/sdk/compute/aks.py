"""AKS clusters (spec/surface.md sec. 2.12)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...spec import compute as spec
from ..exceptions import ComputeTargetException
from ..given import together
from ..signatures import making
from ..unsupported import refusing
from .configuration import SecuredConfiguration
from .target import ComputeTarget

if TYPE_CHECKING:
    from ..workspace import Workspace

_RESOURCE_ID = re.compile(r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/[^/]+/[^/]+/[^/]+", re.IGNORECASE)


@dataclass(eq=False, repr=False)
class SslConfiguration:
    """A cluster's HTTPS settings, as given."""

    status: str | None = None
    cert: str | None = None
    key: str | None = None
    cname: str | None = None
    leaf_domain_label: str | None = None
    overwrite_existing_domain: bool = False
    renew: bool = False


@dataclass(eq=False, repr=False)
class SystemService:
    """A service of the cluster's own; there is none here."""

    service_type: str
    version: str
    public_ip_address: str


@dataclass(eq=False, repr=False)
class AksUpdateConfiguration:
    """What `AksCompute.update` changes."""

    ssl_configuration: SslConfiguration | None = None
    load_balancer_type: str | None = None
    load_balancer_subnet: str | None = None


@dataclass(eq=False, repr=False)
class AksProvisioningConfiguration(SecuredConfiguration):
    """What `AksCompute.provisioning_configuration` gives."""

    _compute_type = spec.AKS

    agent_count: int | None = None
    vm_size: str | None = None
    ssl_cname: str | None = None
    ssl_cert_pem_file: str | None = None
    ssl_key_pem_file: str | None = None
    location: str | None = None
    vnet_resourcegroup_name: str | None = None
    vnet_name: str | None = None
    subnet_name: str | None = None
    service_cidr: str | None = None
    dns_service_ip: str | None = None
    docker_bridge_cidr: str | None = None
    cluster_purpose: str | None = None
    load_balancer_type: str | None = None
    load_balancer_subnet: str | None = None

    def _problems(self) -> list[str]:
        network = ("vnet_resourcegroup_name", "vnet_name", "subnet_name")
        ranges = ("service_cidr", "dns_service_ip", "docker_bridge_cidr")
        return super()._problems() + together(self, *network, *ranges)


@dataclass(eq=False, repr=False)
class AksAttachConfiguration(SecuredConfiguration):
    """What `AksCompute.attach_configuration` gives."""

    _compute_type = spec.AKS

    resource_group: str | None = None
    cluster_name: str | None = None
    resource_id: str | None = None
    cluster_purpose: str | None = None
    load_balancer_type: str | None = None
    load_balancer_subnet: str | None = None
    namespace: str | None = None
    context: str | None = None
    kubeconfig: str | None = None
    kubernetes: dict[str, Any] | None = None

    def _problems(self) -> list[str]:
        found = super()._problems()
        if self.context and not (self.resource_id or self.resource_group or self.cluster_name):
            return found
        if self.resource_id and (self.resource_group or self.cluster_name):
            found.append("give resource_id, or resource_group and cluster_name, not both")
        elif self.resource_id and not _RESOURCE_ID.match(self.resource_id):
            found.append(f"resource_id {self.resource_id!r} is no full resource id")
        elif not self.resource_id and not (self.resource_group and self.cluster_name):
            found.append("resource_group and cluster_name go together; or give resource_id")
        return found

    def _resource_id(self, workspace: Workspace) -> str | None:
        if self.cluster_name is None:
            return self.resource_id
        return self.resource_id or (
            f"/subscriptions/{workspace.subscription_id}/resourceGroups/{self.resource_group}/providers/"
            f"Microsoft.ContainerService/managedClusters/{self.cluster_name}"
        )


@refusing(
    "AksCompute",
    {
        "No credentials are kept of clusters: use your own kubeconfig (KUBECONFIG).": """
            get_credentials(self) -> dict[str, Any]
        """,
    },
    also=ComputeTargetException,
)
class AksCompute(ComputeTarget):
    """A cluster by name. Created, it stands for this machine; attached, for a cluster elsewhere.

    Args:
        workspace: Where it is kept.
        name: Its name.

    Raises:
        ComputeTargetException: There is none, or it is of another kind.
    """

    _compute_type = spec.AKS

    class ClusterPurpose:
        """Sizes for ``cluster_purpose``: three agents, or one."""

        FAST_PROD = "FastProd"
        DEV_TEST = "DevTest"

    def _fill(self, view: spec.Compute) -> None:
        super()._fill(view)
        given = view.properties
        self.cluster_purpose = given.get("cluster_purpose", self.ClusterPurpose.FAST_PROD)
        count = 1 if self.cluster_purpose == self.ClusterPurpose.DEV_TEST else 3
        self.agent_count = given.get("agent_count", count)
        self.agent_vm_size = given.get("vm_size", "Standard_D3_v2")
        self.cluster_fqdn: str | None = None
        self.system_services: list[SystemService] = []
        self.ssl_configuration = _ssl(given)
        self.load_balancer_type = given.get("load_balancer_type", "PublicIp")
        self.load_balancer_subnet = given.get("load_balancer_subnet", "aks-subnet")

    @staticmethod
    @making(AksProvisioningConfiguration)
    def provisioning_configuration() -> None:
        """What a cluster would be made with; kept and shown, since none is made here.

        Raises:
            ComputeTargetException: Values do not go together.
        """

    @staticmethod
    @making(AksAttachConfiguration)
    def attach_configuration() -> None:
        """Which cluster to attach: by its group and name, by its full resource id, or by a context of the kubeconfig.

        A cluster whose name is that of a context, as `az aks get-credentials` makes it, is deployed to; one that no
        context is named like stands for this machine.

        Raises:
            ComputeTargetException: Neither way, half of one, or both are given.
        """

    @staticmethod
    def attach(workspace: Workspace, name: str, resource_id: Any) -> ComputeTarget:
        """The old form of `ComputeTarget.attach`; a configuration is taken as well.

        Raises:
            ComputeTargetException: The id is none, or another kind has the name.
        """
        if isinstance(resource_id, str):
            resource_id = AksAttachConfiguration(resource_id=resource_id)
        return ComputeTarget.attach(workspace, name, resource_id)

    def update(self, update_configuration: AksUpdateConfiguration) -> None:
        """Keep other HTTPS or load balancer settings."""
        ssl = update_configuration.ssl_configuration
        self._update(
            load_balancer_type=update_configuration.load_balancer_type,
            load_balancer_subnet=update_configuration.load_balancer_subnet,
            ssl_cname=ssl.cname if ssl else None,
            leaf_domain_label=ssl.leaf_domain_label if ssl else None,
        )


def _ssl(given: dict[str, Any]) -> SslConfiguration | None:
    if not (given.get("ssl_cname") or given.get("leaf_domain_label")):
        return None
    return SslConfiguration(
        "Enabled",
        given.get("ssl_cert_pem_file"),
        given.get("ssl_key_pem_file"),
        given.get("ssl_cname"),
        given.get("leaf_domain_label"),
        bool(given.get("overwrite_existing_domain")),
    )
