"""Each rule about an imported application finds the fault it is for."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends
from pydantic import BaseModel
from sqlalchemy import (
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from tests.cli.check.conftest import Plant

from tenantry.cli.check import CheckedProject, Finding, run_checks
from tenantry.cli.check.assembled import Assembled, DeclaredVerbs, GuardedTable, Located, PermissionUse, ServedRoute
from tenantry.database.row_security import OF_TENANT, Policy, tenant_or_own
from tenantry.http import InputSchema, MaxLen, ShortText, partial, public, rules_of


def _applied(project: CheckedProject, rule: str, **facts: Any) -> list[Finding]:
    application = Assembled(place="shop/app.py:1", **facts)
    return run_checks(dataclasses.replace(project, application=application), only=[rule])


def _keys() -> list[Any]:
    return [Column("tenant_id", Uuid, nullable=False), Column("id", Uuid, default=lambda: None)]


def _table(*parts: Any, key: tuple[str, ...] = ("tenant_id", "id")) -> Table:
    metadata = MetaData()
    Table("boxes", metadata, *_keys(), PrimaryKeyConstraint("tenant_id", "id"))
    return Table("labels", metadata, *_keys(), *parts, PrimaryKeyConstraint(*key))


def _reference(*own: str, target: str = "boxes", **actions: str) -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        own, [f"{target}.{'tenant_id' if name == 'tenant_id' else 'id'}" for name in own], **actions
    )


TABLES: list[tuple[str, Table, str]] = [
    ("no tenant", Table("labels", MetaData(), Column("id", Uuid, primary_key=True)), "has no tenant_id"),
    ("key without tenant", _table(key=("id",)), "primary key (id)"),
    ("key with tenant second", _table(key=("id", "tenant_id")), "primary key (id, tenant_id)"),
    (
        "unique without tenant",
        _table(Column("name", String), UniqueConstraint("name", name="uq")),
        "constraint uq (name)",
    ),
    ("unique index without tenant", _table(Column("n", String), Index("ix", "n", unique=True)), "unique index ix (n)"),
    ("unique column", _table(Column("name", String, unique=True)), "(name) does not start"),
    ("simple key", _table(Column("box_id", Uuid), _reference("box_id")), "takes another tenant's row"),
    ("simple key on a column", _table(Column("box_id", Uuid, ForeignKey("boxes.id"))), "takes another tenant's row"),
    (
        "key with the tenant second",
        _table(Column("box_id", Uuid), _reference("box_id", "tenant_id")),
        "takes another tenant's row",
    ),
    (
        "set null",
        _table(Column("box_id", Uuid), _reference("tenant_id", "box_id", ondelete="SET NULL")),
        "nulls the tenant",
    ),
    (
        "serial",
        _table(Column("number", Integer, autoincrement=True), key=("tenant_id", "number")),
        "number is counted by the database",
    ),
    ("identity", _table(Column("number", Integer, Identity())), "number is counted by the database"),
    ("default in Python", _table(Column("name", String, default="x")), "name has a default made in Python"),
    ("onupdate in Python", _table(Column("at", String, onupdate=func.now())), "at has a default made in Python"),
]


@pytest.mark.parametrize(("table", "reason"), [pytest.param(t, reason, id=name) for name, t, reason in TABLES])
def test_a_fault_of_a_tenant_table_is_found(plant: Plant, table: Table, reason: str) -> None:
    findings = _applied(plant({}), "tenant-table", tables=[Located(table, "shop/models.py:4")])
    assert any(reason in finding.reason for finding in findings), findings
    assert {finding.place for finding in findings} == {"shop/models.py:4"}


def test_a_key_that_leaves_the_plane_is_found(plant: Plant) -> None:
    metadata = MetaData()
    Table("users", metadata, Column("id", Uuid, primary_key=True), schema="control")
    owner = Column("owner_id", Uuid, ForeignKey("control.users.id"))
    table = Table("labels", metadata, *_keys(), owner, PrimaryKeyConstraint("tenant_id", "id"))
    [finding] = _applied(plant({}), "tenant-table", tables=[Located(table, "shop/models.py:4")])
    assert "leaves the tenant plane" in finding.reason


def test_a_table_with_the_tenant_in_every_key_is_right(plant: Plant) -> None:
    table = _table(
        Column("box_id", Uuid),
        Column("name", String, server_default="x"),
        _reference("tenant_id", "box_id", ondelete="CASCADE"),
        UniqueConstraint("tenant_id", "name"),
        Index("uq_live", "tenant_id", "name", unique=True, postgresql_where=text("name IS NOT NULL")),
        Index("ix_name", "name"),
    )
    assert _applied(plant({}), "tenant-table", tables=[Located(table, "shop/models.py:4")]) == []


def _control(*policies: Policy, column: str = "tenant_id", may: str = "SELECT INSERT", **others: str) -> GuardedTable:
    table = Table("badges", MetaData(schema="control"), Column("id", Uuid, primary_key=True), Column(column, Uuid))
    privileges = {"tenantry_control": may, **others}
    return GuardedTable(table, policies, {role: frozenset(listed.split()) for role, listed in privileges.items()})


EVERYTHING = Policy("all_rows", "tenantry_control", using="true")
OPEN_TABLES: list[tuple[str, GuardedTable, str]] = [
    ("no policy", _control(), "no __policies__: tenantry_control sees"),
    ("no policy, only to delete", _control(may="DELETE"), "no __policies__"),
    ("no policy, for another role", _control(may="INSERT", tenantry_app="SELECT"), "tenantry_app sees"),
    (
        "everything for another role",
        _control(*tenant_or_own(), Policy("all", "tenantry_app", using="true"), tenantry_app="SELECT"),
        "all shows tenantry_app",
    ),
    ("everything", _control(EVERYTHING), "all_rows shows tenantry_control the rows of every tenant"),
    ("everything beside the tenant's", _control(*tenant_or_own(), EVERYTHING), "all_rows shows"),
    ("another column", _control(Policy("mine", "tenantry_control", using="tenant_id = id")), "mine shows"),
    ("everything to read", _control(Policy("r", "tenantry_control", using="true", command="SELECT")), "r shows"),
]


@pytest.mark.parametrize(("table", "reason"), [pytest.param(t, reason, id=name) for name, t, reason in OPEN_TABLES])
def test_a_control_table_that_shows_every_tenants_rows_is_found(plant: Plant, table: GuardedTable, reason: str) -> None:
    [finding] = _applied(plant({}), "control-table", control_tables=[Located(table, "shop/models.py:4")])
    assert (finding.place, reason in finding.reason) == ("shop/models.py:4", True), finding.reason


@pytest.mark.parametrize(
    "table",
    [
        _control(*tenant_or_own()),
        _control(*tenant_or_own("id")),
        _control(column="active_tenant"),
        _control(EVERYTHING, Policy("wall", "tenantry_control", using=OF_TENANT, restrictive=True)),
        _control(*tenant_or_own(), Policy("appends", "tenantry_control", check="true", command="INSERT")),
        _control(*tenant_or_own(), Policy("all", "tenantry_platform", using="true")),
        _control(may="INSERT", tenantry_worker="SELECT"),
    ],
    ids=["tenant", "own", "no tenant", "behind a wall", "append", "platform", "write only"],
)
def test_a_control_table_that_keeps_tenants_apart_is_right(plant: Plant, table: GuardedTable) -> None:
    assert _applied(plant({}), "control-table", control_tables=[Located(table, "shop/models.py:4")]) == []


class Open(InputSchema):
    name: str
    tags: list[Annotated[str, MaxLen(10)]]


class OpenBelow(Open):
    title: ShortText


class Bounded(InputSchema):
    name: ShortText
    note: Annotated[str, MaxLen(500)] | None = None


class Plain(BaseModel):
    query: str


@pytest.mark.parametrize(
    ("model", "found"),
    [(Open, "/name"), (Plain, "/query"), (partial(Open), ""), (OpenBelow, ""), (Bounded, ""), (partial(Bounded), "")],
)
def test_a_text_of_any_length_is_found_where_it_is_declared(plant: Plant, model: type[BaseModel], found: str) -> None:
    findings = _applied(plant({}), "unbounded-string", inputs=[Located(model, "shop/schemas.py:3")])
    assert [finding.reason.rpartition(" ")[2] for finding in findings] == ([found] if found else [])


def _served(router: APIRouter) -> list[ServedRoute]:
    return [ServedRoute(route, bool(rules_of(route)), "shop/router.py:9") for route in router.routes]  # type: ignore[arg-type]


async def _answer() -> None: ...


def _router(*routes: tuple[str, str, str | None], rule: Any = public) -> list[ServedRoute]:
    router = APIRouter()
    for method, path, operation_id in routes:
        dependencies = [] if rule is None else [Depends(rule)]
        router.add_api_route(path, _answer, methods=[method], operation_id=operation_id, dependencies=dependencies)
    return _served(router)


def test_a_route_without_a_rule_is_found(plant: Plant) -> None:
    [finding] = _applied(plant({}), "route-rule", routes=_router(("GET", "/items", "a"), rule=None))
    assert finding.reason == "GET /items does not say who may call it"


def test_a_dependency_that_is_no_access_rule_does_not_count(plant: Plant) -> None:
    [finding] = _applied(plant({}), "route-rule", routes=_router(("GET", "/items", "a"), rule=_answer))
    assert "who may call it" in finding.reason


def test_a_repeated_operation_id_is_found(plant: Plant) -> None:
    [finding] = _applied(plant({}), "route-rule", routes=_router(("GET", "/a", "a"), ("POST", "/a", "a")))
    assert finding.reason == "POST /a has the operation id a, as GET /a has"


@pytest.mark.parametrize("path", ["/items/export", "/items/{number}", "/items/{id}"])
def test_a_route_behind_one_that_answers_first_is_found(plant: Plant, path: str) -> None:
    [finding] = _applied(plant({}), "route-rule", routes=_router(("GET", "/items/{id}", "a"), ("GET", path, "b")))
    assert finding.reason == f"GET {path} is never reached: GET /items/{{id}} answers first"


def test_routes_that_can_be_reached_are_right(plant: Plant) -> None:
    routes = _router(
        ("GET", "/items/export", "a"),
        ("GET", "/items/{id}", "b"),
        ("POST", "/items/import", "c"),
        ("GET", "/items/{id}/parts", "d"),
        ("GET", "/items", "e"),
    )
    assert _applied(plant({}), "route-rule", routes=routes) == []


def _permissions(
    plant: Plant, files: dict[str, str], uses: tuple[str, ...] = (), granted: str = "read close"
) -> list[str]:
    project = plant(files)
    notes = DeclaredVerbs(
        "notes", frozenset({"read", "close"}), frozenset(granted.split()), "shop/notes/permissions.py:1",
        project.root / "shop" / "notes",
    )  # fmt: skip
    asked = [PermissionUse(use, "shop/notes/service.py:1") for use in uses]
    return [f"{one.place} {one.reason}" for one in _applied(project, "permission-map", permissions=[notes], uses=asked)]


def test_a_permission_that_is_asked_for_but_not_declared_is_found(plant: Plant) -> None:
    code = 'rules = [require_permission("notes:raed")]\n'
    [found] = _permissions(plant, {"shop/notes/router.py": code})
    assert found.startswith("shop/notes/router.py:1 the permission notes:raed")
    assert "did you mean notes:read?" in found


def test_a_verb_inside_a_module_is_a_permission_of_its_resource(plant: Plant) -> None:
    code = 'records.change(verb="close")\nrecords.change(verb="clsoe")\n'
    [found] = _permissions(plant, {"shop/notes/service.py": code})
    assert found.startswith("shop/notes/service.py:2 the permission notes:clsoe")


def test_operations_ask_for_their_verbs(plant: Plant) -> None:
    [found] = _permissions(plant, {}, uses=("notes:read", "notes:close:own", "notes:clear"))
    assert "notes:clear is asked for" in found


def test_a_verb_that_no_role_holds_is_found(plant: Plant) -> None:
    [found] = _permissions(plant, {}, granted="read")
    assert found == "shop/notes/permissions.py:1 notes:close is declared, but no role holds it"
