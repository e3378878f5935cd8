"""What runs of SDK v1 had beside logs and files: secrets, and snapshots, which are not kept here."""

from __future__ import annotations

import builtins
from typing import TYPE_CHECKING

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
class Absent:
    """Members of a run that lead elsewhere."""

    _workspace: Workspace
    _run_id: str

    def get_secret(self, name: str) -> str | None:
        """A secret of the workspace's key vault."""
        value: str | None = self._workspace.get_default_keyvault().get_secret(name)
        return value

    def get_secrets(self, secrets: builtins.list[str]) -> dict[str, str | None]:
        """Secrets of the workspace's key vault."""
        found: dict[str, str | None] = self._workspace.get_default_keyvault().get_secrets(secrets)
        return found

    def get_portal_url(self) -> str:
        """Where it is kept: there is no portal, so the store is named."""
        return f"{self._workspace._client.where} (run {self._run_id})"
