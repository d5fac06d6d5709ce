"""Create tables.

Runs `pre`: before the new release, while the previous one still serves on the same tables.
Large tables: add a column as nullable, fill it by a job, then add NOT NULL as a validated CHECK; build indexes with
op.create_index_concurrently in a step of its own; drop a column one release after the code stopped using it.
"""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from tenantry.database.migrations import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Bring the schema to this version."""
    op.timeouts(lock="5s", statement="60s")  # rather fail and run again than make every request wait for our lock
    op.create_table(
        "audit_entries",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("actor_kind", sa.String(length=20), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.String(length=100), nullable=False),
        sa.Column("resource_type", sa.String(length=60), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=True),
        sa.Column("before", postgresql.JSONB(), nullable=True),
        sa.Column("after", postgresql.JSONB(), nullable=True),
        sa.Column("request_id", sa.String(length=128), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_audit_entries")),
    )
    op.enable_tenant_security("audit_entries", privileges="SELECT, INSERT")
    op.create_index(
        op.f("ix_audit_entries_tenant_id_resource_id"), "audit_entries", ["tenant_id", "resource_id"], unique=False
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("location", sa.String(length=500), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_idempotency_keys")),
    )
    op.enable_tenant_security("idempotency_keys")
    op.create_index("uq_idempotency_keys_actor", "idempotency_keys", ["tenant_id", "actor_id", "key"], unique=True)


def downgrade() -> None:
    """Take it back to the version before; what was only in the new columns and tables is lost."""
    op.timeouts(lock="5s", statement="60s")
    op.drop_table("idempotency_keys")
    op.drop_table("audit_entries")
