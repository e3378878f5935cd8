"""Deploying in SDK v1's oldest forms, with image configurations (spec/surface.md sec. 2.8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from ..exceptions import WebserviceException
from .deployment_configuration import LocalWebserviceDeploymentConfiguration
from .images import Image, deploy_image_form

if TYPE_CHECKING:
    from ..workspace import Workspace
    from .local import LocalWebservice
    from .webservice import Webservice


class ImageForms:
    """What `Webservice` offers beside `Model.deploy`."""

    @staticmethod
    def deploy(
        workspace: Workspace,
        name: str,
        model_paths: Sequence[str],
        image_config: Any,
        deployment_config: Any = None,
        deployment_target: Any = None,
        overwrite: bool = False,
    ) -> Webservice:
        """Register local files as models and deploy them.

        Args:
            workspace: Where.
            name: The service's name.
            model_paths: Local files or folders; each becomes a model of its own name.
            image_config: Of `ContainerImage.image_configuration`.
            deployment_config: Kind and size.
            deployment_target: A cluster.
            overwrite: Replace a service of that name.

        Raises:
            WebserviceException: As `Model.deploy`.
        """
        return deploy_image_form(
            workspace, name, model_paths, image_config, deployment_config, deployment_target, overwrite
        )

    @staticmethod
    def deploy_from_model(
        workspace: Workspace,
        name: str,
        models: Sequence[Any],
        image_config: Any,
        deployment_config: Any = None,
        deployment_target: Any = None,
        overwrite: bool = False,
    ) -> Webservice:
        """Deploy registered models; otherwise as `deploy`."""
        return deploy_image_form(workspace, name, models, image_config, deployment_config, deployment_target, overwrite)

    @staticmethod
    def deploy_from_image(
        workspace: Workspace,
        name: str,
        image: Any,
        deployment_config: Any = None,
        deployment_target: Any = None,
        overwrite: bool = False,
    ) -> Webservice:
        """Deploy what `Image.create` gave in this script; otherwise as `deploy`.

        Raises:
            WebserviceException: It is no such image.
        """
        if not isinstance(image, Image):
            raise WebserviceException(
                f"{image!r} is no image of Image.create", hint="Use Model.deploy with an InferenceConfig."
            )
        return deploy_image_form(
            workspace, name, image.model_ids, image._config, deployment_config, deployment_target, overwrite
        )

    @staticmethod
    def deploy_local_from_model(
        workspace: Workspace,
        name: str,
        models: Sequence[Any],
        image_config: Any,
        deployment_config: Any = None,
        wait: bool = False,
    ) -> LocalWebservice:
        """Deploy registered models on this machine.

        Args:
            workspace: Where the models are.
            name: The service's name.
            models: The models.
            image_config: Of `ContainerImage.image_configuration`.
            deployment_config: Of `LocalWebservice.deploy_configuration`.
            wait: Wait until it is deployed.
        """
        config = deployment_config or LocalWebserviceDeploymentConfiguration()
        service = deploy_image_form(workspace, name, models, image_config, config, None, True)
        if wait:
            service.wait_for_deployment(show_output=True)
        return cast("LocalWebservice", service)
