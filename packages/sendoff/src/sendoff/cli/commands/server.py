"""``sendoff server``: the API on a port."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

import click

from ...errors import MissingExtra
from ..command import Command, option
from ..session import Session


@click.command(cls=Command, example="sendoff server --port 8400")
@option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Any but this machine's own needs --token.",
)
@option("--port", type=click.IntRange(0, 65535), default=0, metavar="PORT", help="0 takes a free one.  [default: 0]")
@option("--token", default=None, envvar="SENDOFF_TOKEN", metavar="TEXT", help="What clients send; else one is made.")
def server(session: Session, host: str, port: int, token: str | None) -> None:
    """Put the API on a port of this machine and print its address and token, until Ctrl-C or SIGTERM.

    SDK and command line use it when SENDOFF_SERVER and SENDOFF_TOKEN are set. SENDOFF_TOKEN, where it is set here, is
    the token that is asked for.
    """
    if find_spec("starlette") is None or find_spec("uvicorn") is None:
        raise MissingExtra(
            "the server needs Starlette and uvicorn, which are not installed", hint='pip install "sendoff-ml[server]"'
        )
    command = [sys.executable, "-m", "sendoff.api", "--host", host, "--port", str(port)]
    if token:
        command += ["--token", token]
    sys.stdout.flush()
    # The API's own entry takes this process over: signals, exit code and log are the server's.
    os.execv(command[0], command)
