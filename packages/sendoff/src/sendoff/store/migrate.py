"""Bring a database to the schema that this Sendoff knows.

Alembic is imported only when there is something to do: every command opens the store (decisions/0001).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from ..errors import StoreError, StoreTooNew
from . import tables

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0007"
"""The newest migration. Names are numbers of four digits, so an unknown later one compares as greater."""

# As Alembic itself makes it.
_VERSION_TABLE = (
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
    "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
)


def version_of(connection: Connection) -> str | None:
    """The database's schema version; None for an empty database.

    Raises:
        StoreError: The database has tables, but not ours.
    """
    here = set(inspect(connection).get_table_names())
    if "alembic_version" in here:
        found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return found
    if here:
        raise StoreError(
            f"the database holds tables that are not Sendoff's ({', '.join(sorted(here)[:3])}…)",
            hint="Give Sendoff a database, or a home folder, of its own.",
        )
    return None


def check_known(version: str | None) -> None:
    """Refuse what a newer Sendoff wrote.

    Raises:
        StoreTooNew: Says which versions meet.
    """
    if version is not None and version > HEAD:
        raise StoreTooNew(
            f"the store was written by a newer Sendoff (schema {version}; this one knows up to {HEAD})",
            hint="Upgrade Sendoff, or set SENDOFF_HOME to another folder.",
            schema=version,
            known=HEAD,
        )


def upgrade(connection: Connection, revision: str = HEAD) -> None:
    """Bring the database to a revision inside the caller's transaction: wholly, or not at all.

    A new database is made at once, as the newest migration would leave it: a first command need not load Alembic.
    """
    if revision == HEAD and not inspect(connection).get_table_names():
        tables.metadata.create_all(connection)
        connection.execute(text(_VERSION_TABLE))
        connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})
        return
    from alembic import command

    config = configuration()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def configuration() -> Config:
    """Alembic's configuration: where the migrations lie, and nothing else."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config
