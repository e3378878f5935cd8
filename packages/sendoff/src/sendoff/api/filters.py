"""Filters on tags and properties as query parameters: ``tag=k`` or ``tag=k=v``, repeated; all must match."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import InvalidInput
from .route import Query

TAG = Query(name="tag", many=True, summary="`key` or `key=value`; may be repeated, all must match.")
PROPERTY = Query(name="property", many=True, summary="`key` or `key=value`; may be repeated, all must match.")


def pairs(texts: Iterable[str], name: str) -> list[tuple[str, str | None]]:
    """``["a", "b=c"]`` as ``[("a", None), ("b", "c")]``.

    Raises:
        InvalidInput: An empty key.
    """
    found: list[tuple[str, str | None]] = []
    for text in texts:
        key, equals, value = text.partition("=")
        if not key:
            raise InvalidInput(
                f"query parameter {name!r} is {text!r}; expected key or key=value", where="query", field=name
            )
        found.append((key, value if equals else None))
    return found
