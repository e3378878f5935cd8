"""What requests are checked by (``auth_file``), where the server in a container can read it.

The files are this user's alone. Where Sendoff runs as root, containers run as somebody else, who gets a copy; the
keeper brings it up to date within a second of every change.
"""

from __future__ import annotations

import os
from pathlib import Path

from ... import files
from ...errors import StoreError
from .records import ContainerRecord, ServiceFolder

FOLDER = "/run/sendoff-access"
"""Where it is in a container."""


def shared(folder: ServiceFolder, wanted: ContainerRecord, user: int) -> Path | None:
    """The folder to mount, its files as they are now; None when nothing is checked.

    Args:
        folder: The service's.
        wanted: Names the file.
        user: Who has to read it; 0 for nobody but this user.

    Raises:
        StoreError: The copy cannot be written.
    """
    if wanted.auth_file is None:
        return None
    own = Path(wanted.auth_file).parent
    if not user:
        return own
    copy = folder.run.path / "access"
    try:
        copy.mkdir(mode=0o700, exist_ok=True)
        os.chown(copy, user, user)
        names = {path.name for path in own.iterdir() if not path.name.startswith(".")}
        # The file that names the others goes last.
        for name in sorted(names, key=lambda name: name == Path(wanted.auth_file or "").name):
            _copy(own / name, copy / name, user)
        for path in copy.iterdir():
            if path.name not in names:
                files.remove(path)
    except OSError as error:
        raise StoreError(f"{copy} cannot be written: {error.strerror}", path=str(copy)) from None
    return copy


def refresh(home: Path, uid: str, user: int) -> None:
    """Bring the copy of a service up to date at once, if there is a service and anybody needs a copy.

    Args:
        home: The home folder.
        uid: The service.
        user: As for :func:`shared`.

    Raises:
        StoreError: As :func:`shared`.
    """
    folder = ServiceFolder(home, uid)
    wanted = folder.wanted() if user else None
    if wanted is not None and not wanted.removing:
        shared(folder, wanted, user)


def _copy(source: Path, place: Path, user: int) -> None:
    files.write_changed(place, source.read_bytes(), mode=0o400, owner=user)
