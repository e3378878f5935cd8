"""The targets by name. Adding one is a module and a line here."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import cast

from ..errors import InvalidInput, NotSupported
from ..spec.parse import nearest
from .base import Target

TARGETS: dict[str, tuple[str, str]] = {
    "process": ("sendoff.targets.process.target", "ProcessTarget"),
    "docker": ("sendoff.targets.docker.target", "DockerTarget"),
}
"""Name to module and class; a class takes the home folder."""

PLANNED = ("kubernetes", "edge", "fpga")
"""Targets that the design names and that this version does not have."""


def names() -> list[str]:
    """Targets that work today."""
    return list(TARGETS)


def load(name: str, home: Path) -> Target:
    """Give the target of that name.

    Args:
        name: A name of the table.
        home: The home folder.

    Raises:
        InvalidInput: No such target; the hint names the nearest.
        NotSupported: The target is planned; the hint names those that work today.
    """
    if name in PLANNED:
        raise NotSupported(
            f"the {name} target does not exist in this version of Sendoff",
            hint=f"What works today: {', '.join(names())}.",
            target=name,
        )
    if name not in TARGETS:
        close = nearest(name, [*names(), *PLANNED])
        raise InvalidInput(
            f"there is no target {name!r}",
            hint=f"Did you mean {close!r}?" if close else f"Targets: {', '.join(names())}.",
            field="target",
            got=name,
        )
    module, cls = TARGETS[name]
    return cast(Target, getattr(importlib.import_module(module), cls)(home))
