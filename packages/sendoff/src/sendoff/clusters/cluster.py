"""A cluster: how it is reached, its version, and what we may do in a namespace of it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ..connections import Way
from ..errors import NotSupported, Unauthorized
from ..spec.settings import Settings
from . import kubeconfig
from .api import Api, ApiError

OLDEST = (1, 34)
RULES: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("", ("serviceaccounts", "secrets", "services"), ("get", "list", "create", "patch", "delete")),
    ("apps", ("deployments",), ("get", "list", "watch", "create", "patch", "delete")),
    ("policy", ("poddisruptionbudgets",), ("get", "list", "create", "patch", "delete")),
    ("networking.k8s.io", ("networkpolicies",), ("get", "list", "create", "patch", "delete")),
    ("autoscaling", ("horizontalpodautoscalers",), ("get", "list", "create", "patch", "delete")),
    ("keda.sh", ("scaledobjects",), ("get", "list", "create", "patch", "delete")),
    ("", ("pods",), ("get", "list", "watch", "create", "patch")),
    ("", ("pods/log", "pods/proxy", "events", "persistentvolumeclaims"), ("get", "list")),
    ("apps", ("replicasets",), ("get", "list")),
)
"""What a Role needs for all that is done in a namespace: group, resources, verbs. Pods are made in dry runs alone."""


def connect(settings: Mapping[str, str], own: Settings) -> Api:
    """The API of a cluster as a compute target names it.

    Args:
        settings: ``kubeconfig`` and ``context``, or ``in_cluster``.
        own: The home's settings: proxy and certificates.

    Raises:
        SendoffError: As :func:`kubeconfig.login` and :func:`kubeconfig.in_cluster`.
    """
    if settings.get("in_cluster"):
        login = kubeconfig.in_cluster()
    else:
        files = kubeconfig.paths(settings.get("kubeconfig"), os.environ)
        login = kubeconfig.login(files, settings.get("context"))
    way = Way(os.environ, ca_bundle=own.ca_bundle, proxy=own.proxy, no_proxy=own.no_proxy)
    return Api(login, way)


def version(api: Api) -> str:
    """The server's version, ``v1.36.3``.

    Raises:
        NotSupported: It is older than what is supported.
    """
    said = str(api.get("/version").get("gitVersion", ""))
    found = re.match(r"v?(\d+)\.(\d+)", said)
    if found is None or (int(found[1]), int(found[2])) < OLDEST:
        raise NotSupported(
            f"the cluster runs Kubernetes {said or 'of no version'}, and {OLDEST[0]}.{OLDEST[1]} or newer is needed",
            hint="Upgrade it; older versions lack what keeps requests from being dropped (preStop sleep).",
            reason="too_old",
        )
    return said


def groups(api: Api) -> set[str]:
    """API groups that the cluster serves."""
    return {str(group["name"]) for group in api.get("/apis").get("groups") or []}


def missing_rights(api: Api, namespace: str) -> list[tuple[str, str, str]]:
    """What we may not do in a namespace: verb, resource and API group each."""

    def may(asked: tuple[str, str, str]) -> bool:
        verb, resource, group = asked
        plain, _, sub = resource.partition("/")
        attributes = {"namespace": namespace, "verb": verb, "resource": plain, "group": group, "subresource": sub}
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        answer = api.call("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body)
        return bool(answer.get("status", {}).get("allowed"))

    asked = list(_each(RULES))
    with ThreadPoolExecutor(8) as threads:
        return [one for one, good in zip(asked, threads.map(may, asked), strict=True) if not good]


_SPARED = {("create", "pods"), ("watch", "pods"), ("watch", "deployments"), ("patch", "pods")}
"""Rights without which a service runs all the same; less is known before, or a change of keys takes longer."""


_SCALERS = {"autoscaling", "keda.sh"}
"""Rights that services alone need which scale; the dry run of their scaler tells."""


def require_rights(api: Api, namespace: str) -> None:
    """Raise where a right is missing that a service needs.

    Raises:
        Unauthorized: Names verbs and resources, and the command that prints the Role.
    """
    lacking = [one for one in missing_rights(api, namespace) if one[:2] not in _SPARED and one[2] not in _SCALERS]
    if not lacking:
        return
    verb, resource, _group = lacking[0]
    listed = "; ".join(sorted({f"{verb} {resource}" for verb, resource, _ in lacking}))
    raise Unauthorized(
        f"in namespace {namespace} we may not: {listed}",
        hint="`sendoff computetarget rbac NAME` prints the Role to ask an administrator for.",
        reason="Forbidden",
        reported_code="forbidden",
        verb=verb,
        resource=resource,
        namespace=namespace,
    )


def role(namespace: str, name: str = "sendoff") -> list[dict[str, Any]]:
    """The Role that is enough in one namespace, and what binds it to a service account of its own."""
    rules = [
        {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)} for group, resources, verbs in RULES
    ]
    about = {"name": name, "namespace": namespace}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": about},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": about, "rules": rules},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": about,
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
        },
    ]


def node_address(api: Api) -> str:
    """An address at which node ports answer: a node's internal one, or the API server's where nodes may not be read."""
    try:
        nodes = api.get("/api/v1/nodes", limit="10")["items"]
    except ApiError:
        return api.host
    for wanted in ("ExternalIP", "InternalIP"):
        for node in nodes:
            for one in (node.get("status") or {}).get("addresses") or []:
                if one.get("type") == wanted:
                    return str(one["address"])
    return api.host


def _each(rules: Iterable[tuple[str, tuple[str, ...], tuple[str, ...]]]) -> Iterable[tuple[str, str, str]]:
    for group, resources, verbs in rules:
        for resource in resources:
            for verb in verbs:
                yield verb, resource, group
