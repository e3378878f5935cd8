"""What a script imports, and why an import failed."""

from __future__ import annotations

from .parse import Spec


class Import(Spec):
    """A module to import, and names that have to be in it."""

    module: str
    names: list[str] = []


class NotImported(Spec):
    """What an import raised: class names, the most special first; ``missing`` is the module that is not there."""

    module: str
    kind: list[str]
    message: str
    missing: str | None = None

    def __str__(self) -> str:
        return f"{self.kind[0]}: {self.message}" if self.message else self.kind[0]
