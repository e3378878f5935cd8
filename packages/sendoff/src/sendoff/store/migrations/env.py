"""Alembic runs this. The connection and its transaction are the caller's (``store.migrate.upgrade``)."""

from alembic import context

from sendoff.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,
    render_as_batch=True,
    compare_type=True,
)
context.run_migrations()
