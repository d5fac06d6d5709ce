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
        "audit_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("actor_kind", sa.String(length=20), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.String(length=100), nullable=False),
        sa.Column("resource_type", sa.String(length=60), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=True),
        sa.Column("before", postgresql.JSONB(), nullable=True),
        sa.Column("after", postgresql.JSONB(), nullable=True),
        sa.Column("request_id", sa.String(length=128), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
        schema="control",
    )
    op.enable_policies(
        "audit_entries",
        [
            Policy(
                "reads_own_tenant",
                "tenantry_control",
                using="tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid",
                command="SELECT",
            ),
            Policy("appends", "tenantry_control", using="true", command="INSERT"),
            Policy("platform_rows", "tenantry_platform", using="true"),
        ],
        schema="control",
    )
    op.grant("audit_entries", "tenantry_control", "SELECT, INSERT", schema="control")
    op.grant("audit_entries", "tenantry_platform", "SELECT, INSERT", schema="control")
    op.create_index(
        op.f("ix_audit_entries_tenant_id_id"), "audit_entries", ["tenant_id", "id"], unique=False, schema="control"
    )
    op.create_table(
        "outbox",
        sa.Column("tenant_id", sa.Uuid(), nullable=True),
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
        schema="control",
    )
    op.grant("outbox", "tenantry_control", "INSERT", schema="control")
    op.grant("outbox", "tenantry_platform", "INSERT", schema="control")
    op.grant("outbox", "tenantry_worker", "SELECT, UPDATE, DELETE", schema="control")
    op.create_index(
        "ix_outbox_pending", "outbox", ["id"], unique=False, schema="control", postgresql_where="seq IS NULL"
    )
    op.create_table(
        "tenants",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(length=63, collation="C"), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("config", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("placement_kind", sa.String(length=20), nullable=False),
        sa.Column("placement_schema", sa.String(length=63), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("placement_kind IN ('pool', 'schema')", name=op.f("ck_tenants_placement_kind")),
        sa.CheckConstraint("status IN ('preparing', 'active', 'suspended')", name=op.f("ck_tenants_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenants")),
        sa.UniqueConstraint("slug", name=op.f("uq_tenants_slug")),
        schema="control",
    )
    op.grant("tenants", "tenantry_control", "SELECT, INSERT, UPDATE, DELETE", schema="control")
    op.grant("tenants", "tenantry_platform", "SELECT, UPDATE", schema="control")
    op.create_table(
        "throttles",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("tat", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_throttles")),
        schema="control",
        prefixes=["UNLOGGED"],
    )
    op.grant("throttles", "tenantry_control", "SELECT, INSERT, UPDATE, DELETE", schema="control")
    op.create_index(op.f("ix_throttles_tat"), "throttles", ["tat"], unique=False, schema="control")
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("email_key", sa.String(length=320), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("email_verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("platform_role", sa.String(length=30), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("platform_role = 'superadmin'", name=op.f("ck_users_platform_role")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email_key", name=op.f("uq_users_email_key")),
        schema="control",
    )
    op.grant("users", "tenantry_control", "SELECT, INSERT, UPDATE, DELETE", schema="control")
    op.create_table(
        "invitations",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("email_key", sa.String(length=320), nullable=False),
        sa.Column("role", sa.String(length=50), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("invited_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_by", sa.Uuid(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('viewer', 'member', 'manager', 'owner')", name=op.f("ck_invitations_role")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitations_token_hash")),
        schema="control",
    )
    op.enable_policies(
        "invitations",
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
    op.grant("invitations", "tenantry_control", "SELECT, INSERT, UPDATE, DELETE", schema="control")
    op.grant("invitations", "tenantry_platform", "SELECT", schema="control")
    op.create_index(
        "uq_invitations_open",
        "invitations",
        ["tenant_id", "email_key"],
        unique=True,
        schema="control",
        postgresql_where=sa.text("accepted_at IS NULL AND revoked_at IS NULL"),
    )
    op.create_table(
        "memberships",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=50), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("role IN ('viewer', 'member', 'manager', 'owner')", name=op.f("ck_memberships_role")),
        sa.PrimaryKeyConstraint("tenant_id", "user_id", name=op.f("pk_memberships")),
        schema="control",
    )
    op.enable_policies(
        "memberships",
        [
            Policy(
                "tenant_rows",
                "tenantry_control",
                using="tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid",
            ),
            Policy(
                "own_rows",
                "tenantry_control",
                using="user_id = NULLIF(current_setting('app.user_id', true), '')::uuid",
                command="SELECT",
            ),
            Policy("platform_rows", "tenantry_platform", using="true"),
        ],
        schema="control",
    )
    op.grant("memberships", "tenantry_control", "SELECT, INSERT, UPDATE, DELETE", schema="control")
    op.grant("memberships", "tenantry_platform", "SELECT", schema="control")
    op.create_index(op.f("ix_memberships_user_id"), "memberships", ["user_id"], unique=False, schema="control")
    op.create_table(
        "one_time_tokens",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.String(length=30), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("email_key", sa.String(length=320), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("purpose IN ('verify_email', 'password_reset')", name=op.f("ck_one_time_tokens_purpose")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_one_time_tokens")),
        schema="control",
    )
    op.grant("one_time_tokens", "tenantry_control", "SELECT, INSERT, UPDATE, DELETE", schema="control")
    op.create_index(op.f("ix_one_time_tokens_user_id"), "one_time_tokens", ["user_id"], unique=False, schema="control")
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("generation", sa.Integer(), server_default="0", nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=True),
        sa.Column("rotated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("active_tenant_id", sa.Uuid(), nullable=True),
        sa.Column("user_agent", sa.String(length=200), nullable=True),
        sa.Column("address", sa.String(length=45), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("idle_expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoke_reason", sa.String(length=30), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        schema="control",
    )
    op.grant("sessions", "tenantry_control", "SELECT, INSERT, UPDATE, DELETE", schema="control")
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"], unique=False, schema="control")
    op.add_tenant_foreign_key(
        "fk_invitations_tenant_id",
        "invitations",
        "tenants",
        {"tenant_id": "id"},
        ondelete="CASCADE",
        schema="control",
        forced=["invitations"],
    )
    op.add_tenant_foreign_key(
        "fk_memberships_tenant_id",
        "memberships",
        "tenants",
        {"tenant_id": "id"},
        ondelete="CASCADE",
        schema="control",
        forced=["memberships"],
    )
    op.add_tenant_foreign_key(
        "fk_memberships_user_id",
        "memberships",
        "users",
        {"user_id": "id"},
        ondelete="CASCADE",
        schema="control",
        forced=["memberships"],
    )
    op.create_foreign_key(
        op.f("fk_one_time_tokens_user_id"),
        "one_time_tokens",
        "users",
        ["user_id"],
        ["id"],
        source_schema="control",
        referent_schema="control",
        ondelete="CASCADE",
    )
    op.create_foreign_key(
        op.f("fk_sessions_user_id"),
        "sessions",
        "users",
        ["user_id"],
        ["id"],
        source_schema="control",
        referent_schema="control",
        ondelete="CASCADE",
    )


def downgrade() -> None:
    """Take it back to the version before; what was only in the new columns and tables is lost."""
    op.timeouts(lock="5s", statement="60s")
    op.drop_table("sessions", schema="control")
    op.drop_table("one_time_tokens", schema="control")
    op.drop_table("memberships", schema="control")
    op.drop_table("invitations", schema="control")
    op.drop_table("users", schema="control")
    op.drop_table("throttles", schema="control")
    op.drop_table("tenants", schema="control")
    op.drop_table("outbox", schema="control")
    op.drop_table("audit_entries", schema="control")
