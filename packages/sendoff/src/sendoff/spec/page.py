"""Pages of a list: what a caller asks for, what he gets, and the cursor that leads from one page to the next."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ..errors import InvalidInput
from .parse import Spec

T = TypeVar("T")
Key = tuple[str | int | float, ...]
"""What a list is ordered by, of one entry; no two entries have the same."""


class Page(Spec, Generic[T]):
    """A list's answer; ``next`` goes back as ``after`` to read on, null at the end."""

    value: list[T]
    next: str | None = None


@dataclass(frozen=True, kw_only=True)
class Window:
    """Which part of a list is wanted: at most ``limit`` entries (None: all), those after the cursor ``after``.

    Raises:
        InvalidInput: ``limit`` is below 1.
    """

    limit: int | None = None
    after: str | None = None

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise InvalidInput(
                f"query parameter 'limit' is {self.limit}; expected at least 1", where="query", field="limit"
            )


ALL = Window()


class Listed(list[T]):
    """Entries of a list, and the cursor to what follows them; None when nothing does."""

    def __init__(self, entries: Sequence[T] = (), *, next: str | None = None) -> None:
        super().__init__(entries)
        self.next = next


def cursor(order: str, key: Key) -> str:
    """The text that stands for a place in a list: behind the entry with this key, whether it still exists or not.

    Args:
        order: What the list is ordered by; a cursor of another order is refused.
        key: The key of the last entry that was shown.
    """
    return base64.urlsafe_b64encode(json.dumps([order, *key], ensure_ascii=False).encode()).decode().rstrip("=")


def key_of(after: str, order: str, types: Sequence[type] | None = None) -> Key:
    """The key in a cursor.

    Raises:
        InvalidInput: It was not made for this list.
    """
    try:
        made_for, *key = json.loads(base64.b64decode(after + "=" * (-len(after) % 4), altchars=b"-_", validate=True))
    except (ValueError, TypeError, RecursionError):
        raise _wrong(after) from None
    if made_for != order or not key or not all(map(_storable, key)):
        raise _wrong(after)
    if types is not None:
        same = [
            kind is type(part) or (kind is float and type(part) is int) for kind, part in zip(types, key, strict=False)
        ]
        if len(key) != len(types) or not all(same):
            raise _wrong(after)
    return tuple(key)


def cut(entries: Iterable[T], window: Window, *fields: str, key: Callable[[T], Key] | None = None) -> Listed[T]:
    """The part of a short list that a window shows; it is in memory, in ascending order of its key.

    Args:
        entries: The whole list.
        window: Which part.
        fields: The attributes that the list is ordered by.
        key: Gives an entry's key, where it is not its attributes; ``fields`` is then the order's name alone.

    Raises:
        InvalidInput: The cursor is not one of this list.
    """
    keyed = key or (lambda entry: tuple(getattr(entry, field) for field in fields))
    order, rest = ",".join(fields), list(entries)
    if window.after is not None:
        after = key_of(window.after, order)
        try:
            rest = [entry for entry in rest if keyed(entry) > after]
        except TypeError:
            raise _wrong(window.after) from None
    if window.limit is None or len(rest) <= window.limit:
        return Listed(rest)
    return Listed(rest[: window.limit], next=cursor(order, keyed(rest[window.limit - 1])))


def _storable(part: object) -> bool:
    """Whether a database can compare with it: a cursor is what a caller sends."""
    if isinstance(part, str):
        return "\0" not in part and not any("\ud800" <= sign <= "\udfff" for sign in part)
    return type(part) in (int, float) and -(2**63) <= part < 2**63  # type: ignore[operator]


def _wrong(after: str) -> InvalidInput:
    """What is said of a cursor that does not belong to the list."""
    return InvalidInput(
        f"'after' is no cursor of this list: {after[:80]!r}",
        hint="Give back the 'next' of the answer before, as it came; without 'after' the list begins anew.",
        where="query",
        field="after",
    )
