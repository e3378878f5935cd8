"""A service on this machine (spec/surface.md sec. 2.8.1)."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any

from ...client import Transfer
from ...errors import ServiceNotFound
from ...spec.deployment import LOCAL
from ...spec.operation import Operation
from ...spec.service import TRANSITIONING
from ...spec.tls_files import with_tls_files
from ..exceptions import WebserviceException, as_sdk_errors
from ..unsupported import refusing
from .deployment_configuration import LocalWebserviceDeploymentConfiguration, WebserviceDeploymentConfiguration
from .inference_config import InferenceConfig
from .webservice import Webservice

if TYPE_CHECKING:
    from ..workspace import Workspace


@refusing(
    "LocalWebservice",
    {
        "Use Model.deploy with another configuration.": """
            deploy_to_cloud(self, name: str | None = None,
                deployment_config: WebserviceDeploymentConfiguration | None = None,
                deployment_target: object = None) -> Webservice
        """,
    },
    also=WebserviceException,
)
class LocalWebservice(Webservice):
    """A service on this machine.

    Args:
        workspace: Where it is.
        name: Its name.
        must_exist: False gives an object also when there is none; its ``state`` is ``unknown``.

    Raises:
        WebserviceException: There is none, or it is of another kind.
    """

    _compute_type = LOCAL
    NETWORK_NAME = "azureml-local"
    STATE_DELETED = "deleted"
    STATE_DEPLOYING = "deploying"
    STATE_FAILED = "failed"
    STATE_RUNNING = "running"
    STATE_UNKNOWN = "unknown"

    def __init__(self, workspace: Workspace, name: str, must_exist: bool = True) -> None:
        try:
            super().__init__(workspace, name)
        except WebserviceException as error:
            if must_exist or not isinstance(error, ServiceNotFound):
                raise
            self.state = self.STATE_UNKNOWN

    @staticmethod
    def deploy_configuration(port: int | None = None, **kwargs: Any) -> LocalWebserviceDeploymentConfiguration:
        """How to run it.

        Args:
            port: 1 to 65535; a free one is taken, and kept, when None.
            **kwargs: ``workers``, ``memory_limit_mb``, ``preload``, ``tags``, ``properties``, ``description``; and what
                SDK v1 had for cloud services alone: ``auth_enabled``, ``token_auth_enabled``, ``primary_key``,
                ``secondary_key``, ``ssl_enabled``, ``ssl_cert_pem_file``, ``ssl_key_pem_file``, ``ssl_cname``,
                ``protected_paths``, ``cors_origins``, ``enable_app_insights``.

        Raises:
            WebserviceException: A value is out of its range.
        """
        return LocalWebserviceDeploymentConfiguration(port, **kwargs)

    @staticmethod
    def list(  # type: ignore[override]  # SDK v1's own, shorter signature
        workspace: Workspace, model_name: str | None = None, model_id: str | None = None, all: bool | None = None
    ) -> builtins.list[Webservice]:
        """Local services of the workspace; stopped ones are always among them."""
        return Webservice.list(workspace, compute_type=LOCAL, model_name=model_name, model_id=model_id)

    @property
    def port(self) -> int | None:
        """The port on this machine."""
        return self._view.port

    @property
    def scoring_uri(self) -> str | None:
        """Where requests go. It is known at once where the configuration names a port, before anything answers there.

        None while a port that nobody named is not chosen yet. Source: spec/surface.md sec. 2.8.1.
        """
        return self._view.scoring_uri or self._coming("score")

    @property
    def swagger_uri(self) -> str | None:
        """Where its description is; known at once where the configuration names a port, as `scoring_uri` is."""
        return self._view.swagger_uri or self._coming("swagger.json")

    def _coming(self, path: str) -> str | None:
        """The address that a service on its way will have; both of a local service's targets listen on loopback."""
        view = self._view
        if view.state != TRANSITIONING or view.port is None:
            return None
        deployment = view.deployment
        scheme, name = "http", "127.0.0.1"
        if deployment.ssl_enabled:
            scheme, name = "https", deployment.ssl_cname or name
        return f"{scheme}://{name}:{view.port}/{path}"

    def run(self, input_data: Any) -> Any:  # type: ignore[override]
        """Send a request; see `Webservice.run`.

        SDK v1's local deployments were up when `Model.deploy` returned, and scripts rely on it: one that is still on
        its way is waited for.
        """
        if self._view.scoring_uri is None:
            self.wait_for_deployment()
        return super().run(input_data)

    def update(
        self,
        models: builtins.list[Any] | None = None,
        image_config: object = None,
        deployment_config: WebserviceDeploymentConfiguration | None = None,
        wait: bool = False,
        inference_config: InferenceConfig | None = None,
    ) -> None:
        """Bring it to other models, code or settings; requests go on being answered.

        Args:
            models: What it serves from now on; None keeps them.
            image_config: SDK v1's oldest form, not supported.
            deployment_config: Other settings; None keeps them.
            wait: Not used: it returns when the update is over, as SDK v1's local services did.
            inference_config: Other code or environment; None keeps them.

        Raises:
            WebserviceException: Something is wrong; the running service is as it was.
        """
        if image_config is not None:
            raise WebserviceException("image_config is not supported.", hint="Use inference_config.")
        deployment = with_tls_files(deployment_config._spec()) if deployment_config is not None else None
        if self._update(models=models, inference_config=inference_config, deployment=deployment):
            self.wait_for_deployment()

    @as_sdk_errors(WebserviceException)
    def reload(self, wait: bool = False) -> None:
        """Bring it to the script's files as they are now on this machine; requests go on being answered.

        Args:
            wait: Not used: it returns when the new workers answer, as SDK v1's local services did.

        Raises:
            WebserviceException: The files are gone or cannot be served; the running service is as it was.
        """
        answer = Transfer(self.workspace._client).reload(self.workspace.name, self.name)
        if isinstance(answer, Operation):
            self._operation_id = answer.id
            self.wait_for_deployment()
        self.update_deployment_state()

    def get_logs(self, num_lines: int = 5000, raw: bool = False, init: bool = False) -> str:  # type: ignore[override]
        """The newest log lines, oldest first; ``raw`` is taken for SDK v1's sake."""
        return super().get_logs(num_lines, init)

    def delete(self, delete_cache: bool = True, delete_image: bool = False, delete_volume: bool = True) -> None:
        """Stop and remove it, and wait until it is gone; the parameters are SDK v1's and do nothing."""
        super().delete()

    def update_deployment_state(self, must_exist: bool = False) -> None:
        """Read ``state`` and everything else anew; a service that is gone gets the state ``deleted``."""
        try:
            super().update_deployment_state()
        except WebserviceException as error:
            if must_exist or not isinstance(error, ServiceNotFound):
                raise
            self.state = self.STATE_DELETED
