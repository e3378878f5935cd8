"""The compute target: a name that scripts deploy to, and what is known of the cluster behind it (spec/surface.md 2.12).

A target that was only *created* has no cluster behind it: its services run on this machine, and their timelines say so.
"""

from __future__ import annotations

from typing import Any

from .names import check_compute
from .parse import Spec, not_known

AKS, AML_COMPUTE, KUBERNETES = "AKS", "AmlCompute", "Kubernetes"
TYPES = (AKS, AML_COMPUTE, KUBERNETES, "ComputeInstance", "VirtualMachine", "DataFactory")


class CreateCompute(Spec):
    """Body of ``POST /v1/workspaces/{ws}/computes``.

    ``attached`` tells a cluster that exists elsewhere (``resource_id`` names it) from one that was asked for here;
    ``properties`` are the configuration's own values, as given.
    """

    name: str
    type: str
    location: str = "local"
    description: str = ""
    tags: dict[str, str] = {}
    attached: bool = False
    resource_id: str | None = None
    namespace: str | None = None
    properties: dict[str, Any] = {}


class UpdateCompute(Spec):
    """Body of ``PATCH /v1/workspaces/{ws}/computes/{name}``: what is absent stays; ``properties`` are merged."""

    description: str | None = None
    tags: dict[str, str] | None = None
    properties: dict[str, Any] = {}


class Compute(Spec):
    """A compute target as the API shows it; times are unix seconds.

    ``runs_on`` names the target of this Sendoff that its services get; ``note`` says why, in a sentence.
    """

    name: str
    type: str
    location: str
    description: str
    tags: dict[str, str]
    attached: bool
    resource_id: str | None
    namespace: str | None
    properties: dict[str, Any]
    provisioning_state: str
    runs_on: str
    note: str
    created_time: float
    modified_time: float


class ComputeRights(Spec):
    """What lets a service account do all that is done in one namespace of a cluster, as objects to apply."""

    namespace: str
    objects: list[dict[str, Any]]


def check(body: CreateCompute) -> CreateCompute:
    """Refuse a name or a type that is none.

    Raises:
        InvalidInput: Names the field.
    """
    check_compute(body.name)
    if body.type not in TYPES:
        raise not_known(body.type, TYPES, "compute type", field="type")
    return body
