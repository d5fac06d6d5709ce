"""Each rule about files finds the fault it is for, at its line, and leaves the right way alone."""

from __future__ import annotations

import pytest
from tests.cli.check.conftest import Plant, places

# (rule, name of the fault, file, code, lines where it must be found)
FAULTS: list[tuple[str, str, str, str, list[int]]] = [
    ("unparsed-file", "half a merge", "shop/prices.py", "x = 1\n<<<<<<< HEAD\n", [2]),
    ("commit-outside-unit-of-work", "session", "shop/service.py", "async def f(s):\n    await s.commit()\n", [2]),
    ("commit-outside-unit-of-work", "rollback", "shop/service.py", "async def f(s):\n    await s.rollback()\n", [2]),
    ("commit-outside-unit-of-work", "as SQL", "shop/repository.py", "END = 'COMMIT'\n", [1]),
    ("commit-outside-unit-of-work", "in a batch", "shop/repository.py", "SQL = f'SELECT {1}; ROLLBACK;'\n", [1]),
    ("string-sql", "f-string", "shop/repository.py", "async def f(c, x):\n    await c.execute(f'SELECT {x}')\n", [2]),
    ("string-sql", "percent", "shop/repository.py", "def f(c, x):\n    c.fetch('SELECT %s' % x)\n", [2]),
    ("string-sql", "plus", "shop/repository.py", "def f(c, x):\n    c.fetch('SELECT ' + x + ' LIMIT 1')\n", [2]),
    (
        "string-sql",
        "format",
        "shop/repository.py",
        "def f(c, x):\n    Statement(text('SELECT {}'.format(x)))\n",
        [2],
    ),
    ("string-sql", "variable", "shop/repository.py", "def f(c, x):\n    q = f'SELECT {x}'\n    c.fetchval(q)\n", [3]),
    (
        "string-sql",
        "grown",
        "shop/repository.py",
        "def f(c, x):\n    q = 'SELECT 1'\n    q += ' = ' + x\n    c.fetch(q)\n",
        [4],
    ),
    ("string-sql", "in a lambda", "shop/repository.py", "run = lambda c, x: c.execute(f'DROP {x}')\n", [1]),
    ("service-knows-web", "from fastapi", "shop/service.py", "from fastapi import HTTPException\n", [1]),
    ("service-knows-web", "starlette module", "shop/jobs.py", "import os\nimport starlette.requests\n", [2]),
    ("service-knows-web", "tenantry.http", "shop/service.py", "from tenantry.http import etag\n", [1]),
    ("service-knows-web", "a file of it", "shop/repository.py", "from tenantry.http.headers import etag\n", [1]),
    (
        "service-knows-web",
        "as a module",
        "shop/workflow.py",
        "from tenantry import http\nimport tenantry.http\n",
        [1, 2],
    ),
    (
        "service-knows-web",
        "for types alone",
        "shop/service.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from starlette.requests import Request\n",
        [3],
    ),
    (
        "dependency-scope",
        "generator of the same file",
        "shop/router.py",
        "from fastapi import Depends\nasync def work():\n    yield 1\nWork = Depends(work)\n",
        [4],
    ),
    (
        "dependency-scope",
        "generator that a call makes",
        "shop/router.py",
        "def made():\n    def inner():\n        yield 1\n    return inner\nd = Depends(made())\n",
        [5],
    ),
    (
        "dependency-scope",
        "object with a generator",
        "shop/router.py",
        "class Work:\n    async def __call__(self):\n        yield 1\nd = Depends(Work())\n",
        [4],
    ),
    ("direct-clock", "now", "shop/service.py", "from datetime import UTC, datetime\nx = datetime.now(UTC)\n", [2]),
    ("direct-clock", "renamed", "shop/service.py", "import datetime as d\nx = d.datetime.utcnow()\n", [2]),
    ("direct-clock", "passed on", "shop/models.py", "import time\nfield(default_factory=time.time)\n", [2]),
    (
        "secret-type",
        "str",
        "shop/settings.py",
        "class S:\n    api_key: str\n    smtp_password: str | None = None\n",
        [2, 3],
    ),
    ("import-in-function", "function", "shop/service.py", "def f():\n    if True:\n        import json\n", [3]),
    (
        "import-in-function",
        "method",
        "shop/service.py",
        "class A:\n    def f(self):\n        from os import path\n",
        [3],
    ),
    ("size-budget", "function", "shop/service.py", "def f():\n" + "    x = 1\n" * 60, [1]),
    ("size-budget", "file", "shop/service.py", "x = 1\n" * 501, [1]),
    ("size-budget", "test file", "tests/test_shop.py", "x = 1\n" * 601, [1]),
    (
        "migration-names",
        "no phase",
        "shop/migrations/tenant/0001_add.py",
        "revision = '0001'\ndown_revision = None\n",
        [1],
    ),
    (
        "migration-names",
        "other number",
        "shop/migrations/tenant/0001_pre_add.py",
        "revision = '0002'\ndown_revision = None\n",
        [1],
    ),
    (
        "migration-names",
        "gap",
        "shop/migrations/control/0002_post_drop.py",
        "revision: str = '0002'\ndown_revision: str | None = '0001'\n",
        [1],
    ),
]

# (rule, name, file, code): the right way, or something that only looks like the fault
RIGHT: list[tuple[str, str, str, str]] = [
    (
        "commit-outside-unit-of-work",
        "prose",
        "shop/service.py",
        '"""COMMIT is the last word."""\nx = "we commit to it"\n',
    ),
    ("commit-outside-unit-of-work", "step", "shop/migrations/tenant/0001_pre_x.py", "op.execute('COMMIT')\n"),
    ("string-sql", "parameters", "shop/repository.py", "def f(c, x):\n    c.fetch('SELECT $1', x)\n"),
    (
        "string-sql",
        "identifier",
        "shop/repository.py",
        "def f(c, t):\n    q = quoted(t)\n    c.fetch(f'SELECT 1 FROM {q}')\n",
    ),
    (
        "string-sql",
        "constant",
        "shop/repository.py",
        "def f(c):\n    c.fetch(f'SELECT 1 LIMIT {_MAX}' + ' OFFSET 1')\n",
    ),
    (
        "string-sql",
        "list",
        "shop/repository.py",
        "def f(c, n):\n    c.fetch(f\"({', '.join(quoted(x) for x in n)})\")\n",
    ),
    ("service-knows-web", "router", "shop/router.py", "from fastapi import Request\n"),
    ("service-knows-web", "schemas", "shop/schemas.py", "from tenantry.http import InputSchema, ShortText\n"),
    ("service-knows-web", "another http", "shop/service.py", "import http\nfrom tenantry.httpx import x\n"),
    ("service-knows-web", "kernel", "shop/service.py", "from tenantry.kernel import require_version\n"),
    (
        "dependency-scope",
        "function scope",
        "shop/router.py",
        "from fastapi import Depends\nasync def work():\n    yield 1\nd = Depends(work, scope='function')\n",
    ),
    (
        "dependency-scope",
        "no generator",
        "shop/router.py",
        "async def who():\n    def inner():\n        yield 1\n    return 1\nd = Depends(who)\n",
    ),
    ("direct-clock", "monotonic", "shop/service.py", "import time\nx = time.monotonic()\n"),
    ("direct-clock", "own method", "shop/service.py", "x = runtime.clock.now()\n"),
    (
        "secret-type",
        "safe",
        "shop/settings.py",
        "class S:\n    api_key: SecretStr | None = None\n    monkey: str = ''\n",
    ),
    ("secret-type", "not settings", "shop/schemas.py", "class Login:\n    password: str\n"),
    ("import-in-function", "command", "shop/cli/serve.py", "def f():\n    import json\n"),
    ("import-in-function", "top", "shop/service.py", "try:\n    import json\nexcept ImportError:\n    json = None\n"),
    ("size-budget", "limit", "shop/service.py", "def f():\n" + "    x = 1\n" * 59),
    ("size-budget", "step", "shop/migrations/tenant/0001_pre_x.py", "def upgrade():\n" + "    x = 1\n" * 90),
    (
        "migration-names",
        "first step",
        "shop/migrations/tenant/0001_pre_add.py",
        "revision = '0001'\ndown_revision = None\n",
    ),
    ("migration-names", "runner", "shop/migrations/runner.py", "x = 1\n"),
]


@pytest.mark.parametrize(
    ("rule", "file", "code", "lines"),
    [pytest.param(rule, file, code, lines, id=f"{rule}: {name}") for rule, name, file, code, lines in FAULTS],
)
def test_a_planted_fault_is_found_at_its_line(plant: Plant, rule: str, file: str, code: str, lines: list[int]) -> None:
    assert places(plant({file: code}), rule) == [f"{file}:{line}" for line in lines]


@pytest.mark.parametrize(
    ("rule", "file", "code"), [pytest.param(rule, file, code, id=f"{rule}: {name}") for rule, name, file, code in RIGHT]
)
def test_the_right_way_is_left_alone(plant: Plant, rule: str, file: str, code: str) -> None:
    assert places(plant({file: code}), rule) == []


@pytest.mark.parametrize(
    "spelling", ["from shop import work", "from shop.works import work", "from .works import work"]
)
def test_a_generator_is_known_by_whatever_surface_it_was_imported_from(plant: Plant, spelling: str) -> None:
    project = plant(
        {
            "shop/works.py": "async def work():\n    yield 1\n",
            "shop/__init__.py": "from shop.works import work\n",
            "shop/router.py": f"from fastapi import Depends\n{spelling}\nd = Depends(work)\n",
        }
    )
    assert places(project, "dependency-scope") == ["shop/router.py:3"]


@pytest.mark.parametrize(
    "asking",
    ["from shop.orders.repository import OPEN", "from .repository import OPEN", "from shop.orders import repository"],
)
def test_a_service_is_known_by_the_repository_that_it_asks(plant: Plant, asking: str) -> None:
    web = f"{asking}\nfrom tenantry.http import etag\n"
    project = plant(
        {
            "shop/orders/__init__.py": "module = Module('orders')\n",
            "shop/orders/closing.py": web,
            "shop/orders/router.py": web,
            "shop/orders/paging.py": "from tenantry.http import etag\n",
            "shop/access/closing.py": web,
        }
    )
    assert places(project, "service-knows-web") == ["shop/orders/closing.py:2"]


def test_two_steps_after_the_same_one_are_no_line(plant: Plant) -> None:
    folder = "shop/migrations/tenant"
    project = plant(
        {
            f"{folder}/0001_pre_a.py": "revision = '0001'\ndown_revision = None\n",
            f"{folder}/0002_pre_b.py": "revision = '0002'\ndown_revision = '0001'\n",
            f"{folder}/0003_pre_c.py": "revision = '0003'\ndown_revision = '0001'\n",
        }
    )
    assert places(project, "migration-names") == [f"{folder}/0003_pre_c.py:1"]


def test_the_map_names_only_what_exists(plant: Plant) -> None:
    written = """\
        # The map

        `shop/prices.py` and [the rest](docs/rest.md), [a site](https://example.com/x.md), `/api/v1/items`
        `prices.py`, `shop/`, `shop/gone/` and `a.b.c()`
        ```
        shop/renamed.py     what it was
        shop/prices.py      prices
        ```
        """
    project = plant({"ARCHITECTURE.md": written, "shop/prices.py": ""})
    assert places(project, "map") == ["ARCHITECTURE.md:3", "ARCHITECTURE.md:4", "ARCHITECTURE.md:6"]


def test_a_map_that_is_missing_or_too_long_is_found_and_can_be_declined(plant: Plant) -> None:
    assert places(plant({}), "map") == ["ARCHITECTURE.md:1"]
    assert places(plant({"ARCHITECTURE.md": "x\n" * 151}), "map") == ["ARCHITECTURE.md:1"]
    assert places(plant({"pyproject.toml": '[tool.tenantry.check]\nmap = ""\n'}), "map") == []
