"""The inference configuration: entry script, source folder, environment (spec/behaviour.md sec. 6)."""

from __future__ import annotations

from .environment import EnvironmentSpec
from .model import ManifestFile
from .parse import Spec


class SourceSpec(Spec):
    """The scoring code, uploaded as blobs.

    ``files`` are relative to the application root: with a source directory each path starts with that folder's own
    name; without one the entry script alone stands at the root. ``entry_script`` is relative to the application root.
    """

    entry_script: str
    source_directory: str | None
    files: list[ManifestFile]
    origin: str | None = None
    """Absolute local folder that the files came from, when there is one: `reload` reads it again."""


class EnvironmentReference(Spec):
    """A registered environment by name; no version means the newest."""

    name: str
    version: str | None = None


class InferenceSpec(Spec):
    """What a deployment needs to know about code and environment; exactly one of the two environment fields is set."""

    source: SourceSpec
    environment: EnvironmentSpec | None = None
    environment_ref: EnvironmentReference | None = None
    description: str = ""
