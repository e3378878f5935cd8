"""What a run is: names, numbers, state, tags, and where else its script finds things (spec/surface.md sec. 2.15)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...spec import run as spec
from ..exceptions import ExperimentExecutionException, as_sdk_errors
from ..unsupported import refusing

if TYPE_CHECKING:
    from ..workspace import Workspace


@refusing(
    "Run",
    {
        "A run's script runs in the interpreter that submitted it.": "get_environment(self)",
        "Keep the script with upload_folder('source', folder).": """
            get_snapshot_id(self)
            take_snapshot(self, file_or_folder_path)
        """,
        "Keep the script with upload_folder('source', folder) and fetch it again.": """
            restore_snapshot(self, snapshot_id=None, path=None)
        """,
    },
)
class Facts:
    """The facts of a recorded run, and how they change."""

    _workspace: Workspace
    _run_id: str
    _view: spec.Run

    @property
    def id(self) -> str:
        """Its id."""
        return self._run_id

    @property
    def run_id(self) -> str:
        """Its id, by an older name."""
        return self._run_id

    @property
    def name(self) -> str:
        """Its display name, else its id."""
        return self._view.display_name or self._run_id

    @property
    def number(self) -> int:
        """It is the how manieth of its experiment."""
        return self._view.number

    @property
    def type(self) -> str:
        """How it was started."""
        return self._view.type

    @property
    def status(self) -> str:
        """Its state now."""
        return self.get_status()

    @property
    def tags(self) -> dict[str, str]:
        """Its tags."""
        return self.get_tags()

    @property
    def properties(self) -> dict[str, str]:
        """Its properties."""
        return self.get_properties()

    @property
    def display_name(self) -> str:
        """Its name for people."""
        return self._view.display_name

    @display_name.setter
    def display_name(self, value: str) -> None:
        self._change(display_name=value)

    @property
    def description(self) -> str:
        """Free text."""
        return self._view.description

    @description.setter
    def description(self, value: str) -> None:
        self._change(description=value)

    def get_status(self) -> str:
        """NotStarted, Running, Completed, Failed or Canceled."""
        self._read()
        return self._view.status

    def get_detailed_status(self) -> dict[str, Any]:
        """Its state with the error of a failed one."""
        return {"status": self.get_status(), "details": self._view.error}

    def get_tags(self) -> dict[str, str]:
        """Its tags now."""
        self._read()
        return dict(self._view.tags)

    def get_properties(self) -> dict[str, str]:
        """Its properties now."""
        self._read()
        return dict(self._view.properties)

    def get_secret(self, name: str) -> str | None:
        """A secret of the workspace's key vault."""
        value: str | None = self._workspace.get_default_keyvault().get_secret(name)
        return value

    def get_secrets(self, secrets: list[str]) -> dict[str, str | None]:
        """Secrets of the workspace's key vault."""
        found: dict[str, str | None] = self._workspace.get_default_keyvault().get_secrets(secrets)
        return found

    def get_portal_url(self) -> str:
        """Where it is kept: there is no portal, so the store is named."""
        return f"{self._workspace._client.where} (run {self._run_id})"

    @as_sdk_errors(ExperimentExecutionException)
    def _read(self) -> None:
        self._view = self._workspace._client.get_run(self._workspace.name, self._run_id)

    @as_sdk_errors(ExperimentExecutionException)
    def _change(self, **changes: Any) -> None:
        body = spec.UpdateRun(**changes)
        self._view = self._workspace._client.update_run(self._workspace.name, self._run_id, body)


def fits(found: Mapping[str, str], wanted: Any) -> bool:
    """Whether tags or properties match: ``"key"``, or a dict of keys and values; None lets all through."""
    if not wanted:
        return True
    if isinstance(wanted, str):
        return wanted in found
    return all(found.get(str(key)) == str(value) for key, value in dict(wanted).items())
