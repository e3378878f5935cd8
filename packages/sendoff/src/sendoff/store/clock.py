"""The store's time: what processes compare that may be on different machines."""

from __future__ import annotations

import time

from sqlalchemy import Connection


def now(connection: Connection) -> float:
    """Unix time as everybody who uses this store sees it.

    SQLite has none of its own: this machine's. A database server's clock belongs here, and nowhere else.
    """
    return time.time()
