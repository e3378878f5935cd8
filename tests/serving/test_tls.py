"""HTTPS: versions, the certificate's exchange without restart, clients that speak something else."""

from __future__ import annotations

import datetime
import ipaddress
import json
import os
import socket
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from .running import eventually, read_all, write_script

RAW = (
    "from azureml.contrib.services.aml_request import rawhttp\n"
    "def init(): pass\n@rawhttp\ndef run(request): return [request.scheme, len(request.get_data())]\n"
)
REQUEST = b"POST /score HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b"


def certificate(folder: Path, name: str, days: int = 1) -> tuple[Path, Path]:
    """Write a self-signed certificate and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=10))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    format_ = serialization.PrivateFormat.PKCS8
    files = folder / "tls.crt", folder / "tls.key"
    contents = made.public_bytes(encoding), key.private_bytes(encoding, format_, serialization.NoEncryption())
    for file, content in zip(files, contents, strict=True):
        beside = file.with_suffix(".new")
        beside.write_bytes(content)
        os.replace(beside, file)
    return files


def client() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def ask(port: int, body: bytes = b"", **versions: ssl.TLSVersion) -> tuple[bytes, str, str]:
    context = client()
    for name, version in versions.items():
        setattr(context, name, version)
    with socket.create_connection(("127.0.0.1", port), 10) as plain:
        with context.wrap_socket(plain) as link:
            link.sendall(REQUEST % (len(body), body))
            answer = read_all(link)
            der = link.getpeercert(binary_form=True)
            name = x509.load_der_x509_certificate(der).subject.rfc4514_string()
            return answer, str(link.version()), name


def start_tls(start, folder: Path):
    crt, key = certificate(folder, "first")
    script = write_script(folder, RAW)
    return start("--entry-script", script, "--tls-certificate", crt, "--tls-key", key, "--head-seconds", 2)


def test_scoring_over_tls_1_2_and_1_3(start, tmp_path) -> None:
    server = start_tls(start, tmp_path)
    assert "Listening on https://127.0.0.1:" in server.log
    body = b"x" * 3_000_000
    answer, version, _ = ask(server.port, body)
    assert answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b'["https", 3000000]') and version == "TLSv1.3"
    _, version, _ = ask(server.port, maximum_version=ssl.TLSVersion.TLSv1_2)
    assert version == "TLSv1.2"


def test_older_versions_and_plain_http_are_refused_and_the_service_goes_on(start, tmp_path) -> None:
    server = start_tls(start, tmp_path)
    try:
        ask(server.port, maximum_version=ssl.TLSVersion.TLSv1_1, minimum_version=ssl.TLSVersion.TLSv1_1)
        raise AssertionError("TLS 1.1 was accepted")
    except (ssl.SSLError, ConnectionError):
        pass
    assert not server.raw(REQUEST % (0, b"")).startswith(b"HTTP/1.1 200")
    silent = server.connect()
    assert ask(server.port)[0].startswith(b"HTTP/1.1 200 ")
    assert silent.recv(1) == b""  # a client that never begins its handshake is closed
    silent.close()


def test_sessions_are_resumed(start, tmp_path) -> None:
    server = start_tls(start, tmp_path)
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = client()
        context.minimum_version = context.maximum_version = version
        session = None
        for resumed in (False, True, True):
            with context.wrap_socket(server.connect(), session=session) as link:
                link.sendall(REQUEST % (2, b"ab"))
                assert read_all(link).endswith(b'["https", 2]')
                assert link.session_reused == resumed
                session = link.session


def test_a_request_in_records_of_one_byte_is_read(start, tmp_path) -> None:
    server = start_tls(start, tmp_path)
    with client().wrap_socket(server.connect()) as link:
        for byte in REQUEST % (3, b"abc"):
            link.send(bytes([byte]))
        assert read_all(link).endswith(b'["https", 3]')


def test_a_client_that_reads_no_answer_over_tls_is_given_up(start, tmp_path) -> None:
    crt, key = certificate(tmp_path, "first")
    script = write_script(tmp_path, "def init(): pass\ndef run(data): return 'x' * 20_000_000\n")
    server = start("--entry-script", script, "--ssl-cert", crt, "--ssl-key", key, "--write-seconds", 2)
    links = []
    for close in (b"", b"Connection: close\r\n"):
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plain.settimeout(10)
        plain.connect(("127.0.0.1", server.port))
        link = client().wrap_socket(plain)
        link.sendall(b"POST /score HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n" + close + b"\r\n")
        links.append(link)
    get = b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

    def alone() -> bool:
        with client().wrap_socket(server.connect()) as asking:
            asking.sendall(get)
            return b"sendoff_connections 1\n" in read_all(asking)

    eventually(alone, 30, every=0.5)  # only the connection that asks is left
    for link in links:
        link.close()


def test_a_client_that_ends_tls_before_its_answer_is_gone(start, tmp_path) -> None:
    crt, key = certificate(tmp_path, "first")
    script = write_script(
        tmp_path, "import time\ndef init(): pass\ndef run(data): time.sleep(float(data)); return data\n"
    )
    server = start("--entry-script", script, "--ssl-cert", crt, "--ssl-key", key)
    with client().wrap_socket(server.connect()) as link:
        link.sendall(REQUEST % (3, b"0.5"))
        link.unwrap()
    eventually(lambda: " POST /score 499 " in server.log)
    assert ask(server.port, b"0")[0].endswith(b'"0"')
    server.stop()
    assert "has no effect" not in server.log


def test_a_new_certificate_is_used_without_a_restart(start, tmp_path) -> None:
    server = start_tls(start, tmp_path)
    assert ask(server.port)[2] == "CN=first"
    (tmp_path / "tls.crt").write_text("half a file")
    eventually(lambda: "The new certificate is not used" in server.log)
    assert ask(server.port)[2] == "CN=first"
    certificate(tmp_path, "second")
    eventually(lambda: ask(server.port)[2] == "CN=second")


def test_files_that_are_no_certificate_are_told_at_the_start(start, tmp_path) -> None:
    crt, _ = certificate(tmp_path, "x")
    script = write_script(tmp_path, RAW)
    server = start("--entry-script", script, "--tls-certificate", crt, "--tls-key", script, wait=False)
    assert server.wait_end() == 1 and "cannot be used" in server.log
    server = start("--entry-script", script, "--tls-certificate", crt, wait=False)
    assert server.wait_end() == 1 and "belong together" in server.log


def test_https_is_turned_on_and_off_by_revision_at_the_same_port(start, make_bundle, tmp_path) -> None:
    certificate(tmp_path, "second")
    (tmp_path / "tls.crt").rename(tmp_path / "tls-a.crt")
    (tmp_path / "tls.key").rename(tmp_path / "tls-a.key")
    auth = tmp_path / "auth.json"
    rules = {"1": {"auth": "none", "tls": None}, "2": {"auth": "none", "tls": "tls-a"}}
    auth.write_text(json.dumps({"schema_version": 1, "auth": "none", "tls": None, "revisions": rules}))
    bundle = make_bundle(RAW)
    options = ("--bundle", bundle, "--revision", "1", "--auth-file", auth)
    server = start(*options, control=tmp_path / "c.sock")
    server.wait_state("ready")
    port = server.port
    assert server.status()["scheme"] == "http" and server.raw(REQUEST % (0, b"")).startswith(b"HTTP/1.1 200 ")
    idle = server.connect()
    for revision, scheme in (("2", "https"), ("1", "http"), ("2", "https")):
        server.ask("POST", "/swap", {"bundle": str(bundle), "revision": revision})
        eventually(lambda wanted=(revision, scheme): (server.status()["revision"], server.status()["scheme"]) == wanted)
        if scheme == "https":
            eventually(lambda: answers_tls(port))
            assert idle.recv(1) == b""  # nobody goes on in the clear
        else:
            eventually(lambda: server.raw(REQUEST % (0, b"")).startswith(b"HTTP/1.1 200 "))
    assert server.stop() == 0
    with socket.socket() as link:
        assert link.connect_ex(("127.0.0.1", port)) != 0


def answers_tls(port: int) -> bool:
    try:
        return ask(port)[2] == "CN=second"
    except (OSError, ValueError):
        return False


def test_a_certificate_that_has_expired_or_is_gone_is_told_at_the_start(start, tmp_path) -> None:
    script = write_script(tmp_path, RAW)
    crt, key = certificate(tmp_path, "old", days=-1)
    server = start("--entry-script", script, "--ssl-cert", crt, "--ssl-key", key, wait=False)
    assert server.wait_end() == 1 and "expired on" in server.log and str(crt) in server.log
    server = start("--entry-script", script, "--ssl-cert", tmp_path / "no.crt", "--ssl-key", key, wait=False)
    assert server.wait_end() == 1 and f"{tmp_path / 'no.crt'} is not there" in server.log
