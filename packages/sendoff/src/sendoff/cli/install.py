"""``sendoff service install``: services start at boot."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from ..errors import InvalidInput, NotSupported
from .command import Command, option, pass_session
from .records import Record
from .session import Session

_UNIT = """\
[Unit]
Description=Sendoff: start again every service that should run
After=network-online.target
Wants=network-online.target

[Service]
Type=oneshot
RemainAfterExit=yes
KillMode=none
Environment={home}
ExecStart={python} -m sendoff.cli up --only-show-errors -o none

[Install]
WantedBy=default.target
"""


@click.command(cls=Command, example="sendoff service install && systemctl --user enable --now sendoff.service")
@option("--directory", "-d", default=None, metavar="DIR", help="Where to write it; else ~/.config/systemd/user.")
@option("--overwrite", is_flag=True, help="Replace the unit that is there.")
@pass_session
def install(session: Session, directory: str | None, overwrite: bool) -> Record:
    """Write a systemd unit that starts services at boot.

    It runs `sendoff up` once. Nothing is started or enabled by this command; it prints how.
    """
    if not sys.platform.startswith("linux"):
        raise NotSupported("systemd units are for Linux", hint="Run `sendoff up` when you log in.")
    if not session.client.embedded:
        raise NotSupported(
            "services of a server start with the server", hint="Unset SENDOFF_SERVER for this machine's own."
        )
    folder = (
        Path(directory)
        if directory
        else Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd/user"
    )
    file = folder / "sendoff.service"
    if file.exists() and not overwrite:
        raise InvalidInput(f"{file} exists already", hint="--overwrite replaces it.", where=str(file))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        staged = file.with_name(".sendoff.service.part")
        staged.write_text(
            _UNIT.format(home=_escape("SENDOFF_HOME=" + session.client.where), python=_escape(sys.executable)),
            encoding="utf-8",
        )
        staged.replace(file)
    except OSError as error:
        raise InvalidInput(f"{file} cannot be written: {error.strerror}", where=str(file)) from None
    session.say(
        "next: systemctl --user daemon-reload && systemctl --user enable --now sendoff.service\n"
        "      loginctl enable-linger starts it without a login"
    )
    return {"unit": str(file)}


def _escape(text: str) -> str:
    """A path in a unit file: ``%`` starts a specifier and a blank ends a word."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") + '"'
