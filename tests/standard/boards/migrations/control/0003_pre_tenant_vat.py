"""The number of a tenant at the tax office.

Runs `pre`: before the new release, while the previous one still serves on the same tables.
"""

import sqlalchemy as sa

from tenantry.database.migrations import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Bring the schema to this version."""
    op.timeouts(lock="5s", statement="60s")
    op.add_column("tenants", sa.Column("vat", sa.String(length=20, collation="C"), nullable=True), schema="control")


def downgrade() -> None:
    """Take it back to the version before; what was only in the new columns and tables is lost."""
    op.timeouts(lock="5s", statement="60s")
    op.drop_column("tenants", "vat", schema="control")
