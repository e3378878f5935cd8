"""A service as Kubernetes objects: values in, objects out; nothing is asked and nothing remembered.

One Deployment a service, which rolls: for a while two revisions answer, and half the room is needed of what two
Deployments would take (spec of the target, sec. 3 and 14).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from ...errors import NotSupported
from ...spec.deployment import AutoScaler, LivenessProbe
from ...spec.kubernetes import CLUSTER_IP, LOAD_BALANCER, NODE_PORT, PLATFORM, REPLACE, KubernetesOptions
from ..base import Wanted
from .scaling import Signal, scaler

Object = dict[str, Any]

PORT = 5001
GPU = "nvidia.com/gpu"
"""What GPUs are called where the options do not say."""
ACCESS, DATA = "/etc/sendoff/access", "/var/azureml-data"
TERMINATION = "/dev/termination-log"
INSTANCE, UID, REVISION, HOME = (
    "app.kubernetes.io/instance", "sendoff.io/uid", "sendoff.io/revision", "sendoff.io/home"
)  # fmt: skip
MADE = "sendoff.io/made"
"""Which of two documents of who may ask is the later one."""
MANAGED_BY, MANAGER = "app.kubernetes.io/managed-by", "sendoff"
DIGEST, TOUCHED = "sendoff.io/rendered", "sendoff.io/access"
LINGER = 15
_SPARE = 5
_TYPES = {NODE_PORT: "NodePort", LOAD_BALANCER: "LoadBalancer", CLUSTER_IP: "ClusterIP"}
_USER = 10001
_DEFAULT_CPU, _DEFAULT_MEMORY_MB = 0.1, 512
_MIB = 1024 * 1024


def object_name(name: str, *, home: str, workspace: str, uid: str) -> str:
    """The name of a service's objects: its own, and eight signs that no other service's have.

    Args:
        name: The service's.
        home: Which home it is of (:func:`containers.labels.home_id`).
        workspace: Its workspace.
        uid: Its uid.
    """
    digest = hashlib.sha256("\0".join((home, workspace, uid)).encode()).hexdigest()[:8]
    return f"{name.lower()}-{digest}"


def path_prefix(name: str) -> str:
    """What stands before the routes of a service at a cluster's address (spec/behaviour.md)."""
    return f"/api/v1/service/{name}"


def label(text: str) -> str:
    """Any text as a label's value."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", text)[:63].strip("-._")


def render(
    wanted: Wanted,
    *,
    home: str,
    namespace: str = "",
    signal: Signal | None = None,
) -> list[Object]:
    """A service's objects, in the order in which they are applied.

    Args:
        wanted: The service; the artefact is an image by digest.
        home: Which home it is of.
        namespace: Where they will be; scalers name it.
        signal: What the cluster scales by, where the service is to scale.

    Raises:
        NotSupported: Something is asked for that needs more than is known.
    """
    made = _Service(wanted, home)
    found = made.objects()
    if wanted.autoscaler is not None and signal is not None:
        found.append(made.scaler(wanted.autoscaler, signal, namespace))
    return found


def access_of(wanted: Wanted, *, home: str) -> Object | None:
    """The Secret that requests are checked by, alone; None where nothing is checked."""
    return _Service(wanted, home).access()


class _Service:
    def __init__(self, wanted: Wanted, home: str) -> None:
        self._wanted, self._home = wanted, home
        self._options: KubernetesOptions = wanted.options
        self._name = object_name(wanted.name, home=home, workspace=wanted.workspace, uid=wanted.uid)
        self._account = self._options.service_account or self._name

    def objects(self) -> list[Object]:
        guard = self._wanted.access
        if guard is not None and "health" not in guard.document.get("open", ["health"]):
            raise NotSupported(
                "a cluster asks its pods for their health without a key, so that health cannot be protected",
                hint="Leave health out of protected_paths.",
                field="protected_paths",
            )
        found = [] if self._options.service_account else [self._account_object()]
        access = self.access()
        found += [] if access is None else [access]
        found += [self._service(self._name, headless=False), self._service(f"{self._name}-pods", headless=True)]
        found.append(self._deployment())
        scaler = self._wanted.autoscaler
        if (
            scaler.max_replicas if scaler else self._wanted.replicas
        ) > 1:  # with one it would only stop drains of its node
            found.append(self._budget())
        if self._options.network_policy:
            found.append(self._policy())
        for made in found:
            made["metadata"].setdefault("annotations", {})[DIGEST] = _digest(made)
        return found

    def access(self) -> Object | None:
        guard = self._wanted.access
        if guard is None:
            return None
        files = {"auth.json": json.dumps(guard.document, indent=1, sort_keys=True)}
        for name, pair in sorted(guard.certificates.items()):
            files |= {f"{name}.crt": pair.certificate, f"{name}.key": pair.key}
        if self._wanted.telemetry is not None:
            files["telemetry.json"] = json.dumps(self._wanted.telemetry, indent=1, sort_keys=True)
        data = {name: base64.b64encode(text.encode()).decode() for name, text in sorted(files.items())}
        made = self._made("v1", "Secret", f"{self._name}-access", {"type": "Opaque", "data": data})
        made["metadata"].setdefault("annotations", {})[MADE] = str(guard.made)
        return made

    def _made(self, version: str, kind: str, name: str, rest: Mapping[str, Any]) -> Object:
        metadata: Object = {"name": name, "labels": {**self._options.labels, **self._labels()}}
        if self._options.annotations:
            metadata["annotations"] = dict(self._options.annotations)
        return {"apiVersion": version, "kind": kind, "metadata": metadata, **rest}

    def _labels(self) -> dict[str, str]:
        wanted = self._wanted
        return {
            "app.kubernetes.io/name": label(wanted.name),
            INSTANCE: self._name,
            "app.kubernetes.io/component": "scoring-server",
            MANAGED_BY: MANAGER,
            HOME: self._home,
            "sendoff.io/workspace": label(wanted.workspace),
            UID: label(wanted.uid),
        }

    def _selector(self) -> dict[str, str]:
        return {INSTANCE: self._name}  # never more: a Deployment's cannot be changed

    def _account_object(self) -> Object:
        return self._made("v1", "ServiceAccount", self._name, {"automountServiceAccountToken": False})

    def _service(self, name: str, *, headless: bool) -> Object:
        ports = [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}]
        spec: Object = {"selector": self._selector(), "ports": ports}
        if headless:
            ports[0]["port"] = PORT  # its address is a pod's
            return self._made("v1", "Service", name, {"spec": {**spec, "type": "ClusterIP", "clusterIP": "None"}})
        spec["type"] = _TYPES[self._options.expose or NODE_PORT]
        made = self._made("v1", "Service", name, {"spec": spec})
        if self._options.service_annotations:
            made["metadata"].setdefault("annotations", {}).update(self._options.service_annotations)
        return made

    def _budget(self) -> Object:
        spec = {
            "maxUnavailable": 1,
            "selector": {"matchLabels": self._selector()},
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        }
        return self._made("policy/v1", "PodDisruptionBudget", self._name, {"spec": spec})

    def _policy(self) -> Object:
        spec = {
            "podSelector": {"matchLabels": self._selector()},
            "policyTypes": ["Ingress"],
            "ingress": [{"ports": [{"port": PORT, "protocol": "TCP"}]}],
        }
        return self._made("networking.k8s.io/v1", "NetworkPolicy", self._name, {"spec": spec})

    def scaler(self, wanted: AutoScaler, signal: Signal, namespace: str) -> Object:
        """What the cluster's scaler goes by."""
        version, kind, spec = scaler(
            wanted,
            signal,
            name=self._name,
            namespace=namespace,
            workers=self._wanted.workers,
            scheme=self._scheme().lower(),
        )
        return self._made(version, kind, self._name, {"spec": spec})

    def _deployment(self) -> Object:
        rolling = {"maxSurge": 1, "maxUnavailable": 0}
        if self._options.update_strategy == REPLACE:  # the old one makes room first
            rolling = {"maxSurge": 0, "maxUnavailable": 1}
        wanted = self._wanted
        labels = {
            **self._options.labels,
            **self._labels(),
            REVISION: str(wanted.revision),
            "app.kubernetes.io/version": str(wanted.revision),
        }
        template: Object = {"metadata": {"labels": labels}, "spec": self._pod()}
        if self._options.annotations:
            template["metadata"]["annotations"] = dict(self._options.annotations)
        spec = {
            # A scaler's number is its own: whoever applies another one takes it away.
            **({} if wanted.autoscaler else {"replicas": wanted.replicas}),
            "progressDeadlineSeconds": self._startup_seconds() + 600,
            "revisionHistoryLimit": 2,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
            "selector": {"matchLabels": self._selector()},
            "template": template,
        }
        made = self._made("apps/v1", "Deployment", self._name, {"spec": spec})
        made["metadata"].setdefault("annotations", {})["sendoff.io/bundle"] = wanted.bundle
        return made

    def _pod(self) -> Object:
        options, wanted = self._options, self._wanted
        volumes: list[Object] = [{"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "256Mi"}}]
        mounts: list[Object] = [{"name": "tmp", "mountPath": "/tmp"}]
        if wanted.access is not None:
            # Never by subPath: such a mount is not brought up to date.
            volumes.append({"name": "access", "secret": {"secretName": f"{self._name}-access", "defaultMode": 0o440}})
            mounts.append({"name": "access", "mountPath": ACCESS, "readOnly": True})
        if wanted.collects:
            if not options.data_claim:
                raise NotSupported(
                    "data collection on a cluster needs a claim that all pods write to",
                    hint="Name a PersistentVolumeClaim with ReadWriteMany as kubernetes.data_claim, or leave "
                    "collect_model_data out.",
                    field="kubernetes.data_claim",
                )
            volumes.append({"name": "data", "persistentVolumeClaim": {"claimName": options.data_claim}})
            mounts.append({"name": "data", "mountPath": DATA})
        user: Object = {} if options.run_as == PLATFORM else {"runAsUser": _USER, "runAsGroup": _USER, "fsGroup": _USER}
        pod: Object = {
            "serviceAccountName": self._account,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": int(self._linger() + wanted.deadline_seconds + _SPARE),
            "securityContext": {"runAsNonRoot": True, **user, "seccompProfile": {"type": "RuntimeDefault"}},
            "topologySpreadConstraints": [self._spread(key) for key in ("kubernetes.io/hostname", _ZONE)],
            "containers": [self._container(mounts)],
            "volumes": volumes,
        }
        given = {
            "nodeSelector": options.node_selector,
            "tolerations": [*options.tolerations, *self._gpu_toleration()],
            "imagePullSecrets": [{"name": name} for name in options.pull_secrets],
            "priorityClassName": options.priority_class,
            "runtimeClassName": options.runtime_class,
        }
        return {**pod, **{name: value for name, value in given.items() if value}}

    def _container(self, mounts: list[Object]) -> Object:
        wanted = self._wanted
        artefact = wanted.artefact
        arguments = [
            *("--revision", str(wanted.revision), "--path-prefix", path_prefix(wanted.name)),
            *("--drain-seconds", f"{wanted.deadline_seconds:g}", "--termination-file", TERMINATION),
            # A cluster's address answers so for what the script raised (spec/behaviour.md).
            *("--script-error-status", "502"),
            *(("--auth-file", f"{ACCESS}/auth.json") if wanted.access is not None else ()),
            *(("--data-dir", DATA, "--data-scope", wanted.data_scope) if wanted.collects else ()),
        ]
        probe = wanted.probe or LivenessProbe()

        def ask(path: str, **more: int) -> Object:
            return {"httpGet": {"path": path, "port": "http", "scheme": self._scheme()}, **more}

        return {
            "name": "server",
            "image": "" if artefact is None else artefact.reference,
            "args": arguments,
            "env": [
                {"name": "SENDOFF_GATEWAY", "value": "1"},
                {"name": "SERVICE_NAME", "value": wanted.name},
                {"name": "WORKSPACE_NAME", "value": wanted.workspace},
            ],
            "ports": [{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
            "resources": self._resources(),
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            },
            "startupProbe": ask(
                "/health/startup", periodSeconds=2, timeoutSeconds=2, failureThreshold=self._startup_seconds() // 2
            ),
            "readinessProbe": ask(
                "/health/ready",
                periodSeconds=2,
                timeoutSeconds=2,
                failureThreshold=2,
                successThreshold=probe.success_threshold,
            ),
            "livenessProbe": ask(
                "/health/live",
                periodSeconds=probe.period_seconds,
                timeoutSeconds=probe.timeout_seconds,
                failureThreshold=probe.failure_threshold,
            ),
            "lifecycle": {"preStop": {"sleep": {"seconds": self._linger()}}} if self._linger() else {},
            "terminationMessagePath": TERMINATION,
            "terminationMessagePolicy": "FallbackToLogsOnError",
            "volumeMounts": mounts,
        }

    def _resources(self) -> Object:
        asked, limits = self._wanted.resources, self._wanted.limits
        requests: Object = {
            "cpu": _cores(asked.cpus or _DEFAULT_CPU),
            "memory": f"{asked.memory_mb or min(_DEFAULT_MEMORY_MB, limits.memory_mb or _DEFAULT_MEMORY_MB)}Mi",
        }
        bounds: Object = {}
        if asked.cpus_limit:
            bounds["cpu"] = _cores(asked.cpus_limit)
        if limits.memory_mb:
            bounds["memory"] = f"{limits.memory_mb}Mi"
        if asked.gpus:
            bounds[self._gpu_name()] = str(asked.gpus)
        return {"requests": requests, **({"limits": bounds} if bounds else {})}

    def _gpu_name(self) -> str:
        return self._options.gpu_resource or GPU

    def _gpu_toleration(self) -> list[Object]:
        if not self._wanted.resources.gpus:
            return []
        return [{"key": self._gpu_name(), "operator": "Exists", "effect": "NoSchedule"}]

    def _spread(self, key: str) -> Object:
        return {
            "maxSkew": 1,
            "topologyKey": key,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": self._selector()},
        }

    def _linger(self) -> int:
        return LINGER if self._options.linger_seconds is None else self._options.linger_seconds

    def _startup_seconds(self) -> int:
        return max(2, (self._wanted.probe or LivenessProbe()).initial_delay_seconds)

    def _scheme(self) -> str:
        guard = self._wanted.access
        return "HTTPS" if guard is not None and guard.certificate is not None else "HTTP"


_ZONE = "topology.kubernetes.io/zone"


def _cores(cpus: float) -> str:
    return f"{round(cpus * 1000)}m"


def _digest(made: Object) -> str:
    return hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()[:16]
