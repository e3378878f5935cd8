"""Hints whose commands can be typed as they stand, also where ``-w`` named the workspace."""

from __future__ import annotations

import re

import click

from .root import root

_OF_WORKSPACES = frozenset({"dataset", "drift", "environment", "experiment", "model", "profile", "run", "service"})
_COMMAND = re.compile(r"\bsendoff ([a-z]+) ([a-z-]+)")


def in_workspace(hint: str, workspace: str | None) -> str:
    """A hint in which each command names the workspace; without it, it would look into another one.

    Args:
        hint: The hint of an error.
        workspace: What ``-w`` named; None where it was not given.
    """
    if not workspace:
        return hint

    def named(found: re.Match[str]) -> str:
        rest = re.match(r"[^`';,)]*", hint[found.end() :])
        if found[1] not in _OF_WORKSPACES or re.search(r"(^|\s)(-w|--workspace-name)\s", rest[0] if rest else ""):
            return found[0]
        group = root.get_command(click.Context(root), found[1])
        is_command = isinstance(group, click.Group) and found[2] in group.list_commands(click.Context(group))
        return f"{found[0]} -w {workspace}" if is_command else found[0]

    return _COMMAND.sub(named, hint)
