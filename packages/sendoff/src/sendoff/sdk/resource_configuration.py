"""Default resources of a model (spec/surface.md sec. 2.4.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..spec import model as spec


@dataclass(eq=False, repr=False)
class ResourceConfiguration:
    """What a no-code deployment of a model takes.

    Args:
        cpu: Cores, fractions too.
        memory_in_gb: GB.
        gpu: Whole GPUs.
    """

    cpu: float | None = None
    memory_in_gb: float | None = None
    gpu: int | None = None

    def serialize(self) -> dict[str, Any]:
        """``{"cpu", "memoryInGB", "gpu"}``."""
        return {"cpu": self.cpu, "memoryInGB": self.memory_in_gb, "gpu": self.gpu}

    @staticmethod
    def deserialize(payload_obj: dict[str, Any] | None) -> ResourceConfiguration | None:
        """The opposite of `serialize`; None gives None."""
        if payload_obj is None:
            return None
        return ResourceConfiguration(payload_obj.get("cpu"), payload_obj.get("memoryInGB"), payload_obj.get("gpu"))

    def _spec(self) -> spec.ResourceConfiguration:
        return spec.ResourceConfiguration(cpu=self.cpu, memory_in_gb=self.memory_in_gb, gpu=self.gpu)

    @staticmethod
    def _of(view: spec.ResourceConfiguration | None) -> ResourceConfiguration | None:
        return None if view is None else ResourceConfiguration(view.cpu, view.memory_in_gb, view.gpu)

    def __repr__(self) -> str:
        return f"ResourceConfiguration(cpu={self.cpu}, memory_in_gb={self.memory_in_gb}, gpu={self.gpu})"
