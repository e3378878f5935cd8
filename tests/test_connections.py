"""Everything that calls out goes by the settings' proxy and certificates, and by no proxy to this machine itself."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from api.running import Server, server
from proxy_rig import SECRET, Proxy, files_over_http
from registry_rig import certificate

from sendoff.client import connect, service_link
from sendoff.client.sources import copied_in
from sendoff.connections import Way
from sendoff.errors import InvalidInput, Unreachable
from sendoff.spec.workspace import CreateWorkspace

NAME = "sendoff.corp.test"
"""What no DNS knows: the proxy alone finds it."""


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name in ("SENDOFF_CA_BUNDLE", "SENDOFF_SERVER", "SENDOFF_TOKEN"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("SENDOFF_HOME", str(tmp_path / "of-the-client"))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("s") / "home") as started:
        yield started


def tls_before(port: int, cert: Path) -> socket.socket:
    """What stands before a server in a company: it ends TLS and passes on what is in it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, cert.with_name("key.pem"))
    listener = socket.create_server(("127.0.0.1", 0))

    def pump(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(1 << 16):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def serve() -> None:
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            try:
                inside = context.wrap_socket(plain, server_side=True)
            except OSError:  # the client does not trust us
                continue
            behind = socket.create_connection(("127.0.0.1", port))
            threading.Thread(target=pump, args=(inside, behind), daemon=True).start()
            threading.Thread(target=pump, args=(behind, inside), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    return listener


@pytest.fixture(scope="module")
def company(running: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Proxy, Path]]:
    """A proxy that alone reaches the server, plain and by TLS; and the certificate of the company's authority."""
    cert = certificate(tmp_path_factory.mktemp("tls"), NAME)
    behind = running.url.removeprefix("http://")
    listener = tls_before(int(behind.rpartition(":")[2]), cert)
    proxy = Proxy({f"{NAME}:80": behind, f"{NAME}:443": f"127.0.0.1:{listener.getsockname()[1]}"})
    yield proxy, cert
    proxy.close()
    listener.close()


@pytest.mark.parametrize("said", ["SENDOFF_PROXY", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "settings.toml"])
def test_a_server_is_reached_through_the_proxy_however_it_was_named(
    company: tuple[Proxy, Path], running: Server, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    proxy, _ = company
    if said == "settings.toml":
        home = Path(os.environ["SENDOFF_HOME"])
        home.mkdir()
        (home / said).write_text(f'proxy = "{proxy.url}"\n')
    else:
        monkeypatch.setenv(said, proxy.url)
    before = proxy.passed[f"{NAME}:80"]
    with connect(server=f"http://{NAME}", token=running.token) as client:
        client.create_workspace(CreateWorkspace(name="through", exist_ok=True))
        assert "through" in [one.name for one in client.workspaces()]
    assert proxy.passed[f"{NAME}:80"] > before


def test_a_server_with_a_private_certificate_is_trusted_by_ca_bundle_alone(
    company: tuple[Proxy, Path], running: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, cert = company
    monkeypatch.setenv("SENDOFF_PROXY", proxy.url)
    with connect(server=f"https://{NAME}", token=running.token) as client, pytest.raises(Unreachable) as caught:
        client.workspaces()
    assert "certificate verify failed" in caught.value.message
    assert "setting ca_bundle (SENDOFF_CA_BUNDLE)" in caught.value.hint
    monkeypatch.setenv("SENDOFF_CA_BUNDLE", str(cert))
    with connect(server=f"https://{NAME}", token=running.token) as client:
        client.create_workspace(CreateWorkspace(name="trusted", exist_ok=True))
        assert "trusted" in [one.name for one in client.workspaces()]
    assert proxy.passed[f"{NAME}:443"] > 0


def test_the_command_line_goes_the_same_way(company: tuple[Proxy, Path], running: Server) -> None:
    proxy, cert = company
    environ = {**os.environ, "SENDOFF_SERVER": f"https://{NAME}", "SENDOFF_TOKEN": running.token}
    command = [sys.executable, "-m", "sendoff.cli", "workspace", "list"]
    environ["HTTPS_PROXY"] = proxy.url
    refused = subprocess.run(command, env=environ, capture_output=True, text=True)
    assert refused.returncode != 0
    assert "SENDOFF_CA_BUNDLE" in refused.stderr
    assert "Traceback" not in refused.stderr
    done = subprocess.run(command, env={**environ, "SENDOFF_CA_BUNDLE": str(cert)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_this_machine_is_never_asked_through_a_proxy(running: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDOFF_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with connect(server=running.url, token=running.token) as client:
        client.workspaces()
    way = Way(os.environ, proxy="http://127.0.0.1:9")
    here = ["localhost", "127.0.0.1:8642", "127.3.2.1", "[::1]:80", "a.localhost"]
    assert [way.proxy(host) for host in here] == [None] * len(here)


def test_who_is_excepted_is_asked_without_the_proxy(
    company: tuple[Proxy, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, _ = company
    monkeypatch.setenv("SENDOFF_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", ".corp.test")
    before = proxy.passed.copy()
    with connect(server=f"http://{NAME}", token="x") as client, pytest.raises(Unreachable) as caught:
        client.workspaces()
    assert "proxy" not in str(caught.value)
    assert proxy.passed == before


def test_a_proxy_that_refuses_is_named_without_its_password(
    company: tuple[Proxy, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, _ = company
    monkeypatch.setenv("SENDOFF_PROXY", proxy.url.replace(SECRET, "planted-wr0ng"))
    with connect(server=f"https://{NAME}", token="x") as client, pytest.raises(Unreachable) as caught:
        client.workspaces()
    said = str(caught.value)
    assert "407" in said
    assert f"through the proxy {proxy.url.rpartition('@')[2]}; the setting no_proxy (NO_PROXY)" in said
    assert "planted-wr0ng" not in said


def test_a_proxy_of_another_kind_and_a_file_that_is_no_certificate_are_errors(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"socks5://p cannot be used to reach outer\.test"):
        Way({"ALL_PROXY": "socks5://p:1"}).link("http", "outer.test", 1)
    (tmp_path / "no.pem").write_text("nothing")
    with pytest.raises(InvalidInput, match=r"setting ca_bundle: .*no\.pem cannot be read"):
        Way({}, ca_bundle=str(tmp_path / "no.pem")).link("https", "outer.test", 1)


def test_data_is_fetched_through_the_proxy_and_an_error_says_what_the_address_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cert = certificate(tmp_path / "tls", "data.corp.test")
    (tmp_path / "files" / "folder").mkdir(parents=True)
    (tmp_path / "files" / "rows.csv").write_text("a,b\n1,2\n")
    (tmp_path / "files" / "folder" / "index.html").write_text("behind a redirection")
    with files_over_http(tmp_path / "files", cert) as address:
        proxy = Proxy({"data.corp.test:443": address})
        monkeypatch.setenv("SENDOFF_PROXY", proxy.url)
        monkeypatch.setenv("SENDOFF_CA_BUNDLE", str(cert))
        with connect(home=tmp_path / "home") as client:
            source = copied_in(client, "https://data.corp.test/rows.csv?x=1")
            assert [(file.path, file.size) for file in source.files] == [("rows.csv", 8)]
            assert client.way.fetch("https://data.corp.test/folder", 30) == b"behind a redirection"
            with pytest.raises(Unreachable, match=r"none\.csv cannot be fetched: HTTP 404"):
                copied_in(client, "https://data.corp.test/none.csv")
        assert proxy.passed["data.corp.test:443"] >= 4
        proxy.close()


def test_a_service_elsewhere_is_called_through_the_proxy_and_its_own_certificate_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cert = certificate(tmp_path / "tls", "svc.corp.test")
    own = cert.read_text().partition("-----END CERTIFICATE-----\n")
    (tmp_path / "score").write_text("answered")
    with files_over_http(tmp_path, cert) as address:
        proxy = Proxy({"svc.corp.test:443": address})
        monkeypatch.setenv("SENDOFF_PROXY", proxy.url)
        view: Any = SimpleNamespace(
            scoring_uri="https://svc.corp.test/score",
            deployment=SimpleNamespace(ssl_cert_pem=own[0] + own[1], ssl_cname="svc.corp.test"),
        )
        with connect(server="http://127.0.0.1:9", token="x") as client:
            link = service_link.connect(client, view, timeout=30)
            link.request("GET", "/score")
            assert link.getresponse().read() == b"answered"
            link.close()
            view.deployment.ssl_cert_pem = None
            link = service_link.connect(client, view, timeout=30)
            with pytest.raises(ssl.SSLCertVerificationError):
                link.request("GET", "/score")
        proxy.close()
