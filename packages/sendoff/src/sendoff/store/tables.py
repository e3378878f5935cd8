"""The tables of the metadata store, as SQLAlchemy Core.

Times are unix seconds. JSON columns hold what ``spec.parse.to_builtins`` gives; ``None`` is SQL's NULL. Every change
here needs a migration in ``store/migrations/versions``: a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
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

# Named constraints: without names a later migration cannot drop one on PostgreSQL.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_JSON = JSON(none_as_null=True)


def _workspace(*, primary_key: bool = False) -> Column[str]:
    return Column("workspace", String(260), ForeignKey("workspaces.name"), primary_key=primary_key, nullable=False)


workspaces = Table(
    "workspaces",
    metadata,
    Column("name", String(260), primary_key=True),
    Column("subscription_id", Text, nullable=False),
    Column("resource_group", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("sku", Text, nullable=False),
    Column("friendly_name", Text, nullable=False),
    Column("tags", _JSON, nullable=False),
    Column("created", Double, nullable=False),
)

# The counter outlives the versions that it gave out: a deleted version's number never comes back.
model_names = Table(
    "model_names",
    metadata,
    _workspace(primary_key=True),
    Column("name", String(255), primary_key=True),
    Column("last_version", Integer, nullable=False),
)

models = Table(
    "models",
    metadata,
    _workspace(primary_key=True),
    Column("name", String(255), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("description", Text, nullable=False),
    Column("tags", _JSON, nullable=False),
    Column("properties", _JSON, nullable=False),
    Column("framework", Text, nullable=False),
    Column("framework_version", Text),
    Column("resources", _JSON),
    Column("datasets", _JSON, nullable=False),
    Column("sample_input_dataset_id", Text),
    Column("sample_output_dataset_id", Text),
    Column("experiment_name", Text),
    Column("run_id", Text),
    Column("created_by", Text, nullable=False),
    Column("created", Double, nullable=False),
    Column("modified", Double, nullable=False),
    Column("files", _JSON, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("scan", _JSON, nullable=False),
    Column("detected", _JSON, nullable=False),
    Index(None, "workspace", "created", "name", "version"),
)

# What a list of models can be filtered by, a row each: a digest of a tag with its value, of the tag alone, of the run…
# (``registry.labels``). With the list's order in the row, a page of any filter is a stretch of one index,
# however many or few match. No foreign key: it would need an index of its own, and one room writes both tables.
model_labels = Table(
    "model_labels",
    metadata,
    Column("workspace", String(260), primary_key=True, nullable=False),
    Column("label", String(32), primary_key=True, nullable=False),
    Column("name", String(255), primary_key=True, nullable=False),
    Column("version", Integer, primary_key=True, autoincrement=False, nullable=False),
    Column("created", Double, nullable=False),
    Index(None, "workspace", "label", "created", "name", "version"),
    sqlite_with_rowid=False,
)

environments = Table(
    "environments",
    metadata,
    _workspace(primary_key=True),
    Column("name", String(255), primary_key=True),
    Column("version", String(255), primary_key=True),
    Column("digest", String(80), nullable=False),
    Column("spec", _JSON, nullable=False),
    Column("created", Double, nullable=False),
    Column("lock_digest", String(80)),
    Index(None, "workspace", "name", "created"),
)

# ``spec_key`` is the digest of what a lock was resolved from; several specs may come to one lock.
locks = Table(
    "locks",
    metadata,
    Column("spec_key", String(80), primary_key=True),
    Column("digest", String(80), nullable=False),
    Column("document", _JSON, nullable=False),
    Column("created", Double, nullable=False),
    Index(None, "digest"),
)

services = Table(
    "services",
    metadata,
    Column("uid", String(64), primary_key=True),
    _workspace(),
    Column("name", String(32), nullable=False),
    Column("compute_type", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("tags", _JSON, nullable=False),
    Column("properties", _JSON, nullable=False),
    Column("auth_enabled", Boolean, nullable=False),
    Column("token_auth_enabled", Boolean, nullable=False),
    Column("port", Integer),
    Column("wanted_revision", Integer, nullable=False),
    Column("created", Double, nullable=False),
    Column("updated", Double, nullable=False),
    Column("deleting", Boolean, nullable=False),
    UniqueConstraint("workspace", "name"),
)

revisions = Table(
    "revisions",
    metadata,
    Column("uid", String(64), ForeignKey("services.uid", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("wanted", _JSON, nullable=False),
    Column("created", Double, nullable=False),
)

# An operation outlives its service (its history is still asked for), so ``uid`` refers to nothing.
# A lease names the runner's host, its boot, and its pid together with its start time: pids come back, the pair does
# not.
operations = Table(
    "operations",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("uid", String(64), nullable=False),
    Column("workspace", String(260), nullable=False),
    Column("service", String(32), nullable=False),
    Column("type", Text, nullable=False),
    Column("revision", Integer),
    Column("state", String(32), nullable=False),
    Column("steps", _JSON, nullable=False),
    Column("error", _JSON),
    Column("notes", _JSON, nullable=False),
    Column("request", _JSON, nullable=False),
    Column("lease_host", String(255)),
    Column("lease_boot", String(64)),
    Column("lease_pid", Integer),
    Column("lease_started", Double),
    Column("lease_until", Double),
    Column("attempts", Integer, nullable=False),
    Column("cancel_requested", Boolean, nullable=False),
    Column("created", Double, nullable=False),
    Column("ended", Double),
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
    _workspace(primary_key=True),
    Column("name", String(255), primary_key=True),
    Column("type", Text, nullable=False),
    Column("details", _JSON, nullable=False),
    Column("is_default", Boolean, nullable=False),
    Column("created", Double, nullable=False),
)

datastore_files = Table(
    "datastore_files",
    metadata,
    Column("workspace", String(260), primary_key=True, nullable=False),
    Column("datastore", String(255), primary_key=True, nullable=False),
    Column("path", Text, primary_key=True, nullable=False),
    Column("digest", String(80), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("modified", Double, nullable=False),
    ForeignKeyConstraint(["workspace", "datastore"], ["datastores.workspace", "datastores.name"], ondelete="CASCADE"),
)

# Each version has an id of its own. Without a name and version it is one that was saved for a job and not registered.
datasets = Table(
    "datasets",
    metadata,
    Column("id", String(64), primary_key=True),
    _workspace(),
    Column("name", String(255)),
    Column("version", Integer),
    Column("kind", String(32), nullable=False),
    Column("definition", _JSON, nullable=False),
    Column("description", Text, nullable=False),
    Column("tags", _JSON, nullable=False),
    Column("state", String(32), nullable=False),
    Column("deprecated_by", Text),
    Column("created", Double, nullable=False),
    Column("modified", Double, nullable=False),
    UniqueConstraint("workspace", "name", "version"),
)

# Its state and steps are its operation's; names come again, the newest of a name counts.
profiles = Table(
    "profiles",
    metadata,
    Column("id", String(64), primary_key=True),
    _workspace(),
    Column("name", String(255), nullable=False),
    Column("models", _JSON, nullable=False),
    Column("description", Text, nullable=False),
    Column("request", _JSON, nullable=False),
    Column("result", _JSON),
    Column("created", Double, nullable=False),
    Index(None, "workspace", "name"),
    Index(None, "workspace", "created", "id"),
)

computes = Table(
    "computes",
    metadata,
    _workspace(primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("type", String(32), nullable=False),
    Column("location", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("tags", _JSON, nullable=False),
    Column("attached", Boolean, nullable=False),
    Column("resource_id", Text),
    Column("namespace", Text),
    Column("properties", _JSON, nullable=False),
    Column("created", Double, nullable=False),
    Column("modified", Double, nullable=False),
)

experiments = Table(
    "experiments",
    metadata,
    _workspace(primary_key=True),
    Column("name", String(255), primary_key=True),
    Column("id", String(64), nullable=False),
    Column("tags", _JSON, nullable=False),
    Column("last_number", Integer, nullable=False),
    Column("created", Double, nullable=False),
    Column("archived", Double),
    Index(None, "workspace", "created", "name"),
)

runs = Table(
    "runs",
    metadata,
    _workspace(primary_key=True),
    Column("id", String(255), primary_key=True),
    Column("experiment", String(255), nullable=False),
    Column("number", Integer, nullable=False),
    Column("parent", String(255)),
    Column("display_name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("status", String(32), nullable=False),
    Column("tags", _JSON, nullable=False),
    Column("properties", _JSON, nullable=False),
    Column("details", _JSON, nullable=False),
    Column("error", _JSON),
    Column("created", Double, nullable=False),
    Column("started", Double),
    Column("ended", Double),
    Index(None, "workspace", "created", "number", "id"),
    Index(None, "workspace", "experiment", "created", "number", "id"),
    Index(None, "workspace", "parent", "created", "number", "id"),
)

# What a run logs is only ever added to: two processes of one run do not overwrite each other.
run_metrics = Table(
    "run_metrics",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("workspace", String(260), nullable=False),
    Column("run", String(255), nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("value", _JSON),
    Column("step", Integer),
    Column("description", Text, nullable=False),
    Column("logged", Double, nullable=False),
    ForeignKeyConstraint(["workspace", "run"], ["runs.workspace", "runs.id"], ondelete="CASCADE"),
    Index(None, "workspace", "run", "seq"),
)

run_files = Table(
    "run_files",
    metadata,
    Column("workspace", String(260), primary_key=True, nullable=False),
    Column("run", String(255), primary_key=True, nullable=False),
    Column("path", Text, primary_key=True, nullable=False),
    Column("digest", String(80), nullable=False),
    Column("size", BigInteger, nullable=False),
    ForeignKeyConstraint(["workspace", "run"], ["runs.workspace", "runs.id"], ondelete="CASCADE"),
)

drift_detectors = Table(
    "drift_detectors",
    metadata,
    Column("id", String(64), primary_key=True),
    _workspace(),
    Column("name", String(64), nullable=False),
    Column("settings", _JSON, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("next_run", Double),
    Column("created", Double, nullable=False),
    UniqueConstraint("workspace", "name"),
)

drift_runs = Table(
    "drift_runs",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("detector", String(64), ForeignKey("drift_detectors.id", ondelete="CASCADE"), nullable=False),
    Column("content", _JSON, nullable=False),
    Column("created", Double, nullable=False),
    Index(None, "detector", "created", "id"),
)

# What has happened, as CloudEvents; whoever routes them reads on from the last id he knows.
events = Table(
    "events",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    _workspace(),
    Column("type", String(255), nullable=False),
    Column("subject", Text, nullable=False),
    Column("time", Double, nullable=False),
    Column("data", _JSON, nullable=False),
    Index(None, "workspace", "number"),
    Index(None, "workspace", "type", "number"),
)
