"""The tests' Kubernetes: the cluster of this machine, and in it a namespace and few rights for each test.

tests/cluster/README.md says what it is. ``SENDOFF_TEST_KUBECONFIG`` names another one (kind, k3s, a real one), and
``SENDOFF_TEST_REGISTRY`` the registry that it pulls from. A test that wants it takes the fixture ``cluster``: such
tests come last, for on a machine that never saw them the cluster's programs are built beside all others.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

HERE = Path(__file__).parent / "cluster"
NONE = "no Kubernetes cluster: make cluster, or SENDOFF_TEST_KUBECONFIG names one"


class TestCluster(NamedTuple):
    """An administrator's kubeconfig, ``kubectl``, the registry that is pulled from, and where node ports answer."""

    __test__ = False

    kubeconfig: Path
    kubectl: str
    registry: str
    host: str = "127.0.0.1"


class Space(NamedTuple):
    """A namespace that enforces Pod Security restricted, and a kubeconfig of an account with few rights in it alone."""

    namespace: str
    kubeconfig: Path


@functools.cache
def found() -> TestCluster | str:
    """The cluster, or why there is none. In CI it is built and started; whoever comes first does, and others wait."""
    ci = os.environ.get("CI") == "true"
    if os.environ.get("SENDOFF_TEST_KUBECONFIG"):
        return _named()
    done = subprocess.run([HERE / "up", *([] if ci else ["--check"])], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        # `runs: KUBECONFIG=FILE   kubectl: FILE   registry: HOST:PORT`
        words = done.stdout.split()
        value = {name: words[words.index(name) + 1] for name in ("kubectl:", "registry:")}
        kubeconfig = next(word for word in words if word.startswith("KUBECONFIG=")).removeprefix("KUBECONFIG=")
        return TestCluster(Path(kubeconfig), value["kubectl:"], value["registry:"])
    return f"the cluster does not start: {done.stdout[-2000:]}{done.stderr[-2000:]}" if ci else NONE


def _named() -> TestCluster | str:
    """The cluster that the environment names."""
    registry, program = os.environ.get("SENDOFF_TEST_REGISTRY"), shutil.which("kubectl")
    if not registry:
        return "SENDOFF_TEST_KUBECONFIG is set, and SENDOFF_TEST_REGISTRY has to name the registry that it pulls from"
    if not program:
        return "SENDOFF_TEST_KUBECONFIG is set, and kubectl is not on the path"
    kubeconfig = Path(os.environ["SENDOFF_TEST_KUBECONFIG"])
    command = [program, "--kubeconfig", str(kubeconfig), "get", "nodes", "-o", "json"]
    nodes = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["items"]
    internal = [one["address"] for one in nodes[0]["status"]["addresses"] if one["type"] == "InternalIP"]
    return TestCluster(kubeconfig, program, registry, internal[0])


def require_cluster() -> TestCluster:
    """The cluster; on a machine without one the test is skipped in one line, and fails in CI."""
    here = found()
    if isinstance(here, str):
        if os.environ.get("CI") == "true":
            pytest.fail(here)
        pytest.skip(here)
    return here


def asked(
    *arguments: str, stdin: str | None = None, kubeconfig: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """A command of ``kubectl``, whatever comes of it; as the administrator, or as whom a kubeconfig says."""
    here = require_cluster()
    command = [here.kubectl, "--kubeconfig", str(kubeconfig or here.kubeconfig), *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)


def kubectl(*arguments: str, stdin: str | None = None, check: bool = True) -> str:
    """What ``kubectl`` says to the administrator: the test's own look at the cluster."""
    done = asked(*arguments, stdin=stdin)
    assert done.returncode == 0 or not check, (arguments, done.stderr)
    return done.stdout


def listed(namespace: str, kinds: str) -> list[dict[str, Any]]:
    """Objects of a namespace."""
    items: list[dict[str, Any]] = json.loads(kubectl("-n", namespace, "get", kinds, "-o", "json"))["items"]
    return items


def apply(*objects: dict[str, Any], namespace: str | None = None) -> None:
    """Make objects, as the administrator."""
    done = applied(*objects, namespace=namespace)
    assert done.returncode == 0, done.stderr


def applied(*objects: dict[str, Any], namespace: str | None = None) -> subprocess.CompletedProcess[str]:
    """What becomes of objects that may be refused."""
    where = [] if namespace is None else ["-n", namespace]
    return asked(*where, "apply", "-f", "-", stdin=yaml.safe_dump_all(objects))


@contextmanager
def space(folder: Path, *, rules: Sequence[dict[str, Any]] = ()) -> Iterator[Space]:
    """A namespace of a test's own, gone after it, with an account that has a Role there.

    Args:
        folder: Where the account's kubeconfig goes.
        rules: Of the Role, as Kubernetes has them: ``apiGroups``, ``resources``, ``verbs``. Without: no rights.
    """
    require_cluster()
    name, account = f"sendoff-test-{uuid.uuid4().hex[:10]}", "few"
    enforce = "pod-security.kubernetes.io/enforce"
    security = {enforce: "restricted", f"{enforce}-version": "latest"}
    rbac, meta = "rbac.authorization.k8s.io", {"name": account, "namespace": name}
    subject = {"kind": "ServiceAccount", **meta}
    try:
        apply(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": security}},
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta},
            {"apiVersion": f"{rbac}/v1", "kind": "Role", "metadata": meta, "rules": list(rules)},
            {
                "apiVersion": f"{rbac}/v1",
                "kind": "RoleBinding",
                "metadata": meta,
                "subjects": [subject],
                "roleRef": {"apiGroup": rbac, "kind": "Role", "name": account},
            },
        )
        token = kubectl("-n", name, "create", "token", account, "--duration", "2h").strip()
        known = yaml.safe_load(kubectl("config", "view", "--minify", "--raw", "--flatten"))
        context = {"cluster": known["clusters"][0]["name"], "user": account, "namespace": name}
        known["users"] = [{"name": account, "user": {"token": token}}]
        known["contexts"] = [{"name": account, "context": context}]
        known["current-context"] = account
        file = folder / "kubeconfig"
        file.write_text(yaml.safe_dump(known))
        file.chmod(0o600)
        yield Space(name, file)
    finally:
        kubectl("delete", "namespace", name, "--wait=false", "--ignore-not-found")


def tries(seconds: float = 20.0) -> Iterator[None]:
    """For what the cluster does a moment later: look ten times a second, at most so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(0.1)


def push_image(image: str) -> str:
    """Put an image of the local engine into the cluster's registry; its name there by digest."""
    repository = f"{require_cluster().registry}/{image.partition(':')[0]}"

    def docker(*arguments: str) -> str:
        done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, (arguments, done.stderr)
        return done.stdout

    name = f"{repository}:{image.partition(':')[2] or 'latest'}"
    docker("tag", image, name)
    docker("push", "--quiet", name)
    digests: list[str] = json.loads(docker("image", "inspect", "--format", "{{json .RepoDigests}}", name))
    return next(one for one in digests if one.startswith(f"{repository}@"))
