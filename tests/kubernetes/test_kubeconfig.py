"""Which cluster is meant: kubeconfigs as kubectl reads them, and what is said of those that are none."""

from __future__ import annotations

import base64
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from sendoff.clusters import kubeconfig
from sendoff.clusters.api import Api
from sendoff.errors import InvalidInput, SendoffError, TargetUnavailable, Unauthorized


def written(path: Path, user: dict[str, Any] | None = None, cluster: dict[str, Any] | None = None, **more: Any) -> Path:
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": "https://api.example:6443/k8s/c1/", **(cluster or {})}}],
        "users": [{"name": "u", "user": {"token": "t"} if user is None else user}],
        "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "u", "namespace": "ml"}}],
        "current-context": "prod",
        **more,
    }
    path.write_text(yaml.safe_dump(content))
    return path


def test_the_current_context_and_one_by_name(tmp_path: Path) -> None:
    file = written(tmp_path / "config")
    for context in (None, "prod"):
        found = kubeconfig.login([file], context)
        assert (found.server, found.namespace, found.context) == ("https://api.example:6443/k8s/c1", "ml", "prod")
        assert found.headers() == {"Authorization": "Bearer t"}
    assert Api(found)._base == "/k8s/c1"


def test_several_files_are_one_and_the_first_counts(tmp_path: Path) -> None:
    first = tmp_path / "first"
    first.write_text(yaml.safe_dump({"contexts": [{"name": "dev", "context": {"cluster": "c", "user": "u"}}],
                                     "current-context": "dev"}))  # fmt: skip
    second = written(tmp_path / "second")
    environ = {"KUBECONFIG": f"{first}:{second}"}
    files = kubeconfig.paths(None, environ)
    assert kubeconfig.contexts(files) == ["dev", "prod"]
    assert kubeconfig.login(files).context == "dev"
    assert kubeconfig.login(files, "prod").namespace == "ml"
    assert kubeconfig.paths("~/x", environ) == [Path("~/x").expanduser()]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"context": "prd"}, "'prod'"),
        ({"content": {"current-context": ""}}, "has no current context"),
        ({"content": {"users": []}}, "names 'u', which is not among its users"),
        ({"content": {"kind": "List"}}, "is no kubeconfig"),
        ({"user": {"auth-provider": {"name": "gcp"}}}, "auth-provider"),
        ({"cluster": {"certificate-authority": "gone.crt"}}, "certificate-authority cannot be read"),
        ({"cluster": {"certificate-authority-data": "%%%"}}, "certificate-authority cannot be read"),
        ({"text": "a: [b"}, "is no kubeconfig"),
        ({"missing": True}, "there is no kubeconfig"),
    ],
)
def test_what_is_wrong_is_told_with_the_file(tmp_path: Path, given: dict[str, Any], told: str) -> None:
    file = tmp_path / "config"
    if "text" in given:
        file.write_text(given["text"])
    elif "missing" not in given:
        written(file, given.get("user"), given.get("cluster"), **given.get("content", {}))
    with pytest.raises(InvalidInput) as caught:
        kubeconfig.login([file], given.get("context"))
    assert told in str(caught.value) and str(file) in str(caught.value)


def plugin(tmp_path: Path, code: str) -> dict[str, Any]:
    script = tmp_path / "plugin.py"
    script.write_text(code)
    return {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": sys.executable, "args": [str(script)],
                     "env": [{"name": "WHO", "value": "me"}]}}  # fmt: skip


def test_a_plugin_logs_in_and_is_asked_again_when_its_token_has_ended(tmp_path: Path) -> None:
    code = (
        "import json, os, pathlib\n"
        "assert json.loads(os.environ['KUBERNETES_EXEC_INFO'])['kind'] == 'ExecCredential'\n"
        f"log = pathlib.Path({str(tmp_path / 'log')!r})\n"
        "log.write_text((log.read_text() if log.exists() else '') + os.environ['WHO'])\n"
        "print(json.dumps({'status': {'token': 't%d' % len(log.read_text()), 'expirationTimestamp': "
        f"'{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + 3600))}'}}}}))\n"
    )
    found = kubeconfig.login([written(tmp_path / "config", plugin(tmp_path, code))])
    assert found.headers() == found.headers() == {"Authorization": "Bearer t2"}
    assert found.forget()
    assert found.headers() == {"Authorization": "Bearer t4"}


@pytest.mark.parametrize(
    ("code", "told"),
    [("import sys; sys.exit('please log in')", "please log in"), ("print('no json')", "gave no credential")],
)
def test_a_plugin_that_fails_is_named_with_what_it_said(tmp_path: Path, code: str, told: str) -> None:
    found = kubeconfig.login([written(tmp_path / "config", plugin(tmp_path, code))])
    with pytest.raises(Unauthorized) as caught:
        found.headers()
    assert told in str(caught.value) and "kubectl --context prod" in str(caught.value)


def test_a_plugin_that_is_not_there_gives_its_own_hint(tmp_path: Path) -> None:
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "kubelogin-that-is-not-there",
                     "installHint": "install kubelogin"}}  # fmt: skip
    with pytest.raises(Unauthorized, match="install kubelogin"):
        kubeconfig.login([written(tmp_path / "config", user)]).headers()


def test_a_token_s_file_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unauthorized, match="gone-token"):
        kubeconfig.login([written(tmp_path / "config", {"tokenFile": "gone-token"})]).headers()


def test_certificates_of_a_kubeconfig_reach_the_connection(tmp_path: Path) -> None:
    user = {"client-certificate-data": base64.b64encode(b"no certificate").decode(), "client-key-data": "aGk="}
    with pytest.raises(InvalidInput, match="certificates of context 'prod' cannot be read"):
        kubeconfig.login([written(tmp_path / "config", user)]).tls()


def test_a_server_that_does_not_answer_is_told_in_a_sentence(tmp_path: Path) -> None:
    file = written(tmp_path / "config", cluster={"server": "https://127.0.0.1:9"})
    with pytest.raises(TargetUnavailable, match="context 'prod'"):
        Api(kubeconfig.login([file])).get("/version")


def test_outside_of_a_pod_there_is_no_account_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(SendoffError, match="does not run in a pod"):
        kubeconfig.in_cluster()
