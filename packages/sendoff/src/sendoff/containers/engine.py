"""A connection to the engine, and its failures as sentences."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..errors import MissingExtra, PortInUse, SendoffError, TargetUnavailable
from .endpoint import Endpoint, find_endpoint

if TYPE_CHECKING:
    from docker import DockerClient  # type: ignore[attr-defined,unused-ignore]

INSTALL_LINE = "pip install 'sendoff[docker]'"


def sdk() -> Any:
    """The ``docker`` package.

    Raises:
        MissingExtra: It is not installed; the hint is the install line.
    """
    try:
        import docker
    except ImportError:
        raise MissingExtra("Docker's Python package is not installed", hint=f"Run: {INSTALL_LINE}") from None
    return docker


def connect(environ: Mapping[str, str] | None = None, *, timeout: float = 600.0) -> DockerClient:
    """A client of the engine that the ``docker`` command would use; it has answered once.

    Args:
        environ: As ``os.environ``, which is the default.
        timeout: Seconds that one call may be silent.

    Raises:
        MissingExtra: The ``docker`` package is not installed.
        TargetUnavailable: No engine answers; the sentence says whether it is not running, not permitted or elsewhere.
    """
    docker = sdk()
    environ = os.environ if environ is None else environ
    endpoint = find_endpoint(environ)
    with explained(environ):
        client = docker.DockerClient(
            base_url=endpoint.host, tls=_tls(docker, endpoint), timeout=timeout, version="auto"
        )
        client.ping()
    return client


def answers(environ: Mapping[str, str] | None = None) -> bool:
    """Whether an engine is there and may be used, within two seconds."""
    try:
        connect(environ, timeout=2.0).close()
    except SendoffError:
        return False
    return True


@contextmanager
def explained(environ: Mapping[str, str] | None = None) -> Iterator[None]:
    """Turn what the ``docker`` package raises within the block into our errors."""
    docker = sdk()
    import requests

    try:
        yield
    except (docker.errors.DockerException, requests.exceptions.RequestException) as error:
        raise explain(error, os.environ if environ is None else environ) from None


def explain(error: Exception, environ: Mapping[str, str]) -> SendoffError:
    """An engine's failure as one sentence: not running, no permission, another context, or its own words."""
    text = f"{error} {error.__cause__ or ''} {error.__context__ or ''}"
    own = getattr(error, "explanation", None)
    status = getattr(getattr(error, "response", None), "status_code", None)
    endpoint = find_endpoint(environ)
    where = f"{endpoint.host}" + ("" if endpoint.context == "default" else f" (context {endpoint.context!r})")
    if "Permission denied" in text or "PermissionError" in text:
        return TargetUnavailable(
            f"no permission to use the Docker engine at {where}",
            hint="Add yourself to the group 'docker' (sudo usermod -aG docker $USER, then log in again).",
            reason="permission",
        )
    if status is not None:
        words = conceal(str(own or error)).strip()
        if re.search(r"port is already allocated|address already in use", words):
            return PortInUse(f"the engine cannot publish the port: {words}", hint="Choose another port.")
        return TargetUnavailable(f"the Docker engine refused: {words}", reason="refused", status=status)
    if re.search(r"timed? ?out", text, re.IGNORECASE):
        return TargetUnavailable(
            f"the Docker engine at {where} does not answer in time", hint="Is the machine busy?", reason="timeout"
        )
    hint = "Start it (sudo systemctl start docker), or use the process target, which needs none."
    if endpoint.context != "default":
        hint = "That is where DOCKER_HOST or the current context points: see `docker context ls`."
    return TargetUnavailable(f"no Docker engine answers at {where}", hint=hint, reason="not_running")


def conceal(text: str) -> str:
    """A text without the user parts and passwords of addresses in it."""
    return re.sub(r"([A-Za-z][A-Za-z0-9+.-]*://)[^/\s@'\"]+@", r"\1****@", text)


def _tls(docker: Any, endpoint: Endpoint) -> Any:
    if endpoint.tls is None:
        return None
    folder = endpoint.tls
    return docker.tls.TLSConfig(
        client_cert=(f"{folder}/cert.pem", f"{folder}/key.pem"), ca_cert=f"{folder}/ca.pem", verify=endpoint.verify
    )
