"""What a cluster says, as one reason, what is missing and the next command; pure: documents in, errors out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ...clusters.api import ApiError
from ...errors import Conflict, DeploymentFailed, SendoffError, Unauthorized
from ..base import Phase
from ..front_status import error as _error

MOST_ENDS = 3
"""Containers that ended so often are not waited for any more."""
NOT_LOADED = 3
"""A front's exit status where the script cannot be loaded."""
_LINES = 20


class Seen(NamedTuple):
    """What there is to say of one pod."""

    phase: Phase
    error: dict[str, Any] | None = None
    ready: bool = False


def of_refusal(error: ApiError, what: str, namespace: str) -> SendoffError:
    """An API server's refusal as an error with a reason code of its own (context ``reported_code``)."""
    words, lower = error.words, error.words.lower()
    if "exceeded quota" in lower:
        hint = (
            f"`kubectl -n {namespace} describe quota` shows what is used; ask for less (cpu_cores, memory_gb), or more."
        )
        return _failed("quota_exceeded", f"{what}: {words}", hint)
    if "violates podsecurity" in lower or "admission webhook" in lower or "denied the request" in lower:
        hint = "The policy that says so is the cluster's: ask who keeps it."
        return _failed("admission_denied", f"{what}: {words}", hint)
    if re.search(r"(minimum|maximum) (cpu|memory|ephemeral)", lower):
        hint = f"`kubectl -n {namespace} describe limitrange` shows the bounds."
        return _failed("admission_denied", f"{what}: {words}", hint)
    if error.status == 403:
        return forbidden(error, what)
    if error.status == 404 and "namespaces" in lower:
        hint = f"`kubectl create namespace {namespace}`, then deploy again."
        return _failed("namespace_missing", f"{what}: {words}", hint)
    if error.status == 404:
        hint = "Its version may be too old, or the definition is not installed."
        return _failed("not_in_cluster", f"{what}: the cluster does not know this kind of object: {words}", hint)
    if error.status == 409:
        return Conflict(f"{what}: {words}", hint="Somebody changed it at the same time: deploy again.")
    if error.status in (400, 422):
        return _failed("invalid_object", f"{what}: {words}", "A value of the configuration is none for this cluster.")
    return error


def forbidden(error: ApiError, what: str) -> Unauthorized:
    """We may not: verb, resource and namespace as the server says, and what grants it."""
    found = re.search(r'cannot (\w+) resource "([\w/.-]+)"(?: in API group "([\w.-]*)")?(?: in the namespace "(.+?)")?',
                      error.words)  # fmt: skip
    if found is None:
        return Unauthorized(f"{what}: {error.words}", hint=_GRANT, reason="Forbidden", reported_code="forbidden")
    verb, resource, group, namespace = found.groups()
    where = f" in namespace {namespace}" if namespace else ""
    return Unauthorized(
        f"{what}: we may not {verb} {resource}{where}",
        hint=f"{_GRANT} It has `{resource}{'.' + group if group else ''}: [{verb}]`.",
        reason="Forbidden",
        reported_code="forbidden",
        verb=verb,
        resource=resource,
        namespace=namespace or "",
    )


_GRANT = "`sendoff computetarget rbac NAME` prints the Role to ask an administrator for."


def of_rollout(deployment: Mapping[str, Any]) -> dict[str, Any] | None:
    """Why a Deployment can make no pods at all; None where it can."""
    for condition in deployment.get("status", {}).get("conditions") or []:
        if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True":
            words = str(condition.get("message", ""))
            namespace = str(deployment["metadata"].get("namespace", ""))
            name = deployment["metadata"]["name"]
            return of_refusal(ApiError(403, {"message": words}, "a pod"), f"pods of {name}", namespace).payload()
    return None


def of_pod(pod: Mapping[str, Any], *, limit_mb: int | None, events: Sequence[Mapping[str, Any]] = ()) -> Seen:
    """A pod's phase and why it is not further.

    Args:
        pod: As the API has it.
        limit_mb: What its container may use.
        events: Those of the pod, where they may be read.
    """
    status = pod.get("status") or {}
    name, namespace = pod["metadata"]["name"], pod["metadata"].get("namespace", "")
    gone = _of_lost(status, name)
    if gone is not None:
        return Seen("failed", gone)
    scheduled = _condition(status, "PodScheduled")
    if scheduled is not None and scheduled.get("status") == "False":
        return Seen("unschedulable", _unschedulable(pod, str(scheduled.get("message", "")), namespace))
    container = next(iter(status.get("containerStatuses") or []), None)
    if container is None:
        return Seen("starting")
    waiting = (container.get("state") or {}).get("waiting") or {}
    ended = (container.get("state") or {}).get("terminated") or (container.get("lastState") or {}).get("terminated")
    why = str(waiting.get("reason", ""))
    if why in ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"):
        return Seen("starting", _of_pull(container, str(waiting.get("message", "")), namespace, name))
    if why == "CreateContainerConfigError":
        words = str(waiting.get("message", ""))
        hint = f"`kubectl -n {namespace} describe pod {name}`; what it names has to be there."
        return Seen("starting", _error("config_missing", f"the container cannot be made: {words}", hint))
    if why in ("CreateContainerError", "RunContainerError", "StartError"):
        return Seen("failed", _error("container_ended", f"the container does not start: {waiting.get('message', '')}"))
    restarts = int(container.get("restartCount") or 0)
    if ended is not None and not container.get("ready"):
        error, sure = of_end(ended, restarts + (0 if restarts else 1), limit_mb)
        return Seen("failed" if sure else "init", error)
    if container.get("ready") and (_condition(status, "Ready") or {}).get("status") == "True":
        return Seen("ready", ready=True)
    if "running" in (container.get("state") or {}):
        return Seen("init")
    return Seen("starting", _of_mount(events))


def of_end(ended: Mapping[str, Any], ends: int, limit_mb: int | None) -> tuple[dict[str, Any], bool]:
    """Why a container ended, and whether that will not change by itself.

    Args:
        ended: The state ``terminated``.
        ends: How often it has ended.
        limit_mb: What it may use.
    """
    code, message = int(ended.get("exitCode", 0)), str(ended.get("message") or "")
    if code == NOT_LOADED:
        try:
            told = json.loads(message)
        except ValueError:
            told = None
        if isinstance(told, dict) and told.get("code"):
            return told, True
    if ended.get("reason") == "OOMKilled":
        room = f" of its {limit_mb} MB" if limit_mb else ""
        hint = "Give it more: memory_gb_limit, or memory_gb, of the deployment configuration."
        return _error(
            "out_of_memory", f"the container used up all{room} of memory and was ended", hint
        ), ends >= MOST_ENDS
    last = message.strip().splitlines()[-1:] or ["it said nothing"]
    said = f"the container ended with {code}, {ends} of {MOST_ENDS} times: {last[0]}"
    found = _error("container_ended", said, "See the service's logs.")
    return {**found, "log": message.splitlines()[-_LINES:]}, ends >= MOST_ENDS


def _of_lost(status: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    why, words = str(status.get("reason", "")), str(status.get("message", ""))
    if why == "Evicted":
        return _error("evicted", f"pod {name} was evicted: {words}", "Its node ran short: ask for what it uses.")
    if why in ("NodeLost", "NodeShutdown", "Terminated", "NodeAffinity"):
        return _error("node_lost", f"pod {name} lost its node: {words or why}")
    target = _condition(status, "DisruptionTarget")
    if status.get("phase") == "Failed" and target is not None:
        code = "preempted" if target.get("reason") == "PreemptionByScheduler" else "evicted"
        return _error(code, f"pod {name} was ended: {target.get('message', '')}")
    return None


def _of_pull(container: Mapping[str, Any], words: str, namespace: str, pod: str) -> dict[str, Any]:
    image, lower = container.get("image"), words.lower()
    if re.search(r"\b401\b|\b403\b|unauthorized|forbidden|denied|authentication", lower):
        hint = (
            "Name a secret of the namespace that may pull it as kubernetes.pull_secrets: "
            f"`kubectl -n {namespace} create secret docker-registry …`."
        )
        return _error("registry_denied", f"the cluster may not pull {image}: {words}", hint)
    if re.search(r"not found|manifest unknown|name unknown|\b404\b|invalid reference", lower):
        hint = "Was it removed from the registry since? Deploy again, and it is pushed anew."
        return _error("image_missing", f"the registry has no {image}: {words}", hint)
    if words.startswith("Back-off pulling") or not words:
        hint = f"`kubectl -n {namespace} describe pod {pod}` says why."
        return _error("image_missing", f"the image {image} cannot be pulled: {words}", hint)
    hint = "The nodes have to reach the registry by the name that the image has (setting image_registry)."
    return _error("registry_unreachable", f"the cluster cannot pull {image}: {words}", hint)


def _unschedulable(pod: Mapping[str, Any], words: str, namespace: str) -> dict[str, Any]:
    container = pod["spec"]["containers"][0]
    asked = container.get("resources", {}).get("requests") or {}
    what = ", ".join(f"{value} {name}" for name, value in asked.items())
    if "unbound immediate PersistentVolumeClaims" in words or "persistentvolumeclaim" in words.lower():
        return _error("volume_pending", f"a claim has no volume yet: {words}", f"`kubectl -n {namespace} get pvc`.")
    hint = "Ask for less (cpu_cores, memory_gb, gpu_cores), add a node, or look at `kubectl describe nodes`."
    if "node affinity" in words or "node selector" in words:
        selector = json.dumps(pod["spec"].get("nodeSelector") or {})
        hint = f"No node has the labels of node_selector {selector}: `kubectl get nodes --show-labels`."
    elif "untolerated taint" in words:
        hint = "The nodes that have room have a taint: name it in kubernetes.tolerations."
    return _error("unschedulable", f"no node has room for it: it asks for {what}; {words}", hint)


def _of_mount(events: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    for event in events:
        if event.get("reason") in ("FailedMount", "FailedAttachVolume"):
            return _error("volume_pending", f"a volume cannot be mounted: {event.get('message', '')}")
    return None


def _condition(status: Mapping[str, Any], kind: str) -> Mapping[str, Any] | None:
    return next((one for one in status.get("conditions") or [] if one.get("type") == kind), None)


def _failed(code: str, message: str, hint: str) -> DeploymentFailed:
    return DeploymentFailed(message, hint=hint, reported_code=code)
