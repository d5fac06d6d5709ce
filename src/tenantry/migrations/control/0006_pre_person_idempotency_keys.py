"""Idempotency keys of people outside of any tenant.

Runs `pre`: before the new release, while the previous one still serves on the same tables.
"""

import sqlalchemy as sa

from tenantry.database.migrations import op
from tenantry.database.row_security import Policy

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Bring the schema to this version."""
    op.timeouts(lock="5s", statement="60s")
    op.create_table(
        "person_idempotency_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("location", sa.String(length=500), nullable=True),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_idempotency_keys")),
        schema="control",
    )
    op.enable_policies(
        "person_idempotency_keys",
        [
            Policy(
                "own_rows",
                "tenantry_control",
                using="actor_id = NULLIF(current_setting('app.user_id', true), '')::uuid",
            )
        ],
        schema="control",
    )
    op.grant("person_idempotency_keys", "tenantry_control", "SELECT, INSERT, UPDATE, DELETE", schema="control")
    op.create_index(
        "uq_person_idempotency_keys_actor",
        "person_idempotency_keys",
        ["actor_id", "key"],
        unique=True,
        schema="control",
    )


def downgrade() -> None:
    """Take it back to the version before; what was only in the new columns and tables is lost."""
    op.timeouts(lock="5s", statement="60s")
    op.drop_table("person_idempotency_keys", schema="control")
