"""Create tables.

Runs `pre`: before the new release, while the previous one still serves on the same tables.
Large tables: add a column as nullable, fill it by a job, then add NOT NULL as a validated CHECK; build indexes with
op.create_index_concurrently in a step of its own; drop a column one release after the code stopped using it.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from tenantry.database.migrations import op
from tenantry.database.row_security import Policy

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Bring the schema to this version."""
    op.timeouts(lock="5s", statement="60s")  # rather fail and run again than make every request wait for our lock
    op.create_table(
        "outbox",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("aggregate_type", sa.String(length=60), nullable=False),
        sa.Column("aggregate_id", sa.Uuid(), nullable=True),
        sa.Column("data", postgresql.JSONB(), nullable=False),
        sa.Column("actor_kind", sa.String(length=20), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("request_id", sa.String(length=128), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        schema="shared",
    )
    op.enable_policies(
        "outbox",
        [
            Policy(
                "tenant_wall",
                "tenantry_app",
                using="tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid",
                restrictive=True,
            ),
            Policy("tenant_rows", "tenantry_app", using="true"),
            Policy("worker_rows", "tenantry_worker", using="true"),
        ],
        schema="shared",
    )
    op.grant("outbox", "tenantry_app", "SELECT, INSERT", schema="shared")
    op.grant("outbox", "tenantry_worker", "SELECT, UPDATE, DELETE", schema="shared")
    op.create_index(
        "ix_outbox_pending", "outbox", ["id"], unique=False, schema="shared", postgresql_where="seq IS NULL"
    )


def downgrade() -> None:
    """Take it back to the version before; what was only in the new columns and tables is lost."""
    op.timeouts(lock="5s", statement="60s")
    op.drop_table("outbox", schema="shared")
