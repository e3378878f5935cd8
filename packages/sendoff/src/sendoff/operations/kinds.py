"""The kinds of operation by their type. Adding one is a class with the steps' work and a line here."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..rooms import Rooms
    from .operation_rows import AnyRow
    from .timeline import Timeline
    from .work import Work

DEPLOY, UPDATE, ROLLBACK, RELOAD, DELETE = "Deploy", "Update", "Rollback", "Reload", "Delete"
PACKAGE, PROFILE = "Package", "Profile"
INTERPRETER, IMAGE = "interpreter", "image"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind; ``work`` is the module and the class of :class:`.work.Work`, which takes rooms, row and timeline."""

    work: tuple[str, str]
    steps: tuple[str, ...]
    spared: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Steps that nobody needs, by the artefact that the target runs."""

    def steps_for(self, artefact: str) -> tuple[str, ...]:
        """Names of the steps in their order, for a target that runs that artefact."""
        return tuple(step for step in self.steps if step not in self.spared.get(artefact, ()))


_REVISION = Kind(
    work=("sendoff.deployments.deploy_steps", "DeploySteps"),
    steps=("validate", "register", "environment", "bundle", "image", "start", "init", "healthy"),
    spared={INTERPRETER: ("image",)},
)

KINDS: dict[str, Kind] = {
    DEPLOY: _REVISION,
    UPDATE: _REVISION,
    ROLLBACK: _REVISION,
    RELOAD: _REVISION,
    DELETE: Kind(work=("sendoff.deployments.delete_steps", "DeleteSteps"), steps=("drain", "remove")),
    PACKAGE: Kind(
        work=("sendoff.packages.package_steps", "PackageSteps"), steps=("validate", "environment", "bundle", "image")
    ),
    PROFILE: Kind(
        work=("sendoff.profiling.profile_steps", "ProfileSteps"),
        steps=("validate", "environment", "image", "measure", "recommend"),
        spared={INTERPRETER: ("image",)},
    ),
}


def open_work(rooms: Rooms, row: AnyRow, timeline: Timeline) -> Work:
    """The work of an operation, ready for its first step.

    Args:
        rooms: What to work with.
        row: The operation's row, read after its lease was taken.
        timeline: Where its steps are recorded.

    Raises:
        SendoffError: What it is about is not there any more.
    """
    module, name = KINDS[row.type].work
    work: Work = getattr(importlib.import_module(module), name)(rooms, row, timeline)
    return work
