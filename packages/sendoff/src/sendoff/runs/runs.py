"""Experiments and their runs on the store (spec/surface.md sec. 2.15)."""

from __future__ import annotations

import builtins
import time
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from ..errors import AlreadyExists, Conflict, ExperimentNotFound, InvalidInput, RunNotFound
from ..registry import Registry
from ..spec.model import ManifestFile, check_manifest
from ..spec.names import check_experiment
from ..spec.page import ALL, Listed, Window
from ..spec.parse import did_you_mean, to_builtins
from ..spec.run import (
    FINAL,
    RUNNING,
    STATES,
    CreateExperiment,
    Experiment,
    Metric,
    Run,
    StartRun,
    UpdateExperiment,
    UpdateRun,
)
from ..store import Store
from ..store.in_use import Dropped, References
from ..store.pages import select_page
from ..store.rows import named, names, view
from ..store.tables import experiments, run_files, run_metrics, runs


class Runs:
    """Experiments and runs of all workspaces. Methods are whole: each does all or nothing."""

    def __init__(self, store: Store, registry: Registry) -> None:
        self._store = store
        self._registry = registry

    def experiment(self, workspace: str, body: CreateExperiment) -> Experiment:
        """The experiment of that name, made when there is none, as SDK v1 did.

        Raises:
            WorkspaceNotFound, InvalidInput: No such workspace; no name for an experiment.
        """
        self._registry.workspace(workspace)
        check_experiment(body.name)
        try:
            with self._store.begin() as connection:
                connection.execute(
                    insert(experiments).values(
                        workspace=workspace,
                        name=body.name,
                        id=str(uuid.uuid4()),
                        tags={},
                        last_number=0,
                        created=time.time(),
                    )
                )
        except IntegrityError:
            pass  # it is there
        return self.get_experiment(workspace, body.name)

    def get_experiment(self, workspace: str, name: str) -> Experiment:
        """One experiment.

        Raises:
            WorkspaceNotFound, ExperimentNotFound: The hint names the nearest.
        """
        self._registry.workspace(workspace)
        with self._store.read() as connection:
            return view(_experiment(connection, workspace, name), Experiment)

    def experiments(self, workspace: str, *, window: Window = ALL) -> Listed[Experiment]:
        """All experiments, newest first."""
        self._registry.workspace(workspace)
        query = select(experiments).where(experiments.c.workspace == workspace)
        order = [experiments.c.created.desc(), experiments.c.name.desc()]
        with self._store.read() as connection:
            return select_page(connection, query, order, window, lambda row: view(row, Experiment))

    def update_experiment(self, workspace: str, name: str, body: UpdateExperiment) -> Experiment:
        """Change tags, archive it or take it back."""
        with self._store.begin() as connection:
            before = view(_experiment(connection, workspace, name), Experiment)
            values: dict[str, Any] = {"tags": _changed(before.tags, body.add_tags, body.remove_tags)}
            if body.archived is not None:
                values["archived"] = time.time() if body.archived else None
            where = (experiments.c.workspace == workspace, experiments.c.name == name)
            connection.execute(update(experiments).where(*where).values(**values))
        return self.get_experiment(workspace, name)

    def delete_experiment(self, workspace: str, name: str) -> None:
        """Delete an experiment that has no runs.

        Raises:
            Conflict: It has runs.
        """
        with self._store.begin() as connection:
            _experiment(connection, workspace, name)
            where = (runs.c.workspace == workspace, runs.c.experiment == name)
            if connection.execute(select(runs.c.id).where(*where).limit(1)).first() is not None:
                raise Conflict(f"experiment {name!r} has runs", hint="archive() hides it; its runs stay.")
            connection.execute(
                delete(experiments).where(experiments.c.workspace == workspace, experiments.c.name == name)
            )

    def start(self, workspace: str, experiment: str, body: StartRun) -> Run:
        """Begin a run; its number is the next of its experiment.

        Raises:
            ExperimentNotFound, RunNotFound: No such experiment, or parent.
            AlreadyExists: The id is taken.
        """
        _check_status(body.status)
        id = body.id or str(uuid.uuid4())
        now = time.time()
        try:
            with self._store.begin() as connection:
                found = _experiment(connection, workspace, experiment)
                if body.parent is not None:
                    _run(connection, workspace, body.parent)
                number = int(found.last_number) + 1
                where = (experiments.c.workspace == workspace, experiments.c.name == experiment)
                connection.execute(update(experiments).where(*where).values(last_number=number))
                values: dict[str, Any] = to_builtins(body)
                values.update(id=id, number=number, workspace=workspace, experiment=experiment, description="")
                values.update(created=now, started=now if body.status == RUNNING else None)
                connection.execute(insert(runs).values(**values))
        except IntegrityError:
            raise AlreadyExists(f"run {id!r} exists already", hint="Leave the id out: one is made.", name=id) from None
        return self.get(workspace, id)

    def get(self, workspace: str, id: str) -> Run:
        """One run.

        Raises:
            WorkspaceNotFound, RunNotFound: There is none.
        """
        self._registry.workspace(workspace)
        with self._store.read() as connection:
            return view(_run(connection, workspace, id), Run)

    def list(
        self, workspace: str, *, experiment: str | None = None, parent: str | None = None, window: Window = ALL
    ) -> Listed[Run]:
        """Runs, newest first: all, those of an experiment, or the children of one."""
        self._registry.workspace(workspace)
        query = select(runs).where(runs.c.workspace == workspace)
        if experiment is not None:
            query = query.where(runs.c.experiment == experiment)
        if parent is not None:
            query = query.where(runs.c.parent == parent)
        order = [runs.c.created.desc(), runs.c.number.desc(), runs.c.id.desc()]
        with self._store.read() as connection:
            return select_page(connection, query, order, window, lambda row: view(row, Run))

    def update(self, workspace: str, id: str, body: UpdateRun) -> Run:
        """Change what is given.

        Raises:
            RunNotFound: There is none.
            Conflict: A property is set to another value, or a run that has ended would go on.
        """
        with self._store.begin() as connection:
            before = view(_run(connection, workspace, id), Run)
            taken = {key for key, value in body.add_properties.items() if before.properties.get(key, value) != value}
            if taken:
                raise Conflict(f"run {id!r}: properties {', '.join(sorted(taken))} are set and cannot change")
            values: dict[str, Any] = {
                "tags": _changed(before.tags, body.add_tags, body.remove_tags),
                "properties": {**before.properties, **body.add_properties},
                "details": {**before.details, **body.details},
            }
            if body.display_name is not None:
                values["display_name"] = body.display_name
            if body.description is not None:
                values["description"] = body.description
            if body.error is not None:
                values["error"] = body.error
            if body.status is not None:
                values.update(_moved(before, body.status))
            connection.execute(update(runs).where(runs.c.workspace == workspace, runs.c.id == id).values(**values))
        return self.get(workspace, id)

    def log(self, workspace: str, id: str, metrics: Sequence[Metric]) -> None:
        """Add what a run logs.

        Raises:
            RunNotFound: There is none.
        """
        rows = [{**to_builtins(one), "workspace": workspace, "run": id, "logged": time.time()} for one in metrics]
        with self._store.begin() as connection:
            _run(connection, workspace, id)
            if rows:
                connection.execute(insert(run_metrics), rows)

    def metrics(self, workspace: str, id: str, *, window: Window = ALL) -> Listed[Metric]:
        """What a run logged, in the order it did."""
        query = select(run_metrics).where(run_metrics.c.workspace == workspace, run_metrics.c.run == id)
        with self._store.read() as connection:
            _run(connection, workspace, id)
            return select_page(connection, query, [run_metrics.c.seq], window, lambda row: view(row, Metric))

    def add_files(self, workspace: str, id: str, files: Sequence[ManifestFile]) -> builtins.list[ManifestFile]:
        """Keep files of a run; the blobs are in the store already. A path that is there is replaced.

        Raises:
            RunNotFound: There is none.
            InvalidInput: A path that could leave its folder.
            Conflict: A blob is not in the store.
        """
        check_manifest(files)
        absent = self._store.blobs.missing([file.digest for file in files])
        if absent:
            raise Conflict(f"{len(absent)} of the files are not in the blob store", missing=list(absent))
        with self._store.begin() as connection:
            _run(connection, workspace, id)
            for file in files:
                where = (run_files.c.workspace == workspace, run_files.c.run == id, run_files.c.path == file.path)
                connection.execute(delete(run_files).where(*where))
                connection.execute(insert(run_files).values(**to_builtins(file), workspace=workspace, run=id))
        return self.files(workspace, id)

    def files(self, workspace: str, id: str, *, window: Window = ALL) -> Listed[ManifestFile]:
        """A run's files by path."""
        query = select(run_files).where(run_files.c.workspace == workspace, run_files.c.run == id)
        with self._store.read() as connection:
            _run(connection, workspace, id)
            return select_page(connection, query, [run_files.c.path], window, lambda row: view(row, ManifestFile))


def _experiment(connection: Connection, workspace: str, name: str) -> Row[Any]:
    row = named(connection, experiments, workspace, name)
    if row is None:
        known = names(connection, experiments, workspace)
        raise ExperimentNotFound(
            f"no experiment {name!r} in workspace {workspace!r}",
            hint=did_you_mean(name, known, "Experiment(workspace, name) makes one."),
            name=name,
        )
    return row


def _run(connection: Connection, workspace: str, id: str) -> Row[Any]:
    row = connection.execute(select(runs).where(runs.c.workspace == workspace, runs.c.id == id)).first()
    if row is None:
        raise RunNotFound(
            f"RunId {id} not found in workspace {workspace!r}", hint="'sendoff run list' names those there are.", id=id
        )
    return row


def _moved(before: Run, status: str) -> dict[str, Any]:
    _check_status(status)
    if before.status in FINAL and status not in FINAL:
        raise Conflict(f"run {before.id!r} is {before.status} and does not go on", hint="Start another run.")
    values: dict[str, Any] = {"status": status}
    if status == RUNNING and before.start_time is None:
        values["started"] = time.time()
    if status in FINAL and before.end_time is None:
        values["ended"] = time.time()
    return values


def _check_status(status: str) -> None:
    if status not in STATES:
        raise InvalidInput(f"run status {status!r} is not known", hint=f"Known: {', '.join(STATES)}.", field="status")


def _changed(before: dict[str, str], add: dict[str, str], remove: Sequence[str]) -> dict[str, str]:
    return {key: value for key, value in {**before, **add}.items() if key not in remove}


def in_use(connection: Connection, dropped: Dropped) -> References:
    """Blobs of runs' files."""
    return References(blobs=set(connection.scalars(select(run_files.c.digest))))
