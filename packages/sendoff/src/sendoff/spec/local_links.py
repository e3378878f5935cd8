"""Links in folders of this machine that lead out of them: what they lead to is taken only where that was asked for."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import InvalidInput


def leads_out(path: Path, top: Path) -> bool:
    """Whether a path is a symbolic link to something that does not lie in a folder.

    Args:
        path: Somewhere in the folder.
        top: The folder, resolved.
    """
    return path.is_symlink() and not _aim(path).is_relative_to(top)


def refused(path: Path, top: Path, field: str) -> InvalidInput:
    """The error for such a link.

    Args:
        path: The link.
        top: The folder.
        field: What the folder was given as.
    """
    return InvalidInput(
        f"{path} is a link that leads out of {top}, to {_aim(path)}",
        hint="Put a copy in its place; or take what it leads to with follow_links=True.",
        typed="Put a copy in its place; or take what it leads to with --follow-links.",
        where=str(path),
        field=field,
    )


def followed(links: list[str]) -> str:
    """A sentence that names links that were followed, by their paths in the folder."""
    listed = ", ".join(links[:8]) + (f" and {len(links) - 8} more" if len(links) > 8 else "")
    return f"What {listed} link{'s' if len(links) == 1 else ''} to lies outside of the folder and goes along."


def _aim(path: Path) -> Path:
    return Path(os.path.realpath(path))  # Path.resolve() raises where links go round in circles
