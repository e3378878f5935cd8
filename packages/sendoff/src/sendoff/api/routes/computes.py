"""Compute targets."""

from __future__ import annotations

from ...spec.compute import Compute, ComputeRights, CreateCompute, UpdateCompute
from ..noun import Noun, room
from ..route import Query

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
    computes.part(
        "rights",
        room(lambda core: core.computes.rights),
        "The objects that let a service account do all that is done in a namespace of a cluster",
        ComputeRights,
        Query(name="namespace", summary="Which one; that in which its services are when absent."),
    ),
    computes.delete(
        room(lambda core: core.computes.delete), "Forget a compute target; services that were deployed to it go on"
    ),
)
