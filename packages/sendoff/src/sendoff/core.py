"""The one composition: which room is made of which others, each opened when somebody first needs it.

The API's server, the client that works without one, and the processes that do an operation's work are given a core;
nothing else puts rooms together.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from .computes import Computes
    from .datasets import Datasets
    from .deployments import Deployments
    from .drift.detectors import Drift
    from .environments.service import Environments
    from .garbage.garbage import Garbage
    from .identity.vault import Vault
    from .modeldata.collected import Collected
    from .operations.operations import Operations
    from .packages.packages import Packages
    from .profiling.profiles import Profiles
    from .registry import Registry
    from .rooms import Rooms
    from .runs import Runs
    from .store import Store
    from .store.in_use import User

T = TypeVar("T")


class _Room(Generic[T]):
    """A property that is made once, by one thread; ``functools.cached_property`` lets two make it."""

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __get__(self, core: Core, owner: type[Core]) -> T:
        opened = core._opened
        with core._lock:
            if self._make.__name__ not in opened:
                opened[self._make.__name__] = self._make(core)
            room: T = opened[self._make.__name__]
            return room


class Core:
    """The rooms of a home.

    Args:
        home: The store's folder; made at the first use.
        mode: ``embedded`` or ``server``, as ``GET /v1/health`` shows it.
    """

    def __init__(self, home: Path | str, *, mode: str = "embedded") -> None:
        self.home = Path(home).absolute()
        self.mode = mode
        self._opened: dict[str, Any] = {}
        self._lock = threading.RLock()

    def supervision(self) -> dict[str, object]:
        """Whether what keeps services running has been killed, with whatever it kept; asking changes nothing."""
        from .targets import supervisor

        killed = [str(supervisor.folder(place)) for place in supervisor.killed(self.home)]
        return {"state": "killed", "of": killed} if killed else {"state": "ok"}

    @_Room
    def store(self) -> Store:
        """Metadata, blobs and secrets."""
        from .store import open_store

        return open_store(self.home)

    @_Room
    def registry(self) -> Registry:
        """Workspaces and models."""
        from .registry import Registry

        return Registry(self.store)

    @_Room
    def environments(self) -> Environments:
        """Environments, their locks and what is built of them."""
        from .environments.service import Environments

        return Environments(self.store)

    @_Room
    def datasets(self) -> Datasets:
        """Datastores and datasets."""
        from .datasets import Datasets

        return Datasets(self.store)

    @_Room
    def rooms(self) -> Rooms:
        """What operations are worked on with."""
        from .artefacts.makers import Makers
        from .computes.places import Places
        from .rooms import Rooms
        from .targets import table

        return Rooms(
            store=self.store,
            registry=self.registry,
            environments=self.environments,
            targets=table,
            makers=Makers(self.store, self.environments),
            users=users(),
            places=Places(self.store),
        )

    @_Room
    def operations(self) -> Operations:
        """Work that outlives the request for it."""
        from .operations.operations import Operations

        return Operations(self.rooms)

    @_Room
    def deployments(self) -> Deployments:
        """Services."""
        from .deployments import Deployments

        return Deployments(self.rooms, self.operations)

    @_Room
    def packages(self) -> Packages:
        """Images and the folders to build them from."""
        from .packages.packages import Packages

        return Packages(self.rooms, self.operations)

    @_Room
    def profiles(self) -> Profiles:
        """What models were measured to need."""
        from .profiling.profiles import Profiles

        return Profiles(self.rooms, self.operations)

    @_Room
    def garbage(self) -> Garbage:
        """What nothing refers to."""
        from .garbage.garbage import Garbage

        return Garbage(self.rooms, self.operations)

    @_Room
    def computes(self) -> Computes:
        """Compute targets."""
        from .computes import Computes

        return Computes(self.store, self.registry, server=self.mode != "embedded")

    @_Room
    def runs(self) -> Runs:
        """Experiments and their runs."""
        from .runs import Runs

        return Runs(self.store, self.registry)

    @_Room
    def collected(self) -> Collected:
        """What services have collected."""
        from .modeldata.collected import Collected

        return Collected(self.store)

    @_Room
    def drift(self) -> Drift:
        """Drift detectors and events."""
        from .drift.detectors import Drift

        return Drift(self.store)

    @_Room
    def _vault(self) -> Vault:
        from .identity.vault import Vault

        return Vault(self.store)

    def vault(self, workspace: str) -> Vault:
        """The secrets of a workspace that exists."""
        self.registry.workspace(workspace)
        return self._vault

    def close(self) -> None:
        """Give the store's connections back; a later use opens it again."""
        with self._lock:
            store = self._opened.pop("store", None)
            self._opened.clear()
        if store is not None:
            store.close()


def users() -> tuple[User, ...]:
    """Every room that refers to what garbage collection would remove."""
    from .datasets import datastores as datasets
    from .deployments import revision_rows
    from .environments import service as environments
    from .operations import operation_rows
    from .packages import request
    from .registry import rows as models
    from .runs import runs

    rooms = (models, datasets, environments, runs, revision_rows, request, operation_rows)
    return tuple(room.in_use for room in rooms)
