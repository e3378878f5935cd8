"""How many replicas a load wants: the object that a cluster's own scaler goes by; pure.

The signal is the number of requests that run and wait, summed over all fronts, so that the formula does not depend on
how many pods there are at the moment; averages of pods flap while a Deployment rolls.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Any, Literal

from ...errors import NotSupported
from ...spec.deployment import AutoScaler
from ...spec.kubernetes import CPU, KubernetesOptions

Signal = Literal["keda", "external", "cpu"]
KEDA_GROUP, EXTERNAL_GROUP, METRICS_GROUP = "keda.sh", "external.metrics.k8s.io", "metrics.k8s.io"
METRIC = "sendoff_requests_in_flight"
_DOWN_SECONDS = 60
_WAYS = (
    "Install KEDA (2.20 or newer); or an adapter that serves the metric as an external one (docs/kubernetes.md); "
    "or scale by CPU: kubernetes.autoscale_signal: cpu, with cpu_cores given and metrics-server installed."
)


def signal_of(options: KubernetesOptions, groups: Set[str], *, cpus: float | None) -> Signal:
    """What a cluster can scale by.

    Args:
        options: The service's; ``autoscale_signal`` is its choice.
        groups: API groups that the cluster serves.
        cpus: What a replica asks for.

    Raises:
        NotSupported: The cluster has nothing to scale by, or not what was chosen; the hint has the ways.
    """
    if options.autoscale_signal == CPU:
        if METRICS_GROUP not in groups:
            raise NotSupported("the cluster has no metrics-server, by which replicas scale with CPU", hint=_WAYS,
                               field="kubernetes.autoscale_signal")  # fmt: skip
        if cpus is None:
            raise NotSupported("scaling by CPU is a share of what a replica asks for, and cpu_cores is not given",
                               hint="Give cpu_cores.", field="cpu_cores")  # fmt: skip
        return "cpu"
    if KEDA_GROUP in groups:
        return "keda"
    if EXTERNAL_GROUP in groups:
        return "external"
    has = "has metrics-server alone, which knows no requests" if METRICS_GROUP in groups else "has no source of metrics"
    raise NotSupported(f"replicas cannot scale with requests: the cluster {has}", hint=_WAYS, field="autoscaler")


def scaler(
    wanted: AutoScaler, signal: Signal, *, name: str, namespace: str, workers: int, scheme: str
) -> tuple[str, str, dict[str, Any]]:
    """The scaler's API version, kind and specification.

    Args:
        wanted: Bounds and utilisation.
        signal: What the cluster scales by.
        name: What the service's objects are called.
        namespace: Theirs.
        workers: How many requests a replica runs at once.
        scheme: In which its servers are spoken to.
    """
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    each = workers * wanted.target_utilization / 100
    bounds = {"minReplicas": wanted.min_replicas, "maxReplicas": wanted.max_replicas}
    if signal == "keda":
        trigger = {
            "type": "metrics-api",
            "metricType": "AverageValue",
            "metadata": {
                "url": f"{scheme}://{name}-pods.{namespace}.svc.cluster.local:5001/metrics",
                "format": "prometheus",
                "valueLocation": METRIC,
                "targetValue": f"{each:g}",
                "aggregateFromKubeServiceEndpoints": "true",
                "aggregationType": "sum",
            },
        }
        counts = {"minReplicaCount": wanted.min_replicas, "maxReplicaCount": wanted.max_replicas}
        advanced = {"horizontalPodAutoscalerConfig": {"behavior": _behaviour()}}
        spec = {"scaleTargetRef": target, **counts, "pollingInterval": 5, "advanced": advanced, "triggers": [trigger]}
        return "keda.sh/v1alpha1", "ScaledObject", spec
    metric: dict[str, Any]
    if signal == "cpu":
        share = {"type": "Utilization", "averageUtilization": wanted.target_utilization}
        metric = {"type": "Resource", "resource": {"name": "cpu", "target": share}}
    else:
        selector = {"matchLabels": {"instance": name}}
        average = {"type": "AverageValue", "averageValue": f"{round(each * 1000)}m"}
        metric = {"type": "External", "external": {"metric": {"name": METRIC, "selector": selector}, "target": average}}
    spec = {"scaleTargetRef": target, **bounds, "metrics": [metric], "behavior": _behaviour()}
    return "autoscaling/v2", "HorizontalPodAutoscaler", spec


def _behaviour() -> dict[str, Any]:
    """Up at once, to double or by four in 15 s, whichever is more; down when a minute has wanted less."""
    quick = [{"type": "Percent", "value": 100, "periodSeconds": 15}, {"type": "Pods", "value": 4, "periodSeconds": 15}]
    return {
        "scaleUp": {"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": quick},
        "scaleDown": {"stabilizationWindowSeconds": _DOWN_SECONDS},
    }
