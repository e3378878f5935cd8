"""Drift detectors with their runs; events."""

import sqlalchemy as sa
from alembic import op

from sendoff.store.columns import Document, columns, keys, workspace

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "drift_detectors",
        *keys(sa.String(64), "id"),
        workspace(),
        *columns(sa.String(64), "name"),
        *columns(sa.Boolean, "enabled"),
        *columns(sa.Double, "next_run", null=True),
        *columns(sa.Double, "created"),
        *columns(Document, "settings"),
        sa.UniqueConstraint("workspace", "name"),
    )
    op.create_table(
        "drift_runs",
        *keys(sa.String(64), "id"),
        sa.Column("detector", sa.String(64), sa.ForeignKey("drift_detectors.id", ondelete="CASCADE"), nullable=False),
        *columns(sa.Double, "created"),
        *columns(Document, "content"),
    )
    op.create_index(op.f("ix_drift_runs_detector_created"), "drift_runs", ["detector", "created"])
    op.create_table(
        "events",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        workspace(),
        *columns(sa.String(255), "type"),
        *columns(sa.String(64), "id"),
        *columns(sa.Text, "subject"),
        *columns(sa.Double, "time"),
        *columns(Document, "data"),
        sa.UniqueConstraint("id"),
    )
    op.create_index(op.f("ix_events_workspace_type"), "events", ["workspace", "type"])
