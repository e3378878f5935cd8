"""Brings objects into the cluster and out of it: server-side apply as one manager, nothing of others touched."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from ...clusters.api import APPLY, MERGE, Api, ApiError
from ...errors import Conflict, DeploymentFailed, NotSupported, SendoffError, Unauthorized
from .kinds import KINDS, POD, UNSURE, Kind, path_of
from .reasons import of_refusal
from .render import INSTANCE, MADE, MANAGER, TOUCHED, UID, Object

_OPTIONAL = ("PodDisruptionBudget", "NetworkPolicy", "Secret", "HorizontalPodAutoscaler", "ScaledObject")
_SCALERS = ("kube-controller-manager", "keda-operator", "sendoff-scale")
_SCALE = "sendoff-scale"
"""Who holds the number of replicas while it goes over to a scaler: else the API server would set 1."""
_STUCK_SECONDS = 30.0


def apply_all(api: Api, namespace: str, objects: Sequence[Object], *, dry_run: bool = False) -> None:
    """Apply objects in their order; the cluster changes nothing of what is as it is wanted.

    Args:
        api: The cluster.
        namespace: Theirs.
        objects: As rendered.
        dry_run: Ask the cluster what it would say, and change nothing.

    Raises:
        Conflict: An object of that name is somebody else's, or another manager holds a field.
        DeploymentFailed: A quota, a policy or a webhook refuses one; context names the reason.
        Unauthorized: We may not.
        TargetUnavailable: The cluster does not answer.
    """
    for made in objects:
        apply_one(api, namespace, made, dry_run=dry_run)


def apply_one(api: Api, namespace: str, made: Object, *, dry_run: bool = False) -> Object:
    """Apply one object; errors as :func:`apply_all`."""
    path = path_of(made, namespace)
    kind, name = made["kind"], made["metadata"]["name"]
    what = f"{kind} {name} in namespace {namespace}"
    try:
        there = api.find(path)
        if there is not None and not _ours(there, made):
            raise Conflict(
                f"{what} is there and is not of this service",
                hint=f"Remove it, or deploy under another name: `kubectl -n {namespace} get {kind} {name} -o yaml`.",
                reason="NameTaken",
                reported_code="name_taken",
            )
        # Whoever made an older one had looked at the keys before they were changed, and comes second.
        if kind == "Secret" and there is not None and (_made(there) > _made(made) or there["data"] == made["data"]):
            return there
        if kind == "Deployment" and there is not None and "replicas" not in made["spec"] and not dry_run:
            _hand_over(api, path, there)
        query = {"fieldManager": MANAGER, "dryRun": "All" if dry_run else None}
        try:
            found: Object = api.call("PATCH", path, made, query=query, content=APPLY)
        except ApiError as error:
            if not _of_a_scaler(error):
                raise
            found = api.call("PATCH", path, made, query={**query, "force": "true"}, content=APPLY)
        return found
    except ApiError as error:
        if error.status == 409 and error.details.get("causes"):
            raise _held(error, what) from None
        raise of_refusal(error, what, namespace) from None


def try_pod(api: Api, namespace: str, deployment: Object) -> None:
    """Ask for one pod as the Deployment's would be, and make none: policies, quotas and limits speak to pods alone.

    Raises:
        DeploymentFailed: One refuses it.
        Unauthorized: We may not make pods, which the Deployment's controller may: nothing is said by that.
    """
    template = deployment["spec"]["template"]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**template["metadata"], "name": f"{deployment['metadata']['name']}-try"},
        "spec": template["spec"],
    }
    query = {"dryRun": "All", "fieldManager": MANAGER}
    try:
        try:
            api.call("POST", POD.path(namespace), pod, query=query)
        except ApiError as error:
            if "error looking up service account" not in error.words:
                raise
            # Its own is made with the first deployment, after this; each namespace has one that is called so.
            pod["spec"] = {**template["spec"], "serviceAccountName": "default"}
            api.call("POST", POD.path(namespace), pod, query=query)
    except ApiError as error:
        if error.status == 403 and "cannot create resource" in error.words:
            return
        raise of_refusal(error, f"a pod of {deployment['metadata']['name']}", namespace) from None


def touch(api: Api, namespace: str, pods: Sequence[Mapping[str, Any]], mark: str) -> None:
    """Change an annotation of pods: the kubelet then brings their mounted secrets up to date at once."""
    for pod in pods:
        body = {"metadata": {"annotations": {TOUCHED: mark}}}
        try:
            api.call("PATCH", POD.path(namespace, pod["metadata"]["name"]), body, content=MERGE)
        except ApiError as error:
            if error.status not in (403, 404):  # without the right it takes the kubelet's minute
                raise


def drop_stale(api: Api, namespace: str, name: str, objects: Sequence[Object]) -> None:
    """Remove objects of a service that it has had and no longer has."""
    wanted = {(made["kind"], made["metadata"]["name"]) for made in objects}
    for kind in _OPTIONAL:
        for found in own(api, namespace, KINDS[kind], name):
            if (kind, found["metadata"]["name"]) not in wanted:
                delete(api, KINDS[kind].path(namespace, found["metadata"]["name"]))


def remove_all(api: Api, namespace: str, name: str, *, seconds: float) -> None:
    """Remove all objects of a service and wait until its pods are gone.

    Args:
        api: The cluster.
        namespace: Theirs.
        name: What its objects are called.
        seconds: What its pods may take to end.

    Raises:
        SendoffError: The cluster does not answer or refuses.
        DeploymentFailed: A pod does not go: its node is lost.
    """
    for kind in reversed(list(KINDS)):
        for found in own(api, namespace, KINDS[kind], name):
            delete(api, KINDS[kind].path(namespace, found["metadata"]["name"]))
    end = time.monotonic() + seconds + _STUCK_SECONDS
    while pods := own(api, namespace, POD, name):
        if time.monotonic() > end:
            stuck = ", ".join(pod["metadata"]["name"] for pod in pods)
            raise DeploymentFailed(
                f"pods do not end: {stuck}",
                hint=f"Is their node lost? `kubectl -n {namespace} get pods -o wide`; then "
                f"`kubectl -n {namespace} delete pod --force {pods[0]['metadata']['name']}`.",
                reported_code="node_lost",
            )
        time.sleep(0.3)


def own(api: Api, namespace: str, kind: Kind, name: str) -> list[dict[str, Any]]:
    """A service's objects of a kind; none where the namespace is gone."""
    return selected(api, namespace, kind, f"{INSTANCE}={name}")


def selected(api: Api, namespace: str, kind: Kind, labels: str) -> list[dict[str, Any]]:
    """Objects of a kind that have labels; none where the namespace is gone, or the cluster knows no such kind."""
    try:
        found: list[dict[str, Any]] = api.get(kind.path(namespace), labelSelector=labels)["items"]
    except ApiError as error:
        if error.status == 404 or (error.status == 403 and kind.group in UNSURE):
            return []
        raise of_refusal(error, kind.plural, namespace) from None
    return found


def delete(api: Api, path: str) -> None:
    """Remove an object; one that is gone is no error."""
    try:
        api.call("DELETE", path, {"propagationPolicy": "Background"})
    except ApiError as error:
        if error.status != 404:
            raise of_refusal(error, path.rpartition("/")[2], "") from None


def has_namespace(api: Api, namespace: str) -> bool:
    """Whether there is a namespace; who has rights in one alone need not see it, and is taken to have it."""
    try:
        return api.find(f"/api/v1/namespaces/{namespace}") is not None
    except ApiError as error:
        if error.status == 403:
            return True
        raise


def ensure_namespace(api: Api, namespace: str, home: str) -> None:
    """Make a namespace where there is none.

    Raises:
        Unauthorized: There is none and we may not make it.
    """
    if has_namespace(api, namespace):
        return
    labels = {"app.kubernetes.io/managed-by": MANAGER, "sendoff.io/home": home}
    try:
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}}
        api.call("POST", "/api/v1/namespaces", body, query={"fieldManager": MANAGER})
    except ApiError as error:
        if error.status == 409:
            return
        if error.status == 403:
            raise Unauthorized(
                f"there is no namespace {namespace} and we may not make one: {error.words}",
                hint=f"Ask for `kubectl create namespace {namespace}`, or name one: namespace in the configuration, "
                "or --namespace when the cluster is attached.",
                reason="Forbidden",
            ) from None
        raise of_refusal(error, f"namespace {namespace}", namespace) from None


def _hand_over(api: Api, path: str, there: Object) -> None:
    """Let the present number of replicas stay when we no longer name one."""
    if not any(one.get("manager") == MANAGER and "f:replicas" in str(one) for one in _managers(there)):
        return
    kept = {"apiVersion": there["apiVersion"], "kind": there["kind"], "metadata": {"name": there["metadata"]["name"]}}
    kept["spec"] = {"replicas": there["spec"].get("replicas", 1)}
    api.call("PATCH", path, kept, query={"fieldManager": _SCALE, "force": "true"}, content=APPLY)


def _managers(there: Object) -> list[Object]:
    found: list[Object] = there["metadata"].get("managedFields") or []
    return found


def _of_a_scaler(error: ApiError) -> bool:
    """Whether all that is in the way is a number of replicas that a scaler has set, which is not wanted any more."""
    causes = error.details.get("causes") or []
    return bool(error.status == 409 and causes) and all(
        one.get("field") == ".spec.replicas" and any(f'"{name}"' in str(one.get("message")) for name in _SCALERS)
        for one in causes
    )


def _made(secret: Object) -> int:
    return int((secret["metadata"].get("annotations") or {}).get(MADE, 0))


def _ours(there: Object, made: Object) -> bool:
    have = there["metadata"].get("labels") or {}
    return bool(have.get(UID) == made["metadata"]["labels"][UID])


def _held(error: ApiError, what: str) -> SendoffError:
    cause = next(iter(error.details["causes"]))
    manager = str(cause.get("message", "")).partition('"')[2].partition('"')[0] or "another manager"
    field = str(cause.get("field", ""))
    if cause.get("reason") != "FieldManagerConflict":
        return NotSupported(f"{what} was changed meanwhile: {error.words}", hint="Deploy again.")
    return Conflict(
        f"{what}: {manager} holds the field {field}",
        hint=f"Let {manager} leave it, or change it there; `kubectl get --show-managed-fields` shows who holds what.",
        reason="FieldConflict",
        reported_code="field_conflict",
        manager=manager,
        field=field,
    )
