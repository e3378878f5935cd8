"""Deploy, update, look at and delete services: the room's front."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from ..code.checked_code import register_environment
from ..code.source_files import check_blobs
from ..errors import Conflict, InvalidInput, NotFound
from ..operations import operation_rows
from ..operations.kinds import DELETE, DEPLOY, RELOAD, ROLLBACK, UPDATE
from ..operations.operation_rows import AnyRow
from ..operations.places import service_log_path
from ..spec.deployment import ACI, DEFAULT, LOCAL, DeploymentSpec
from ..spec.inference import InferenceSpec
from ..spec.metrics import ServiceMetrics
from ..spec.names import service_flags
from ..spec.operation import SUCCEEDED, Operation
from ..spec.page import ALL, Listed, Window
from ..spec.parse import replace
from ..spec.service import CheckReport, DeployService, Revision, Service, UpdateService
from ..store.pages import select_page
from ..store.tables import services
from ..store.workspaces import require_workspace
from . import access, revision_rows, service_rows
from .plan import Pinned, Plan, as_registered, merge_deployment, merge_properties, merge_tags, request_of
from .preflight import CheckedRequest, check_request
from .revision_rows import shown
from .start_again import start_again
from .views import matches, observed, revision_views, service_metrics, service_view

if TYPE_CHECKING:
    from ..operations.operations import Operations
    from ..rooms import Rooms


class Deployments:
    """Services of a home.

    Args:
        rooms: What services are made with.
        operations: Does the work that takes long.
    """

    def __init__(self, rooms: Rooms, operations: Operations) -> None:
        self._rooms = rooms
        self._store = rooms.store
        self._operations = operations
        self.access = access.ServiceAccess(rooms)

    def deploy(self, ws: str, body: DeployService) -> Operation | CheckReport:
        """Make a service, or with ``overwrite`` the next revision of the one of that name.

        Args:
            ws: The workspace's name.
            body: What to deploy; with ``check`` only the pre-flight runs.

        Returns:
            The operation that brings it about; a report when only a check was asked for.

        Raises:
            SendoffError: Found by the pre-flight; nothing was made. AlreadyExists names ``--overwrite``;
                OperationInProgress names the operation that is not over.
        """
        self._operations.revive()
        with self._store.read() as connection:
            row = service_rows.find_service(connection, ws, body.name)
            if row is not None and not body.overwrite:
                raise service_rows.name_taken(body.name, ws)
            if row is not None and not body.check:
                operation_rows.refuse_if_busy(connection, row.uid, row.name)
        deployment = body.deployment
        replaced = row if row is not None and _another_kind(row, deployment) else None
        if replaced is not None:
            row = None
        elif row is not None:
            merge_deployment(replace(deployment, compute_type=row.compute_type), deployment)  # the type is fixed
        ready = check_request(
            self._rooms,
            ws,
            body.name,
            models=body.models,
            inference=body.inference,
            deployment=deployment,
            service=row,
        )
        if replaced is not None:
            ready = dataclasses.replace(ready, notes=[_replacing(replaced, deployment), *ready.notes])
        if body.check:
            return CheckReport(
                target=ready.choice.target.partition(":")[0],
                notes=ready.notes,
                models=ready.plan.models,
                details=ready.details,
            )
        if replaced is not None:
            self._remove(ws, replaced)
        ready = self._register(ws, ready)
        with self._store.begin() as connection:
            if row is None:
                service = service_rows.add_service(
                    connection,
                    workspace=ws,
                    name=body.name,
                    target=ready.choice.target,
                    deployment=ready.plan.deployment,
                )
            else:
                service = _idle(connection, ws, body.name)
                self._describe(connection, service, ready, deployment.tags, deployment.properties)
                if deployment.description:
                    service_rows.change_service(connection, service.uid, description=deployment.description)
            access.keep(self._store, service.uid, ready.plan.deployment, ready.given)
            id_ = self._next_revision(connection, service, ready, DEPLOY)
        return self._operations.start(id_)

    def update(self, ws: str, name: str, body: UpdateService) -> Operation | Service:
        """Change a service: a new revision of what is named merged with the last, or words alone.

        Returns:
            An operation when models, code or configuration change; else the service, with its new tags,
            properties and description.

        Raises:
            SendoffError: As :meth:`deploy`; Conflict for what is fixed.
        """
        self._operations.revive()
        with self._store.read() as connection:
            row = _idle(connection, ws, name)
            last = revision_rows.serving_revision(connection, row.uid) or row.wanted_revision
            plan = revision_rows.get_plan(connection, row.uid, last)
        assert plan is not None
        tags, properties = merge_tags(row.tags, body), merge_properties(row.properties, body)
        words = {"tags": tags, "properties": properties}
        given = body.description
        if given is None and body.deployment is not None and body.deployment.description:
            given = body.deployment.description
        if given is not None:
            words["description"] = given  # type: ignore[assignment]
        merged = merge_deployment(plan.deployment, body.deployment)
        deployment, given_secrets = access.without_secrets(merged)
        inference = body.inference or request_of(plan.inference, plan.pinned)
        changed = body.models is not None or body.inference is not None or deployment != plan.deployment
        if not changed:
            with self._store.begin() as connection:
                if any(getattr(row, column) != value for column, value in words.items()):
                    service_rows.change_service(connection, row.uid, **words)
                if given_secrets.keys:
                    access.keep(self._store, row.uid, deployment, given_secrets)
            if given_secrets.keys:
                access.refresh(self._rooms, row)
            return self.get(ws, name)
        ready = check_request(
            self._rooms,
            ws,
            name,
            models=plan.models if body.models is None else body.models,
            inference=inference,
            deployment=merged,
            service=row,
        )
        ready = self._register(ws, ready)
        with self._store.begin() as connection:
            service = _idle(connection, ws, name)
            service_rows.change_service(connection, service.uid, **words)
            access.keep(self._store, service.uid, ready.plan.deployment, ready.given)
            id_ = self._next_revision(connection, service, ready, UPDATE)
        return self._operations.start(id_)

    def rollback(self, ws: str, name: str, revision: int | None = None) -> Operation:
        """Return to an earlier revision: a new one that equals it, with the same packages and files.

        Args:
            ws: The workspace's name.
            name: The service's name.
            revision: Its number; None is the newest that succeeded before the present one.

        Raises:
            NotFound: No revision of that number.
            Conflict: There is no earlier one, or it is the present one.
        """
        self._operations.revive()
        with self._store.begin() as connection:
            service = _idle(connection, ws, name)
            done = revision_rows.succeeded_revisions(connection, service.uid)
            number = self._earlier(connection, service, done, revision)
            plan = revision_rows.get_plan(connection, service.uid, number)
            if plan is None:
                known = [str(row.number) for row in revision_rows.list_revisions(connection, service.uid)]
                raise NotFound(
                    f"service {name!r} has no revision {number}",
                    hint=f"Revisions: {', '.join(known)}.",
                    revision=number,
                )
            if done and number == done[0]:
                raise Conflict(f"revision {number} of service {name!r} is the present one", hint="Name another one.")
            now = revision_rows.get_plan(connection, service.uid, done[0]) if done else None
            plan = access.as_now(plan, now)
            id_ = self._revision_again(connection, service, number, plan, ROLLBACK)
        return self._operations.start(id_)

    def reload(self, ws: str, name: str) -> Operation:
        """Start the present revision anew, as a new revision with the same files, without dropping a request.

        Fresh files come from the client, which alone may read them: it collects the source again
        (``packaging.collect_source.collect_again``) and sends an :class:`UpdateService`.
        """
        self._operations.revive()
        with self._store.begin() as connection:
            service = _idle(connection, ws, name)
            number = revision_rows.serving_revision(connection, service.uid) or service.wanted_revision
            plan = revision_rows.get_plan(connection, service.uid, number)
            assert plan is not None
            id_ = self._revision_again(connection, service, number, plan, RELOAD)
        return self._operations.start(id_)

    def delete(self, ws: str, name: str) -> Operation | None:
        """Drain, end and forget a service; None when there is none of that name (spec/behaviour.md sec. 15.4).

        Raises:
            OperationInProgress: Another operation is not over; cancel it first.
        """
        self._operations.revive()
        with self._store.begin() as connection:
            require_workspace(connection, ws)
            service = service_rows.find_service(connection, ws, name)
            if service is None:
                return None
            id_ = self._add_operation(connection, service, DELETE)
            service_rows.change_service(connection, service.uid, deleting=True)
        return self._operations.start(id_)

    def get(self, ws: str, name: str) -> Service:
        """A service with its state of this moment."""
        self._operations.revive()
        with self._store.read() as connection:
            row = service_rows.get_service(connection, ws, name)
        seen = observed(self._rooms, [row])
        with self._store.read() as connection:
            return service_view(seen[row.uid], shown(connection, [row])[row.uid], row)

    def list(
        self,
        ws: str,
        *,
        compute_type: str | None = None,
        model_name: str | None = None,
        model_id: str | None = None,
        tags: Mapping[str, str | None] | Sequence[str] = (),
        properties: Mapping[str, str | None] | Sequence[str] = (),
        window: Window = ALL,
    ) -> Listed[Service]:
        """Services that pass every filter, by name.

        Args:
            ws: The workspace's name.
            compute_type: LOCAL, ACI (with those that name no type), AKS or default, in any case.
            model_name: Only those with a version of this model.
            model_id: Only those with this version, ``name:version``.
            tags: Names, or names with values (None: any value).
            properties: As tags.
            window: Which part of the list.
        """
        self._operations.revive()
        # What names no type is placed as for ACI, and SDK v1's scripts look for it there.
        wanted = (
            {compute_type.upper(), *([DEFAULT.upper()] if compute_type.upper() == ACI else [])} if compute_type else ()
        )
        with self._store.read() as connection:
            require_workspace(connection, ws)
            query = select(services).where(services.c.workspace == ws)
            if model_id is not None or model_name is not None:
                query = query.where(revision_rows.shows_model(model_id, model_name))

            def keep(row: AnyRow) -> bool:
                return (
                    (compute_type is None or row.compute_type.upper() in wanted)
                    and matches(row.tags, tags)
                    and matches(row.properties, properties)
                )

            rows = select_page(connection, query, [services.c.name], window, lambda row: row, keep=keep)
        # Outside of any transaction: a target that hangs holds up nobody who writes.
        seen = observed(self._rooms, rows)
        with self._store.read() as connection:
            stored = shown(connection, rows)
        return Listed([service_view(seen[row.uid], stored[row.uid], row) for row in rows], next=rows.next)

    def revisions(self, ws: str, name: str) -> list[Revision]:  # type: ignore[valid-type]
        """A service's revisions, oldest first."""
        self._operations.revive()
        with self._store.read() as connection:
            row = service_rows.get_service(connection, ws, name)
        seen = observed(self._rooms, [row])
        with self._store.read() as connection:
            return revision_views(seen[row.uid], connection, row)

    def inference(self, ws: str, name: str) -> InferenceSpec:
        """Code and environment of the revision that should be running, as a request: what a reload starts from."""
        with self._store.read() as connection:
            row = service_rows.get_service(connection, ws, name)
            number = revision_rows.serving_revision(connection, row.uid) or row.wanted_revision
            plan = revision_rows.get_plan(connection, row.uid, number)
        if plan is None:
            raise NotFound(f"service {row.name!r} has no revision {number}", revision=number)
        return as_registered(plan.inference, plan.pinned)

    def logs(self, ws: str, name: str, num_lines: int = 5000, init: bool = False) -> str:
        """The service's newest log lines, oldest first; of one that failed to start, what it logged until then.

        Args:
            ws: The workspace's name.
            name: The service's name.
            num_lines: At most so many.
            init: Only what was logged until init() had returned.
        """
        if num_lines < 1:
            raise InvalidInput(f"lines has to be at least 1; got {num_lines}", field="lines")
        self._operations.revive()
        with self._store.read() as connection:
            row = service_rows.get_service(connection, ws, name)
            operations = operation_rows.list_operations(connection, uid=row.uid)
        text = self._rooms.target(row.target).logs(row.uid, num_lines, init=init)
        if text:
            return text
        for operation in operations:
            path = service_log_path(self._store.home, operation.id)
            if path.is_file():
                lines = path.read_text(errors="replace").splitlines(keepends=True)
                return "".join(lines[-num_lines:])
        return ""

    def metrics(self, ws: str, name: str) -> ServiceMetrics:
        """Rates, latencies, errors and workers of a service, as its server counts them.

        Raises:
            Conflict: No server of it answers now.
        """
        self._operations.revive()
        return service_metrics(self._rooms, ws, name)

    def model_users(self, ws: str, model_id: str) -> list[str]:  # type: ignore[valid-type]
        """Names of services whose present or wanted revision uses this model version."""
        mine = select(services.c.name).where(services.c.workspace == ws, revision_rows.depends_on_model(model_id))
        with self._store.read() as connection:
            return list(connection.scalars(mine.order_by(services.c.name)))

    def up(self) -> list[str]:  # type: ignore[valid-type]
        """Start every service that should run and does not, with its last good revision.

        Returns:
            ``workspace/service`` of each that was started.

        Raises:
            TargetUnavailable: A target's engine does not answer; what others can run was started.
        """
        self._operations.revive()
        return start_again(self._rooms, self.reload)

    def _register(self, ws: str, ready: CheckedRequest) -> CheckedRequest:
        """The environment becomes a registered version (spec/behaviour.md sec. 3.2), its passwords secrets."""
        label, inference = register_environment(self._rooms, ws, ready.plan.inference)
        plan = replace(ready.plan, inference=inference, pinned=Pinned(environment=label))
        return dataclasses.replace(ready, plan=plan)

    def _next_revision(self, connection: Any, service: AnyRow, ready: CheckedRequest, type_: str) -> str:
        # Again: garbage collection deletes inside a write transaction.
        check_blobs(self._rooms, ready.plan.inference.source)
        number = revision_rows.add_revision(connection, service.uid, ready.plan)
        return self._add_operation(
            connection, service, type_, revision=number, notes=ready.notes, details=ready.details
        )

    def _revision_again(self, connection: Any, service: AnyRow, number: int, plan: Plan, type_: str) -> str:
        fresh = revision_rows.add_revision(connection, service.uid, replace(plan, restores=number))
        notes = [f"Revision {fresh} equals revision {number}."]
        return self._add_operation(connection, service, type_, revision=fresh, notes=notes)

    def _add_operation(
        self,
        connection: Any,
        service: AnyRow,
        type_: str,
        *,
        revision: int | None = None,
        notes: Sequence[str] = (),
        details: Sequence[str] = (),
    ) -> str:
        able = self._rooms.target(service.target).capabilities()
        return operation_rows.add_operation(
            connection,
            type_,
            uid=service.uid,
            workspace=service.workspace,
            subject=service.name,
            artefact=able.artefact,
            revision=revision,
            notes=notes,
            details=details,
        )

    def _remove(self, ws: str, row: AnyRow) -> None:
        """Delete a service and wait until its name is free."""
        operation = self.delete(ws, row.name)
        if operation is not None and self._operations.wait(operation.id).state != SUCCEEDED:
            raise Conflict(
                f"service {row.name!r} was to be replaced, and deleting it failed",
                hint=f"See `sendoff operation show {operation.id}`, then deploy again.",
                operation=operation.id,
            )

    def _describe(
        self, connection: Any, service: AnyRow, ready: CheckedRequest, tags: dict[str, str], properties: dict[str, str]
    ) -> None:
        change = UpdateService(tags=tags or None, add_properties=properties)
        service_rows.change_service(
            connection,
            service.uid,
            tags=merge_tags(service.tags, change),
            properties=merge_properties(service.properties, change),
        )

    def _earlier(self, connection: Any, service: AnyRow, done: Sequence[int], revision: int | None) -> int:
        if revision is not None:
            return revision
        present = revision_rows.get_plan(connection, service.uid, done[0]) if done else None
        for number in done[1:]:
            # A rollback's own copy is no step back: 1, 2, 3 (equals 1) goes back to 2.
            plan = revision_rows.get_plan(connection, service.uid, number)
            if plan is not None and present is not None and number != present.restores:
                return number
        raise Conflict(
            f"service {service.name!r} has no earlier revision to return to",
            hint=f"List them with `sendoff service revisions {service_flags(service.name, service.workspace)}`.",
        )


def _idle(connection: Any, ws: str, name: str) -> AnyRow:
    """The row of a service that no operation works on."""
    row = service_rows.get_service(connection, ws, name)
    operation_rows.refuse_if_busy(connection, row.uid, row.name)
    return row


def _another_kind(row: AnyRow, deployment: DeploymentSpec) -> bool:
    """Whether a deployment asks for a local service where another stands, or the other way round.

    In SDK v1 local services had names of their own: a script that deploys locally first and to the cloud then uses one
    name for both, and ``overwrite`` is to replace the one by the other.
    """
    asked = deployment.compute_type
    return asked is not None and asked != row.compute_type and LOCAL in (asked, row.compute_type)


def _replacing(row: AnyRow, deployment: DeploymentSpec) -> str:
    port = f" (port {row.port})" if row.port is not None else ""
    return (
        f"Replaces the service {row.name!r} of compute type {row.compute_type}{port}, which is deleted first with its "
        f"revisions: as {deployment.compute_type} it has another address."
    )
