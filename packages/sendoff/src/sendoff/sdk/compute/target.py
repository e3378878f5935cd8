"""The compute target: a factory for the objects of each kind (spec/surface.md sec. 2.12)."""

from __future__ import annotations

import builtins
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ...spec import compute as spec
from ..exceptions import ComputeTargetException, as_sdk_errors
from ..given import texts
from ..saying import say

if TYPE_CHECKING:
    from ..workspace import Workspace


class ComputeTarget:
    """A compute target by name: ``ComputeTarget(ws, name)`` gives the object of its own kind.

    Nothing is provisioned. A created target stands for this machine and an attached one for a cluster elsewhere;
    `note` says where services that are deployed to it run.

    Args:
        workspace: Where it is kept.
        name: Its name.

    Raises:
        ComputeTargetException: There is none; the message contains ``ComputeTargetNotFound``.
    """

    _compute_type: str | None = None

    def __new__(cls, workspace: Workspace, name: str) -> ComputeTarget:
        with as_sdk_errors(ComputeTargetException):
            view = workspace._client.compute(workspace.name, name)
        return _of_view(workspace, view, cls)

    def __init__(self, workspace: Workspace, name: str) -> None:
        """Filled by `__new__`, which knows the kind."""

    def _fill(self, view: spec.Compute) -> None:
        self._view = view
        self.name = view.name
        self.type = view.type
        self.location = view.location
        self.description = view.description
        self.tags = dict(view.tags)
        self.created_on = datetime.fromtimestamp(view.created_time, UTC)
        self.modified_on = datetime.fromtimestamp(view.modified_time, UTC)
        self.provisioning_state = view.provisioning_state
        self.provisioning_errors: Any = None
        self.cluster_resource_id = view.resource_id
        self.cluster_location = view.location
        self.is_attached = view.attached
        self.id = (
            f"/subscriptions/{self.workspace.subscription_id}/resourceGroups/{self.workspace.resource_group}/providers/"
            f"Microsoft.MachineLearningServices/workspaces/{self.workspace.name}/computes/{view.name}"
        )
        self.note = view.note

    workspace: Workspace

    @staticmethod
    @as_sdk_errors(ComputeTargetException)
    def create(workspace: Workspace, name: str, provisioning_configuration: Any) -> ComputeTarget:
        """A target that stands for this machine; one of the same name and kind is taken as it is.

        Args:
            workspace: Where to keep it.
            name: 2 to 24 letters, digits or ``-``, starting with a letter.
            provisioning_configuration: Of a ``provisioning_configuration()``.

        Raises:
            ComputeTargetException: Another kind has the name, or something given is not allowed.
        """
        return _keep(workspace, name, provisioning_configuration, attached=False)

    @staticmethod
    @as_sdk_errors(ComputeTargetException)
    def attach(workspace: Workspace, name: str, attach_configuration: Any) -> ComputeTarget:
        """A target that stands for a cluster elsewhere.

        Args:
            workspace: Where to keep it.
            name: As in `create`.
            attach_configuration: Of an ``attach_configuration()``.

        Raises:
            ComputeTargetException: Another kind has the name, or something given is not allowed.
        """
        return _keep(workspace, name, attach_configuration, attached=True)

    @staticmethod
    @as_sdk_errors(ComputeTargetException)
    def list(workspace: Workspace) -> builtins.list[ComputeTarget]:
        """All targets of a workspace, by name."""
        return [_of_view(workspace, view, ComputeTarget) for view in workspace._client.computes(workspace.name)]

    def wait_for_completion(self, show_output: bool = False, is_delete_operation: bool = False, **_: Any) -> None:
        """Nothing to wait for: a target is there at once.

        Args:
            show_output: Print the state, and where its services run.
            is_delete_operation: Not used.
        """
        if show_output:
            say(f"{self.provisioning_state}: {self.note}")

    @as_sdk_errors(ComputeTargetException)
    def refresh_state(self) -> None:
        """Read everything anew."""
        self._fill(self.workspace._client.compute(self.workspace.name, self.name))

    def get_status(self) -> Any:
        """Its provisioning state."""
        self.refresh_state()
        return self.provisioning_state

    @as_sdk_errors(ComputeTargetException)
    def delete(self) -> None:
        """Forget it; services that were deployed to it go on."""
        self.workspace._client.delete_compute(self.workspace.name, self.name)
        self.provisioning_state = "Deleting"

    detach = delete

    def serialize(self) -> dict[str, Any]:
        """The target as a JSON object with SDK v1's keys."""
        return {
            "id": self.id,
            "name": self.name,
            "location": self.location,
            "tags": self.tags,
            "type": "Microsoft.MachineLearningServices/workspaces/computes",
            "properties": {
                "computeType": self.type,
                "computeLocation": self.cluster_location,
                "description": self.description,
                "resourceId": self.cluster_resource_id,
                "isAttachedCompute": self.is_attached,
                "provisioningState": self.provisioning_state,
                "provisioningErrors": self.provisioning_errors,
                "createdOn": self.created_on.isoformat(),
                "modifiedOn": self.modified_on.isoformat(),
                "properties": dict(self._view.properties),
            },
        }

    @staticmethod
    def deserialize(workspace: Workspace, object_dict: dict[str, Any]) -> ComputeTarget:
        """The target that `serialize` described, as it is now.

        Raises:
            ComputeTargetException: The object has no name, or it is gone.
        """
        if not object_dict.get("name"):
            raise ComputeTargetException("the compute target's object has no 'name'", hint="serialize() writes one.")
        return ComputeTarget(workspace, object_dict["name"])

    @as_sdk_errors(ComputeTargetException)
    def _update(self, **changes: Any) -> None:
        given = {key: value for key, value in changes.items() if value is not None}
        body = spec.UpdateCompute(properties=given)
        self._fill(self.workspace._client.update_compute(self.workspace.name, self.name, body))

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(workspace={self.workspace!r}, name={self.name}, id={self.id}, type={self.type}, "
            f"provisioning_state={self.provisioning_state}, location={self.location}, tags={json.dumps(self.tags)})"
        )


def _of_view(workspace: Workspace, view: spec.Compute, asked: type[ComputeTarget]) -> ComputeTarget:
    kinds = {str(kind._compute_type): kind for kind in ComputeTarget.__subclasses__()}
    kind = kinds.get(view.type, ComputeTarget)
    if not issubclass(kind, asked):
        raise ComputeTargetException(
            f"compute target {view.name!r} is a {kind.__name__}, not a {asked.__name__}",
            hint="ComputeTarget(workspace, name) gives the right class.",
        )
    made = object.__new__(kind)
    made.workspace = workspace
    made._fill(view)
    return made


def _keep(workspace: Workspace, name: str, configuration: Any, *, attached: bool) -> ComputeTarget:
    kind = getattr(configuration, "_compute_type", None)
    if kind is None:
        verb = "attach_configuration()" if attached else "provisioning_configuration()"
        raise ComputeTargetException(
            f"{configuration!r} is no configuration of a compute target", hint=f"Make one with AksCompute.{verb}."
        )
    configuration.validate_configuration()
    client = workspace._client
    for view in client.computes(workspace.name):
        if view.name == name and view.type == kind:
            return _of_view(workspace, view, ComputeTarget)
    body = spec.CreateCompute(
        name=name,
        type=kind,
        location=configuration.location or workspace.location,
        description=getattr(configuration, "description", None) or "",
        tags=texts(getattr(configuration, "tags", None)),
        attached=attached,
        resource_id=configuration._resource_id(workspace),
        namespace=getattr(configuration, "namespace", None),
        properties=configuration._properties(),
    )
    return _of_view(workspace, client.create_compute(workspace.name, body), ComputeTarget)
