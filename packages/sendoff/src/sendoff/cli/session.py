"""One run of the command line: the common options, the client, the workspace."""

from __future__ import annotations

import os
import sys
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInput, WorkspaceNotFound
from .errors import tell

if TYPE_CHECKING:
    from ..api.client import Client

DEFAULT_WORKSPACE = "default"
_CONFIG_FILES = (
    ".azureml/config.json",
    "aml_config/config.json",
    "config.json",
    ".azureml/project.json",
    "aml_config/project.json",
)


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

    @cached_property
    def client(self) -> Client:
        """The API: in this process on ``SENDOFF_HOME``, or the server at ``SENDOFF_SERVER`` with ``SENDOFF_TOKEN``."""
        import logging

        from ..api import client

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
        found = find_config(Path(self.path) if self.path else Path.cwd())
        name = workspace_in(found) if found else DEFAULT_WORKSPACE
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

    def say(self, text: str) -> None:
        """A message for people, on stderr; ``--only-show-errors`` drops it."""
        if not self.quiet:
            tell(text)

    @property
    def rich_stderr(self) -> bool:
        """Whether messages may be drawn in place: stderr is a terminal that can do so."""
        return sys.stderr.isatty() and os.environ.get("TERM", "") != "dumb" and not self.quiet


def find_config(start: Path) -> Path | None:
    """The workspace config file for a folder: in it or in a parent (spec/surface.md sec. 2.1).

    Raises:
        InvalidInput: ``start`` does not exist.
    """
    start = start.absolute()
    if start.is_file():
        return start
    if not start.is_dir():
        raise InvalidInput(f"--path {start} does not exist", hint="Give a folder, or a workspace config file.")
    for folder in (start, *start.parents):
        for name in _CONFIG_FILES:
            # A bare config.json further up belongs to some other program, unless it names a workspace.
            if (file := folder / name).is_file() and (name != "config.json" or _names_workspace(file)):
                return file
    return None


def workspace_in(file: Path) -> str:
    """The workspace that a config file names, in either shape: ``workspace_name``, or ``Scope`` ending in it."""
    name = _name_in(file)
    if name is None:
        raise InvalidInput(
            f"{file} names no workspace: it has neither 'workspace_name' nor 'Scope'",
            hint="sendoff folder attach -w NAME writes a new one.",
            where=str(file),
        )
    return name


def _name_in(file: Path) -> str | None:
    from ..spec.parse import read_file

    data: Any = read_file(file, "workspace config file")
    if not isinstance(data, dict):
        return None
    name = data.get("workspace_name")
    scope = str(data.get("Scope") or "")
    if not name and "/workspaces/" in scope:
        name = scope.rsplit("/workspaces/", 1)[1].split("/")[0]
    return str(name) if name else None


def _names_workspace(file: Path) -> bool:
    try:
        return _name_in(file) is not None
    except InvalidInput:
        return False
