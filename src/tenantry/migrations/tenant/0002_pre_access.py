"""Access.

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
    op.create_table(
        "grants",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resource_type", sa.String(length=60), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("subject_type", sa.String(length=20), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.String(length=120, collation="C"), nullable=False),
        sa.Column("effect", sa.String(length=5, collation="C"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("effect IN ('allow', 'deny')", name=op.f("ck_grants_effect")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_grants")),
    )
    op.enable_tenant_security("grants")
    op.create_index(
        "ix_grants_subject",
        "grants",
        ["tenant_id", "effect", "subject_id", "action"],
        unique=False,
        postgresql_include=["record_id", "expires_at"],
    )
    op.create_index(
        "uq_grants_record", "grants", ["tenant_id", "record_id", "subject_id", "action", "effect"], unique=True
    )


def downgrade() -> None:
    """Take it back to the version before; what was only in the new columns and tables is lost."""
    op.timeouts(lock="5s", statement="60s")
    op.drop_table("grants")
