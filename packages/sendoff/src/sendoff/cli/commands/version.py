"""``sendoff version``."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed

import click

from ..command import Command
from ..session import Session


def versions() -> dict[str, str]:
    """Versions of our distributions and of the interpreter that runs them."""
    found = {}
    for name in ("sendoff", "sendoff-serving"):
        try:
            found[name] = installed(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return {**found, "python": platform.python_version(), "executable": sys.executable}


@click.command(cls=Command, example="sendoff version -o json")
def version(_: Session) -> dict[str, str]:
    """Print the versions of Sendoff and of the Python that runs it."""
    return versions()
