"""Debian's registry with TLS and a password or tokens; and a server that issues tokens."""

import base64
import contextlib
import datetime
import http.server
import ipaddress
import json
import shutil
import socket
import socketserver
import subprocess
import threading
import time
import urllib.parse
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

SECRET = "planted-registry-s3cret"
USER = "uploader"


def certificate(folder: Path, *names: str) -> Path:
    """``cert.pem``: a certificate for 127.0.0.1 and names, and below it its authority's; ``key.pem`` is its key."""
    authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"authority of {folder}"[:64])])
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "server of a test")])
    now = datetime.datetime.now(datetime.UTC)
    hosts = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), *map(x509.DNSName, names)]

    def made(subject: x509.Name, public: ec.EllipticCurvePublicKey, extension: x509.ExtensionType) -> bytes:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(root)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=2))
            .add_extension(extension, False)
            .sign(authority, hashes.SHA256())
            .public_bytes(serialization.Encoding.PEM)
        )

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cert.pem").write_bytes(
        made(name, key.public_key(), x509.SubjectAlternativeName(hosts))
        + made(root, authority.public_key(), x509.BasicConstraints(ca=True, path_length=None))
    )
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "cert.pem"


def free_address() -> str:
    """``127.0.0.1:port`` that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def htpasswd(folder: Path) -> dict[str, object]:
    """The registry's ``auth`` section for one user with a password."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import crypt

        # The cheapest one: the registry compares the password at each of hundreds of requests, and the default of
        # 2^12 rounds takes a quarter of a second of processor time.
        hashed = crypt.crypt(SECRET, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=2**4))
    (folder / "htpasswd").write_text(f"{USER}:{hashed}\n")
    return {"htpasswd": {"realm": "tests", "path": str(folder / "htpasswd")}}


@contextlib.contextmanager
def registry(folder: Path, cert: Path | None = None, auth: dict[str, object] | None = None) -> Iterator[str]:
    """``host:port`` of a registry that runs; without a certificate it speaks plain HTTP."""
    if shutil.which("docker-registry") is None:
        pytest.skip("no docker-registry here: run tests/engine/setup.sh")
    address = free_address()
    config = {
        "version": 0.1,
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": address},
        **({"auth": auth} if auth else {}),
    }
    if cert is not None:
        config["http"]["tls"] = {"certificate": str(cert), "key": str(cert.with_name("key.pem"))}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yml").write_text(json.dumps(config))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["docker-registry", "serve", str(folder / "config.yml")], stdout=log, stderr=log, cwd=folder
        )
    try:
        host, _, port = address.partition(":")
        for _ in range(400):
            with socket.socket() as probe:
                if probe.connect_ex((host, int(port))) == 0:
                    break
            assert process.poll() is None, (folder / "log").read_text()
            time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait(20)


class Counting:
    """A way to a registry that counts the bytes that it receives, at an address of its own."""

    def __init__(self, address: str) -> None:
        self.received = 0
        self.asked: list[str] = []
        owner, (host, _, port) = self, address.partition(":")

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError), socket.create_connection((host, int(port))) as there:
                    back = threading.Thread(target=self.back, args=[there], daemon=True)
                    back.start()
                    while data := self.request.recv(1 << 16):
                        line = data.partition(b"\r\n")[0]
                        if line.endswith(b" HTTP/1.1"):  # not the question whether TLS is spoken
                            owner.asked.append(line.decode())
                        owner.received += len(data)
                        there.sendall(data)
                    with contextlib.suppress(OSError):
                        there.shutdown(socket.SHUT_WR)
                    back.join(10)

            def back(self, there: socket.socket) -> None:
                with contextlib.suppress(OSError):
                    while data := there.recv(1 << 16):
                        self.request.sendall(data)
                    self.request.shutdown(socket.SHUT_WR)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop it."""
        self._server.shutdown()
        self._server.server_close()


def docker_config(folder: Path, address: str, entry: dict[str, str] | None = None) -> Path:
    """A folder for ``DOCKER_CONFIG`` with one registry's password."""
    folder.mkdir(parents=True, exist_ok=True)
    auth = base64.b64encode(f"{USER}:{SECRET}".encode()).decode()
    (folder / "config.json").write_text(json.dumps({"auths": {address: entry or {"auth": auth}}}))
    return folder


class TokenServer:
    """Issues tokens as the distribution project describes, to whoever has the password or the identity token.

    https://distribution.github.io/distribution/spec/auth/token/ and …/oauth/.
    """

    SERVICE, ISSUER, IDENTITY = "registry of a test", "token server of a test", "planted-identity-t0ken"

    def __init__(self, folder: Path) -> None:
        self.cert = certificate(folder)
        self._key = serialization.load_pem_private_key((folder / "key.pem").read_bytes(), None)
        self.asked: list[tuple[str, str, bool]] = []
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
                wanted = "Basic " + base64.b64encode(f"{USER}:{SECRET}".encode()).decode()
                self.answer("GET", query, self.headers["Authorization"] == wanted, "token")

            def do_POST(self) -> None:
                form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                allowed = form["grant_type"] == ["refresh_token"] and form["refresh_token"] == [owner.IDENTITY]
                self.answer("POST", form, allowed, "access_token")

            def answer(self, method: str, query: dict[str, list[str]], allowed: bool, name: str) -> None:
                scope = " ".join(query.get("scope", []))
                owner.asked.append((method, scope, allowed))
                body = json.dumps({name: owner.token(scope)} if allowed else {"details": "who is that?"}).encode()
                self.send_response(200 if allowed else 401)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def auth(self) -> dict[str, object]:
        """The registry's ``auth`` section."""
        realm = f"http://127.0.0.1:{self._server.server_port}/token?kind=test"
        return {
            "token": {"realm": realm, "service": self.SERVICE, "issuer": self.ISSUER, "rootcertbundle": str(self.cert)}
        }

    def token(self, scope: str) -> str:
        """A signed token for ``repository:name:pull,push``, or several such with blanks between."""
        chain = "".join(self.cert.read_text().partition("-----END")[0].splitlines()[1:])
        access = []
        for one in scope.split():
            kind, _, rest = one.partition(":")
            name, _, actions = rest.rpartition(":")
            access.append({"type": kind, "name": name, "actions": actions.split(",")})
        now = int(time.time())
        claims = {
            "iss": self.ISSUER, "aud": self.SERVICE, "sub": USER, "nbf": now - 10, "iat": now, "exp": now + 300,
            "jti": str(now), "access": access,
        }  # fmt: skip
        text = ".".join(
            _b64(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": "ES256", "x5c": [chain]}, claims)
        )
        one, two = decode_dss_signature(self._key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{text}.{_b64(one.to_bytes(32, 'big') + two.to_bytes(32, 'big'))}"

    def close(self) -> None:
        """Stop it."""
        self._server.shutdown()
        self._server.server_close()


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
