"""The store: metadata (SQLAlchemy Core, Alembic), blobs and secrets under one home folder."""
