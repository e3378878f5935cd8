"""What runs refer to."""

from __future__ import annotations

from sqlalchemy import Connection, select

from ..store.in_use import Dropped, References
from ..store.tables import run_files


def in_use(connection: Connection, dropped: Dropped) -> References:
    """Blobs of runs' files."""
    return References(blobs=set(connection.scalars(select(run_files.c.digest))))
