"""The tests' Kubernetes: joined or started once a machine; a namespace and few rights for each test.

tests/cluster/README.md says what it is. SENDOFF_TEST_KUBECONFIG names another cluster (kind, k3s, a real one), and
SENDOFF_TEST_REGISTRY the registry that it pulls from.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from sendoff.clusters import cluster

HERE = Path(__file__).parent / "cluster"
_NONE = "no Kubernetes cluster (make cluster; or SENDOFF_TEST_KUBECONFIG and SENDOFF_TEST_REGISTRY name one)"


class TestCluster(NamedTuple):
    """A cluster: an administrator's kubeconfig, ``kubectl``, and the registry that it pulls from."""

    __test__ = False

    kubeconfig: Path
    kubectl: str
    registry: str


class Space(NamedTuple):
    """A namespace that enforces Pod Security restricted, and a kubeconfig whose account has a Role there alone."""

    namespace: str
    kubeconfig: Path


@functools.cache
def found() -> TestCluster | str:
    """The cluster of this machine, or why there is none; in CI it is started, and a failure to start it is an error."""
    own = os.environ.get("SENDOFF_TEST_KUBECONFIG")
    if own:
        registry = os.environ.get("SENDOFF_TEST_REGISTRY")
        return TestCluster(Path(own), shutil.which("kubectl") or "kubectl", registry) if registry else _NONE
    home = Path(os.environ.get("CLUSTER_HOME", "~/.cache/sendoff-cluster")).expanduser()
    if os.environ.get("CI") != "true" and not (home / "pids").is_file():
        return _NONE
    done = subprocess.run([HERE / "up"], capture_output=True, text=True, check=False)
    if done.returncode:
        if os.environ.get("CI") == "true":
            raise RuntimeError(f"the cluster does not start: {done.stdout}{done.stderr}")
        return _NONE
    words = done.stdout.split()
    programs = next(word for word in words if word.endswith("/kubectl"))
    return TestCluster(home / "pki" / "admin.conf", programs, words[-1])


def require_cluster() -> TestCluster:
    """The cluster; on a machine without one the test is skipped in one line."""
    here = found()
    if isinstance(here, str):
        pytest.skip(here)
    return here


def kubectl(*arguments: str, stdin: str | None = None, check: bool = True) -> str:
    """What `kubectl` says as the administrator: the tests' own look at the cluster."""
    here = require_cluster()
    command = [here.kubectl, "--kubeconfig", str(here.kubeconfig), *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or not check, (arguments, done.stderr)
    return done.stdout


def listed(namespace: str, kinds: str) -> list[dict[str, Any]]:
    """Objects of a namespace."""
    items: list[dict[str, Any]] = json.loads(kubectl("-n", namespace, "get", kinds, "-o", "json"))["items"]
    return items


def apply(*objects: dict[str, Any], namespace: str | None = None) -> None:
    """Make objects as the administrator."""
    where = [] if namespace is None else ["-n", namespace]
    kubectl(*where, "apply", "-f", "-", stdin=yaml.safe_dump_all(objects))


@contextmanager
def space(folder: Path, *, rules: list[dict[str, Any]] | None = None) -> Iterator[Space]:
    """A namespace of a test's own with a service account that has Sendoff's Role there, or other rules.

    Args:
        folder: Where the kubeconfig goes.
        rules: Instead of those of :func:`cluster.role`.
    """
    here = require_cluster()
    name = f"sendoff-test-{uuid.uuid4().hex[:10]}"
    labels = {
        "pod-security.kubernetes.io/enforce": "restricted",
        "pod-security.kubernetes.io/enforce-version": "latest",
    }
    apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    try:
        account, role, binding = cluster.role(name)
        apply(account, role if rules is None else {**role, "rules": rules}, binding)
        token = kubectl("-n", name, "create", "token", "sendoff", "--duration", "2h").strip()
        known = yaml.safe_load(here.kubeconfig.read_text())
        known["users"] = [{"name": "few", "user": {"token": token}}]
        known["contexts"] = [
            {"name": "few", "context": {"cluster": known["clusters"][0]["name"], "user": "few", "namespace": name}}
        ]
        known["current-context"] = "few"
        file = folder / "kubeconfig"
        file.write_text(yaml.safe_dump(known))
        yield Space(name, file)
    finally:
        kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")
