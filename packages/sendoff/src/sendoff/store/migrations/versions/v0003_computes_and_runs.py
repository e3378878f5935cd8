"""Compute targets, experiments and runs with what they log and keep."""

import sqlalchemy as sa
from alembic import op

from sendoff.store.columns import Document, columns, keys, workspace

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "computes",
        workspace(primary_key=True),
        *keys(sa.String(64), "name"),
        *columns(sa.String(32), "type"),
        *columns(sa.Text, "resource_id", "namespace", null=True),
        *columns(sa.Text, "location", "description"),
        *columns(sa.Boolean, "attached"),
        *columns(sa.Double, "created", "modified"),
        *columns(Document, "tags", "properties"),
    )
    op.create_table(
        "experiments",
        workspace(primary_key=True),
        *keys(sa.String(255), "name"),
        *columns(sa.String(64), "id"),
        *columns(sa.Integer, "last_number"),
        *columns(sa.Double, "archived", null=True),
        *columns(sa.Double, "created"),
        *columns(Document, "tags"),
    )
    op.create_table(
        "runs",
        workspace(primary_key=True),
        *keys(sa.String(255), "id"),
        *columns(sa.String(255), "parent", null=True),
        *columns(sa.String(255), "experiment"),
        *columns(sa.String(32), "status"),
        *columns(sa.Text, "display_name", "description", "type"),
        *columns(sa.Integer, "number"),
        *columns(sa.Double, "started", "ended", null=True),
        *columns(sa.Double, "created"),
        *columns(Document, "error", null=True),
        *columns(Document, "tags", "properties", "details"),
    )
    op.create_index(op.f("ix_runs_workspace_experiment"), "runs", ["workspace", "experiment"])
    op.create_table(
        "run_files",
        *keys(sa.String(260), "workspace"),
        *keys(sa.String(255), "run"),
        *keys(sa.Text, "path"),
        *columns(sa.String(80), "digest"),
        *columns(sa.BigInteger, "size"),
        sa.ForeignKeyConstraint(["workspace", "run"], ["runs.workspace", "runs.id"], ondelete="CASCADE"),
    )
    op.create_table(
        "run_metrics",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
        *columns(sa.String(255), "run"),
        *columns(sa.String(260), "workspace"),
        *columns(sa.String(32), "kind"),
        *columns(sa.Text, "name", "description"),
        *columns(sa.Integer, "step", null=True),
        *columns(sa.Double, "logged"),
        *columns(Document, "value", null=True),
        sa.ForeignKeyConstraint(["workspace", "run"], ["runs.workspace", "runs.id"], ondelete="CASCADE"),
    )
    op.create_index(op.f("ix_run_metrics_workspace_run"), "run_metrics", ["workspace", "run"])
