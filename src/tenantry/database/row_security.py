"""Row security, generated from the models: which rows each database role may reach, and what it may do with them.

The wall is one RESTRICTIVE policy for each tenant table. A policy that somebody adds later can only narrow what it
lets through, never widen it. Policies name their role: a restrictive policy without ``TO`` would blind the other roles
too, and a role without a policy sees nothing.

Nothing here is executed: migrations execute the statements, `doctor` compares the live catalogue with them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import dialect

from tenantry.database.planes import SharedTable, Table, TenantTable
from tenantry.database.roles import DatabaseRole
from tenantry.kernel import ConfigurationError

CURRENT_TENANT = "NULLIF(current_setting('app.tenant_id', true), '')::uuid"
"""The tenant of the transaction. A setting that was never made is NULL, one that was made by an earlier transaction of
the connection is ``''`` and raises 22P02 when it is cast: both become NULL here, and NULL equals no row."""

CURRENT_USER = "NULLIF(current_setting('app.user_id', true), '')::uuid"
"""The person of the transaction, for rows of the control plane that are one's own."""

PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE")
"""What a serving role may be granted on a table; anything else passes by row security (TRUNCATE, REFERENCES) or needs
an owner."""

_COMMANDS = {"ALL", *PRIVILEGES}
_JOINING = re.compile(r"\b(AND|OR)\b", re.IGNORECASE)
_REWRITTEN = re.compile(r"\b(IN\s*\(|BETWEEN\b|CASE\b|CAST\s*\(|I?LIKE\b|SELECT\b)|!=", re.IGNORECASE)
_preparer = dialect().identifier_preparer  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy of a table, for one role.

    `using` decides which rows are seen, `check` which rows may be written; where one is left out, the other does both.
    Conditions are written with ``=``, ``<``, ``IS NULL`` and either ``AND`` or ``OR``, never both (permissive policies
    are joined by OR anyway): PostgreSQL prints those back as they were written, so that the live catalogue can be
    compared with the declaration. `ValueError` otherwise.

    >>> own = Policy("own", "tenantry_control", using=user_setting("user_id"), command="SELECT")
    >>> print(own.statement("control.memberships"))
    CREATE POLICY own ON control.memberships AS PERMISSIVE FOR SELECT TO tenantry_control \
USING (user_id = NULLIF(current_setting('app.user_id', true), '')::uuid)
    """

    name: str
    role: str
    using: str | None = None
    check: str | None = None
    command: str = "ALL"
    restrictive: bool = False

    def __post_init__(self) -> None:
        if self.command not in _COMMANDS:
            raise ValueError(f"policy {self.name}: command {self.command!r} is none of {', '.join(sorted(_COMMANDS))}")
        if self.using is None and self.check is None:
            raise ValueError(f"policy {self.name}: neither `using` nor `check` says which rows it is for")
        for condition in (self.using or "", self.check or ""):
            if len({found.upper() for found in _JOINING.findall(condition)}) > 1:
                raise ValueError(f"policy {self.name}: AND beside OR; make each alternative a policy of its own")
            if found := _REWRITTEN.search(condition):
                raise ValueError(
                    f"policy {self.name}: PostgreSQL stores {found[0]!r} in other words; use = ANY, <, AND"
                )

    @property
    def seen(self) -> str | None:
        """The USING condition; None where the command has none."""
        return None if self.command == "INSERT" else self.using or self.check

    @property
    def written(self) -> str | None:
        """The WITH CHECK condition; None where the command has none."""
        return None if self.command in {"SELECT", "DELETE"} else self.check or self.using

    def statement(self, table: str) -> str:
        """Return the ``CREATE POLICY`` for `table`, a name that is quoted where it must be."""
        kind = "RESTRICTIVE" if self.restrictive else "PERMISSIVE"
        parts = [f"CREATE POLICY {quoted(self.name)} ON {table} AS {kind} FOR {self.command} TO {quoted(self.role)}"]
        if self.seen is not None:
            parts.append(f"USING ({self.seen})")
        if self.written is not None:
            parts.append(f"WITH CHECK ({self.written})")
        return " ".join(parts)


def tenant_setting(column: str) -> str:
    """Return the condition "this column is the transaction's tenant".

    The column stands alone on its side: a cast on it, ``OR`` or ``CASE`` would scan the table (measured: 92 to 174 ms
    instead of 0.5 ms).

    >>> tenant_setting("tenant_id")
    "tenant_id = NULLIF(current_setting('app.tenant_id', true), '')::uuid"
    """
    return f"{quoted(column)} = {CURRENT_TENANT}"


def user_setting(column: str) -> str:
    """Return the condition "this column is the transaction's user"."""
    return f"{quoted(column)} = {CURRENT_USER}"


def quoted(name: str) -> str:
    """Return an identifier, quoted where PostgreSQL needs it.

    >>> quoted("items"), quoted("Items; drop")
    ('items', '"Items; drop"')
    """
    text: str = _preparer.quote(name)
    return text


OF_TENANT = tenant_setting("tenant_id")
"""The condition of nearly every policy."""

TENANT_POLICIES = (
    Policy("tenant_wall", DatabaseRole.APP, using=OF_TENANT, restrictive=True),
    Policy("tenant_rows", DatabaseRole.APP, using="true"),
)
"""What every tenant table has: the wall, and the permissive policy without which nothing passes at all."""

SHARED_POLICIES = (*TENANT_POLICIES, Policy("worker_rows", DatabaseRole.WORKER, using="true"))
"""What every shared table has: the same wall for the application, and every row for the workers."""


def tenant_or_own(user_column: str | None = None) -> tuple[Policy, ...]:
    """Return the policies of a control table with a ``tenant_id``.

    `tenantry_control` sees the rows of the transaction's tenant and, with `user_column`, the transaction's user's own;
    `tenantry_platform` sees all. The tenant's rows alone may be written, except by the platform.
    """
    control = [Policy("tenant_rows", DatabaseRole.CONTROL, using=OF_TENANT)]
    if user_column is not None:
        own = user_setting(user_column)
        control.append(Policy("own_rows", DatabaseRole.CONTROL, using=own, command="SELECT"))
    return (*control, Policy("platform_rows", DatabaseRole.PLATFORM, using="true"))


def model_of(table: sa.Table) -> type[Table]:
    """Return the model class of a table.

    Raises `ConfigurationError` for a table without one: its policies and grants would be nowhere.
    """
    for mapper in Table.registry.mappers:
        if mapper.local_table is table:
            model: type[Table] = mapper.class_
            return model
    raise ConfigurationError(
        f"The table {table} has no model class, so nothing says who may reach its rows. "
        "Declare it as a subclass of ControlTable, SharedTable or TenantTable."
    )


def policies_of(table: sa.Table) -> tuple[Policy, ...]:
    """Return the policies that `table` must have, from its plane and from ``__policies__`` of its model."""
    model = model_of(table)
    declared: tuple[Policy, ...] = getattr(model, "__policies__", ())
    if issubclass(model, TenantTable):
        return (*TENANT_POLICIES, *declared)
    if issubclass(model, SharedTable):
        return (*SHARED_POLICIES, *declared)
    return declared


def privileges_of(table: sa.Table) -> dict[str, frozenset[str]]:
    """Return what each role is granted on `table`, from ``__privileges__`` of its model."""
    return {role: parse_privileges(listed) for role, listed in model_of(table).__privileges__.items()}


def parse_privileges(listed: str) -> frozenset[str]:
    """Return the privileges named in a text.

    >>> sorted(parse_privileges("SELECT, INSERT"))
    ['INSERT', 'SELECT']
    >>> parse_privileges("TRUNCATE")
    Traceback (most recent call last):
    ...
    ValueError: 'TRUNCATE' is none of SELECT, INSERT, UPDATE, DELETE
    """
    names = [name.strip().upper() for name in listed.split(",")]
    for name in names:
        if name not in PRIVILEGES:
            raise ValueError(f"{name!r} is none of {', '.join(PRIVILEGES)}")
    return frozenset(names)


def statements_for(table: sa.Table) -> list[str]:
    """Return the statements that put up the wall of a table that was just created."""
    name = qualified(table.name, table.schema)
    policies = policies_of(table)
    return [*(wall_statements(name, policies) if policies else ()), *grant_statements(name, privileges_of(table))]


def wall_statements(table: str, policies: Iterable[Policy]) -> list[str]:
    """Return the statements that switch row security on, also for the owner, and create `policies`."""
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        *(policy.statement(table) for policy in policies),
    ]


def grant_statements(table: str, privileges: Mapping[str, Iterable[str]]) -> list[str]:
    """Return the statements that let each role do what it may, and everybody else nothing."""
    grants = [
        f"GRANT {', '.join(name for name in PRIVILEGES if name in set(names))} ON {table} TO {quoted(role)}"
        for role, names in sorted(privileges.items())
    ]
    return [f"REVOKE ALL ON {table} FROM PUBLIC", *grants]


def qualified(table: str, schema: str | None) -> str:
    """Return a table's name with its schema, if it has one.

    >>> qualified("users", "control"), qualified("order", None)
    ('control.users', '"order"')
    """
    return quoted(table) if schema is None else f"{quoted(schema)}.{quoted(table)}"
