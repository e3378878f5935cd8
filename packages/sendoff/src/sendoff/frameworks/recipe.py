"""What a model is loaded with, and what that is found out from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a model is loaded.

    Attributes:
        adapter: The key of ``scoring.application.ADAPTERS``.
        python: ``X.Y``.
        packages: Requirement lines.
        version: The framework's version; None for the newest.
        notes: What a reader should know, a mismatch among them.
        settings: Further members of ``model.json``.
    """

    adapter: str
    python: str
    packages: list[str]
    version: str | None
    notes: list[str] = field(default_factory=list)
    settings: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a recipe is made from, beside the model.

    Attributes:
        main: Its main file or folder.
        pythons: Versions of the Pythons on this machine.
        beside: Import names that the user's own files provide.
        hooks: Whether there is a hooks file.
        read: Returns the content of one of the model's files.
    """

    main: str
    pythons: Iterable[str]
    beside: Iterable[str]
    hooks: bool
    read: Callable[[str], bytes]
