"""The folder from which a scoring server learns who may ask it, ``run/<uid>/access/`` (docs/authentication.md).

The certificate's key has to lie there in clear: 0600, in folders of 0700. Where a gateway ends TLS, certificates are in
``run/<uid>/tls/`` instead, so that the server's folder has nothing to hide. Every file is whole at any moment; the
server reads them again within a second of a change.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from .. import files
from ..errors import StoreError
from ..spec.access import Access
from .run_folder import RunFolder

FILE, TELEMETRY = "auth.json", "telemetry.json"


def folder_of(folder: RunFolder) -> Path:
    """Where the server's files of a service are."""
    return folder.path / "access"


def certificate_file(folder: RunFolder, access: Access | None) -> Path | None:
    """The certificate of the wanted revision where a gateway reads it, its key beside it with the suffix ``.key``."""
    if access is None or access.certificate is None:
        return None
    return folder.path / "tls" / f"{access.certificate}.crt"


def write(
    folder: RunFolder,
    access: Access | None,
    telemetry: dict[str, Any] | None,
    *,
    gateway: bool = False,
    owner: int | None = None,
) -> Path | None:
    """Put the files in place; the caller holds the folder's lock.

    Args:
        folder: The service's, which is there.
        access: What requests are checked by; one that is older than what is in force changes nothing.
        telemetry: What the server sends, and where to.
        gateway: Certificates are for a gateway.
        owner: Who reads the server's files, where it is not this user.

    Returns:
        The file for the server's ``--auth-file``; None when nothing is checked.

    Raises:
        StoreError: A file cannot be written; those before it are in force.
    """
    if access is None:
        return None
    own = folder_of(folder)
    stamp = folder.path / "access.stamp"
    if _read(stamp) > access.made:
        # Whoever made this had looked at the keys before they were changed, and comes second.
        return own / FILE
    place = folder.path / "tls" if gateway else own
    try:
        folder.path.chmod(0o700)
        for path in {own, *([place] if access.certificates else [])}:
            path.mkdir(mode=0o700, exist_ok=True)
        if owner is not None:
            os.chown(own, owner, owner)
    except OSError as error:
        raise StoreError(f"{own} cannot be written: {error.strerror}", path=str(own)) from None
    reader = None if gateway else owner
    for name, pair in access.certificates.items():
        _put(place / f"{name}.key", pair.key, reader)
        _put(place / f"{name}.crt", pair.certificate, reader)
    if telemetry is not None:
        _put(own / TELEMETRY, json.dumps(telemetry, indent=1), owner)
    # Last: it names the others, and is what the server looks at.
    _put(own / FILE, json.dumps(access.document, indent=1), owner)
    files.write(stamp, str(access.made))
    for path in [*own.glob("tls-*"), *place.glob("tls-*")]:
        if path.parent != place or path.stem not in access.certificates:
            files.remove(path)
    return own / FILE


def _put(path: Path, text: str, owner: int | None) -> None:
    files.write_changed(path, text, lasting=True, owner=owner)


def _read(stamp: Path) -> int:
    try:
        return int(stamp.read_text())
    except (OSError, ValueError):
        return 0
