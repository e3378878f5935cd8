"""What starts an embedded store's services when the machine starts."""

from __future__ import annotations

from pathlib import Path

from ...errors import NotSupported
from .calls import Client


def systemd_unit(client: Client) -> str:
    """The text of a systemd user unit that starts what ran before and supervises it.

    Raises:
        NotSupported: The client speaks to a server, whose services are that machine's business.
    """
    if not client.embedded:
        raise NotSupported(
            f"services of the server at {client.where} start on its own machine",
            hint="Unset SENDOFF_SERVER for this machine's own store.",
        )
    from ...targets import systemd

    return systemd.systemd_unit(Path(client.where))
