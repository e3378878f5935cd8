"""Libraries of Databricks steps, which scripts import along with the rest; they only hold what they are given."""

from typing import Any


class _Library:
    def __init__(self, *arguments: Any, **named: Any) -> None:
        self.arguments = arguments
        self.__dict__.update(named)


class PyPiLibrary(_Library):
    """A package of PyPI."""


class MavenLibrary(_Library):
    """A package of Maven."""


class RCranLibrary(_Library):
    """A package of CRAN."""


class JarLibrary(_Library):
    """A jar."""


class EggLibrary(_Library):
    """An egg."""
