"""Rows of experiments and runs into views."""

from __future__ import annotations

from sqlalchemy import Connection, RowMapping, select

from ..spec.parse import decode
from ..spec.run import Experiment, Metric, Run
from ..store.in_use import Dropped, References
from ..store.tables import run_files


def experiment_of(row: RowMapping) -> Experiment:
    """A row of ``experiments``."""
    values = {str(name): value for name, value in row.items() if name not in ("workspace", "last_number")}
    values["created_time"] = values.pop("created")
    values["archived_time"] = values.pop("archived")
    return decode(values, Experiment, where="the store")


def run_of(row: RowMapping) -> Run:
    """A row of ``runs``."""
    values = {str(name): value for name, value in row.items() if name != "workspace"}
    for column, field in (("created", "created_time"), ("started", "start_time"), ("ended", "end_time")):
        values[field] = values.pop(column)
    return decode(values, Run, where="the store")


def metric_of(row: RowMapping) -> Metric:
    """A row of ``run_metrics``."""
    return Metric(
        name=row["name"], kind=row["kind"], value=row["value"], step=row["step"], description=row["description"]
    )


def in_use(connection: Connection, dropped: Dropped) -> References:
    """Blobs of runs' files."""
    return References(blobs=set(connection.scalars(select(run_files.c.digest))))
