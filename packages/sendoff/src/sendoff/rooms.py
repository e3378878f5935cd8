"""What whoever works on services, packages, profiles and garbage is given; ``core`` composes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from .store.in_use import Dropped, InUse, User

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from .environments import Environments
    from .registry import Registry
    from .store import Store
    from .targets.base import Target


class Targets(Protocol):
    """Gives targets by name: ``sendoff.targets.table`` is one."""

    def load(self, name: str, home: Path) -> Target:
        """The target of that name.

        Raises:
            NotSupported: There is none of that name in this version.
        """


@dataclass(frozen=True, kw_only=True)
class Rooms:
    """What services, packages and profiles are made with."""

    store: Store
    registry: Registry
    environments: Environments
    targets: Targets
    users: Sequence[User]

    def target(self, name: str) -> Target:
        """A target of this home."""
        return self.targets.load(name, self.store.home)

    def in_use(self, connection: Connection, dropped: Dropped = ()) -> InUse:
        """What all rooms together refer to."""
        found = InUse()
        for user in self.users:
            found |= user(connection, dropped)
        return found
