"""A scaled service (spec/surface.md sec. 2.10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...spec.deployment import AKS
from ..signatures import making, parameters, taking
from .deployment_configuration import AksServiceDeploymentConfiguration, autoscaler, liveness_probe
from .values import DataCollection, probe, resources, scaler
from .webservice import Webservice

if TYPE_CHECKING:
    from ...spec.service import Service


class AksWebservice(Webservice):
    """A scaled service; here it runs on the target that the timeline of its deployment names.

    Args:
        workspace: Where it is.
        name: Its name.

    Raises:
        WebserviceException: There is none, or it is of another kind.
    """

    _compute_type = AKS

    def _fill(self, view: Service) -> None:
        super()._fill(view)
        size = view.deployment
        self.autoscaler = scaler(size)
        self.compute_name = size.compute_target_name
        self.container_resource_requirements = resources(size)
        self.liveness_probe_requirements = probe(size)
        self.data_collection = DataCollection(False, bool(size.collect_model_data))
        self.max_concurrent_requests_per_container = size.replica_max_concurrent_requests or 1
        self.max_request_wait_time = size.max_request_wait_time
        self.num_replicas = size.num_replicas
        self.scoring_timeout_ms = size.scoring_timeout_ms
        self.is_default: bool | None = None
        self.traffic_percentile: float | None = None
        self.version_type: Any = None
        self.deployment_status = view.state
        self.namespace = size.namespace

    @staticmethod
    @making(AksServiceDeploymentConfiguration)
    def deploy_configuration() -> None:
        """How large it is. What the chosen target cannot honour is said in the timeline.

        Args:
            autoscale_enabled: True when num_replicas is None.
            autoscale_min_replicas: 1 when None.
            autoscale_max_replicas: 10 when None.
            autoscale_refresh_seconds: 1 when None.
            autoscale_target_utilization: Percent; 70 when None.
            collect_model_data: Store inputs and predictions, and what the script's collectors are given.
            auth_enabled: Ask for a key with each request; excludes token_auth_enabled.
            cpu_cores: Cores, fractions too; SDK v1's service took 0.1 when None.
            memory_gb: GB; 0.5 when None.
            enable_app_insights: Telemetry.
            scoring_timeout_ms: Deadline of a request; 60000 when None.
            replica_max_concurrent_requests: 1 when None.
            max_request_wait_time: Milliseconds in the queue, then 503; 500 when None.
            num_replicas: A fixed number.
            primary_key: Made when None.
            secondary_key: Made when None.
            tags: Changeable later.
            properties: Can only be added to later.
            description: Free text.
            gpu_cores: Whole GPUs.
            period_seconds: Liveness probe; 10 when None.
            initial_delay_seconds: 310 when None.
            timeout_seconds: 2 when None.
            success_threshold: 1 when None.
            failure_threshold: 3 when None.
            namespace: 1 to 63 of a-z, 0-9 and '-'.
            token_auth_enabled: Ask for a token with each request.
            compute_target_name: Instead of deployment_target.
            cpu_cores_limit: At least cpu_cores.
            memory_gb_limit: At least memory_gb.
            blobfuse_enabled: Taken and not used.
            data_collection: How: ``capture``, ``sample``, ``redact`` and so on (docs/data-collection.md).
            kubernetes: What only a cluster has a use for: ``node_selector``, ``tolerations`` … (docs/kubernetes.md).

        Raises:
            WebserviceException: Values are out of their range or do not go together.
        """

    def run(self, input_data: Any) -> Any:  # type: ignore[override]
        """Send a request; see `Webservice.run`."""
        return super().run(input_data)

    @taking(
        "self, image: object = None, "
        + parameters(
            AksServiceDeploymentConfiguration,
            without="primary_key secondary_key compute_target_name blobfuse_enabled",
            behind={
                "description": "models: Sequence[Any] | None = None, inference_config: InferenceConfig | None = None"
            },
        )
        + ", **_: Any"
    )
    def update(self, **given: Any) -> None:
        """Change what is given, as in `deploy_configuration`; follow it with `wait_for_deployment`.

        ``tags`` replaces all tags, ``properties`` are added, ``models`` and ``inference_config`` are what it serves
        from now on.

        Raises:
            WebserviceException: Something is wrong; the running service is as it was.
        """
        before = self._view.deployment
        scaler, probe = autoscaler(given, before.autoscaler), liveness_probe(given, before.liveness_probe)
        self._update_as_given(
            given,
            autoscaler=None if scaler == before.autoscaler else scaler,
            liveness_probe=None if probe == before.liveness_probe else probe,
        )
