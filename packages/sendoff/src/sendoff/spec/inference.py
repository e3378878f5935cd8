"""The inference configuration: entry script, source folder, environment (spec/behaviour.md sec. 6)."""

from __future__ import annotations

import re
from pathlib import PurePath

from .environment import EnvironmentSpec
from .model import ManifestFile
from .parse import Spec

# The application's folder in a bundle, and in an image (docs/architecture.md, "Home"; settled.md).
_COPY = re.compile(r"(?<=\")(?:[^\"\n]*/bundles/[0-9a-f]{64}/app|/var/azureml-app)/([^\"\n]+)(?=\")")


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
    followed: list[str] = []
    """Links that lead out of that folder, whose targets are among the files: who deployed asked for it."""

    def in_own_paths(self, text: str) -> str:
        """A traceback in which a bundle's copy of a file is called by the path that the user knows it by."""
        if self.origin is None:
            return text
        own = {
            file.path: PurePath(self.origin, file.path.removeprefix(f"{self.source_directory or ''}/"))
            for file in self.files
        }
        return _COPY.sub(lambda found: str(own.get(found[1], found[0])), text)


class EnvironmentReference(Spec):
    """A registered environment by name; no version means the newest."""

    name: str
    version: str | None = None


class NoCode(Spec):
    """From what an inference configuration was made that nobody wrote (``frameworks``): a later update makes it anew.

    ``hooks`` are the user's own files, whose entry script has preprocess() or postprocess(); ``environment`` is what
    the user gave beside them.
    """

    framework: str
    version: str | None = None
    hooks: SourceSpec | None = None
    environment: EnvironmentSpec | None = None


class InferenceSpec(Spec):
    """What a deployment needs to know about code and environment.

    Exactly one of the two environment fields is set, but for hooks of a model that is served without code, which need
    none.
    """

    source: SourceSpec
    environment: EnvironmentSpec | None = None
    environment_ref: EnvironmentReference | None = None
    description: str = ""
    no_code: NoCode | None = None

    def asked_for(self) -> InferenceSpec | None:
        """What somebody wrote of it: for a model without code the hooks and what was given beside them, or nothing."""
        if self.no_code is None:
            return self
        hooks = self.no_code.hooks
        return None if hooks is None else InferenceSpec(source=hooks, environment=self.no_code.environment)


class Code(InferenceSpec):
    """An inference configuration that was checked, as revisions, packages and profiles keep it.

    The environment's whole definition is in it, also where it was named.
    """

    environment: EnvironmentSpec
