"""What whoever works on services, packages, profiles and garbage is given; ``core`` composes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from .store.in_use import Dropped, References, User
from .targets.base import Place, Surroundings

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from .environments.service import Environments
    from .registry import Registry
    from .store import Store
    from .targets.base import Kind, Makers, Target


class Targets(Protocol):
    """Gives targets by name: ``sendoff.targets.table`` is one."""

    def kinds(self) -> Mapping[str, Kind]:
        """Those that there are, the one for everything first."""

    def load(self, place: Place, surroundings: Surroundings) -> Target:
        """A target.

        Raises:
            NotSupported: There is none of that name in this version.
        """


class Places(Protocol):
    """Which one of a kind of target is meant: ``sendoff.computes.places.Places`` is one."""

    def settings(self, reference: str) -> dict[str, str]:
        """What is set for it.

        Raises:
            ComputeNotFound: It was detached.
        """

    def references(self) -> list[str]:
        """Targets, ``kind:reference``, that services are on."""


@dataclass(frozen=True, kw_only=True)
class Rooms:
    """What services, packages and profiles are made with."""

    store: Store
    registry: Registry
    environments: Environments
    targets: Targets
    makers: Makers
    users: Sequence[User]
    places: Places

    def target(self, name: str) -> Target:
        """A target of this home.

        Args:
            name: Its kind; of kinds with places ``kind:reference``.
        """
        surroundings = Surroundings(home=self.store.home, settings=self.store.settings)
        kind, _, reference = name.partition(":")
        settings = self.places.settings(reference) if reference else {}
        return self.targets.load(Place(kind=kind, name=reference, settings=settings), surroundings)

    def target_names(self) -> list[str]:
        """Every target that services of this home may be on, the one for everything first."""
        kinds = [name for name, kind in self.targets.kinds().items() if not kind.places]
        return [*kinds, *self.places.references()]

    def in_use(self, connection: Connection, dropped: Dropped = ()) -> References:
        """What all rooms together refer to."""
        found = References()
        for user in self.users:
            found |= user(connection, dropped)
        return found
