"""``sendoff version``."""

from __future__ import annotations

import platform
import sys

import click

import sendoff_serving

from ... import __version__
from ..command import Command
from ..session import Session


def versions() -> dict[str, str]:
    """Versions of Sendoff, of its scoring server and of the interpreter that runs them."""
    return {
        "sendoff": __version__,
        "sendoff-serving": sendoff_serving.__version__,
        "python": platform.python_version(),
        "executable": sys.executable,
    }


@click.command(cls=Command, example="sendoff version -o json")
def version(_: Session) -> dict[str, str]:
    """Print the versions of Sendoff and of the Python that runs it."""
    return versions()
