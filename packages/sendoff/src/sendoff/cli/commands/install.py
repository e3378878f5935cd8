"""``sendoff service install``: services start at boot."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from ... import files
from ...errors import InvalidInput, NotSupported
from ..command import Command, option
from ..records import Record
from ..session import Session


@click.command(cls=Command, example="sendoff service install && systemctl --user enable --now sendoff.service")
@option("--directory", "-d", default=None, metavar="DIR", help="Where to write it; else ~/.config/systemd/user.")
@option("--overwrite", is_flag=True, help="Replace the unit that is there.")
def install(session: Session, directory: str | None, overwrite: bool) -> Record:
    """Write a systemd unit that starts services at boot.

    It starts what ran before and supervises from then on. Nothing is started or enabled by this command; it prints how.
    """
    from ...sdk.boot import UNIT_NAME, unit_of

    if not sys.platform.startswith("linux"):
        raise NotSupported("systemd units are for Linux", hint="Run `sendoff up` when you log in.")
    text = unit_of(session.client)
    folder = (
        Path(directory)
        if directory
        else Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd/user"
    )
    file = folder / UNIT_NAME
    if file.exists() and not overwrite:
        raise InvalidInput(f"{file} exists already", hint="--overwrite replaces it.", where=str(file))
    files.write(file, text, mode=files.PUBLIC, folder=0o777, failure=InvalidInput)
    session.say(
        "next: systemctl --user daemon-reload && systemctl --user enable --now sendoff.service\n"
        "      loginctl enable-linger starts it without a login"
    )
    return {"unit": str(file)}
