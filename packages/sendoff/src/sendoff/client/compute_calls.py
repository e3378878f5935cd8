"""Calls about compute targets."""

from __future__ import annotations

from ..spec.compute import Compute, CreateCompute, UpdateCompute
from .caller import Caller, q


class ComputeCalls(Caller):
    """Compute targets of a workspace. Methods raise `WorkspaceNotFound` and, of one, `ComputeNotFound`."""

    def create_compute(self, workspace: str, body: CreateCompute) -> Compute:
        """Keep one. Raises `AlreadyExists`."""
        return self._send(Compute, "POST", f"/workspaces/{q(workspace)}/computes", body)

    def computes(self, workspace: str) -> list[Compute]:
        """All, by name."""
        return self._list(Compute, f"/workspaces/{q(workspace)}/computes")

    def compute(self, workspace: str, name: str) -> Compute:
        """One."""
        return self._get(Compute, f"/workspaces/{q(workspace)}/computes/{q(name)}")

    def update_compute(self, workspace: str, name: str, body: UpdateCompute) -> Compute:
        """Change it."""
        return self._send(Compute, "PATCH", f"/workspaces/{q(workspace)}/computes/{q(name)}", body)

    def delete_compute(self, workspace: str, name: str) -> None:
        """Forget it."""
        self._send(None, "DELETE", f"/workspaces/{q(workspace)}/computes/{q(name)}")
