"""One run of the command line: the common options, the client, the workspace."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInput, WorkspaceNotFound
from .errors import tell

if TYPE_CHECKING:
    from ..client import Client

DEFAULT_WORKSPACE = "default"
_OTHERS = 20
"""Workspaces that are looked into for what an empty list lacks."""


class Session:
    """What every command has in hand. The common options (``-o``, ``-w``, ``--path``…) set its fields while parsing."""

    def __init__(self) -> None:
        self.output: str | None = None
        self.query: str | None = None
        self.debug = False
        self.quiet = False
        self.workspace_name: str | None = None
        self.resource_group: str | None = None
        self.subscription_id: str | None = None
        self.path: str | None = None
        self.verbose = False
        self.exit_code = 0
        self.metadata_file: str | None = None
        self.metadata: Any = None
        """What ``-t`` writes, if that is not the result."""

    @cached_property
    def client(self) -> Client:
        """The API: in this process on ``SENDOFF_HOME``, or the server at ``SENDOFF_SERVER`` with ``SENDOFF_TOKEN``."""
        import logging

        from .. import client

        # Embedded, the API logs into this process: errors reach the user as sentences, so its log is for --debug.
        handler = logging.StreamHandler() if self.debug else logging.NullHandler()
        logging.getLogger("sendoff").handlers[:] = [handler]
        return client.connect()

    @cached_property
    def workspace(self) -> str:
        """Name of the workspace that a command works in: ``-w``, else the nearest config file, else ``default``.

        A workspace that a config file names and that is not there yet is made when the API runs in this process, as
        ``Workspace.from_config()`` does (settled.md); against a server it is an error.
        """
        if self.workspace_name:
            return self.workspace_name
        found = _find_config(Path(self.path) if self.path else Path.cwd())
        name = DEFAULT_WORKSPACE
        if found:
            try:
                name = _workspace_in(found)
            except InvalidInput as error:
                if self.path and Path(self.path) == found:
                    error.hint = f"{error.hint} {_PATH}".strip()
                raise
        try:
            self.client.workspace(name)
        except WorkspaceNotFound:
            if os.environ.get("SENDOFF_SERVER"):
                raise
            from ..spec.workspace import CreateWorkspace

            self.client.create_workspace(CreateWorkspace(name=name, exist_ok=True))
            if found:
                self.say(f"Made workspace {name!r}, which {found} names.")
        return name

    def nothing_here(self, command: str, look: Callable[[str], Sequence[object]]) -> None:
        """Say, where a list is empty, in which other workspaces it is not.

        Args:
            command: The command that lists, as it is typed.
            look: Gives the list of a workspace by its name.
        """
        others = [one.name for one in self.client.workspaces() if one.name != self.workspace][:_OTHERS]
        for name in others:
            if found := look(name):
                self.say(f"Nothing in workspace {self.workspace!r}; {len(found)} in {name!r}: {command} -w {name}")

    def say(self, text: str) -> None:
        """A message for people, on stderr; ``--only-show-errors`` drops it."""
        if not self.quiet:
            tell(text)

    @property
    def rich_stderr(self) -> bool:
        """Whether messages may be drawn in place: stderr is a terminal that can do so."""
        return sys.stderr.isatty() and os.environ.get("TERM", "") != "dumb" and not self.quiet


# People give a command's own file here; --help names the option that takes it.
_PATH = "--path takes the workspace's config file, or a folder to look for it; see --help for what takes other files."


def _find_config(start: Path) -> Path | None:
    from ..spec import workspace_files

    if not start.exists():
        raise InvalidInput(f"--path {start} does not exist", hint=_PATH)
    return workspace_files.find(start)


def _workspace_in(file: Path) -> str:
    from ..spec import workspace_files
    from ..spec.parse import read_file

    return workspace_files.parse(read_file(file, "workspace config file"), str(file)).workspace_name
