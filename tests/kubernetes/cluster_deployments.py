"""Services on the tests' real cluster, made with few rights in a namespace of their own."""

from __future__ import annotations

import http.client
import json
import urllib.parse
from pathlib import Path
from typing import Any

import cluster_rig
from cluster_rig import Space
from deployment_rigs import WS, Rig

from sendoff.clusters.cluster import role
from sendoff.core import Core
from sendoff.deployments.access import ServiceAccess
from sendoff.spec.compute import KUBERNETES, CreateCompute
from sendoff.spec.deployment import DeploymentSpec, LivenessProbe
from sendoff.spec.environment import EnvironmentSpec, PythonSpec
from sendoff.spec.inference import InferenceSpec
from sendoff.spec.kubernetes import KubernetesOptions
from sendoff.spec.operation import Operation
from sendoff.spec.service import Service

ECHO = b"""\
import json
import os


def init():
    global text
    with open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "model.bin")) as file:
        text = file.read()


def run(data):
    value = json.loads(data)
    if value == "boom":
        raise RuntimeError("boom")
    return [text, value, ANSWER, os.getuid()]


ANSWER = 1
"""
PLAIN = b"def init():\n    pass\n\n\ndef run(data):\n    return data\n"


class ClusterDeployments(Rig):
    """A home whose AKS services run on the cluster."""

    def __init__(self, home: Path, space: Space) -> None:
        super().__init__(home)
        self.space = space
        attach = {"kubeconfig": str(space.kubeconfig), "context": "few", "kubernetes": {"linger_seconds": 1}}
        body = CreateCompute(name="prod", type=KUBERNETES, attached=True, namespace=space.namespace, properties=attach)
        self.core.computes.create(WS, body)

    def another(self) -> Core:
        return Core(self.home)

    def inference(self, script: bytes = PLAIN, **fields: object) -> InferenceSpec:
        spec = EnvironmentSpec(name="env", python=PythonSpec(conda_packages=["python=3.11"]))
        return super().inference(script, **{"environment": spec, **fields})

    def aks(self, script: bytes = PLAIN, name: str = "svc", *, models: Any = (), **fields: Any) -> Operation:
        """Deploy to the cluster and wait."""
        body = self.body(name, inference=self.inference(script), models=list(models), deployment=deployment(**fields))
        return self.wait(self.deployments.deploy(WS, body), seconds=240.0)

    def service(self, name: str = "svc") -> Service:
        """As the API shows it."""
        return self.deployments.get(WS, name)

    def key(self, name: str = "svc") -> str:
        """Its first key."""
        return ServiceAccess(self.rooms).keys(WS, name).primary_key

    def ask(self, data: object = 1, name: str = "svc", *, key: str | None = "") -> tuple[int, Any]:
        """Status and parsed answer of one request."""
        address = urllib.parse.urlsplit(str(self.service(name).scoring_uri))
        link = http.client.HTTPConnection(str(address.hostname), address.port, timeout=20)
        headers = {"Content-Type": "application/json"}
        if key is not None:
            headers["Authorization"] = f"Bearer {key or self.key(name)}"
        link.request("POST", address.path, json.dumps(data), headers)
        answer = link.getresponse()
        return answer.status, json.loads(answer.read())

    def objects(self, name: str, kinds: str = "all") -> list[dict[str, Any]]:
        """What the namespace has of a service."""
        found = cluster_rig.listed(self.space.namespace, kinds)
        return [one for one in found if one["metadata"].get("labels", {}).get("app.kubernetes.io/name") == name]


def deployment(**fields: Any) -> DeploymentSpec:
    """A small AKS configuration on the cluster."""
    options = fields.pop("options", {})
    given = {"cpu_cores": 0.05, "memory_gb": 0.25, **fields}
    return DeploymentSpec(
        compute_type="AKS",
        compute_target_name="prod",
        liveness_probe=LivenessProbe(initial_delay_seconds=60),
        kubernetes=KubernetesOptions(**options),
        **given,
    )


def rights() -> list[dict[str, Any]]:
    """The rules of the Role that `sendoff computetarget rbac` prints, and no more."""
    rules: list[dict[str, Any]] = role("any")[1]["rules"]
    return rules
