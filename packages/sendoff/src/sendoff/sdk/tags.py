"""Tags and properties as scripts give them: any keys and values, kept as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def texts(pairs: Mapping[Any, Any] | None) -> dict[str, str]:
    """The pairs as the API takes them; none for None."""
    return {str(key): str(value) for key, value in (pairs or {}).items()}
