"""What lists are ordered and filtered by, in indexes; the labels of models."""

import hashlib

import sqlalchemy as sa
from alembic import op

from sendoff.store.columns import columns, keys

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_DROPPED = (
    ("operations", ("uid",)),
    ("runs", ("workspace", "experiment")),
    ("run_metrics", ("workspace", "run")),
    ("drift_runs", ("detector", "created")),
    ("events", ("workspace", "type")),
)
_MADE = (
    ("models", ("workspace", "created", "name", "version")),
    ("model_labels", ("workspace", "label", "created", "name", "version")),
    ("environments", ("workspace", "name", "created")),
    ("operations", ("uid", "created")),
    ("operations", ("workspace", "created", "id")),
    ("operations", ("workspace", "service", "created", "id")),
    ("operations", ("workspace", "type", "created", "id")),
    ("profiles", ("workspace", "created", "id")),
    ("experiments", ("workspace", "created", "name")),
    ("runs", ("workspace", "created", "number", "id")),
    ("runs", ("workspace", "experiment", "created", "number", "id")),
    ("runs", ("workspace", "parent", "created", "number", "id")),
    ("run_metrics", ("workspace", "run", "seq")),
    ("drift_runs", ("detector", "created", "id")),
    ("events", ("workspace", "number")),
    ("events", ("workspace", "type", "number")),
)


def upgrade() -> None:
    op.create_table(
        "model_labels",
        *keys(sa.String(260), "workspace"),
        *keys(sa.String(32), "label"),
        *keys(sa.String(255), "name"),
        *keys(sa.Integer, "version"),
        *columns(sa.Double, "created"),
        sqlite_with_rowid=False,
    )
    for table, dropped in _DROPPED:
        op.drop_index(op.f(f"ix_{table}_{'_'.join(dropped)}"), table)
    for table, made in _MADE:
        op.create_index(op.f(f"ix_{table}_{'_'.join(made)}"), table, list(made))
    _label_models()


def _label_models() -> None:
    """The rows of the models that are there: what ``registry.labels`` gave them when this was written."""
    models = sa.table("models", *(sa.column(name) for name in ("workspace", "name", "version", "created")))
    facts = sa.table(
        "models",
        *(sa.column(name) for name in ("workspace", "name", "version", "framework", "run_id", "created")),
        *(sa.column(name, sa.JSON()) for name in ("tags", "properties")),
    )
    labels = sa.table(
        "model_labels", *(sa.column(name) for name in ("workspace", "label", "name", "version", "created"))
    )
    connection = op.get_bind()
    newest = {
        (workspace, name): version
        for workspace, name, version in connection.execute(
            sa.select(models.c.workspace, models.c.name, sa.func.max(models.c.version)).group_by(
                models.c.workspace, models.c.name
            )
        )
    }
    rows = []
    for row in connection.execute(sa.select(facts)):
        texts: list[tuple[str, ...]] = [("framework", row.framework)] if row.framework else []
        texts += [("run", row.run_id)] if row.run_id else []
        for kind, pairs in (("tag", row.tags), ("property", row.properties)):
            texts += [(kind, key) for key in pairs] + [(kind, key, value) for key, value in pairs.items()]
        texts += [("latest",)] if newest[row.workspace, row.name] == row.version else []
        rows += [
            {
                "workspace": row.workspace,
                "label": hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest(),
                "name": row.name,
                "version": row.version,
                "created": row.created,
            }
            for parts in texts
        ]
    if rows:
        connection.execute(sa.insert(labels), rows)
