"""The store: metadata (SQLAlchemy Core, Alembic), blobs and secrets under one home folder."""

from __future__ import annotations

from .blobs import BlobStore
from .opening import Store, open_store

__all__ = ["BlobStore", "Store", "open_store"]
