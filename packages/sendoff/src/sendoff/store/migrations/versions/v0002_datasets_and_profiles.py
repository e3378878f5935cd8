"""Datastores with their files, datasets, profiles."""

import sqlalchemy as sa
from alembic import op

from sendoff.store.columns import Document, columns, keys, workspace

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "datastores",
        workspace(primary_key=True),
        *keys(sa.String(255), "name"),
        *columns(sa.Text, "type"),
        *columns(sa.Boolean, "is_default"),
        *columns(sa.Double, "created"),
        *columns(Document, "details"),
    )
    op.create_table(
        "datastore_files",
        *keys(sa.String(260), "workspace"),
        *keys(sa.String(255), "datastore"),
        *keys(sa.Text, "path"),
        *columns(sa.String(80), "digest"),
        *columns(sa.BigInteger, "size"),
        *columns(sa.Double, "modified"),
        sa.ForeignKeyConstraint(
            ["workspace", "datastore"], ["datastores.workspace", "datastores.name"], ondelete="CASCADE"
        ),
    )
    op.create_table(
        "datasets",
        *keys(sa.String(64), "id"),
        workspace(),
        *columns(sa.String(255), "name", null=True),
        *columns(sa.String(32), "kind", "state"),
        *columns(sa.Text, "deprecated_by", null=True),
        *columns(sa.Text, "description"),
        *columns(sa.Integer, "version", null=True),
        *columns(sa.Double, "created", "modified"),
        *columns(Document, "definition", "tags"),
        sa.UniqueConstraint("workspace", "name", "version"),
    )
    op.create_table(
        "profiles",
        *keys(sa.String(64), "id"),
        workspace(),
        *columns(sa.String(255), "name"),
        *columns(sa.Text, "description"),
        *columns(sa.Double, "created"),
        *columns(Document, "result", null=True),
        *columns(Document, "models", "request"),
    )
    op.create_index(op.f("ix_profiles_workspace_name"), "profiles", ["workspace", "name"])
