"""Slugs stay the tenant's that had them.

Runs `pre`: before the new release, while the previous one still serves on the same tables.
"""

import sqlalchemy as sa

from tenantry.database.migrations import op
from tenantry.database.row_security import Policy

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Bring the schema to this version."""
    op.timeouts(lock="5s", statement="60s")
    op.create_table(
        "tenant_slugs",
        sa.Column("slug", sa.String(length=63, collation="C"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_tenant_slugs")),
        schema="control",
    )
    op.execute("INSERT INTO control.tenant_slugs (slug, tenant_id) SELECT slug, id FROM control.tenants")
    op.enable_policies(
        "tenant_slugs",
        [
            Policy(
                "tenant_rows",
                "tenantry_control",
                using="tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid",
            ),
            Policy("platform_rows", "tenantry_platform", using="true"),
        ],
        schema="control",
    )
    for role in ("tenantry_control", "tenantry_platform"):
        op.grant("tenant_slugs", role, "SELECT, INSERT, DELETE", schema="control")
    op.create_index(op.f("ix_tenant_slugs_tenant_id"), "tenant_slugs", ["tenant_id"], unique=False, schema="control")


def downgrade() -> None:
    """Take it back to the version before; what was only in the new columns and tables is lost."""
    op.timeouts(lock="5s", statement="60s")
    op.drop_table("tenant_slugs", schema="control")
