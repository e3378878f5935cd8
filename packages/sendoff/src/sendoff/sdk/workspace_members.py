"""What hangs on a workspace beside models, environments and services (spec/surface.md sec. 2.1)."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING, Any, cast

from ..spec import workspace as spec
from .exceptions import WorkspaceException, as_sdk_errors
from .given import texts
from .unsupported import refuse, refusing

if TYPE_CHECKING:
    from ..client import Client
    from ..spec.run import Run as RunView
    from .compute.target import ComputeTarget
    from .keyvault import Keyvault
    from .model import Model
    from .runs.experiment import Experiment
    from .runs.run import Run
    from .services.webservice import Webservice
    from .workspace import Workspace

_NETWORK = "The API listens on loopback, or where 'sendoff server' is told to; there is no private network to manage."
_CONNECTIONS = "Keep what a connection would hold as a secret: ws.get_default_keyvault().set_secret(name, value)."
_CPU, _GPU = "cpu-cluster", "gpu-cluster"


@refusing(
    "Workspace",
    {
        "The objects of the SDK speak to the API themselves.": "service_context",
        "Name a registry in settings.toml (registry = …) or with --image-name.": """
            update_dependencies(self, container_registry=None, force=False) -> Workspace
        """,
        _NETWORK: """
            add_private_endpoint(self, private_endpoint_config, private_endpoint_auto_approval=True, location=None,
                show_output=True, tags=None)
            delete_private_endpoint_connection(self, private_endpoint_connection_name)
        """,
        _CONNECTIONS: """
            get_connection(self, name)
            set_connection(self, name, category, target, authType, value)
            delete_connection(self, name)
        """,
    },
)
class WorkspaceMembers:
    """Members that are read off the store, and those of the cloud that are refused by name."""

    DEFAULT_CPU_CLUSTER_NAME = _CPU
    DEFAULT_GPU_CLUSTER_NAME = _GPU
    DEFAULT_CPU_CLUSTER_CONFIGURATION: Any = None
    DEFAULT_GPU_CLUSTER_CONFIGURATION: Any = None

    _client: Client
    _view: spec.Workspace

    def _me(self) -> Workspace:
        return cast("Workspace", self)

    # A workspace makes the objects of every other noun, so that those need not know each other's files.

    def _model(self, **named: Any) -> Model:
        from .model import Model

        return Model(self._me(), **named)

    def _registered(self, path: str, name: str) -> Model:
        from .model import Model

        return Model.register(self._me(), path, name)

    def _webservice(self, name: str) -> Webservice:
        from .services.webservice import Webservice

        return Webservice(self._me(), name)

    def _experiment(self, name: str) -> Experiment:
        from .runs.experiment import Experiment

        return Experiment(self._me(), name)

    def _run(self, view: RunView) -> Run:
        from .runs.run import Run

        return Run._of(self._me(), view)

    @property
    def compute_targets(self) -> dict[str, ComputeTarget]:
        """Compute targets by name."""
        from .compute.target import ComputeTarget

        return {target.name: target for target in ComputeTarget.list(self._me())}

    @property
    def experiments(self) -> dict[str, Experiment]:
        """Experiments by name."""
        from .runs.experiment import Experiment

        return {one.name: one for one in Experiment.list(self._me())}

    @property
    def images(self) -> dict[str, Any]:
        """Images of the oldest form: none are kept."""
        return {}

    @property
    def linked_services(self) -> dict[str, Any]:
        """None."""
        return {}

    @property
    def private_endpoints(self) -> dict[str, Any]:
        """None."""
        return {}

    @property
    def discovery_url(self) -> str:
        """The server's address, or the store's folder."""
        return self._client.where

    def get_run(self, run_id: str) -> Run:
        """The run of that id.

        Raises:
            ExperimentExecutionException: There is none.
        """
        from .runs.run import Run

        return Run.get(self._me(), run_id)

    def get_default_keyvault(self) -> Keyvault:
        """Its key vault."""
        from .keyvault import Keyvault

        return Keyvault(self._me())

    def get_default_compute_target(self, type: str) -> ComputeTarget | None:
        """The target called ``cpu-cluster`` or ``gpu-cluster``; None when there is none.

        Args:
            type: ``CPU`` or ``GPU``.
        """
        return self.compute_targets.get(_GPU if str(type).upper() == "GPU" else _CPU)

    def get_mlflow_tracking_uri(self, with_auth: bool = False) -> str:
        """An address for MLflow clients: a folder beside the store, since there is no tracking server.

        Raises:
            FeatureNotSupported: The API is on a server.
        """
        if not self._client.embedded:
            refuse("Workspace.get_mlflow_tracking_uri on a server", "Use a tracking server of MLflow's own.")
        from pathlib import Path

        return (Path(self._client.where).absolute() / "mlflow" / self._view.name).as_uri()

    @as_sdk_errors(WorkspaceException)
    def update(
        self,
        friendly_name: str | None = None,
        description: str | None = None,
        tags: dict[str, str] | None = None,
        image_build_compute: str | None = None,
        service_managed_resources_settings: Any = None,
        primary_user_assigned_identity: str | None = None,
        allow_public_access_when_behind_vnet: bool | None = None,
        v1_legacy_mode: bool | None = None,
    ) -> dict[str, Any]:
        """Change its name for people, or its tags (all are replaced); the cloud's parameters do nothing."""
        body = spec.UpdateWorkspace(
            friendly_name=friendly_name,
            tags=None if tags is None else texts(tags),
        )
        self._view = self._client.update_workspace(self._view.name, body)
        return self._me().get_details()

    def sync_keys(self, no_wait: bool = False) -> None:
        """Nothing to do: there are no storage keys."""

    def list_keys(self) -> dict[str, Any]:
        """No storage keys: files are in the store's folder."""
        return {"userStorageKey": None, "appInsightsInstrumentationKey": None, "containerRegistryCredentials": None}

    def diagnose_workspace(self, diagnose_parameters: Any) -> dict[str, Any]:
        """What this machine can do, as ``sendoff doctor`` says it."""
        return self._client.doctor()

    def list_connections(self, category: Any = None, target: str | None = None) -> builtins.list[Any]:
        """None."""
        return []
