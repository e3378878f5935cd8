"""Notebook machines: here that is the machine one works on."""

from __future__ import annotations

from typing import Any

from .configuration import Configuration
from .target import ComputeTarget


class ComputeInstanceProvisioningConfiguration(Configuration):
    """What `ComputeInstance.provisioning_configuration` gives."""

    _compute_type = "ComputeInstance"
    _secret = ("admin_user_ssh_public_key",)

    def __init__(self, vm_size: str = "", ssh_public_access: bool = False, **given: Any) -> None:
        self.vm_size = vm_size
        self.ssh_public_access = ssh_public_access
        self.description = given.pop("description", None)
        self.tags = given.pop("tags", None)
        vars(self).update(given)


class ComputeInstance(ComputeTarget):
    """A notebook machine by name; it stands for this machine."""

    _compute_type = "ComputeInstance"

    @staticmethod
    def provisioning_configuration(
        vm_size: str = "", ssh_public_access: bool = False, **given: Any
    ) -> ComputeInstanceProvisioningConfiguration:
        """What one would be made with; kept and shown."""
        return ComputeInstanceProvisioningConfiguration(vm_size, ssh_public_access, **given)

    def start(self, wait_for_completion: bool = False, show_output: bool = False) -> None:
        """Nothing to do: this machine is on."""

    def stop(self, wait_for_completion: bool = False, show_output: bool = False) -> None:
        """Nothing to do: this machine stays on."""

    def restart(self, wait_for_completion: bool = False, show_output: bool = False) -> None:
        """Nothing to do: this machine stays on."""
