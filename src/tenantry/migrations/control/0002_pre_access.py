"""Access.

Runs `pre`: before the new release, while the previous one still serves on the same tables.
Large tables: add a column as nullable, fill it by a job, then add NOT NULL as a validated CHECK; build indexes with
op.create_index_concurrently in a step of its own; drop a column one release after the code stopped using it.
"""

import sqlalchemy as sa

from tenantry.database.migrations import op
from tenantry.database.row_security import Policy

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Bring the schema to this version."""
    op.timeouts(lock="5s", statement="60s")  # rather fail and run again than make every request wait for our lock
    _roles()
    _service_accounts()
    _teams()
    _type_grants()
    _api_keys()
    _team_members()
    _tenants_and_roles_by_name()
    _keys_to_tenants()
    _keys_between()


def _roles() -> None:
    """Roles of a tenant's own."""
    op.create_table(
        "roles",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=50, collation="C"), nullable=False),
        sa.Column("description", sa.String(length=500), nullable=True),
        sa.Column("counts_as", sa.String(length=50), nullable=False),
        sa.Column("permissions", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_roles")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_roles_tenant_id_name")),
        schema="control",
    )
    op.enable_policies(
        "roles",
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
    op.grant("roles", "tenantry_control", "SELECT, INSERT, UPDATE, DELETE", schema="control")
    op.grant("roles", "tenantry_platform", "SELECT", schema="control")


def _service_accounts() -> None:
    """Actors that are no people."""
    op.create_table(
        "service_accounts",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200, collation="C"), nullable=False),
        sa.Column("role", sa.String(length=50), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_service_accounts")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_service_accounts_tenant_id_name")),
        schema="control",
    )
    op.enable_policies(
        "service_accounts",
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
    op.grant("service_accounts", "tenantry_control", "SELECT, INSERT, UPDATE, DELETE", schema="control")
    op.grant("service_accounts", "tenantry_platform", "SELECT", schema="control")


def _teams() -> None:
    """Teams, which may stand in teams."""
    op.create_table(
        "teams",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200, collation="C"), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("role", sa.String(length=50), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_teams")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_teams_tenant_id_name")),
        schema="control",
    )
    op.enable_policies(
        "teams",
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
    op.grant("teams", "tenantry_control", "SELECT, INSERT, UPDATE, DELETE", schema="control")
    op.grant("teams", "tenantry_platform", "SELECT", schema="control")


def _type_grants() -> None:
    """Grants on whole resources."""
    op.create_table(
        "type_grants",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("resource_type", sa.String(length=60), nullable=False),
        sa.Column("subject_type", sa.String(length=20), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.String(length=120), nullable=False),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("effect IN ('allow', 'deny')", name=op.f("ck_type_grants_effect")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_type_grants")),
        sa.UniqueConstraint("tenant_id", "subject_id", "action", "effect", name="uq_type_grants_subject"),
        schema="control",
    )
    op.enable_policies(
        "type_grants",
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
    op.grant("type_grants", "tenantry_control", "SELECT, INSERT, UPDATE, DELETE", schema="control")
    op.grant("type_grants", "tenantry_platform", "SELECT", schema="control")


def _api_keys() -> None:
    """Keys of members and service accounts."""
    op.create_table(
        "api_keys",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200, collation="C"), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("service_account_id", sa.Uuid(), nullable=True),
        sa.Column("role", sa.String(length=50), nullable=True),
        sa.Column("permissions", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("prefix", sa.String(length=40), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(user_id IS NULL) <> (service_account_id IS NULL)", name=op.f("ck_api_keys_acts_for_one")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_api_keys")),
        schema="control",
    )
    op.enable_policies(
        "api_keys",
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
    op.grant("api_keys", "tenantry_control", "SELECT, INSERT, UPDATE, DELETE", schema="control")
    op.grant("api_keys", "tenantry_platform", "SELECT", schema="control")
    op.create_index(
        op.f("ix_api_keys_tenant_id_service_account_id"),
        "api_keys",
        ["tenant_id", "service_account_id"],
        unique=False,
        schema="control",
    )
    op.create_index(
        op.f("ix_api_keys_tenant_id_user_id"), "api_keys", ["tenant_id", "user_id"], unique=False, schema="control"
    )


def _team_members() -> None:
    """Who is in which team."""
    op.create_table(
        "team_members",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "team_id", "user_id", name=op.f("pk_team_members")),
        schema="control",
    )
    op.enable_policies(
        "team_members",
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
    op.grant("team_members", "tenantry_control", "SELECT, INSERT, UPDATE, DELETE", schema="control")
    op.grant("team_members", "tenantry_platform", "SELECT", schema="control")
    op.create_index(
        op.f("ix_team_members_tenant_id_user_id"),
        "team_members",
        ["tenant_id", "user_id"],
        unique=False,
        schema="control",
    )


def _tenants_and_roles_by_name() -> None:
    """Where grants may exist; and members and invitations take roles of any name."""
    op.add_column(
        "tenants",
        sa.Column("granted", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        schema="control",
    )
    op.drop_constraint("ck_memberships_role", "memberships", schema="control", type_="check")
    op.drop_constraint("ck_invitations_role", "invitations", schema="control", type_="check")


def _keys_to_tenants() -> None:
    """Everything goes with its tenant."""
    op.add_tenant_foreign_key(
        "fk_roles_tenant_id",
        "roles",
        "tenants",
        {"tenant_id": "id"},
        ondelete="CASCADE",
        schema="control",
        forced=["roles"],
    )
    op.add_tenant_foreign_key(
        "fk_service_accounts_tenant_id",
        "service_accounts",
        "tenants",
        {"tenant_id": "id"},
        ondelete="CASCADE",
        schema="control",
        forced=["service_accounts"],
    )
    op.add_tenant_foreign_key(
        "fk_teams_tenant_id",
        "teams",
        "tenants",
        {"tenant_id": "id"},
        ondelete="CASCADE",
        schema="control",
        forced=["teams"],
    )
    op.add_tenant_foreign_key(
        "fk_type_grants_tenant_id",
        "type_grants",
        "tenants",
        {"tenant_id": "id"},
        ondelete="CASCADE",
        schema="control",
        forced=["type_grants"],
    )
    op.add_tenant_foreign_key(
        "fk_api_keys_tenant_id",
        "api_keys",
        "tenants",
        {"tenant_id": "id"},
        ondelete="CASCADE",
        schema="control",
        forced=["api_keys"],
    )


def _keys_between() -> None:
    """What goes with what: keys and places in teams with the membership."""
    op.add_tenant_foreign_key(
        "fk_teams_tenant_id_parent_id",
        "teams",
        "teams",
        {"tenant_id": "tenant_id", "parent_id": "id"},
        schema="control",
    )
    op.add_tenant_foreign_key(
        "fk_api_keys_tenant_id_service_account_id",
        "api_keys",
        "service_accounts",
        {"tenant_id": "tenant_id", "service_account_id": "id"},
        ondelete="CASCADE",
        schema="control",
    )
    op.add_tenant_foreign_key(
        "fk_api_keys_tenant_id_user_id",
        "api_keys",
        "memberships",
        {"tenant_id": "tenant_id", "user_id": "user_id"},
        ondelete="CASCADE",
        schema="control",
    )
    op.add_tenant_foreign_key(
        "fk_team_members_tenant_id_team_id",
        "team_members",
        "teams",
        {"tenant_id": "tenant_id", "team_id": "id"},
        ondelete="CASCADE",
        schema="control",
    )
    op.add_tenant_foreign_key(
        "fk_team_members_tenant_id_user_id",
        "team_members",
        "memberships",
        {"tenant_id": "tenant_id", "user_id": "user_id"},
        ondelete="CASCADE",
        schema="control",
    )


def downgrade() -> None:
    """Take it back to the version before; what was only in the new columns and tables is lost."""
    op.timeouts(lock="5s", statement="60s")
    op.create_check_constraint(
        "ck_invitations_role",
        "invitations",
        (
            "role::text = ANY (ARRAY['viewer'::character varying, 'member'::character "
            "varying, 'manager'::character varying, 'owner'::character varying]::text[])"
        ),
        schema="control",
    )
    op.create_check_constraint(
        "ck_memberships_role",
        "memberships",
        (
            "role::text = ANY (ARRAY['viewer'::character varying, 'member'::character "
            "varying, 'manager'::character varying, 'owner'::character varying]::text[])"
        ),
        schema="control",
    )
    op.drop_column("tenants", "granted", schema="control")
    op.drop_table("team_members", schema="control")
    op.drop_table("api_keys", schema="control")
    op.drop_table("type_grants", schema="control")
    op.drop_table("teams", schema="control")
    op.drop_table("service_accounts", schema="control")
    op.drop_table("roles", schema="control")
