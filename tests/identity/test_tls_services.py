"""HTTPS at a service's own address: from files to an answer, a new certificate, what is refused beforehand."""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest
from stored_text import files_with

from sendoff import AciWebservice, Model
from sendoff.client import connect
from sendoff.errors import InvalidInput, Unreachable

from .conftest import Hammer, call, config
from .pem import write_pair


def tls(folder, name="first", **more):
    crt, key = write_pair(folder, name)
    return {
        "ssl_enabled": True,
        "ssl_cert_pem_file": str(crt),
        "ssl_key_pem_file": str(key),
        "ssl_cname": "svc.test",
        **more,
    }


def trusting(*files: str, **versions: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.create_default_context()
    for file in files:
        context.load_verify_locations(file)
    for name, version in versions.items():
        setattr(context, name, version)
    return context


def over_tls(service, context: ssl.SSLContext, credential: str | None = None) -> tuple[int, object]:
    """One request that verifies the certificate and its name; the name is in no DNS."""
    with socket.create_connection(("127.0.0.1", service.port), 10) as plain:
        with context.wrap_socket(plain, server_hostname="svc.test") as link:
            connection = http.client.HTTPConnection("svc.test")
            connection.sock = link
            headers = {} if credential is None else {"Authorization": f"Bearer {credential}"}
            connection.request("POST", "/score", b"{}", headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())


def test_https_with_keys_and_a_new_certificate_under_load(deploy, tmp_path, home):
    given = tls(tmp_path)
    service = deploy(auth_enabled=True, **given)
    assert service.scoring_uri == f"https://svc.test:{service.port}/score"
    assert service.run("{}") == 1
    key = service.get_keys()[0]
    first = trusting(given["ssl_cert_pem_file"])
    assert over_tls(service, first, key) == (200, 1)
    assert over_tls(service, first)[0] == 401
    old = trusting(given["ssl_cert_pem_file"], maximum_version=ssl.TLSVersion.TLSv1_2)
    assert over_tls(service, old, key) == (200, 1)
    with pytest.raises(ssl.SSLCertVerificationError):
        over_tls(service, trusting(), key)
    with pytest.raises(OSError):
        call(f"http://127.0.0.1:{service.port}/score", key)

    second = tls(tmp_path, "second", auth_enabled=True)
    both = trusting(given["ssl_cert_pem_file"], second["ssl_cert_pem_file"])
    with Hammer(lambda: over_tls(service, both, key)) as hammer:
        service.update(deployment_config=service.deploy_configuration(**second), wait=True)
    assert hammer.bad == []
    assert over_tls(service, trusting(second["ssl_cert_pem_file"]), key) == (200, 1)
    with pytest.raises(ssl.SSLCertVerificationError):
        over_tls(service, first, key)
    assert service.run("{}") == 1

    # The key's text lies where the front needs it, for this user alone, and nowhere else.
    for file in (given["ssl_key_pem_file"], second["ssl_key_pem_file"]):
        secret = Path(file).read_text().splitlines()[1]
        places = files_with(home, secret)
        assert all(path.suffix == ".key" and path.parent.name == "access" for path in places), places
        assert all(path.stat().st_mode & 0o777 == 0o600 for path in places)
        with connect() as client:
            assert secret not in repr([client.services("demo"), client.operations("demo")])
    code = subprocess.run(
        [sys.executable, "-m", "sendoff.cli", "service", "run", "-n", "svc", "-w", "demo", "-d", "{}"],
        capture_output=True,
        text=True,
    )
    assert (code.returncode, code.stdout) == (0, "1\n"), code.stderr


def test_an_update_turns_https_on_and_off_at_the_same_port(deploy, tmp_path):
    service = deploy(AciWebservice.deploy_configuration(cpu_cores=1, memory_gb=1))
    port = service.port if hasattr(service, "port") else service._view.port
    assert service.scoring_uri.startswith("http://")
    given = tls(tmp_path)
    service.update(**given)
    service.wait_for_deployment()
    assert service.scoring_uri == f"https://svc.test:{port}/score"
    assert service.run("{}") == 1
    # A new model, or here a key, needs the certificate no second time.
    Path(given["ssl_cert_pem_file"]).unlink()
    service.update(auth_enabled=True)
    service.wait_for_deployment()
    assert service.scoring_uri.startswith("https://") and service.run("{}") == 1
    service.update(ssl_enabled=False)
    service.wait_for_deployment()
    assert service.scoring_uri == f"http://127.0.0.1:{port}/score" and service.run("{}") == 1


def test_a_stranger_at_the_port_is_not_trusted(deploy, tmp_path):
    service = deploy(**tls(tmp_path))
    crt, key = write_pair(tmp_path, "stranger")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(crt, key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        import threading

        def pretend() -> None:
            try:
                with context.wrap_socket(listener.accept()[0], server_side=True):
                    pass
            except OSError:
                pass

        thread = threading.Thread(target=pretend)
        thread.start()
        from sendoff.spec.parse import replace

        port = listener.getsockname()[1]
        service._view = replace(service._view, scoring_uri=f"https://svc.test:{port}/score")
        with pytest.raises(Unreachable, match="certificate"):
            service.run("{}")
        thread.join()


@pytest.mark.parametrize("wrong", ["absent", "mismatched", "expired", "no pem", "key is no key", "other name", "lone"])
def test_files_that_cannot_serve_are_told_before_anything_is_made(ws, tmp_path, wrong):
    given = tls(tmp_path)
    named = given["ssl_cert_pem_file"]
    if wrong == "absent":
        os.unlink(named)
    elif wrong == "mismatched":
        given["ssl_key_pem_file"] = named = str(write_pair(tmp_path, "other")[1])
    elif wrong == "expired":
        crt, key = write_pair(tmp_path, "late", days=-1)
        given |= {"ssl_cert_pem_file": str(crt), "ssl_key_pem_file": str(key)}
        named = str(crt)
    elif wrong == "no pem":
        Path(named).write_bytes(b"\x30\x82\xff\xff")
    elif wrong == "key is no key":
        named = given["ssl_key_pem_file"]
        Path(named).write_text("-----BEGIN PRIVATE KEY-----\nplanted-nonsense\n-----END PRIVATE KEY-----\n")
    elif wrong == "other name":
        given["ssl_cname"] = "elsewhere.test"
    else:
        crt, key = write_pair(tmp_path, "lone")
        given["ssl_key_pem_file"] = named = str(tmp_path / "nothing.key")
    configuration = AciWebservice.deploy_configuration(cpu_cores=1, memory_gb=1, **given)
    with pytest.raises(InvalidInput) as caught:
        Model.deploy(ws, "svc", [], config(), configuration)
    assert named in str(caught.value) and "planted-nonsense" not in str(caught.value)
    assert ws.webservices == {}
