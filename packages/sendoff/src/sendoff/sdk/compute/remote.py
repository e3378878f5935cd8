"""Machines reached over SSH: kept by name; what is given to one runs on this machine."""

from __future__ import annotations

from dataclasses import InitVar, dataclass
from typing import Any

from ..signatures import making
from .configuration import Configuration
from .target import ComputeTarget


@dataclass(eq=False, repr=False)
class RemoteComputeAttachConfiguration(Configuration):
    """What `RemoteCompute.attach_configuration` gives; passwords and keys are not kept."""

    _compute_type = "VirtualMachine"

    username: str | None = None
    address: str | None = None
    resource_id: str | None = None
    ssh_port: int = 22
    password: InitVar[str | None] = None
    private_key_file: InitVar[str | None] = None
    private_key_passphrase: InitVar[str | None] = None

    def _resource_id(self, workspace: Any) -> str | None:
        return self.resource_id


class RemoteCompute(ComputeTarget):
    """A machine of one's own by name; Sendoff does not log in to it."""

    _compute_type = "VirtualMachine"

    @staticmethod
    @making(RemoteComputeAttachConfiguration)
    def attach_configuration() -> None:
        """Which machine; kept and shown."""


DsvmCompute = RemoteCompute
