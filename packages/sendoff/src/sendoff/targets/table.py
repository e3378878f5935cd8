"""The targets by name. Adding one is a folder and a line here."""

from __future__ import annotations

import importlib
from typing import cast

from ..errors import InvalidInput, NotSupported
from ..spec.parse import did_you_mean
from .base import Kind, Place, Surroundings, Target

KINDS: dict[str, Kind] = {
    "process": Kind("sendoff.targets.process.target", "ProcessTarget"),
    "docker": Kind("sendoff.targets.docker.target", "DockerTarget", containers=True),
    "kubernetes": Kind("sendoff.targets.kubernetes.target", "KubernetesTarget", places=True),
}
"""By name. The first runs whatever no setting and no configuration sends elsewhere."""

PLANNED = ("edge", "fpga")
"""Targets that the design names and that this version does not have."""


def kinds() -> dict[str, Kind]:
    """Targets that work today, the one for everything first."""
    return dict(KINDS)


def load(place: Place, surroundings: Surroundings) -> Target:
    """Give a target.

    Args:
        place: Its kind is a name of the table.
        surroundings: The machine that asks.

    Raises:
        InvalidInput: No such target; the hint names the nearest.
        NotSupported: The target is planned; the hint names those that work today.
    """
    name = place.kind
    if name in PLANNED:
        raise NotSupported(
            f"the {name} target does not exist in this version of Sendoff",
            hint=f"What works today: {', '.join(KINDS)}.",
            target=name,
        )
    if name not in KINDS:
        raise InvalidInput(
            f"there is no target {name!r}",
            hint=did_you_mean(name, [*KINDS, *PLANNED], f"Targets: {', '.join(KINDS)}."),
            field="target",
            got=name,
        )
    kind = KINDS[name]
    if kind.places and not place.name:
        raise NotSupported(
            f"the {name} target runs services on a cluster that is attached, and none is named",
            hint="`sendoff computetarget attach kubernetes -n NAME`, then deploy with --compute-target NAME.",
            target=name,
        )
    return cast(Target, getattr(importlib.import_module(kind.module), kind.target)(place, surroundings))
