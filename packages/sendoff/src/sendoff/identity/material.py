"""The folder from which a scoring server learns who may ask it, ``run/<uid>/access/`` (docs/authentication.md).

``auth.json`` has salted digests of keys and public keys of tokens, nothing that opens anything. The certificate's key
has to lie beside it in clear: 0600, in folders of 0700. Where a gateway ends TLS, certificate and key are in
``run/<uid>/tls/`` instead, so that the server's folder has nothing to hide. Files are staged, then renamed; the server
reads them again when they change.
"""

from __future__ import annotations

import hmac
import json
import secrets as random
import shutil
from pathlib import Path
from typing import Any

from .. import files
from ..errors import StoreError
from ..spec.identity import ServiceKeys

FILE = "auth.json"


def folder_of(home: Path, uid: str) -> Path:
    """Where the material of a service is."""
    return home / "run" / uid / "access"


def gateway_folder(home: Path, uid: str) -> Path:
    """Where certificates of a service are that a gateway reads."""
    return home / "run" / uid / "tls"


def digests(keys: ServiceKeys | None) -> list[dict[str, str]]:
    """What tells a key from others: HMAC-SHA256 of it under a fresh salt."""
    made = []
    for name, key in (("primary", keys.primary_key), ("secondary", keys.secondary_key)) if keys else ():
        salt = random.token_bytes(16)
        made.append({"name": name, "salt": salt.hex(), "sha256": hmac.digest(salt, key.encode(), "sha256").hex()})
    return made


def write(
    folder: Path, content: dict[str, Any], certificates: dict[str, tuple[str, str]], *, beside: Path | None = None
) -> Path:
    """Put the files in place; ``auth.json`` comes last, and certificates that are not given go.

    Args:
        folder: Made when it is missing.
        content: Of ``auth.json``.
        certificates: Certificate and key by id, as PEM text.
        beside: Where certificates go, ``folder`` by default.

    Raises:
        StoreError: A file cannot be written; the ones before are in force.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.parent.chmod(0o700)
        place = beside or folder
        if certificates:
            place.mkdir(mode=0o700, exist_ok=True)
        for id_, (certificate, key) in certificates.items():
            put(place / f"tls-{id_}.key", key)
            put(place / f"tls-{id_}.crt", certificate)
        put(folder / FILE, json.dumps(content, indent=1))
        for path in [*place.glob("tls-*"), *(folder.glob("tls-*") if beside is not None else ())]:
            if path.parent != place or path.stem.removeprefix("tls-") not in certificates:
                path.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"{folder} cannot be written: {error.strerror}", path=str(folder)) from None
    return folder / FILE


def forget(home: Path, uid: str) -> None:
    """Remove the folders; the run folder too when nothing else is in it."""
    folder = folder_of(home, uid)
    for path in (folder, gateway_folder(home, uid)):
        shutil.rmtree(path, ignore_errors=True)
    try:
        folder.parent.rmdir()
    except OSError:
        pass


def put(path: Path, text: str) -> None:
    """Write one more file that a scoring server reads, beside ``auth.json``.

    Raises:
        StoreError: It cannot be written; the one before is in force.
    """
    files.write_changed(path, text, lasting=True)
