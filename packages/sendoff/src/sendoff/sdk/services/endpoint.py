"""Endpoints with versions and traffic shares (spec/surface.md sec. 2.11): the names are here, the thing is not yet."""

from __future__ import annotations

from enum import Enum
from typing import Any

from ..unsupported import refuse, refusing
from .aks import AksWebservice
from .deployment_configuration import WebserviceDeploymentConfiguration

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


@refusing(
    "AksEndpoint",
    {
        _INSTEAD: """
            create_version(self, version_name, autoscale_enabled=None, autoscale_min_replicas=None,
                autoscale_max_replicas=None, autoscale_refresh_seconds=None, autoscale_target_utilization=None,
                collect_model_data=None, cpu_cores=None, memory_gb=None, scoring_timeout_ms=None,
                replica_max_concurrent_requests=None, max_request_wait_time=None, num_replicas=None, tags=None,
                properties=None, description=None, models=None, inference_config=None, gpu_cores=None,
                period_seconds=None, initial_delay_seconds=None, timeout_seconds=None, success_threshold=None,
                failure_threshold=None, traffic_percentile=None, is_default=None, is_control_version_type=None,
                cpu_cores_limit=None, memory_gb_limit=None)
            update_version(self, version_name, autoscale_enabled=None, autoscale_min_replicas=None,
                autoscale_max_replicas=None, autoscale_refresh_seconds=None, autoscale_target_utilization=None,
                collect_model_data=None, cpu_cores=None, memory_gb=None, scoring_timeout_ms=None,
                replica_max_concurrent_requests=None, max_request_wait_time=None, num_replicas=None, tags=None,
                properties=None, description=None, models=None, inference_config=None, gpu_cores=None,
                period_seconds=None, initial_delay_seconds=None, timeout_seconds=None, success_threshold=None,
                failure_threshold=None, traffic_percentile=None, is_default=None, is_control_version_type=None,
                cpu_cores_limit=None, memory_gb_limit=None)
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
    def deploy_configuration(  # type: ignore[override]
        autoscale_enabled: bool | None = None,
        autoscale_min_replicas: int | None = None,
        autoscale_max_replicas: int | None = None,
        autoscale_refresh_seconds: int | None = None,
        autoscale_target_utilization: int | None = None,
        collect_model_data: bool | None = None,
        auth_enabled: bool | None = None,
        cpu_cores: float | None = None,
        memory_gb: float | None = None,
        enable_app_insights: bool | None = None,
        scoring_timeout_ms: int | None = None,
        replica_max_concurrent_requests: int | None = None,
        max_request_wait_time: int | None = None,
        num_replicas: int | None = None,
        primary_key: str | None = None,
        secondary_key: str | None = None,
        tags: dict[str, str] | None = None,
        properties: dict[str, str] | None = None,
        description: str | None = None,
        gpu_cores: int | None = None,
        period_seconds: int | None = None,
        initial_delay_seconds: int | None = None,
        timeout_seconds: int | None = None,
        success_threshold: int | None = None,
        failure_threshold: int | None = None,
        namespace: str | None = None,
        token_auth_enabled: bool | None = None,
        version_name: str | None = None,
        traffic_percentile: float | None = None,
        compute_target_name: str | None = None,
        cpu_cores_limit: float | None = None,
        memory_gb_limit: float | None = None,
    ) -> AksEndpointDeploymentConfiguration:
        """Values as given; `Model.deploy` refuses them."""
        return AksEndpointDeploymentConfiguration(**locals())
