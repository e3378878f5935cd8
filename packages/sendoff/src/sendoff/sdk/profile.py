"""The profile (spec/surface.md sec. 2.6)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..errors import Conflict, DeploymentFailed, from_payload
from ..spec.operation import SUCCEEDED, Operation
from ..spec.parse import replace
from ..spec.profile import CreateProfile, Profile, check_profile, details_of
from .data.dataset import saved
from .exceptions import WebserviceException, as_sdk_errors
from .timeline import Timeline, follow

if TYPE_CHECKING:
    from .services.deployment_configuration import AciServiceDeploymentConfiguration
    from .services.inference_config import InferenceConfig
    from .workspace import Workspace


def start(
    workspace: Workspace,
    name: str,
    models: list[str],
    inference_config: InferenceConfig | None,
    input_dataset: Any,
    cpu: float | None,
    memory_in_gb: float | None,
    description: str | None,
    *,
    target: str | None = None,
    add_tags: dict[str, str | None] | None = None,
) -> ModelProfile:
    """Send what `Model.profile` was given; the dataset is kept if it is not registered."""
    body = CreateProfile(
        name=name,
        models=models,
        dataset=None if input_dataset is None else saved(workspace, input_dataset),
        cpu=cpu,
        memory_in_gb=memory_in_gb,
        target=target,
        description=description or "",
        add_tags=dict(add_tags or {}),
    )
    check_profile(body)
    body = replace(body, inference=inference_config._spec(workspace) if inference_config else None)
    return ModelProfile._of(workspace, workspace._client.create_profile(workspace.name, body))


class ModelProfile:
    """What models were measured to need: the newest profile of that name.

    Attributes are those of SDK v1: ``recommended_cpu`` and ``recommended_memory`` (GB), ``requested_cpu``,
    ``max_utilized_cpu``, ``latency_percentile_99_in_ms`` and so on; those of the result are None before it has
    succeeded.

    Args:
        workspace: Where it was made.
        name: Its name.

    Raises:
        WebserviceException: There is none of that name.
    """

    @as_sdk_errors(WebserviceException)
    def __init__(self, workspace: Workspace, name: str) -> None:
        self.workspace = workspace
        self._fill(workspace._client.profile(workspace.name, name))

    @classmethod
    def _of(cls, workspace: Workspace, view: Profile) -> ModelProfile:
        made = cls.__new__(cls)
        made.workspace = workspace
        made._fill(view)
        return made

    def _fill(self, view: Profile) -> None:
        self._view = view
        details = details_of(view)
        self.name = view.name
        self.id = view.id
        self.create_operation_id = view.operation.id
        self.parent_request_id = view.operation.id
        self.description = view.description
        self.created_time = datetime.fromtimestamp(view.created_time, UTC)
        self.state = view.state
        self.model_ids = list(view.models)
        self.input_dataset_id = view.dataset
        self.environment = view.result.environment if view.result is not None else None
        self.error = view.error
        self.error_logs_url = f"sendoff://operations/{view.operation.id}" if view.error else None
        self.requested_cpu = details.get("requestedCpu")
        self.requested_memory_in_gb = details.get("requestedMemoryInGB")
        self.requested_queries_per_second = details.get("requestedQueriesPerSecond")
        self.recommended_cpu = details.get("recommendedCpu")
        self.recommended_memory = details.get("recommendedMemoryInGB")
        self.max_utilized_cpu = details.get("maxUtilizedCpu")
        self.max_utilized_memory = details.get("maxUtilizedMemoryInGB")
        self.measured_queries_per_second = details.get("measuredQueriesPerSecond")
        self.total_queries = details.get("totalQueries")
        self.success_queries = details.get("successQueries")
        self.success_rate = details.get("successRate")
        self.average_latency_in_ms = details.get("averageLatencyInMs")
        self.latency_percentile_50_in_ms = details.get("latencyPercentile50InMs")
        self.latency_percentile_90_in_ms = details.get("latencyPercentile90InMs")
        self.latency_percentile_95_in_ms = details.get("latencyPercentile95InMs")
        self.latency_percentile_99_in_ms = details.get("latencyPercentile99InMs")
        self.latency_percentile_999_in_ms = details.get("latencyPercentile999InMs")

    def _look(self) -> Operation:
        self._fill(self.workspace._client.profile(self.workspace.name, self.id))
        return self._view.operation

    @property
    def reasons(self) -> list[str]:
        """Why the recommendation is what it is, a sentence a reason; empty before the end."""
        found = self._view.result.recommendation if self._view.result is not None else None
        return list(found.reasons) if found is not None else []

    @property
    def recommended_workers(self) -> int | None:
        """Worker processes to serve with."""
        found = self._view.result.recommendation if self._view.result is not None else None
        return found.workers if found is not None else None

    @property
    def recommended_concurrency(self) -> int | None:
        """Requests at once beyond which more only wait."""
        found = self._view.result.recommendation if self._view.result is not None else None
        return found.concurrency if found is not None else None

    @as_sdk_errors(WebserviceException)
    def wait_for_completion(self, show_output: bool = False) -> None:
        """Wait until it is over.

        Args:
            show_output: Print each step, and which size is being measured.

        Raises:
            WebserviceException: It failed; the message says what the entry script said.
        """
        timeline = Timeline() if show_output else None
        follow(self._look, timeline)
        if timeline is not None:
            timeline.close(f"Profile {self.name} {self.state}")
            for reason in self.reasons:
                timeline.close(f"  {reason}")
        if self.state != SUCCEEDED:
            raise from_payload(self.error) if self.error else DeploymentFailed(f"the profile ended {self.state}")

    def get_details(self) -> dict[str, Any]:
        """The result under SDK v1's keys; the memory also as ``requestedMemoryInGb``, as the article reads it."""
        self._look()
        return details_of(self._view)

    def get_sizes(self) -> list[dict[str, Any]]:
        """Every size with every load that was held: rate, latencies split into queue and run, CPU, memory, errors."""
        from ..spec.parse import to_builtins

        self._look()
        sizes: list[dict[str, Any]] = to_builtins(self._view.result.sizes) if self._view.result is not None else []
        return sizes

    def serialize(self) -> dict[str, Any]:
        """The details with ids, environment and error."""
        return {
            **details_of(self._view),
            "id": self.id,
            "description": self.description,
            "environment": self.environment,
            "modelIds": self.model_ids,
            "inputDatasetId": self.input_dataset_id,
            "error": self.error,
            "errorLogsUri": self.error_logs_url,
        }

    @as_sdk_errors(WebserviceException)
    def deploy_configuration(self, **changes: Any) -> AciServiceDeploymentConfiguration:
        """A container instance's configuration with what is recommended; ``changes`` as ``AciWebservice`` takes them.

        Raises:
            WebserviceException: It has not succeeded.
        """
        from .services.aci import AciWebservice

        if self.recommended_cpu is None:
            raise Conflict(f"profile {self.name!r} recommends nothing: it is {self.state}", hint="Wait for it.")
        given = {"cpu_cores": self.recommended_cpu, "memory_gb": self.recommended_memory, **changes}
        return AciWebservice.deploy_configuration(**given)

    @as_sdk_errors(WebserviceException)
    def save_chart(self, path: str) -> str:
        """Write the chart of rate and latency by load as PNG; its path.

        Raises:
            WebserviceException: It has no result, or matplotlib is missing (``pip install 'sendoff-ml[profile]'``).
        """
        from ..views.chart import save_png

        return str(save_png(self._view, path))

    def _repr_html_(self) -> str:
        from .notebook import facts

        shown = {"State": self.state, "Models": self.model_ids, "Error": (self.error or {}).get("message")}
        return facts(f"ModelProfile {self.name}", {**shown, **details_of(self._view)})

    def __repr__(self) -> str:
        return f"ModelProfile(workspace={self.workspace.name!r}, name={self.name!r}, state={self.state!r})"
