"""What datasets and datastores refer to."""

from __future__ import annotations

from sqlalchemy import Connection, select

from ..store.in_use import Dropped, References
from ..store.tables import datasets, datastore_files


def in_use(connection: Connection, dropped: Dropped) -> References:
    """Blobs that datasets' own definitions name, and those that lie in datastores."""
    blobs = set(connection.scalars(select(datastore_files.c.digest)))
    for definition in connection.scalars(select(datasets.c.definition)):
        for source in definition.get("sources", []):
            blobs |= {file["digest"] for file in source.get("files", [])}
    return References(blobs=blobs)
