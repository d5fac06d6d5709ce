"""Notes about tenants.

Runs `pre`: before the new release, while the previous one still serves on the same tables.
"""

import sqlalchemy as sa

from tenantry.database.migrations import op
from tenantry.database.row_security import tenant_or_own

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Bring the schema to this version."""
    op.timeouts(lock="5s", statement="60s")
    op.create_table(
        "tenant_notes",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.String(length=200, collation="C"), nullable=False),
        sa.Column("phone", sa.String(length=30), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["control.tenants.id"], name=op.f("fk_tenant_notes_tenant_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_tenant_notes")),
        schema="control",
    )
    op.enable_policies("tenant_notes", tenant_or_own(), schema="control")
    op.grant("tenant_notes", "tenantry_control", "SELECT, INSERT, UPDATE, DELETE", schema="control")


def downgrade() -> None:
    """Take it back to the version before; what was only in the new columns and tables is lost."""
    op.timeouts(lock="5s", statement="60s")
    op.drop_table("tenant_notes", schema="control")
