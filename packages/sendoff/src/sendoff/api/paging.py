"""Cutting a list into pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import InvalidInput
from ..spec.bodies import Page


def page(items: Sequence[Any], key: str, *, limit: int | None, after: str | None) -> Page[Any]:
    """The page that follows the item whose ``key`` is ``after``.

    Raises:
        InvalidInput: ``limit`` is 0, or no item is called ``after`` (it was deleted between two pages).
    """
    if limit == 0:
        raise InvalidInput("query parameter 'limit' is 0; expected at least 1", where="query", field="limit")
    start = 0
    if after is not None:
        names = [str(getattr(item, key)) for item in items]
        if after not in names:
            raise InvalidInput(
                f"'after' names nothing in this list: {after!r}",
                hint="It was deleted in between, or belongs to another list: start again without 'after'.",
                where="query",
                field="after",
            )
        start = names.index(after) + 1
    end = len(items) if limit is None else min(len(items), start + limit)
    return Page(value=list(items[start:end]), next=str(getattr(items[end - 1], key)) if end < len(items) else None)
