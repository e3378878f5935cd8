"""What of a home something refers to, so that garbage collection leaves it."""

from __future__ import annotations

from collections.abc import Collection, Set
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True, kw_only=True)
class References:
    """What something refers to: digests of blobs, names of bundles, keys of environments, service uids, image ids."""

    blobs: Set[str] = frozenset()
    bundles: Set[str] = frozenset()
    environments: Set[str] = frozenset()
    services: Set[str] = frozenset()
    images: Set[str] = frozenset()

    def __or__(self, other: References) -> References:
        return References(**{one.name: getattr(self, one.name) | getattr(other, one.name) for one in fields(self)})


Dropped = Collection[tuple[str, int]]
"""Revisions that do not count, by service uid and number."""


class User(Protocol):
    """A room that refers to files, services and images."""

    def __call__(self, connection: Connection, dropped: Dropped) -> References:
        """What it refers to now."""
