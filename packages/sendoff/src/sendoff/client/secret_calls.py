"""Calls about a workspace's secrets."""

from __future__ import annotations

from ..spec.secret import Secret, SetSecret
from .caller import Caller, q


class SecretCalls(Caller):
    """Secrets of a workspace. Methods raise `WorkspaceNotFound` and, of one, `NotFound`."""

    def secrets(self, workspace: str) -> list[Secret]:
        """Names, without values."""
        return self._list(Secret, f"/workspaces/{q(workspace)}/secrets")

    def secret(self, workspace: str, name: str) -> Secret:
        """One with its value."""
        return self._get(Secret, f"/workspaces/{q(workspace)}/secrets/{q(name)}")

    def set_secret(self, workspace: str, name: str, body: SetSecret) -> Secret:
        """Keep one."""
        return self._send(Secret, "PUT", f"/workspaces/{q(workspace)}/secrets/{q(name)}", body)

    def delete_secret(self, workspace: str, name: str) -> None:
        """Forget one."""
        self._send(None, "DELETE", f"/workspaces/{q(workspace)}/secrets/{q(name)}")
