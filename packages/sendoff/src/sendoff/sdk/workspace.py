"""The workspace (spec/surface.md sec. 2.1)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import WorkspaceNotFound
from ..spec import workspace as spec
from ..spec.workspace_files import Locator
from . import workspace_config
from .connection import client as shared_client
from .exceptions import WorkspaceException, as_sdk_errors
from .saying import say
from .workspace_members import WorkspaceMembers

if TYPE_CHECKING:
    from ..client import Client
    from .data.dataset import FileDataset, TabularDataset
    from .data.datastore import Datastore
    from .environments.environment import Environment
    from .model import Model
    from .services.webservice import Webservice


class Workspace(WorkspaceMembers):
    """Owns models, environments and services. Without a server it lives in ``SENDOFF_HOME`` on this machine.

    Args:
        subscription_id: Kept and shown; Sendoff finds a workspace by its name alone.
        resource_group: As above.
        workspace_name: The workspace's name; it must exist.
        auth: Taken for SDK v1's sake and not used.
        sku: As above.
        tags: As above.

    Raises:
        WorkspaceException: There is no workspace of that name.
    """

    def __init__(
        self,
        subscription_id: str,
        resource_group: str,
        workspace_name: str,
        auth: object = None,
        sku: str = "basic",
        tags: dict[str, str] | None = None,
        **_: Any,
    ) -> None:
        del auth, sku, tags
        self._client = shared_client()
        with as_sdk_errors(WorkspaceException):
            self._view = _named(self._client, workspace_name, subscription_id, resource_group)
        self._subscription_id = subscription_id or self._view.subscription_id
        self._resource_group = resource_group or self._view.resource_group

    @classmethod
    def _of(cls, client: Client, view: spec.Workspace) -> Workspace:
        made = cls.__new__(cls)
        made._client, made._view = client, view
        made._subscription_id, made._resource_group = view.subscription_id, view.resource_group
        return made

    @staticmethod
    @as_sdk_errors(WorkspaceException)
    def create(
        name: str,
        auth: object = None,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        location: str | None = None,
        create_resource_group: bool = True,
        sku: str = "basic",
        tags: dict[str, str] | None = None,
        friendly_name: str | None = None,
        storage_account: str | None = None,
        key_vault: str | None = None,
        app_insights: str | None = None,
        container_registry: str | None = None,
        adb_workspace: str | None = None,
        primary_user_assigned_identity: str | None = None,
        cmk_keyvault: str | None = None,
        resource_cmk_uri: str | None = None,
        hbi_workspace: bool = False,
        default_cpu_compute_target: object = None,
        default_gpu_compute_target: object = None,
        private_endpoint_config: object = None,
        private_endpoint_auto_approval: bool = True,
        exist_ok: bool = False,
        show_output: bool = True,
        user_assigned_identity_for_cmk_encryption: str | None = None,
        system_datastores_auth_mode: str = "accessKey",
        v1_legacy_mode: bool | None = None,
        **_: Any,
    ) -> Workspace:
        """Make a workspace; with ``exist_ok`` an existing one is returned. The cloud's parameters do nothing.

        Raises:
            WorkspaceException: The name is taken, or no name for a workspace.
        """
        client = shared_client()
        body = spec.CreateWorkspace(
            name=name,
            subscription_id=subscription_id or "",
            resource_group=resource_group or "",
            location=location or "local",
            sku=sku or "basic",
            friendly_name=friendly_name or "",
            tags=dict(tags or {}),
            exist_ok=exist_ok,
        )
        return Workspace._of(client, client.create_workspace(body))

    @staticmethod
    @as_sdk_errors(WorkspaceException)
    def get(
        name: str,
        auth: object = None,
        subscription_id: str | None = None,
        resource_group: str | None = None,
        location: str | None = None,
        cloud: str = "AzureCloud",
        id: str | None = None,
    ) -> Workspace:
        """The workspace of that name.

        With a ``subscription_id``, which only a workspace of the cloud has, an unknown one is made as by `from_config`.

        Raises:
            WorkspaceException: There is none.
        """
        client = shared_client()
        name = name or (id or "").rstrip("/").rpartition("/")[2]
        return Workspace._of(client, _named(client, name, subscription_id, resource_group))

    @staticmethod
    @as_sdk_errors(WorkspaceException)
    def from_config(path: str | None = None, auth: object = None, **_: Any) -> Workspace:
        """The workspace that a configuration file names.

        Args:
            path: The file, or a folder to look in (and in its parents); None is the current folder. In a folder:
                ``.azureml/config.json``, ``aml_config/config.json``, ``config.json``, ``project.json``.
            auth: Not used.

        Without a server an unknown workspace is made, and that is said.

        Raises:
            UserErrorException: No file, or keys are missing.
            json.JSONDecodeError: The file is no JSON.
            WorkspaceException: The server knows no such workspace.
        """
        file = workspace_config.find(path)
        locator = workspace_config.read(file)
        client = shared_client()
        return Workspace._of(
            client,
            _named(client, locator.workspace_name, locator.subscription_id, locator.resource_group, f" in {file}"),
        )

    @staticmethod
    @as_sdk_errors(WorkspaceException)
    def list(
        subscription_id: str | None = None, auth: object = None, resource_group: str | None = None
    ) -> dict[str, list[Workspace]]:
        """Each name with its workspaces (here always one), of one subscription or group when given."""
        client = shared_client()
        return {
            view.name: [Workspace._of(client, view)]
            for view in client.workspaces()
            if (not subscription_id or view.subscription_id == subscription_id)
            and (not resource_group or view.resource_group == resource_group)
        }

    def write_config(self, path: str | None = None, file_name: str | None = None) -> None:
        """Write ``<path or current folder>/.azureml/<file_name or config.json>``.

        Raises:
            UserErrorException: The folder does not exist.
        """
        locator = Locator(self.subscription_id, self.resource_group, self.name)
        workspace_config.write(Path(path) if path else Path.cwd(), file_name or "config.json", locator)

    @as_sdk_errors(WorkspaceException)
    def delete(self, delete_dependent_resources: bool = False, no_wait: bool = False) -> None:
        """Delete it.

        Raises:
            WorkspaceException: It still has models or services.
        """
        self._client.delete_workspace(self.name)

    def get_details(self) -> dict[str, Any]:
        """Its facts, under SDK v1's keys."""
        made = datetime.fromtimestamp(self._view.created_time, UTC)
        return {
            "id": f"/subscriptions/{self.subscription_id}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{self.name}",
            "name": self.name,
            "location": self.location,
            "type": "Microsoft.MachineLearningServices/workspaces",
            "tags": self.tags,
            "sku": self.sku,
            "friendlyName": self._view.friendly_name,
            "creationTime": made.isoformat(),
            "store": self._client.where,
        }

    @property
    def name(self) -> str:
        """The workspace's name."""
        return self._view.name

    @property
    def subscription_id(self) -> str:
        """As given when it was made; may be empty."""
        return self._subscription_id

    @property
    def resource_group(self) -> str:
        """As given when it was made; may be empty."""
        return self._resource_group

    @property
    def location(self) -> str:
        """As given when it was made; ``local`` when nothing was."""
        return self._view.location

    @property
    def sku(self) -> str:
        """As given when it was made."""
        return self._view.sku

    @property
    def tags(self) -> dict[str, str]:
        """Its tags."""
        return dict(self._view.tags)

    @staticmethod
    def setup() -> Workspace:
        """The workspace of the nearest configuration file.

        Raises:
            UserErrorException: There is no file.
        """
        return Workspace.from_config()

    @property
    def models(self) -> dict[str, Model]:
        """The newest version of each model, by name."""
        from .model import Model

        return {model.name: model for model in Model.list(self, latest=True)}

    @property
    def webservices(self) -> dict[str, Webservice]:
        """Services by name."""
        from .services.webservice import Webservice

        return {service.name: service for service in Webservice.list(self)}

    @property
    def environments(self) -> dict[str, Environment]:
        """The newest version of each registered environment, by name."""
        from .environments.environment import Environment

        return Environment.list(self)

    @property
    def datastores(self) -> dict[str, Datastore]:
        """Datastores by name."""
        from .data.datastore import Datastore

        with as_sdk_errors(WorkspaceException):
            return {view.name: Datastore._of(self, view) for view in self._client.datastores(self.name)}

    def get_default_datastore(self) -> Datastore:
        """The datastore that files go to when none is named."""
        from .data.datastore import Datastore

        return Datastore(self)

    @as_sdk_errors(WorkspaceException)
    def set_default_datastore(self, name: str) -> None:
        """Choose the default datastore.

        Raises:
            WorkspaceException: There is none of that name.
        """
        self._client.set_default_datastore(self.name, name)

    @property
    def datasets(self) -> dict[str, TabularDataset | FileDataset]:
        """The newest version of each registered dataset, by name."""
        from .data.dataset import Dataset

        return Dataset.get_all(self)

    def __repr__(self) -> str:
        return (
            f"Workspace.create(name={self.name!r}, subscription_id={self.subscription_id!r}, "
            f"resource_group={self.resource_group!r})"
        )


def _named(
    client: Client, name: str, subscription_id: str | None, resource_group: str | None, file: str = ""
) -> spec.Workspace:
    """The workspace that a script written for the cloud names; without a server an unknown one is made, and said."""
    try:
        return client.workspace(name)
    except WorkspaceNotFound:
        if not client.embedded or not (subscription_id or file):
            raise
    made = client.create_workspace(
        spec.CreateWorkspace(
            name=name, subscription_id=subscription_id or "", resource_group=resource_group or "", exist_ok=True
        )
    )
    say(f"Workspace {name!r} named{file or ' with its subscription'} did not exist: made it in {client.where}")
    return made
