"""Which engine is meant: ``DOCKER_HOST``, then the context that the ``docker`` command would use."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from ..errors import InvalidInput
from ..spec.parse import Spec

DEFAULT_HOST = "unix:///var/run/docker.sock"


class Endpoint(Spec):
    """An engine's address; ``tls`` holds a context's certificates, ``context`` its name for messages."""

    host: str
    context: str = "default"
    tls: str | None = None
    verify: bool = True

    @property
    def local(self) -> bool:
        """Whether folders of this machine can be mounted there."""
        return self.host.startswith("unix://")


def config_folder(environ: Mapping[str, str]) -> Path:
    """Docker's configuration folder: ``DOCKER_CONFIG``, or ``~/.docker``."""
    home = Path(environ.get("HOME") or Path.home())
    return Path(environ["DOCKER_CONFIG"]) if environ.get("DOCKER_CONFIG") else home / ".docker"


def read_config(environ: Mapping[str, str]) -> dict[str, object]:
    """Docker's ``config.json``; empty where there is none.

    Raises:
        InvalidInput: It is not JSON.
    """
    path = config_folder(environ) / "config.json"
    try:
        found = json.loads(path.read_bytes())
    except OSError:
        return {}
    except ValueError:
        raise InvalidInput(f"{path} is not JSON", hint="Repair or remove it.", where=str(path)) from None
    return found if isinstance(found, dict) else {}


def find_endpoint(environ: Mapping[str, str]) -> Endpoint:
    """The engine that the ``docker`` command on this machine would talk to.

    The order is the command's own: ``DOCKER_HOST``, ``DOCKER_CONTEXT``, ``currentContext`` of ``config.json``, the
    default socket (https://docs.docker.com/engine/manage-resources/contexts/).

    Args:
        environ: As ``os.environ``.

    Raises:
        InvalidInput: The named context does not exist, or a file of it cannot be read.
    """
    if environ.get("DOCKER_HOST"):
        certificates = environ.get("DOCKER_CERT_PATH") if environ.get("DOCKER_TLS_VERIFY") else None
        return Endpoint(host=environ["DOCKER_HOST"], context="DOCKER_HOST", tls=certificates)
    name = environ.get("DOCKER_CONTEXT") or str(read_config(environ).get("currentContext") or "default")
    if name == "default":
        return Endpoint(host=DEFAULT_HOST)
    key = hashlib.sha256(name.encode()).hexdigest()
    contexts = config_folder(environ) / "contexts"
    meta = contexts / "meta" / key / "meta.json"
    try:
        docker = json.loads(meta.read_bytes())["Endpoints"]["docker"]
        host = str(docker["Host"])
    except (OSError, ValueError, KeyError, TypeError):
        raise InvalidInput(
            f"the Docker context {name!r} cannot be read ({meta})",
            hint="See `docker context ls`; choose one with `docker context use NAME` or DOCKER_CONTEXT.",
            field="context",
        ) from None
    tls = contexts / "tls" / key / "docker"
    return Endpoint(
        host=host,
        context=name,
        tls=str(tls) if tls.is_dir() else None,
        verify=not docker.get("SkipTLSVerify", False),
    )
