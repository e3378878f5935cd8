"""The first tables."""

import sqlalchemy as sa
from alembic import op

from sendoff.store.columns import Document, columns, keys, workspace

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "locks",
        *keys(sa.String(80), "spec_key"),
        *columns(sa.String(80), "digest"),
        *columns(sa.Double, "created"),
        *columns(Document, "document"),
    )
    op.create_index(op.f("ix_locks_digest"), "locks", ["digest"])
    op.create_table(
        "operations",
        *keys(sa.String(64), "id"),
        *columns(sa.String(260), "workspace"),
        *columns(sa.String(32), "service", "state"),
        *columns(sa.String(64), "uid"),
        *columns(sa.Text, "type"),
        *columns(sa.Integer, "revision", "lease_pid", null=True),
        *columns(sa.Integer, "attempts"),
        *columns(sa.Boolean, "cancel_requested"),
        *columns(sa.Double, "lease_started", "ended", null=True),
        *columns(sa.Double, "created"),
        *columns(Document, "error", null=True),
        *columns(Document, "steps", "notes", "request"),
    )
    op.create_index(op.f("ix_operations_state"), "operations", ["state"])
    op.create_index(op.f("ix_operations_uid"), "operations", ["uid"])
    op.create_table(
        "workspaces",
        *keys(sa.String(260), "name"),
        *columns(sa.Text, "subscription_id", "resource_group", "location", "sku", "friendly_name"),
        *columns(sa.Double, "created"),
        *columns(Document, "tags"),
    )
    op.create_table(
        "environments",
        workspace(primary_key=True),
        *keys(sa.String(255), "name"),
        *keys(sa.String(255), "version"),
        *columns(sa.String(80), "lock_digest", null=True),
        *columns(sa.String(80), "digest"),
        *columns(sa.Double, "created"),
        *columns(Document, "spec"),
    )
    op.create_table(
        "model_names",
        workspace(primary_key=True),
        *keys(sa.String(255), "name"),
        *columns(sa.Integer, "last_version"),
    )
    op.create_table(
        "models",
        workspace(primary_key=True),
        *keys(sa.String(255), "name"),
        *keys(sa.Integer, "version"),
        *columns(sa.Text, "framework_version", "sample_input_dataset_id", "sample_output_dataset_id", null=True),
        *columns(sa.Text, "experiment_name", "run_id", null=True),
        *columns(sa.Text, "description", "framework", "created_by"),
        *columns(sa.BigInteger, "size"),
        *columns(sa.Double, "created", "modified"),
        *columns(Document, "resources", null=True),
        *columns(Document, "tags", "properties", "datasets", "files", "scan", "detected"),
    )
    op.create_table(
        "services",
        *keys(sa.String(64), "uid"),
        workspace(),
        *columns(sa.String(32), "name"),
        *columns(sa.Text, "compute_type", "target", "description"),
        *columns(sa.Integer, "port", null=True),
        *columns(sa.Integer, "wanted_revision"),
        *columns(sa.Boolean, "auth_enabled", "token_auth_enabled", "deleting"),
        *columns(sa.Double, "created", "updated"),
        *columns(Document, "tags", "properties"),
        sa.UniqueConstraint("workspace", "name"),
    )
    op.create_table(
        "revisions",
        sa.Column("uid", sa.String(64), sa.ForeignKey("services.uid", ondelete="CASCADE"), primary_key=True),
        *keys(sa.Integer, "number"),
        *columns(sa.Double, "created"),
        *columns(Document, "wanted"),
    )
