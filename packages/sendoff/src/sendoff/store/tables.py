"""The tables of the metadata store, as SQLAlchemy Core.

Times are unix seconds. What is long stands at a row's end, so that a list need not read over it. Every change here
needs a migration in ``store/migrations/versions``: a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from .columns import Document, columns, keys, workspace

# Named constraints: without names a later migration cannot drop one on PostgreSQL.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

workspaces = Table(
    "workspaces",
    metadata,
    *keys(String(260), "name"),
    *columns(Text, "subscription_id", "resource_group", "location", "sku", "friendly_name"),
    *columns(Document, "tags"),
    *columns(Double, "created"),
)

# The counter outlives the versions that it gave out: a deleted version's number never comes back.
model_names = Table(
    "model_names", metadata, workspace(primary_key=True), *keys(String(255), "name"), *columns(Integer, "last_version")
)

models = Table(
    "models",
    metadata,
    workspace(primary_key=True),
    *keys(String(255), "name"),
    *keys(Integer, "version"),
    *columns(Double, "created", "modified"),
    *columns(BigInteger, "size"),
    *columns(Text, "description", "framework", "created_by"),
    *columns(Text, "framework_version", "sample_input_dataset_id", "sample_output_dataset_id", null=True),
    *columns(Text, "experiment_name", "run_id", null=True),
    *columns(Document, "resources", null=True),
    *columns(Document, "tags", "properties", "datasets", "scan", "detected", "files"),
    Index(None, "workspace", "created", "name", "version"),
)

# What a list of models can be filtered by, a row each: a digest of a tag with its value, of the tag alone, of the run…
# (``registry.labels``). With the list's order in the row, a page of any filter is a stretch of one index,
# however many or few match. No foreign key: it would need an index of its own, and one room writes both tables.
model_labels = Table(
    "model_labels",
    metadata,
    *keys(String(260), "workspace"),
    *keys(String(32), "label"),
    *keys(String(255), "name"),
    *keys(Integer, "version"),
    *columns(Double, "created"),
    Index(None, "workspace", "label", "created", "name", "version"),
    sqlite_with_rowid=False,
)

environments = Table(
    "environments",
    metadata,
    workspace(primary_key=True),
    *keys(String(255), "name"),
    *keys(String(255), "version"),
    *columns(String(80), "digest"),
    *columns(String(80), "lock_digest", null=True),
    *columns(Double, "created"),
    *columns(Document, "spec"),
    Index(None, "workspace", "name", "created"),
)

# ``spec_key`` is the digest of what a lock was resolved from; several specs may come to one lock.
locks = Table(
    "locks",
    metadata,
    *keys(String(80), "spec_key"),
    *columns(String(80), "digest"),
    *columns(Double, "created"),
    *columns(Document, "document"),
    Index(None, "digest"),
)

services = Table(
    "services",
    metadata,
    *keys(String(64), "uid"),
    workspace(),
    *columns(String(32), "name"),
    *columns(Text, "compute_type", "target", "description"),
    *columns(Document, "tags", "properties"),
    *columns(Boolean, "auth_enabled", "token_auth_enabled", "deleting"),
    *columns(Integer, "port", null=True),
    *columns(Integer, "wanted_revision"),
    *columns(Double, "created", "updated"),
    UniqueConstraint("workspace", "name"),
)

revisions = Table(
    "revisions",
    metadata,
    Column("uid", String(64), ForeignKey("services.uid", ondelete="CASCADE"), primary_key=True),
    *keys(Integer, "number"),
    *columns(Double, "created"),
    *columns(Document, "wanted"),
)

# An operation outlives its service (its history is still asked for), so ``uid`` refers to nothing.
# A lease names the runner's host, its boot, and its pid together with its start time: pids come back, the pair does
# not.
operations = Table(
    "operations",
    metadata,
    *keys(String(64), "id"),
    *columns(String(64), "uid"),
    *columns(String(260), "workspace"),
    *columns(String(32), "service", "state"),
    *columns(Text, "type"),
    *columns(Integer, "revision", null=True),
    *columns(String(255), "lease_host", null=True),
    *columns(String(64), "lease_boot", null=True),
    *columns(Integer, "lease_pid", null=True),
    *columns(Double, "lease_started", "lease_until", "ended", null=True),
    *columns(Integer, "attempts"),
    *columns(Boolean, "cancel_requested"),
    *columns(Double, "created"),
    *columns(Document, "error", null=True),
    *columns(Document, "steps", "notes", "request"),
    Index(None, "uid", "created"),
    Index(None, "state"),
    Index(None, "workspace", "created", "id"),
    Index(None, "workspace", "service", "created", "id"),
    Index(None, "workspace", "type", "created", "id"),
)

# A datastore is a name for a tree of paths; what is at a path lies in the blob store. One a workspace is the default.
datastores = Table(
    "datastores",
    metadata,
    workspace(primary_key=True),
    *keys(String(255), "name"),
    *columns(Text, "type"),
    *columns(Boolean, "is_default"),
    *columns(Double, "created"),
    *columns(Document, "details"),
)

datastore_files = Table(
    "datastore_files",
    metadata,
    *keys(String(260), "workspace"),
    *keys(String(255), "datastore"),
    *keys(Text, "path"),
    *columns(String(80), "digest"),
    *columns(BigInteger, "size"),
    *columns(Double, "modified"),
    ForeignKeyConstraint(["workspace", "datastore"], ["datastores.workspace", "datastores.name"], ondelete="CASCADE"),
)

# Each version has an id of its own. Without a name and version it is one that was saved for a job and not registered.
datasets = Table(
    "datasets",
    metadata,
    *keys(String(64), "id"),
    workspace(),
    *columns(String(255), "name", null=True),
    *columns(Integer, "version", null=True),
    *columns(String(32), "kind", "state"),
    *columns(Text, "description"),
    *columns(Text, "deprecated_by", null=True),
    *columns(Double, "created", "modified"),
    *columns(Document, "tags", "definition"),
    UniqueConstraint("workspace", "name", "version"),
)

# Its state and steps are its operation's; names come again, the newest of a name counts.
profiles = Table(
    "profiles",
    metadata,
    *keys(String(64), "id"),
    workspace(),
    *columns(String(255), "name"),
    *columns(Text, "description"),
    *columns(Double, "created"),
    *columns(Document, "result", null=True),
    *columns(Document, "models", "request"),
    Index(None, "workspace", "name"),
    Index(None, "workspace", "created", "id"),
)

computes = Table(
    "computes",
    metadata,
    workspace(primary_key=True),
    *keys(String(64), "name"),
    *columns(String(32), "type"),
    *columns(Text, "location", "description"),
    *columns(Text, "resource_id", "namespace", null=True),
    *columns(Boolean, "attached"),
    *columns(Double, "created", "modified"),
    *columns(Document, "tags", "properties"),
)

experiments = Table(
    "experiments",
    metadata,
    workspace(primary_key=True),
    *keys(String(255), "name"),
    *columns(String(64), "id"),
    *columns(Integer, "last_number"),
    *columns(Double, "created"),
    *columns(Double, "archived", null=True),
    *columns(Document, "tags"),
    Index(None, "workspace", "created", "name"),
)

runs = Table(
    "runs",
    metadata,
    workspace(primary_key=True),
    *keys(String(255), "id"),
    *columns(String(255), "experiment"),
    *columns(String(255), "parent", null=True),
    *columns(String(32), "status"),
    *columns(Integer, "number"),
    *columns(Text, "display_name", "description", "type"),
    *columns(Double, "created"),
    *columns(Double, "started", "ended", null=True),
    *columns(Document, "error", null=True),
    *columns(Document, "tags", "properties", "details"),
    Index(None, "workspace", "created", "number", "id"),
    Index(None, "workspace", "experiment", "created", "number", "id"),
    Index(None, "workspace", "parent", "created", "number", "id"),
)

# What a run logs is only ever added to: two processes of one run do not overwrite each other.
run_metrics = Table(
    "run_metrics",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    *columns(String(260), "workspace"),
    *columns(String(255), "run"),
    *columns(String(32), "kind"),
    *columns(Text, "name", "description"),
    *columns(Integer, "step", null=True),
    *columns(Double, "logged"),
    *columns(Document, "value", null=True),
    ForeignKeyConstraint(["workspace", "run"], ["runs.workspace", "runs.id"], ondelete="CASCADE"),
    Index(None, "workspace", "run", "seq"),
)

run_files = Table(
    "run_files",
    metadata,
    *keys(String(260), "workspace"),
    *keys(String(255), "run"),
    *keys(Text, "path"),
    *columns(String(80), "digest"),
    *columns(BigInteger, "size"),
    ForeignKeyConstraint(["workspace", "run"], ["runs.workspace", "runs.id"], ondelete="CASCADE"),
)

drift_detectors = Table(
    "drift_detectors",
    metadata,
    *keys(String(64), "id"),
    workspace(),
    *columns(String(64), "name"),
    *columns(Boolean, "enabled"),
    *columns(Double, "next_run", null=True),
    *columns(Double, "created"),
    *columns(Document, "settings"),
    UniqueConstraint("workspace", "name"),
)

drift_runs = Table(
    "drift_runs",
    metadata,
    *keys(String(64), "id"),
    Column("detector", String(64), ForeignKey("drift_detectors.id", ondelete="CASCADE"), nullable=False),
    *columns(Double, "created"),
    *columns(Document, "content"),
    Index(None, "detector", "created", "id"),
)

# What has happened, as CloudEvents; whoever routes them reads on from the last id he knows.
events = Table(
    "events",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    workspace(),
    *columns(String(255), "type"),
    *columns(Text, "subject"),
    *columns(Double, "time"),
    *columns(Document, "data"),
    Index(None, "workspace", "number"),
    Index(None, "workspace", "type", "number"),
)
