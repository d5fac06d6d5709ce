"""Statements are made in repositories: every way to make one beside them that we know of is found."""

from __future__ import annotations

import pytest
from tests.cli.check.conftest import Plant, found, places

RULE = "statement-outside-repository"
SELECT = "from sqlalchemy import select\nselect(1)\n"
MODULE = "from tenantry.module import Module\nmodule = Module('orders')\n"
APPLICATION = "from tenantry.app import Application\napplication = Application(title='Shop', package='shop')\n"

MADE: list[tuple[str, str, list[int]]] = [
    ("select", SELECT, [2]),
    ("in a function", "def f():\n    from sqlalchemy import select\n    return select(1)\n", [3]),
    ("module renamed", "import sqlalchemy as sa\nsa.text('x')\n", [2]),
    ("function renamed", "from sqlalchemy.dialects.postgresql import insert as put\nput(t)\n", [2]),
    ("given another name", "from sqlalchemy import select\nmake = select\nmake(1)\n", [2]),
    ("passed on", "from sqlalchemy import select\nmake = partial(select, Order)\n", [2]),
    ("everything imported", "from sqlalchemy import *\nselect(1)\n", [1]),
    ("two of one", "from sqlalchemy import union_all as both\nboth(OPEN, CLOSED)\n", [2]),
    ("the class", "from sqlalchemy.sql import Select\nSelect(1)\n", [2]),
    ("an old query", "from sqlalchemy.orm import Query\nQuery(Order)\n", [2]),
    ("method of a table", "Order.__table__.delete()\n", [1]),
    (
        "method of a table with a name",
        "t = Order.__table__\nu: Table = Order.__table__\nt.update()\nu.select()\n",
        [3, 4],
    ),
    ("query of a session", "def f(session):\n    session.query(models.Order)\n", [2]),
    ("get of a session", "async def f(uow, id):\n    await uow.session.get(Order, id)\n", [2]),
    ("SQL as text", "async def f(c):\n    await c.fetch('SELECT * FROM orders')\n", [2]),
    ("SQL in small letters", "SQL = '''\n    with old as (select 1) delete from orders'''\n", [1]),
    ("SQL in parts", "def f(c, x):\n    c.fetch(f'UPDATE orders SET n = {x}')\n", [2]),
    ("SQL in brackets", "SQL = '(select id from orders)'\n", [1]),
]

MADE_NOTHING: list[tuple[str, str]] = [
    ("another select", "from selectors import select\nselect(1)\n"),
    ("an annotation", "from sqlalchemy import Select\ndef f(statement: Select) -> Select: ...\n"),
    ("method of another thing", "basket.update(x)\nbasket.delete(1)\n"),
    ("session of a browser", "def f(request):\n    request.session.get('basket', Default)\n"),
    ("prose", '"""SELECT is what this does."""\nx = "Select one from the list"\ny = "please update me set by set"\n'),
    ("function of the database", "from sqlalchemy import func\nfunc.count()\n"),
]


@pytest.mark.parametrize(("code", "lines"), [pytest.param(code, lines, id=name) for name, code, lines in MADE])
def test_a_statement_in_a_service_is_found_however_it_is_made(plant: Plant, code: str, lines: list[int]) -> None:
    assert places(plant({"shop/service.py": code}), RULE) == [f"shop/service.py:{line}" for line in lines]


@pytest.mark.parametrize("code", [pytest.param(code, id=name) for name, code in MADE_NOTHING])
def test_what_makes_no_statement_is_left_alone(plant: Plant, code: str) -> None:
    assert places(plant({"shop/service.py": code}), RULE) == []


@pytest.mark.parametrize(
    "spelling", ["from shop.db import choose", "from .db import choose", "from shop import choose"]
)
def test_a_function_is_known_through_the_files_that_pass_it_on(plant: Plant, spelling: str) -> None:
    project = plant(
        {
            "shop/db.py": "from sqlalchemy import select as choose\n",
            "shop/__init__.py": "from shop.db import choose\n",
            "shop/service.py": f"{spelling}\nchoose(1)\n",
        }
    )
    assert places(project, RULE) == ["shop/service.py:2"]


def test_files_that_pass_a_name_around_in_a_circle_are_no_trouble(plant: Plant) -> None:
    project = plant(
        {
            "shop/a.py": "from shop.b import select\n",
            "shop/b.py": "from shop.a import select\n",
            "shop/service.py": "from shop.a import select\nselect(1)\n",
        }
    )
    assert places(project, RULE) == []


@pytest.mark.parametrize("file", ["repository.py", "statements.py", "predicates.py"])
def test_a_repository_makes_statements(plant: Plant, file: str) -> None:
    assert places(plant({"shop/orders/__init__.py": MODULE, f"shop/orders/{file}": SELECT}), RULE) == []


def test_a_model_has_conditions_but_no_statements(plant: Plant) -> None:
    code = "from sqlalchemy import select, text\ntext('a IS NULL')\nselect(1)\n"
    assert places(plant({"shop/orders/__init__.py": MODULE, "shop/orders/models.py": code}), RULE) == [
        "shop/orders/models.py:3"
    ]


@pytest.mark.parametrize("file", ["service.py", "router.py", "schemas.py", "jobs.py", "subscribers.py", "workflow.py"])
def test_a_file_of_a_module_is_known_by_its_name(plant: Plant, file: str) -> None:
    assert places(plant({f"shop/deep/down/{file}": SELECT}), RULE) == [f"shop/deep/down/{file}:2"]


@pytest.mark.parametrize("file", ["shop/orders/__init__.py", "shop/orders/closing.py", "shop/orders/parts/queries.py"])
@pytest.mark.parametrize(
    ("place", "declaration"),
    [
        ("shop/orders/declared.py", MODULE),
        ("shop/orders/declared.py", "from tenantry.module import Module as M\nm = M('orders')\n"),
        ("shop/orders/declared.py", "from tenantry import module\nm = module.Module('orders')\n"),
        ("shop/orders/router.py", "from tenantry.http import api_router\nrouter = api_router('/orders')\n"),
    ],
)
def test_whatever_is_in_a_module_is_held_to_the_rule(plant: Plant, place: str, declaration: str, file: str) -> None:
    assert places(plant({place: declaration, file: SELECT}), RULE) == [f"{file}:2"]


@pytest.mark.parametrize("file", ["shop/queries.py", "shop/reports/counting.py"])
def test_whatever_is_in_an_application_is_held_to_the_rule(plant: Plant, file: str) -> None:
    assert places(plant({"shop/app.py": APPLICATION, file: SELECT}), RULE) == [f"{file}:2"]


def test_what_stands_beside_modules_is_held_to_the_rule_and_what_they_stand_on_is_not(plant: Plant) -> None:
    project = plant(
        {
            "shop/standard/orders/__init__.py": MODULE,
            "shop/standard/services.py": SELECT,
            "shop/standard/shared/counting.py": SELECT,
            "shop/access/visible.py": SELECT,
            "shop/outbox.py": SELECT,
        }
    )
    assert places(project, RULE) == ["shop/standard/services.py:2", "shop/standard/shared/counting.py:2"]


def test_a_class_of_another_library_declares_no_module(plant: Plant) -> None:
    project = plant({"shop/net.py": "from torch.nn import Module\nm = Module()\n", "shop/outbox.py": SELECT})
    assert places(project, RULE) == []


def test_code_in_tests_is_not_held_to_the_rules_of_code(plant: Plant) -> None:
    project = plant({"shop/app.py": APPLICATION, "shop/tests/test_it.py": SELECT, "tests/test_it.py": SELECT})
    assert places(project, RULE) == []


def test_a_step_of_a_migration_moves_rows(plant: Plant) -> None:
    step = "op.execute('UPDATE orders SET n = 0')\n"
    assert places(plant({"shop/app.py": APPLICATION, "shop/migrations/tenant/0001_pre_x.py": step}), RULE) == []


def test_the_finding_names_what_makes_the_statement(plant: Plant) -> None:
    [one] = found(plant({"shop/service.py": SELECT}), RULE)
    assert one.reason.startswith("select() makes a statement")
    assert "repository.py" in one.way_out
