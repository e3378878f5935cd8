"""The kubernetes target: a rolling Deployment a service in a namespace of an attached cluster (docs/kubernetes.md)."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ...clusters import cluster
from ...clusters.api import Api
from ...containers.labels import home_id
from ...errors import InvalidInput, SendoffError
from ...progress import Progress
from ...spec.kubernetes import KubernetesOptions
from ...spec.parse import replace
from ..base import (
    PUSHED_IMAGE,
    SERVICE,
    UNHEARD,
    Artefact,
    Capabilities,
    Leftover,
    Makers,
    Observation,
    Place,
    Preparation,
    Surroundings,
    Used,
    Wanted,
    observe_each,
    repository,
)
from . import access, applying, logs
from .kinds import EVENT, KINDS, POD, path_of
from .observing import address, observed
from .render import DIGEST, HOME, INSTANCE, MANAGED_BY, MANAGER, UID, access_of, label, object_name, render
from .scaling import signal_of

NAMESPACE, OPTIONS = "namespace", "options"
"""What a :class:`Place` sets besides the way to the cluster."""


class KubernetesTarget:
    """Runs services in a namespace of a cluster. Safe to use from several processes and threads at once.

    Args:
        place: The cluster (``kubeconfig`` and ``context``, or ``in_cluster``), ``namespace`` and section of options.
        surroundings: The home, whose name is part of every object's.
    """

    def __init__(self, place: Place, surroundings: Surroundings) -> None:
        self._place, self._settings = place, surroundings.settings
        self._home = home_id(surroundings.home)
        self._namespace = place.settings.get(NAMESPACE) or "default"

    def capabilities(self) -> Capabilities:
        """What this target can do."""
        return Capabilities(
            name="kubernetes",
            artefact=PUSHED_IMAGE,
            gateway="own",
            auth=True,
            tls=True,
            replicas=True,
            cpu_limit=True,
            memory_limit=True,
            gpu=True,
            telemetry=True,
            probe=True,
            namespaces=True,
            this_machine="",
        )

    def check(self, wanted: Wanted) -> None:
        """Say what would keep the service from starting: version, rights, and what the cluster says of its objects.

        Raises:
            SendoffError: As :meth:`apply`; the cluster was not changed.
        """
        api = self._api
        cluster.version(api)
        if not applying.has_namespace(api, self._namespace):
            return  # it is made with the first deployment
        cluster.require_rights(api, self._namespace)
        if wanted.artefact is None:
            # Its digest is not known yet; policies that look at images look at their registry.
            registry = (self._settings.image_registry or "").rstrip("/")
            asked = Artefact(kind=PUSHED_IMAGE, reference=f"{registry}/sendoff-check:none".lstrip("/"), python="")
            wanted = replace(wanted, artefact=asked)
        self._dry_run(self._rendered(wanted))

    def prepare(self, preparation: Preparation, makers: Makers, progress: Progress) -> Artefact:
        """The service's image, code and models in it, pushed to the registry that the cluster pulls from."""
        name = repository(preparation.workspace, preparation.name)
        return makers.pushed_image(preparation, progress, repository=name, models="baked")

    def apply(self, wanted: Wanted) -> None:
        """Apply the service's objects and return at once; the cluster rolls, and the old revision serves until then.

        Raises:
            Conflict: An object of that name is somebody else's, or another manager holds a field.
            DeploymentFailed: The cluster refuses one; context names the reason.
            Unauthorized: We may not, or are not known.
            TargetUnavailable: The cluster does not answer.
        """
        api, namespace = self._api, self._namespace
        if not wanted.start:
            self._bring_access(wanted)
            return
        if wanted.artefact is None or wanted.artefact.kind != PUSHED_IMAGE:
            raise InvalidInput("the kubernetes target needs an image in a registry", field="image")
        objects = self._rendered(wanted)
        applying.ensure_namespace(api, namespace, self._home)
        if not self._runs(objects):
            self._dry_run(objects)
        # First: a scaler that is not wanted any more would set another number again.
        applying.drop_stale(api, namespace, self._name(wanted), objects)
        applying.apply_all(api, namespace, objects)

    def observe(self, uids: Sequence[str], *, metrics: bool = False) -> Mapping[str, Observation]:
        """What runs now, asked of the cluster."""

        def look(uid: str) -> Observation:
            try:
                return self._observe(uid, metrics=metrics)
            except SendoffError as error:
                return Observation(phase=UNHEARD, error=error.payload())

        return observe_each(uids, look)

    def logs(self, uid: str, num_lines: int, *, init: bool = False) -> str:
        """The newest lines of all of its pods, merged by time."""
        name = self._find(uid)
        if name is None or num_lines <= 0:
            return ""
        pods = applying.own(self._api, self._namespace, POD, name)
        return "\n".join(logs.lines_of(self._api, self._namespace, pods, num_lines, init=init))

    def remove(self, uid: str) -> None:
        """Remove every object of the service and wait until its pods have ended; a missing service is no error."""
        name = self._find(uid)
        if name is None:
            return
        pods = applying.own(self._api, self._namespace, POD, name)
        grace = max((int(pod["spec"].get("terminationGracePeriodSeconds") or 30) for pod in pods), default=0)
        applying.remove_all(self._api, self._namespace, name, seconds=grace)

    def held(self, used: Used) -> list[Leftover]:
        """Services of this home that the cluster has and no record names."""
        known = {label(uid) for uid in used.services}
        found: dict[str, str] = {}
        try:
            for kind in KINDS.values():
                selector = f"{MANAGED_BY}={MANAGER},{HOME}={self._home}"
                for one in applying.selected(self._api, self._namespace, kind, selector):
                    labels = one["metadata"]["labels"]
                    found[labels.get(UID, "")] = labels.get(INSTANCE, "")
        except SendoffError:
            return []  # what cannot be seen now is not among it
        return [
            Leftover(kind=SERVICE, id=uid, name=name, remove=partial(self.remove, uid))
            for uid, name in sorted(found.items())
            if uid and uid not in known
        ]

    @functools.cached_property
    def _api(self) -> Api:
        return cluster.connect(self._place.settings, self._settings)

    def _rendered(self, wanted: Wanted) -> list[dict[str, Any]]:
        options = self._options(wanted)
        signal = None
        if wanted.autoscaler is not None:
            signal = signal_of(options, cluster.groups(self._api), cpus=wanted.resources.cpus)
        return render(replace(wanted, options=options), home=self._home, namespace=self._namespace, signal=signal)

    def _runs(self, objects: Sequence[Mapping[str, Any]]) -> bool:
        """Whether the Deployment is there as it is rendered: then no pod is made, and no quota is asked for another."""
        made = next(one for one in objects if one["kind"] == "Deployment")
        there = self._api.find(path_of(made, self._namespace))
        noted = ((there or {}).get("metadata") or {}).get("annotations") or {}
        return bool(noted.get(DIGEST) == made["metadata"]["annotations"][DIGEST])

    def _options(self, wanted: Wanted) -> KubernetesOptions:
        import json

        import msgspec

        own = json.loads(self._place.settings.get(OPTIONS) or "{}")
        return wanted.options.over(msgspec.convert(own, KubernetesOptions))

    def _name(self, wanted: Wanted) -> str:
        return object_name(wanted.name, home=self._home, workspace=wanted.workspace, uid=wanted.uid)

    def _dry_run(self, objects: Sequence[dict[str, Any]]) -> None:
        applying.apply_all(self._api, self._namespace, objects, dry_run=True)
        deployment = next(made for made in objects if made["kind"] == "Deployment")
        applying.try_pod(self._api, self._namespace, deployment)

    def _find(self, uid: str) -> str | None:
        """What a service's objects are called; None where it has none here."""
        for kind in ("Deployment", "Secret", "Service", "ServiceAccount"):
            found = self._of(uid, kind)
            if found:
                return str(found[0]["metadata"]["labels"][INSTANCE])
        return None

    def _of(self, uid: str, kind: str) -> list[dict[str, Any]]:
        """Objects of a kind that a service has here."""
        labels = f"{UID}={label(uid)},{HOME}={self._home}"
        return applying.selected(self._api, self._namespace, KINDS[kind], labels)

    def _observe(self, uid: str, *, metrics: bool) -> Observation:
        found = self._of(uid, "Deployment")
        if not found:
            return observed(None, [])
        deployment = found[0]
        name = str(deployment["metadata"]["name"])
        pods = applying.own(self._api, self._namespace, POD, name)
        service = self._api.find(KINDS["Service"].path(self._namespace, name))
        scheme = _scheme(deployment)
        own = str(deployment["metadata"]["labels"]["app.kubernetes.io/name"])
        base, _ = address(service, name=own, host=self._node, scheme=scheme)
        told = observed(deployment, pods, self._events(pods), base_url=base)
        if metrics:
            counted = logs.metrics_of(self._api, self._namespace, pods, scheme)
            told = replace(told, metrics=counted[0] if counted else None)
        return told

    def _events(self, pods: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
        """Events of pods that have no container yet, for what a mount waits for; none where they may not be read."""
        waiting = any(not (pod.get("status") or {}).get("containerStatuses") or _creating(pod) for pod in pods)  # type: ignore[attr-defined]
        if not waiting:
            return []
        try:
            items: list[dict[str, object]] = self._api.get(
                EVENT.path(self._namespace), fieldSelector="involvedObject.kind=Pod", limit="200"
            )["items"]
            return items
        except SendoffError:
            return []

    @functools.cached_property
    def _node(self) -> str:
        return cluster.node_address(self._api)

    def _bring_access(self, wanted: Wanted) -> None:
        """Bring keys, certificates and collector up to date, where anything runs."""
        secret, name = access_of(wanted, home=self._home), self._name(wanted)
        deployment = self._api.find(KINDS["Deployment"].path(self._namespace, name))
        if secret is not None and deployment is not None:
            access.bring(self._api, self._namespace, name, secret, scheme=_scheme(deployment))


def _scheme(deployment: Mapping[str, Any]) -> str:
    """In which its servers are spoken to."""
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    return str(container["readinessProbe"]["httpGet"].get("scheme", "HTTP")).lower()


def _creating(pod: Mapping[str, object]) -> bool:
    statuses = (pod.get("status") or {}).get("containerStatuses") or []  # type: ignore[attr-defined]
    return any((one.get("state") or {}).get("waiting", {}).get("reason") == "ContainerCreating" for one in statuses)
