"""The section ``kubernetes`` of a deployment configuration and of a cluster: what only a cluster has a use for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from ..errors import InvalidInput
from .parse import Spec, broken, not_known, replace

NODE_PORT, LOAD_BALANCER, CLUSTER_IP = "nodeport", "loadbalancer", "clusterip"
EXPOSE = (NODE_PORT, LOAD_BALANCER, CLUSTER_IP)
ROLLING, REPLACE = "rolling", "replace"
PLATFORM = "platform"
IN_FLIGHT, CPU = "in_flight", "cpu"
_LABEL = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")
_KEY = re.compile(r"([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_OURS = ("sendoff.io/", "app.kubernetes.io/")


class KubernetesOptions(Spec):
    """What is written into a service's objects; None and nothing mean what the cluster's section says, else a default.

    ``run_as: platform`` leaves user and group to the cluster (OpenShift). ``update_strategy: replace`` ends the old pod
    before the new one starts. ``expose`` is the type of the service's address.
    """

    node_selector: dict[str, str] = {}
    tolerations: list[dict[str, Any]] = []
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    service_account: str | None = None
    pull_secrets: list[str] = []
    priority_class: str | None = None
    runtime_class: str | None = None
    data_claim: str | None = None
    gpu_resource: str | None = None
    run_as: str | None = None
    update_strategy: str | None = None
    network_policy: bool | None = None
    expose: str | None = None
    service_annotations: dict[str, str] = {}
    autoscale_signal: str | None = None
    """What replicas scale by: the requests that run and wait, or the share of CPU that is used."""
    linger_seconds: int | None = None
    """How long a pod that ends answers on while gateways and names learn it; 15 by default."""

    def over(self, cluster: KubernetesOptions) -> KubernetesOptions:
        """These, and the cluster's where they say nothing; mappings are merged."""
        found: dict[str, Any] = {}
        for name in self.__struct_fields__:  # type: ignore[attr-defined]
            own, other = getattr(self, name), getattr(cluster, name)
            found[name] = {**other, **own} if isinstance(own, dict) else own if own not in (None, []) else other
        return replace(cluster, **found)


def read_options(given: Mapping[str, Any], *, where: str) -> KubernetesOptions:
    """A section as files and scripts write it.

    Raises:
        InvalidInput: Names the key, and the nearest that there is.
    """
    known = KubernetesOptions.__struct_fields__  # type: ignore[attr-defined]
    for name in given:
        if name not in known:
            raise not_known(str(name), known, "key of the section kubernetes", field=f"kubernetes.{name}")
    try:
        found = msgspec.convert(dict(given), KubernetesOptions)
    except msgspec.ValidationError as error:
        raise InvalidInput(
            f"{where}: {error}", hint="docs/kubernetes.md lists the section's keys.", where=where
        ) from None
    return check(found, where=where)


def check(options: KubernetesOptions, *, where: str) -> KubernetesOptions:
    """The options themselves when each value is one.

    Raises:
        InvalidInput: Names the field, what it may be and what was given.
    """
    for name, allowed in (
        ("expose", EXPOSE),
        ("update_strategy", (ROLLING, REPLACE)),
        ("run_as", (PLATFORM,)),
        ("autoscale_signal", (IN_FLIGHT, CPU)),
    ):
        value = getattr(options, name)
        if value is not None and value not in allowed:
            raise broken(where, f"kubernetes.{name}", f"has to be one of {', '.join(allowed)}", value)
    for name in ("labels", "node_selector"):
        for key, value in getattr(options, name).items():
            if not _KEY.fullmatch(key) or not _LABEL.fullmatch(value):
                raise broken(where, f"kubernetes.{name}", "has labels as Kubernetes allows them", f"{key}: {value}")
    for name in ("labels", "annotations"):
        for key in getattr(options, name):
            if key.startswith(_OURS):
                raise broken(where, f"kubernetes.{name}", f"has names that do not begin with {_OURS[0]}", key)
    if options.linger_seconds is not None and not 0 <= options.linger_seconds <= 300:
        raise broken(where, "kubernetes.linger_seconds", "has to be between 0 and 300 seconds", options.linger_seconds)
    return options


def quantity(text: object) -> float:
    """A Kubernetes quantity as a number: cores, bytes, pieces.

    Raises:
        InvalidInput: It is none.
    """
    found = re.fullmatch(r"([+-]?[0-9.]+(?:[eE][+-]?\d+)?)(m|[kMGTPE]i?|Ki|n|u)?", str(text).strip())
    if found is None:
        raise InvalidInput(f"{text!r} is no quantity", hint="As Kubernetes writes them: 500m, 2, 512Mi.")
    unit = found[2] or ""
    scale = {"": 1.0, "n": 1e-9, "u": 1e-6, "m": 1e-3}.get(unit)
    if scale is None:
        power = "kMGTPE".index(unit[0].lower() if unit[0] in "kK" else unit[0]) + 1
        scale = float(1024**power if unit.endswith("i") else 1000**power)
    return float(found[1]) * scale
