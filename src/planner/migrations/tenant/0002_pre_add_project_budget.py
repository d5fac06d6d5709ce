"""Add project budget.

Runs `pre`: before the new release, while the previous one still serves on the same tables.
Large tables: add a column as nullable, fill it by a job, then add NOT NULL as a validated CHECK; build indexes with
op.create_index_concurrently in a step of its own; drop a column one release after the code stopped using it.
"""

import sqlalchemy as sa

from tenantry.database.migrations import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Bring the schema to this version."""
    op.timeouts(lock="5s", statement="60s")  # rather fail and run again than make every request wait for our lock
    op.add_column("projects", sa.Column("budget_cents", sa.Integer(), nullable=True))
    op.create_check_constraint("ck_projects_budget_not_negative", "projects", "budget_cents >= 0")


def downgrade() -> None:
    """Take it back to the version before; what was only in the new columns and tables is lost."""
    op.timeouts(lock="5s", statement="60s")
    op.drop_constraint("ck_projects_budget_not_negative", "projects", type_="check")
    op.drop_column("projects", "budget_cents")
