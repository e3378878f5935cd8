"""``sendoff up`` and ``sendoff gc``."""

from __future__ import annotations

from typing import Any

import click

from ..command import Command, option
from ..session import Session


@click.command(cls=Command, example="sendoff up")
def up(session: Session) -> dict[str, Any]:
    """Start again every service that should run and does not, for example after a reboot."""
    return session.client.up()


@click.command(cls=Command, example="sendoff gc --dry-run -o json")
@option("--dry-run", is_flag=True, help="Only say what would go.")
def gc(session: Session, dry_run: bool) -> dict[str, Any]:
    """Remove what nothing refers to: blobs, bundles, environments, layers, and this home's images and containers."""
    return session.client.gc(dry_run)
