"""Values as scripts give them: tags and properties with any keys and values, and values that go together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def texts(pairs: Mapping[Any, Any] | None) -> dict[str, str]:
    """The pairs of tags or properties as the API takes them, as text; none for None."""
    return {str(key): str(value) for key, value in (pairs or {}).items()}


def together(config: object, *names: str) -> list[str]:
    """A sentence when only some of the named values are given."""
    given = [name for name in names if getattr(config, name)]
    return [f"{', '.join(names)} go together; given: {', '.join(given)}"] if 0 < len(given) < len(names) else []
