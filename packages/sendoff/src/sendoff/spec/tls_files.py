"""Reads the PEM files that a deployment configuration names, on the machine of whoever deploys."""

from __future__ import annotations

from pathlib import Path

from ..errors import InvalidInput
from .deployment import DeploymentSpec
from .parse import replace

_MOST_BYTES = 1_000_000


def with_tls_files(spec: DeploymentSpec) -> DeploymentSpec:
    """The configuration with the text of the files that it names: the API may be on another machine.

    Raises:
        InvalidInput: A file is missing or cannot be read; the message names it.
    """
    found = {}
    for path, text in (("ssl_cert_pem_file", "ssl_cert_pem"), ("ssl_key_pem_file", "ssl_key_pem")):
        name = getattr(spec, path)
        if name is not None and getattr(spec, text) is None:
            found[text] = _read(name, path)
    return replace(spec, **found) if found else spec


def _read(name: str, field: str) -> str:
    path = Path(name).expanduser()
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InvalidInput(f"{field}: {name} is too large for a PEM file", where=name, field=field)
        return path.read_bytes().decode("ascii")
    except OSError as error:
        raise InvalidInput(
            f"{field}: {name} cannot be read: {error.strerror}",
            hint=f"Looked in {Path.cwd()}.",
            where=name,
            field=field,
        ) from None
    except UnicodeDecodeError:
        raise InvalidInput(
            f"{field}: {name} is not a PEM file: it is not text",
            hint="Convert it: openssl x509 -inform der -in FILE -out FILE.pem.",
            where=name,
            field=field,
        ) from None
