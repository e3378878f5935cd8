"""A company's network in small: a forward proxy that alone knows the hosts behind it, and what stands there."""

import base64
import collections
import contextlib
import hashlib
import http.server
import select
import socket
import socketserver
import ssl
import subprocess
import threading
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

USER, SECRET = "employee", "planted-pr0xy-secret"


class Proxy:
    """A forward proxy (CONNECT, and plain GET) that wants a password and counts what passes, by host.

    Args:
        hosts: ``host:port`` as clients say it to ``host:port`` where it really is; nothing else can be reached.
    """

    def __init__(self, hosts: dict[str, str]) -> None:
        self.hosts = hosts
        self.passed: collections.Counter[str] = collections.Counter()
        self.refused: list[str] = []
        owner = self
        wanted = "Basic " + base64.b64encode(f"{USER}:{SECRET}".encode()).decode()

        class Handler(socketserver.StreamRequestHandler):
            rbufsize = 0  # what follows the head is the pump's: bodies too

            def handle(self) -> None:
                head = [self.rfile.readline()]
                while line := self.rfile.readline().strip():
                    head.append(line)
                method, target, _ = head[0].decode().split(" ", 2)
                parts = urllib.parse.urlsplit(target)
                name = target if method == "CONNECT" else f"{parts.hostname}:{parts.port or 80}"
                given = [
                    line.partition(b":")[2].strip().decode() for line in head if line.lower().startswith(b"proxy-auth")
                ]
                if given != [wanted]:
                    owner.refused.append(f"{name} without a password")
                    ask = b"Proxy-Authenticate: Basic realm=x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                    self.wfile.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n" + ask)
                    return
                if name not in owner.hosts:
                    owner.refused.append(name)
                    self.wfile.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    return
                owner.passed[name] += 1
                host, _, port = owner.hosts[name].partition(":")
                with socket.create_connection((host, int(port)), 30) as there:
                    if method == "CONNECT":
                        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    else:
                        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
                        kept = [line for line in head[1:] if not line.lower().startswith((b"proxy-", b"connection:"))]
                        lines = [f"{method} {path} HTTP/1.1".encode(), *kept, b"Connection: close", b"", b""]
                        there.sendall(b"\r\n".join(lines))
                    self.pump(there)

            def pump(self, there: socket.socket) -> None:
                ends = [self.connection, there]
                while True:
                    for one in select.select(ends, [], [])[0]:
                        try:
                            data = one.recv(1 << 16)
                            if not data:
                                return
                            (there if one is self.connection else self.connection).sendall(data)
                        except OSError:
                            return

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            request_queue_size = 64

        self._server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Its address, with the password."""
        return f"http://{USER}:{SECRET}@127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Stop it."""
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def files_over_http(folder: Path, cert: Path | None = None, password: str | None = None) -> Iterator[str]:
    """``host:port`` of a server of a folder's files, with TLS and a password where they are given."""
    wanted = None if password is None else "Basic " + base64.b64encode(f"{USER}:{password}".encode()).decode()

    class Handler(http.server.SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(folder))  # type: ignore[arg-type]

        def do_GET(self) -> None:
            if wanted is not None and self.headers["Authorization"] != wanted:
                self.send_response(401)
                self.send_header("WWW-Authenticate", "Basic realm=index")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            super().do_GET()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if cert is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, cert.with_name("key.pem"))
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def package_index(folder: Path, wheels: list[Path]) -> Path:
    """A package index's pages (PEP 503) and files."""
    names: dict[str, list[str]] = {}
    for wheel in wheels:
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        name = wheel.name.split("-")[0].replace("_", "-").lower()
        target = folder / "files" / wheel.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(wheel.read_bytes())
        names.setdefault(name, []).append(f'<a href="/files/{wheel.name}#sha256={digest}">{wheel.name}</a>')
    for name, links in names.items():
        page = folder / "simple" / name / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text("<!DOCTYPE html><html><body>" + "<br>".join(links) + "</body></html>")
    return folder


def debian_repository(folder: Path, name: str) -> Path:
    """An apt repository with one package, which brings ``/usr/share/NAME``."""
    root = folder / "build" / name
    (root / "DEBIAN").mkdir(parents=True)
    (root / "usr" / "share").mkdir(parents=True)
    (root / "usr" / "share" / name).write_text("from apt\n")
    control = f"Package: {name}\nVersion: 1.0\nArchitecture: all\nMaintainer: t <t@example.com>\nDescription: test\n"
    (root / "DEBIAN" / "control").write_text(control)
    out = folder / "debian"
    out.mkdir()
    package = out / f"{name}.deb"
    command = ["dpkg-deb", "--root-owner-group", "-Zgzip", "--build", str(root), str(package)]
    subprocess.run(command, check=True, capture_output=True)
    data = package.read_bytes()
    facts = f"Filename: ./{package.name}\nSize: {len(data)}\nSHA256: {hashlib.sha256(data).hexdigest()}\n"
    (out / "Packages").write_text(control + facts)
    return out
