"""What a runner does to delete a service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import DeploymentFailed, SendoffError
from ..identity import Identity
from ..operations import operation_rows
from ..operations.operation_rows import AnyRow
from ..operations.timeline import Timeline
from ..operations.work import Outcome
from ..targets.base import IMAGE, Used, observe_one
from . import revision_rows, service_rows

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ..rooms import Rooms


class DeleteSteps:
    """Steps of a deletion; the service's rows go in the transaction that ends it."""

    repeated = frozenset({"drain"})

    def __init__(self, rooms: Rooms, row: AnyRow, timeline: Timeline) -> None:
        self._rooms = rooms
        self._store = rooms.store
        self._row = row
        with rooms.store.read() as connection:
            service = service_rows.find_service(connection, row.workspace, row.service)
        self._target = rooms.target(service.target) if service is not None and service.uid == row.uid else None

    def do(self, name: str) -> Outcome:
        """Do one step by its name."""
        if name == "drain":
            if self._target is not None:
                self._target.remove(self._row.uid)
            return "Drained", "requests are answered, processes ended", []
        if self._target is not None and observe_one(self._target, self._row.uid).phase != "absent":
            raise DeploymentFailed(f"the target still holds service {self._row.service!r} after its removal")
        Identity(self._store).forget(self._row.uid)
        removed = self._images()
        what = f"service {self._row.service!r}" + (f" and {', '.join(removed)}" if removed else "")
        return "Removed", what, []

    def _images(self) -> list[str]:
        """Images of this service that nothing else needs go; with another operation at work they are left to `gc`."""
        with self._store.read() as connection:
            if any(row.id != self._row.id for row in operation_rows.unfinished_operations(connection)):
                return []
            mine = {(self._row.uid, row.number) for row in revision_rows.list_revisions(connection, self._row.uid)}
            others = self._rooms.in_use(connection, mine)
            images = self._rooms.in_use(connection).images - others.images
        if not images or self._target is None:
            return []
        used = Used(services=others.services, images=others.images)
        gone = [one for one in self._target.held(used) if one.kind == IMAGE and one.id in images]
        try:
            for one in gone:
                one.remove()
        except SendoffError:
            return []  # The engine ended meanwhile: `gc` finds them.
        return [f"image {one.name}" for one in gone]

    def last_log(self) -> list[str]:
        """Nothing: a deletion has no script."""
        return []

    def settle(self, connection: Connection) -> None:
        """Forget the service."""
        service_rows.forget_service(connection, self._row.uid)

    def take_down(self) -> None:
        """Nothing to undo."""

    def settle_failed(self, connection: Connection) -> None:
        """The service stays, and may be deleted again."""
        service_rows.change_service(connection, self._row.uid, deleting=False)
