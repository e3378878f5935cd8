"""Where the sockets are that processes of one user speak over: a system bounds how long their paths may be."""

from __future__ import annotations

import os
import stat
from pathlib import Path

# sun_path holds 108 bytes on Linux and 104 on macOS, the closing zero among them.
MAX_SOCKET_PATH = 103


def runtime_folder() -> Path:
    """The user's own short-pathed folder for sockets, mode 0700; made when it is missing, as after a reboot.

    Raises:
        OSError: No folder can be made that belongs to this user alone.
    """
    bases = [os.environ.get("XDG_RUNTIME_DIR") or "", os.environ.get("TMPDIR") or "", "/tmp"]
    problem: OSError | None = None
    for base in bases:
        if not base or not Path(base).is_absolute():
            continue
        folder = Path(base) / f"sendoff-{os.getuid()}"
        if len(os.fsencode(folder)) + 26 > MAX_SOCKET_PATH:
            continue
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            facts = folder.lstat()
            # In a world-writable folder somebody else may have made it first, or put a link there.
            if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid():
                raise PermissionError(f"{folder} belongs to somebody else")
            if stat.S_IMODE(facts.st_mode) != 0o700:
                folder.chmod(0o700)
            return folder
        except OSError as error:
            problem = error
    raise problem or OSError("no folder for sockets: XDG_RUNTIME_DIR and TMPDIR are too long")
