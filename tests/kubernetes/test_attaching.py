"""Clusters as compute targets: who may name what, what is kept, and what is refused."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from sendoff.core import Core
from sendoff.errors import InUse, InvalidInput, NotSupported, TargetUnavailable
from sendoff.spec.compute import AKS, KUBERNETES, CreateCompute, UpdateCompute
from sendoff.spec.workspace import CreateWorkspace

WS = "default"


@pytest.fixture
def version() -> dict[str, str]:
    return {"gitVersion": "v1.36.3"}


@pytest.fixture
def kubeconfig(tmp_path: Path, version: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A kubeconfig whose context `prod` reaches an API server that tells its version and nothing else."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(version).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    content = {
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_address[1]}"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "u"}}],
    }
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(content))
    monkeypatch.setenv("KUBECONFIG", str(path))
    yield path
    server.shutdown()
    server.server_close()


def opened(tmp_path: Path, mode: str = "embedded") -> Core:
    """A home with a workspace."""
    core = Core(tmp_path / "home", mode=mode)
    core.registry.create_workspace(CreateWorkspace(name=WS))
    return core


def attaching(**properties: object) -> CreateCompute:
    return CreateCompute(name="kube", type=KUBERNETES, attached=True, properties=dict(properties))


def test_a_context_is_kept_with_its_file_and_the_cluster_s_version(tmp_path: Path, kubeconfig: Path) -> None:
    core = opened(tmp_path)
    made = core.computes.create(WS, attaching(context="prod", kubernetes={"pull_secrets": ["p"]}))
    assert made.runs_on == "cluster" and "v1.36.3" in made.note
    assert made.properties["kubeconfig"] == str(kubeconfig)
    assert core.computes.rights(WS, "kube").namespace == "sendoff-default"
    core.close()


def test_a_cluster_that_is_only_named_is_the_context_of_that_name_or_stands_for_this_machine(
    tmp_path: Path, kubeconfig: Path
) -> None:
    core = opened(tmp_path)
    id_ = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/"
    for name, cluster, runs_on in (("one", "prod", "cluster"), ("two", "other", "local")):
        body = CreateCompute(name=name, type=AKS, attached=True, resource_id=id_ + cluster)
        assert core.computes.create(WS, body).runs_on == runs_on
    assert "no context is called 'other'" in core.computes.get(WS, "two").note
    core.close()


def test_a_cluster_that_is_too_old_or_does_not_answer_is_not_attached(
    tmp_path: Path, kubeconfig: Path, version: dict[str, str]
) -> None:
    core = opened(tmp_path)
    version["gitVersion"] = "v1.33.9"
    with pytest.raises(NotSupported, match=r"v1\.33\.9"):
        core.computes.create(WS, attaching(context="prod"))
    kubeconfig.write_text(kubeconfig.read_text().replace("http://127.0.0.1", "http://127.0.0.1:9/x"))
    with pytest.raises((TargetUnavailable, InvalidInput)):
        core.computes.create(WS, attaching(context="prod"))
    assert core.computes.list(WS) == []
    core.close()


def test_a_server_reads_no_file_that_a_client_names(tmp_path: Path, kubeconfig: Path) -> None:
    core = opened(tmp_path, "server")
    for given in ({"kubeconfig": str(kubeconfig), "context": "prod"}, {"in_cluster": True}):
        with pytest.raises(NotSupported, match="no file that a client names"):
            core.computes.create(WS, attaching(**given))
    assert core.computes.create(WS, attaching(context="prod")).runs_on == "cluster"
    core.close()


@pytest.mark.parametrize("name", ["kubeconfig", "context", "in_cluster", "kubernetes"])
def test_how_a_cluster_is_reached_is_not_changed_in_passing(tmp_path: Path, kubeconfig: Path, name: str) -> None:
    core = opened(tmp_path)
    core.computes.create(WS, attaching(context="prod"))
    with pytest.raises(InvalidInput, match=name):
        core.computes.update(WS, "kube", UpdateCompute(properties={name: "x"}))
    core.close()


def test_an_option_that_is_none_is_named_with_the_nearest(tmp_path: Path, kubeconfig: Path) -> None:
    core = opened(tmp_path)
    with pytest.raises(InvalidInput) as caught:
        core.computes.create(WS, attaching(context="prod", kubernetes={"nodeselector": {}}))
    assert "node_selector" in str(caught.value)
    with pytest.raises(InvalidInput, match="expose"):
        core.computes.create(WS, attaching(context="prod", kubernetes={"expose": "ingress"}))
    core.close()


def test_a_cluster_on_which_services_run_is_not_detached(tmp_path: Path, kubeconfig: Path) -> None:
    from sendoff.deployments import service_rows
    from sendoff.spec.deployment import DeploymentSpec

    core = opened(tmp_path)
    core.computes.create(WS, attaching(context="prod"))
    with core.store.begin() as connection:
        target = f"kubernetes:{WS}/kube/ml"
        service_rows.add_service(connection, workspace=WS, name="svc", target=target, deployment=DeploymentSpec())
    with pytest.raises(InUse, match="svc"):
        core.computes.delete(WS, "kube")
    core.close()
