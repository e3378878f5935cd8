"""``http.client`` over what an engine listens on: a Unix socket, TCP with or without TLS, or SSH."""

from __future__ import annotations

import http.client
import socket
import ssl
import subprocess
import tempfile
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from ..errors import InvalidInput
from .endpoint import Endpoint


class UnixConnection(http.client.HTTPConnection):
    """An HTTP connection to a Unix socket.

    Args:
        path: The socket's.
        seconds: Time for connecting and for each read and write.
    """

    def __init__(self, path: str, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        """Open the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class SshConnection(http.client.HTTPConnection):
    """An HTTP connection through ``ssh``, which has the far machine's ``docker`` command connect to the engine there.

    As the ``docker`` command does it; keys, agents and known hosts are those of the user's ``ssh``.

    Args:
        address: ``ssh://[user@]host[:port]``.
        seconds: Time for each read and write.
    """

    def __init__(self, address: str, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        parts = urlsplit(address)
        if not parts.hostname or parts.hostname.startswith("-"):
            raise InvalidInput(f"{address} names no machine", field="DOCKER_HOST", expected="ssh://user@host")
        port = ["-p", str(parts.port)] if parts.port else []
        user = ["-l", parts.username] if parts.username else []
        options = ["-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-T"]
        self._command = ["ssh", *options, *user, *port, "--", parts.hostname, "docker", "system", "dial-stdio"]
        self._process: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] | None = None
        self.complaint = ""
        """What ``ssh`` said last; known when the connection is closed."""

    def connect(self) -> None:
        """Start ``ssh``."""
        ours, theirs = socket.socketpair()
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the connection
        try:
            end = theirs.fileno()
            self._process = subprocess.Popen(self._command, stdin=end, stdout=end, stderr=self._said)
        except OSError as error:
            ours.close()
            raise ConnectionError(f"ssh cannot be started: {error.strerror}") from None
        finally:
            theirs.close()
        ours.settimeout(self.timeout)
        self.sock = ours

    def close(self) -> None:
        """Close the connection and end ``ssh``."""
        super().close()
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None
        if self._said is not None:
            self._said.seek(0)
            lines = self._said.read().decode("utf-8", "replace").strip().splitlines()
            self.complaint = lines[-1] if lines else ""
            self._said.close()
            self._said = None


def open_link(endpoint: Endpoint, seconds: float) -> http.client.HTTPConnection:
    """A connection to an engine, not opened yet.

    Args:
        endpoint: Its address.
        seconds: Time for each read and write.

    Raises:
        InvalidInput: The address is of no known kind, or its certificates cannot be read.
    """
    kind, _, rest = endpoint.host.partition("://")
    if kind == "unix":
        return UnixConnection(rest, seconds)
    if kind == "ssh":
        return SshConnection(endpoint.host, seconds)
    if kind not in ("tcp", "http", "https"):
        raise InvalidInput(
            f"{endpoint.host} is no engine's address",
            hint="Known are unix://, tcp:// and ssh:// (DOCKER_HOST, `docker context ls`).",
            field="DOCKER_HOST",
        )
    parts = urlsplit(f"tcp://{rest}")
    secure = endpoint.tls is not None or kind == "https"
    host, port = parts.hostname or "localhost", parts.port or (2376 if secure else 2375)
    if not secure:
        return http.client.HTTPConnection(host, port, timeout=seconds)
    return http.client.HTTPSConnection(host, port, timeout=seconds, context=_tls(endpoint))


def _tls(endpoint: Endpoint) -> ssl.SSLContext:
    folder = Path(endpoint.tls or "")
    try:
        authority = folder / "ca.pem"
        context = ssl.create_default_context(cafile=str(authority) if authority.is_file() else None)
        if endpoint.tls is not None and (folder / "cert.pem").is_file():
            context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    except (OSError, ssl.SSLError) as error:
        raise InvalidInput(
            f"the certificates of the Docker engine {endpoint.host} cannot be read from {folder}: {error}",
            hint="DOCKER_CERT_PATH or the context names the folder, with ca.pem, cert.pem and key.pem.",
            field="DOCKER_CERT_PATH",
        ) from None
    if not endpoint.verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
