"""A lease names its holder's host and boot, and ends by itself."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A runner of an older Sendoff may be at work: what it wrote is a lease of this host, and it reads what it knows.
    op.add_column("operations", sa.Column("lease_host", sa.String(length=255), nullable=True))
    op.add_column("operations", sa.Column("lease_boot", sa.String(length=64), nullable=True))
    op.add_column("operations", sa.Column("lease_until", sa.Double(), nullable=True))
