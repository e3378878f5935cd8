"""The package (spec/surface.md sec. 2.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..client import Transfer
from ..errors import Conflict, DeploymentFailed, from_payload
from ..spec.operation import SUCCEEDED, Operation
from .environments.sections import ContainerRegistry
from .exceptions import WebserviceException, as_sdk_errors
from .saying import say
from .timeline import Timeline, follow

if TYPE_CHECKING:
    from ..spec.package import Package
    from .environments.environment import Environment
    from .workspace import Workspace


class ModelPackage:
    """Models, code and environment as a container image, or as a folder to build one from.

    Args:
        workspace: Where it was made.
        operation_id: Its id.
        environment: Its environment, if it is at hand.
    """

    @as_sdk_errors(WebserviceException)
    def __init__(self, workspace: Workspace, operation_id: str, environment: Environment | None = None) -> None:
        self.workspace = workspace
        self.environment = environment
        self._id = operation_id
        self._fill(workspace._client.package(workspace.name, operation_id))

    def _fill(self, view: Package) -> None:
        self._view = view
        self.generate_dockerfile = view.generate_dockerfile
        self.state = view.state
        self.error = view.error
        self.location = view.result.location if view.result is not None else None
        self.package_build_log_uri = f"sendoff://packages/{view.id}/log"

    @as_sdk_errors(WebserviceException)
    def update_creation_state(self) -> None:
        """Look again; ``state`` is NotStarted, Running, Succeeded, Failed, Cancelled or TimedOut."""
        self._look()

    def _look(self) -> Operation:
        self._fill(self.workspace._client.package(self.workspace.name, self._id))
        return self._view.operation

    @as_sdk_errors(WebserviceException)
    def wait_for_creation(self, show_output: bool = False) -> None:
        """Wait until it is made.

        Args:
            show_output: Print each step as it ends.

        Raises:
            WebserviceException: It could not be made; the message says why.
        """
        timeline = Timeline() if show_output else None
        follow(self._look, timeline)
        if timeline is not None:
            timeline.close(f"Package creation {self.state}: {self.location or ''}".rstrip(": "))
        if self.state != SUCCEEDED:
            if self.error:
                raise from_payload(self.error)
            raise DeploymentFailed(f"the package's creation ended {self.state}")

    @as_sdk_errors(WebserviceException)
    def pull(self) -> None:
        """Bring the image into the local engine.

        Raises:
            WebserviceException: It is a folder, not made yet, or gone.
        """
        self.workspace._client.pull_package(self.workspace.name, self._id)
        say(f"Image {self.location} is in the engine")

    @as_sdk_errors(WebserviceException)
    def save(self, output_directory: str) -> None:
        """Write the folder with the Dockerfile and all that it needs.

        Args:
            output_directory: An empty folder, or one to be made.

        Raises:
            WebserviceException: It is an image, not made yet, or the folder has files.
        """
        if not self.generate_dockerfile:
            raise Conflict("this package is an image: there is no folder to save", hint="Use pull().")
        if self.location is None:
            raise Conflict(f"the package is not made: it is {self.state}", hint="Call wait_for_creation() first.")
        Transfer(self.workspace._client, say).get_folder(self.location, output_directory)

    @as_sdk_errors(WebserviceException)
    def get_logs(self, decode: bool = True, offset: int = 0) -> str | bytes:
        """What its work has said so far.

        Args:
            decode: False gives bytes.
            offset: Leave out so many bytes at the beginning.
        """
        data = self.workspace._client.package_log(self.workspace.name, self._id).encode()[offset:]
        return data.decode("utf-8", "replace") if decode else data

    def get_container_registry(self) -> ContainerRegistry:
        """Where the image is, or of a folder its base image; an address of None: in the engine alone.

        User and password stay with Docker's configuration: they are None.
        """
        found = ContainerRegistry()
        result = self._view.result
        found.address = (result.registry or "").partition("/")[0] or None if result is not None else None
        return found

    def serialize(self) -> dict[str, Any]:
        """The package as a JSON object with SDK v1's keys."""
        return {"generateDockerfile": self.generate_dockerfile, "location": self.location, "state": self.state}

    def __repr__(self) -> str:
        return f"ModelPackage(workspace={self.workspace!r}, state={self.state}, location={self.location})"
