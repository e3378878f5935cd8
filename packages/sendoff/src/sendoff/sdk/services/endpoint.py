"""Endpoints with versions and traffic shares (spec/surface.md sec. 2.11): the names are here, the thing is not yet."""

from __future__ import annotations

from enum import Enum
from typing import Any

from ..signatures import parameters, taking
from ..unsupported import refuse, refusing
from .aks import AksWebservice
from .deployment_configuration import AksServiceDeploymentConfiguration, WebserviceDeploymentConfiguration

_INSTEAD = "Deploy each version as a service of its own; overwrite=True or update() replace one without a lost request."


class AksEndpointDeploymentConfiguration(WebserviceDeploymentConfiguration):
    """What `AksEndpoint.deploy_configuration` gives; deploying it is refused."""

    compute_type = "AKSENDPOINT"

    def __init__(self, **given: Any) -> None:
        vars(self).update(given)

    def validate_configuration(self) -> None:
        """Nothing is checked: nothing is deployed."""

    def _spec(self) -> Any:
        refuse("AksEndpoint", _INSTEAD)


# A version takes what a service takes, but for what is its endpoint's.
_OF_A_VERSION = parameters(
    AksServiceDeploymentConfiguration,
    without="""
        auth_enabled enable_app_insights primary_key secondary_key namespace token_auth_enabled compute_target_name
        blobfuse_enabled data_collection
    """,
    behind={
        "description": "models=None, inference_config=None",
        "failure_threshold": "traffic_percentile=None, is_default=None, is_control_version_type=None",
    },
)


@refusing(
    "AksEndpoint",
    {
        _INSTEAD: f"""
            create_version(self, version_name, {_OF_A_VERSION})
            update_version(self, version_name, {_OF_A_VERSION})
            delete_version(self, version_name)
            update(self, auth_enabled=None, token_auth_enabled=None, enable_app_insights=None, description=None,
                tags=None, properties=None)
        """,
    },
)
class AksEndpoint(AksWebservice):
    """Several versions behind one address: not there yet.

    Args:
        workspace: Where it would be.
        name: Its name.

    Raises:
        FeatureNotSupported: Always.
    """

    class VersionType(Enum):
        """What a version is to an experiment."""

        control = "Control"
        treatment = "Treatment"

    versions: dict[str, Any] = {}

    def __new__(cls, workspace: Any, name: str, *_: Any, **__: Any) -> AksEndpoint:
        refuse("AksEndpoint", _INSTEAD)

    @staticmethod
    @taking(
        parameters(
            AksServiceDeploymentConfiguration,
            without="blobfuse_enabled data_collection",
            behind={"token_auth_enabled": "version_name=None, traffic_percentile=None"},
        )
    )
    def deploy_configuration(**given: Any) -> AksEndpointDeploymentConfiguration:  # type: ignore[override]
        """Values as given; `Model.deploy` refuses them."""
        return AksEndpointDeploymentConfiguration(**given)
