"""Compute targets."""

from __future__ import annotations

from ...spec.compute import Compute, CreateCompute, UpdateCompute
from ..noun import Noun, room

computes = Noun("computes", Compute, "/workspaces/{ws}/computes", "/workspaces/{ws}/computes/{name}")

ROUTES = (
    computes.create(
        room(lambda core: core.computes.create),
        "Keep a compute target: one that is asked for here, or a cluster that exists elsewhere",
        CreateCompute,
    ),
    computes.list(room(lambda core: core.computes.list), "Compute targets by name"),
    computes.get(room(lambda core: core.computes.get), "One compute target"),
    computes.update(
        room(lambda core: core.computes.update),
        "Change a compute target's description, tags or properties",
        UpdateCompute,
    ),
    computes.delete(
        room(lambda core: core.computes.delete), "Forget a compute target; services that were deployed to it go on"
    ),
)
