"""A single container (spec/surface.md sec. 2.9)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...spec.deployment import ACI
from ..signatures import making
from .deployment_configuration import AciServiceDeploymentConfiguration
from .values import EncryptionProperties, VnetConfiguration, resources
from .webservice import Webservice

if TYPE_CHECKING:
    from ...spec.service import Service
    from .inference_config import InferenceConfig


class AciWebservice(Webservice):
    """A single container; here it runs on the target that the timeline of its deployment names.

    Args:
        workspace: Where it is.
        name: Its name.

    Raises:
        WebserviceException: There is none, or it is of another kind.
    """

    _compute_type = ACI

    def _fill(self, view: Service) -> None:
        super()._fill(view)
        size = view.deployment
        self.container_resource_requirements = resources(size)
        self.cname = size.ssl_cname
        self.encryption_properties: EncryptionProperties | None = None
        self.vnet_configuration = VnetConfiguration(size.vnet_name, size.subnet_name) if size.vnet_name else None
        self.public_ip: str | None = None
        self.public_fqdn: str | None = None
        self.ssl_enabled = size.ssl_enabled
        self.ssl_certificate = size.ssl_cert_pem
        self.ssl_key: str | None = None

    @staticmethod
    @making(AciServiceDeploymentConfiguration)
    def deploy_configuration() -> None:
        """How large it is. What the chosen target cannot honour is said in the timeline.

        Args:
            cpu_cores: Cores, fractions too; SDK v1's service took 0.1 when None.
            memory_gb: GB; 0.5 when None.
            tags: Changeable later.
            properties: Can only be added to later.
            description: Free text.
            location: Kept and shown.
            auth_enabled: Ask for a key with each request.
            ssl_enabled: Needs certificate, key and name.
            enable_app_insights: Telemetry.
            ssl_cert_pem_file: Certificate's file.
            ssl_key_pem_file: Key's file.
            ssl_cname: Host name of the certificate.
            dns_name_label: Kept and shown.
            primary_key: Made when None.
            secondary_key: Made when None.
            collect_model_data: Store inputs and predictions, and what the script's collectors are given.
            cmk_vault_base_url: With the two below or none.
            cmk_key_name: As above.
            cmk_key_version: As above.
            vnet_name: With subnet_name or neither.
            subnet_name: As above.
            token_auth_enabled: Ask for a token with each request; SDK v1 had this for AKS alone.
            data_collection: How: ``capture``, ``sample``, ``redact`` and so on (docs/data-collection.md).

        Raises:
            WebserviceException: Values are out of their range or do not go together.
        """

    def run(self, input_data: Any) -> Any:  # type: ignore[override]
        """Send a request; see `Webservice.run`."""
        return super().run(input_data)

    def update(
        self,
        image: object = None,
        tags: dict[str, str] | None = None,
        properties: dict[str, str] | None = None,
        description: str | None = None,
        auth_enabled: bool | None = None,
        ssl_enabled: bool | None = None,
        ssl_cert_pem_file: str | None = None,
        ssl_key_pem_file: str | None = None,
        ssl_cname: str | None = None,
        enable_app_insights: bool | None = None,
        models: Sequence[Any] | None = None,
        inference_config: InferenceConfig | None = None,
        token_auth_enabled: bool | None = None,
        collect_model_data: bool | None = None,
        data_collection: dict[str, Any] | None = None,
    ) -> None:
        """Change what is given; follow it with `wait_for_deployment`.

        Args:
            image: SDK v1's oldest form, not supported.
            tags: Replace all tags.
            properties: Are added.
            description: Free text.
            auth_enabled: As in `deploy_configuration`, like those that follow.
            ssl_enabled: TLS.
            ssl_cert_pem_file: TLS.
            ssl_key_pem_file: TLS.
            ssl_cname: TLS.
            enable_app_insights: Telemetry.
            models: What it serves from now on.
            inference_config: Other code or environment.
            token_auth_enabled: Tokens instead of keys.
            collect_model_data: Store inputs and predictions, and what the script's collectors are given.
            data_collection: How.

        Raises:
            WebserviceException: Something is wrong; the running service is as it was.
        """
        self._update_as_given(locals())
