"""Make and look at packages: the room's front. Each is an operation."""

from __future__ import annotations

import os
import time
import uuid
from typing import TYPE_CHECKING

from sqlalchemy import select

from ..code.checked_code import content, register_environment
from ..code.script_grammar import check_grammar
from ..containers.registries import Logins
from ..errors import InvalidInput, NotFound
from ..operations import operation_rows
from ..operations.kinds import IMAGE, PACKAGE
from ..operations.operation_rows import AnyRow, operation_view
from ..operations.places import log_path
from ..spec.package import CreatePackage, Package, check_image
from ..spec.page import ALL, Listed, Window
from ..spec.parse import decode, to_builtins
from ..store.pages import select_page
from ..store.tables import operations
from ..store.workspaces import require_workspace
from .request import PackageRequest

if TYPE_CHECKING:
    from ..operations.operations import Operations
    from ..rooms import Rooms


class Packages:
    """Packages of a home.

    Args:
        rooms: What to work with.
        operations: Does the work.
    """

    def __init__(self, rooms: Rooms, operations: Operations) -> None:
        self._rooms, self._operations = rooms, operations

    def create(self, ws: str, body: CreatePackage) -> Package:
        """Check the request and start the work.

        Args:
            ws: The workspace's name.
            body: What to package.

        Raises:
            SendoffError: Whatever would surely fail later; nothing was made.
        """
        check_image(body.image_name, body.image_label)
        store = self._rooms.store
        models, code, notes = content(self._rooms, ws, body.models, body.inference)
        notes = [*notes, *check_grammar(self._rooms, code, images=True)]
        label, code = register_environment(self._rooms, ws, code)
        now = time.time()
        name = body.image_name or "package"
        tag = body.image_label or time.strftime("%Y%m%d%H%M%S", time.gmtime(now))
        wanted = PackageRequest(
            models=models,
            inference=code,
            environment=label,
            generate_dockerfile=body.generate_dockerfile,
            image=f"{name}:{tag}",
        )
        id_ = uuid.uuid4().hex
        with store.begin() as connection:
            operation_rows.add_operation(
                connection,
                PACKAGE,
                uid=f"package-{id_}",
                workspace=ws,
                subject=wanted.image,
                artefact=IMAGE,
                notes=notes,
                request=to_builtins(wanted),
                id_=id_,
            )
        self._operations.start(id_)
        return self.get(ws, id_)

    def get(self, ws: str, id_: str) -> Package:
        """A package as it is now.

        Raises:
            NotFound: There is none with that id.
        """
        self._operations.revive()
        with self._rooms.store.read() as connection:
            row = connection.execute(
                select(operations).where(
                    operations.c.id == id_, operations.c.workspace == ws, operations.c.type == PACKAGE
                )
            ).first()
        if row is None:
            raise NotFound(f"there is no package {id_!r} in workspace {ws!r}", id=id_)
        return _view(row)

    def list(self, ws: str, *, window: Window = ALL) -> Listed[Package]:
        """A workspace's packages, newest first."""
        self._operations.revive()
        with self._rooms.store.read() as connection:
            require_workspace(connection, ws)
            query = select(operations).where(operations.c.workspace == ws, operations.c.type == PACKAGE)
            return select_page(connection, query, operation_rows.NEWEST_FIRST, window, _view)

    def pull(self, ws: str, id_: str) -> Package:
        """Bring a package's image from its registry into this machine's engine.

        Raises:
            NotFound: There is none with that id, or its image is gone.
            SendoffError: As :func:`packaging.image_inspect.pull`.
        """
        from ..packaging.image_inspect import pull

        found = self.get(ws, id_)
        settings = self._rooms.store.settings
        pull(
            found,
            logins=Logins(os.environ, own=settings.image_registry),
            way=self._rooms.environments.supply(None).way,
        )
        return found

    def log(self, ws: str, id_: str) -> str:
        """What its work has said so far."""
        self.get(ws, id_)
        try:
            return log_path(self._rooms.store.home, id_).read_text(errors="replace")
        except OSError:
            return ""


def _view(row: AnyRow) -> Package:
    try:
        wanted = decode(row.request, PackageRequest, where="the package's request")
    except InvalidInput:
        raise NotFound(f"operation {row.id!r} is not a package", id=row.id) from None
    return Package(
        id=row.id,
        workspace=row.workspace,
        state=operation_view(row).state,
        generate_dockerfile=wanted.generate_dockerfile,
        image=wanted.image,
        models=wanted.models,
        result=wanted.result,
        error=row.error,
        created_time=row.created,
        operation=operation_view(row),
    )
