"""Service accounts have a sponsor: whoever made them.

Runs `pre`: before the new release, while the previous one still serves on the same tables.
"""

import sqlalchemy as sa

from tenantry.database.migrations import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Bring the schema to this version."""
    op.timeouts(lock="5s", statement="60s")
    op.add_column("service_accounts", sa.Column("sponsor_id", sa.Uuid(), nullable=True), schema="control")
    op.add_column(
        "service_accounts", sa.Column("suspended_at", sa.DateTime(timezone=True), nullable=True), schema="control"
    )
    op.backfill(
        "service_accounts",
        "UPDATE control.service_accounts"
        " SET sponsor_id = NULLIF(created_by, '00000000-0000-0000-0000-000000000000'::uuid)",
        schema="control",
    )


def downgrade() -> None:
    """Take it back to the version before; what was only in the new columns and tables is lost."""
    op.timeouts(lock="5s", statement="60s")
    op.drop_column("service_accounts", "suspended_at", schema="control")
    op.drop_column("service_accounts", "sponsor_id", schema="control")
