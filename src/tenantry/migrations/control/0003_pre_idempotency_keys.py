"""Idempotency keys of the control plane, and versions of memberships.

Runs `pre`: before the new release, while the previous one still serves on the same tables.
"""

import sqlalchemy as sa

from tenantry.database.migrations import op
from tenantry.database.row_security import Policy

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Bring the schema to this version."""
    op.timeouts(lock="5s", statement="60s")
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
        schema="control",
    )
    op.enable_policies(
        "idempotency_keys",
        [
            Policy(
                "tenant_rows",
                "tenantry_control",
                using="tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid",
            )
        ],
        schema="control",
    )
    op.grant("idempotency_keys", "tenantry_control", "SELECT, INSERT, UPDATE, DELETE", schema="control")
    op.create_index(
        "uq_idempotency_keys_actor",
        "idempotency_keys",
        ["tenant_id", "actor_id", "key"],
        unique=True,
        schema="control",
    )
    op.add_column(
        "memberships",
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        schema="control",
    )


def downgrade() -> None:
    """Take it back to the version before; what was only in the new columns and tables is lost."""
    op.timeouts(lock="5s", statement="60s")
    op.drop_column("memberships", "version", schema="control")
    op.drop_table("idempotency_keys", schema="control")
