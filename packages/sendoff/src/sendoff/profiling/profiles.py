"""Profiles: requests, rows, views; each is an operation that :mod:`.profile_steps` brings to its end."""

from __future__ import annotations

import builtins
import time
import uuid
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import insert, select

from ..code.checked_code import check_interpreter, content, register_environment
from ..code.script_grammar import check_grammar
from ..datasets import Datasets
from ..deployments.choose_target import Choice
from ..deployments.preflight import choose
from ..errors import Conflict, InvalidInput, NotFound
from ..operations import operation_rows
from ..operations.kinds import PROFILE
from ..operations.operation_rows import operation_view
from ..spec.dataset import TABULAR
from ..spec.deployment import DeploymentSpec
from ..spec.inference import Code
from ..spec.model import check_manifest
from ..spec.page import ALL, Listed, Window
from ..spec.parse import Spec, did_you_mean, replace, to_builtins
from ..spec.profile import CreateProfile, Profile, ProfileResult, check_profile
from ..store.pages import select_page
from ..store.tables import profiles
from ..store.workspaces import require_workspace
from ..tabular import column_of_texts
from ..targets.base import INTERPRETER, Capabilities

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ..operations.operations import Operations
    from ..rooms import Rooms

Body = tuple[bytes, str]


class ProfileRequest(Spec):
    """What a profile's operation was asked for, with everything pinned to versions."""

    body: CreateProfile
    models: list[str]
    inference: Code
    environment: str
    target: str


class Profiles:
    """Profiles of a home.

    Args:
        rooms: What to work with.
        operations: Does the work.
    """

    def __init__(self, rooms: Rooms, operations: Operations) -> None:
        self._rooms, self._operations = rooms, operations

    def create(self, ws: str, body: CreateProfile) -> Profile:
        """Check the request and start the work.

        Args:
            ws: The workspace's name.
            body: What to measure, and with which request bodies.

        Raises:
            SendoffError: Whatever would surely fail later; nothing was made.
        """
        check_profile(body)
        store = self._rooms.store
        models, code, notes = content(self._rooms, ws, body.models, body.inference)
        body = replace(body, dataset=None if body.dataset is None else Datasets(store).get(ws, body.dataset).id)
        request_bodies(self._rooms, ws, body)
        choice = Choice(body.target) if body.target else choose(self._rooms, ws, DeploymentSpec(), code)
        able = self._measuring(choice.target)
        if able.artefact == INTERPRETER:
            check_interpreter(code.environment)
        notes = [*notes, *check_grammar(self._rooms, code, images=able.artefact != INTERPRETER)]
        label, code = register_environment(self._rooms, ws, code)
        wanted = ProfileRequest(
            body=replace(body, inference=None),
            models=models,
            inference=code,
            environment=label,
            target=choice.target,
        )
        id_, now = uuid.uuid4().hex, time.time()
        with store.begin() as connection:
            _refuse_if_busy(connection, ws, body.name)
            connection.execute(
                insert(profiles).values(
                    id=id_,
                    workspace=ws,
                    name=body.name,
                    models=models,
                    description=body.description,
                    request=to_builtins(wanted),
                    result=None,
                    created=now,
                )
            )
            operation_rows.add_operation(
                connection,
                PROFILE,
                uid=uid_of(id_),
                workspace=ws,
                subject=body.name[:32],
                artefact=able.artefact,
                notes=[*choice.notes, *notes],
                id_=id_,
            )
        self._operations.start(id_)
        return self.get(ws, id_)

    def _measuring(self, target: str) -> Capabilities:
        able = {name: self._rooms.target(name).capabilities() for name in self._rooms.target_names() if ":" not in name}
        kinds = [name for name, one in able.items() if one.measures]
        if target not in kinds:
            raise InvalidInput(
                f"profiling on target {target!r} is not supported", hint=f"Use {' or '.join(kinds)}.", field="target"
            )
        return able[target]

    def get(self, ws: str, key: str) -> Profile:
        """A profile by its id, or the newest of a name.

        Raises:
            NotFound: There is none.
        """
        self._operations.revive()
        with self._rooms.store.read() as connection:
            require_workspace(connection, ws)
            query = select(profiles).where(profiles.c.workspace == ws).order_by(profiles.c.created.desc())
            row = connection.execute(query.where((profiles.c.id == key) | (profiles.c.name == key))).first()
            if row is None:
                known = sorted({str(name) for name in connection.scalars(query.with_only_columns(profiles.c.name))})
                raise NotFound(
                    f"there is no profile {key!r} in workspace {ws!r}",
                    hint=did_you_mean(key, known, f"Profiles: {', '.join(known) or 'none yet'}."),
                    name=key,
                )
            return view(connection, row)

    def list(self, ws: str, *, model: str | None = None, window: Window = ALL) -> Listed[Profile]:
        """A workspace's profiles, newest first.

        Args:
            ws: The workspace's name.
            model: Only those of this model, or of this version (``name:version``).
            window: Which part of the list.
        """
        query = select(profiles).where(profiles.c.workspace == ws)
        order = [profiles.c.created.desc(), profiles.c.id.desc()]
        keep = None if model is None else lambda row: any(model in (one, one.partition(":")[0]) for one in row.models)
        self._operations.revive()
        with self._rooms.store.read() as connection:
            require_workspace(connection, ws)
            return select_page(connection, query, order, window, lambda row: view(connection, row), keep=keep)


def uid_of(id_: str) -> str:
    """What the measured service is called on its target."""
    return f"profile-{id_[:16]}"


def request_bodies(rooms: Rooms, ws: str, body: CreateProfile) -> builtins.list[Body]:
    """Request bodies with their content types: a dataset's rows to the byte, or files as they are.

    Raises:
        InvalidInput: There are none, or the dataset has more than one column.
        Conflict: Files are not in the store.
    """
    import mimetypes

    if body.dataset is not None:
        datasets = Datasets(rooms.store)
        found = datasets.get(ws, body.dataset)
        if found.kind == TABULAR:
            texts = column_of_texts(found.definition, datasets.data(ws, found.definition))
            return [(text.encode(), "application/json") for text in texts]
        files = list(datasets.files(ws, found.definition))
    else:
        files = body.bodies
    check_manifest(files, "request bodies")
    missing = rooms.store.blobs.missing([file.digest for file in files])
    if missing:
        raise Conflict(f"{len(missing)} request bodies are not in the store", hint="Upload them.", missing=missing)
    bodies = []
    for file in files:
        kind = mimetypes.guess_type(file.path)[0] or "application/octet-stream"
        bodies.append((rooms.store.blobs.read_bytes(file.digest), kind))
    if not bodies:
        raise InvalidInput("there are no request bodies", field="input_dataset")
    return bodies


def result_of(row: Any) -> ProfileResult | None:
    """What a profile's row has of its result."""
    return None if row.result is None else msgspec.convert(row.result, ProfileResult)


def _refuse_if_busy(connection: Connection, ws: str, name: str) -> None:
    for row in operation_rows.list_operations(connection, workspace=ws, service=name[:32]):
        if row.type == PROFILE and row.ended is None:
            raise Conflict(
                f"profile {name!r} is being measured: operation {row.id} is not over",
                hint=f"Wait for it, or run 'sendoff operation cancel {row.id}'.",
                operation=row.id,
            )


def view(connection: Connection, row: Any) -> Profile:
    """A profile's row as the API shows it."""
    operation = operation_view(operation_rows.get_operation(connection, row.id))
    wanted = msgspec.convert(row.request, ProfileRequest)
    return Profile(
        id=row.id,
        workspace=row.workspace,
        name=row.name,
        state=operation.state,
        models=list(row.models),
        description=row.description,
        dataset=wanted.body.dataset,
        result=result_of(row),
        error=operation.error,
        created_time=row.created,
        operation=operation,
    )
