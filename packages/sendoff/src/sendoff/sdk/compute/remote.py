"""Machines reached over SSH: kept by name; what is given to one runs on this machine."""

from __future__ import annotations

from typing import Any

from .configuration import Configuration
from .target import ComputeTarget


class RemoteComputeAttachConfiguration(Configuration):
    """What `RemoteCompute.attach_configuration` gives; passwords and keys are not kept."""

    _compute_type = "VirtualMachine"
    _secret = ("password", "private_key_file", "private_key_passphrase")

    def __init__(
        self,
        username: str | None = None,
        address: str | None = None,
        resource_id: str | None = None,
        ssh_port: int = 22,
        password: str | None = None,
        private_key_file: str | None = None,
        private_key_passphrase: str | None = None,
    ) -> None:
        self.username = username
        self.address = address
        self.resource_id = resource_id
        self.ssh_port = ssh_port

    def _resource_id(self, workspace: Any) -> str | None:
        return self.resource_id


class RemoteCompute(ComputeTarget):
    """A machine of one's own by name; Sendoff does not log in to it."""

    _compute_type = "VirtualMachine"

    @staticmethod
    def attach_configuration(
        username: str | None = None,
        address: str | None = None,
        resource_id: str | None = None,
        ssh_port: int = 22,
        password: str | None = None,
        private_key_file: str | None = None,
        private_key_passphrase: str | None = None,
    ) -> RemoteComputeAttachConfiguration:
        """Which machine; kept and shown."""
        return RemoteComputeAttachConfiguration(username, address, resource_id, ssh_port)


DsvmCompute = RemoteCompute
