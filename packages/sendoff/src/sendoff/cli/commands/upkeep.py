"""``sendoff up`` and ``sendoff gc``."""

from __future__ import annotations

import sys
from typing import Any

import click

from ..command import Command, option
from ..readable import size
from ..session import Session


@click.command(cls=Command, example="sendoff up")
def up(session: Session) -> dict[str, Any]:
    """Start again every service that should run and does not, for example after a reboot."""
    return session.client.up()


@click.command(cls=Command, example="sendoff gc --dry-run -o json")
@option("--dry-run", is_flag=True, help="Only say what would go.")
def gc(session: Session, dry_run: bool) -> dict[str, Any] | None:
    """Remove what nothing refers to: blobs, bundles, environments, layers, and this home's images and containers."""
    found = session.client.gc(dry_run)
    if session.output is None and session.query is None and sys.stdout.isatty():
        sys.stdout.write(_said(found) + "\n")
        return None
    return found


_WHAT = {
    "blobs": "stored files",
    "logs": "logs of operations",
    "revisions": "old revisions",
    "services": "folders of services that are gone",
    "archives": "archives laid out to be installed",
    "staging": "half-made things",
}


def _said(found: dict[str, Any]) -> str:
    """What went, or would go, for people."""
    kept = found.get("older_blobs") or []
    kinds = {name: value for name, value in found.items() if isinstance(value, list) and value and value is not kept}
    verb = "Would remove" if found["dry_run"] else "Removed"
    lines = [f"{verb} {len(value)} {_WHAT.get(name, name)}" for name, value in kinds.items()]
    lines = [*lines, f"{size(found['bytes'])} together"] if lines else ["Nothing to remove."]
    if kept:
        lines.append(f"{len(kept)} stored files are older than the database, and stay.")
    if found["busy"]:
        lines.append("An operation is at work: environments, bundles and images were not looked at.")
    return "\n".join([*lines, *(["-o json names each."] if kinds else [])])
