"""What starts an embedded store's services when the machine starts (`sendoff service install`): a systemd user unit."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import NotSupported

if TYPE_CHECKING:
    from ..client import Client

UNIT_NAME = "sendoff.service"


def unit_of(client: Client) -> str:
    """The unit's text for the store that a client works on.

    Raises:
        NotSupported: The client speaks to a server, whose services are that machine's business.
    """
    if not client.embedded:
        raise NotSupported(
            f"services of the server at {client.where} start on its own machine",
            hint="Unset SENDOFF_SERVER for this machine's own store.",
        )
    return systemd_unit(Path(client.where))


def systemd_unit(home: Path, python: str = sys.executable) -> str:
    """The unit's text: at boot it starts what ran before, and it supervises from then on.

    Args:
        home: The home whose services are kept.
        python: The interpreter that has Sendoff.

    Returns:
        Text for ``~/.config/systemd/user/sendoff.service``; ``systemctl --user enable --now sendoff`` uses it, and
        ``loginctl enable-linger`` makes user units start without a login.
    """
    command = " ".join(
        [_quote(python), "-P", "-m", "sendoff.targets.process.supervisor", "--home", _quote(str(home.absolute()))]
    )
    return f"""\
[Unit]
Description=Sendoff: keeps the services of {str(home.absolute()).replace("%", "%%")} running

[Service]
ExecStart={command} --restore --stay
Restart=always
RestartSec=1
# Services go on while the supervisor is restarted or replaced.
KillMode=process

[Install]
WantedBy=default.target
"""


def _quote(text: str) -> str:
    """A word of ExecStart= (systemd.service(5), "Command lines"): quoted, with specifiers and variables escaped."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'
