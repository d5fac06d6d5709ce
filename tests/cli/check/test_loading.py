"""From the name of an application to findings about its routes, schemas, tables and permissions."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from tests.cli.check.conftest import write
from typer.testing import CliRunner

from tenantry.cli.check import read_project, run_checks
from tenantry.cli.readme.sections import Readme
from tenantry.cli.root import app
from tenantry.database import ControlTable, TenantTable
from tenantry.kernel import ConfigurationError

PACKAGE = "shop_of_the_check"
FILES = {
    "__init__.py": "",
    "models.py": """\
        from uuid import UUID
        from sqlalchemy import String, UniqueConstraint
        from sqlalchemy.orm import Mapped, mapped_column
        from tenantry.database import ControlTable
        from tenantry.resources import TenantModel


        class Box(TenantModel):
            __tablename__ = "boxes_of_the_check"
            __table_args__ = (UniqueConstraint("name", name="uq_boxes_of_the_check"),)
            name: Mapped[str] = mapped_column(String(10))


        class Shelf(ControlTable):
            __tablename__ = "shelves_of_the_check"
            tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
        """,
    "schemas.py": """\
        from pydantic import BaseModel
        from tenantry.http import InputSchema, ShortText
        from tenantry.resources import CreateSchema, ReadSchema, partial


        class BoxCreate(CreateSchema):
            name: ShortText


        class BoxUpdate(partial(BoxCreate)): ...


        class BoxRead(ReadSchema):
            name: str


        class Label(InputSchema):
            text: str


        class Question(BaseModel):
            words: list[str]
        """,
    "service.py": """\
        from shop_of_the_check.models import Box
        from shop_of_the_check.schemas import BoxRead
        from tenantry.access import ResourceAccess
        from tenantry.resources import ResourceDefinition, ResourceService


        class BoxService(ResourceService):
            resource = ResourceDefinition(
                access=ResourceAccess("boxes", Box, "box"), read=BoxRead, list_item=BoxRead
            )
        """,
    "router.py": """\
        from fastapi import Depends
        from shop_of_the_check.schemas import BoxCreate, BoxUpdate, Label, Question
        from shop_of_the_check.service import BoxService
        from tenantry.access import require_permission
        from tenantry.http import api_router, public
        from tenantry.resources import ResourceRouter

        router = ResourceRouter(BoxService, "/boxes", create=BoxCreate, update=BoxUpdate)
        extra = api_router("/boxes")


        @extra.post("/{id}/label")
        async def label(id: str, payload: Label) -> None: ...


        @extra.post("/questions", dependencies=[Depends(public)])
        async def ask(payload: Question) -> None: ...


        @extra.post("/{id}/seal", dependencies=[require_permission("boxes:seal")])
        async def seal(id: str) -> None: ...
        """,
    "app.py": """\
        from pathlib import Path
        from shop_of_the_check.models import Box
        from shop_of_the_check.router import extra, router
        from tenantry.access import Permissions, Role
        from tenantry.app import Application
        from tenantry.module import Module

        PERMISSIONS = Permissions(
            "boxes",
            {"read": "Read.", "create": "Add.", "update": "Change.", "delete": "Delete.", "open": "Open."},
            {Role.VIEWER: {"read"}, Role.OWNER: {"create", "update", "delete"}},
        )
        FOLDER = Path(__file__).parent
        module = Module("boxes", models=(Box,), permissions=PERMISSIONS, routers=(router, extra), folder=FOLDER)
        application = Application(title="Shop", package="shop_of_the_check", modules=(module,))
        """,
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the root of an application with a fault of each kind, and forget the application afterwards.

    Once for all tests: its table can be declared only once in a process.
    """
    root = tmp_path_factory.mktemp("shop")
    path = list(sys.path)
    settings = f'[tool.tenantry.check]\npackages = ["{PACKAGE}"]\napplication = "{PACKAGE}.app:application"\n'
    write(root, {f"{PACKAGE}/{name}": content for name, content in FILES.items()} | {"pyproject.toml": settings})
    yield root
    sys.path[:] = path
    for name in [name for name in sys.modules if name.startswith(PACKAGE)]:
        del sys.modules[name]
    for base, name in ((TenantTable, "boxes_of_the_check"), (ControlTable, "control.shelves_of_the_check")):
        if (table := base.metadata.tables.get(name)) is not None:
            base.metadata.remove(table)


def _line(shop: Path, file: str, text: str) -> str:
    lines = (shop / PACKAGE / file).read_text().splitlines()
    return f"{PACKAGE}/{file}:{next(number for number, line in enumerate(lines, 1) if text in line)}"


def test_the_faults_of_an_application_are_found_where_they_are_declared(shop: Path) -> None:
    project = read_project(shop)
    rules = ["tenant-table", "control-table", "unbounded-string", "route-rule", "permission-map"]
    found = {(finding.rule, finding.place) for finding in run_checks(project, only=rules)}
    own = {(rule, place) for rule, place in found if not place.startswith((f"{PACKAGE}/app.py", f"{PACKAGE}/__init__"))}
    assert own == {
        ("tenant-table", _line(shop, "models.py", "class Box")),
        ("control-table", _line(shop, "models.py", "class Shelf")),
        ("unbounded-string", _line(shop, "schemas.py", "class Label")),
        ("unbounded-string", _line(shop, "schemas.py", "class Question")),
        ("route-rule", _line(shop, "router.py", '@extra.post("/{id}/label")')),
        ("permission-map", _line(shop, "router.py", "boxes:seal")),
        ("permission-map", _line(shop, "service.py", "class BoxService")),  # hard deletes need boxes:purge
    }


def test_a_verb_without_a_role_is_found_at_the_module(shop: Path) -> None:
    findings = run_checks(read_project(shop), only=["permission-map"])
    assert [one.reason for one in findings if one.file.endswith("__init__.py")] == [
        "boxes:open is declared, but no role holds it"
    ]


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("shop_of_the_check.gone:application", "cannot be imported: No module named"),
        ("shop_of_the_check.app:module", "is no application of Tenantry"),
        ("shop_of_the_check.app:gone", "is no application of Tenantry"),
    ],
)
def test_what_is_no_application_is_refused_with_the_way_out(shop: Path, reference: str, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        read_project(shop, application=reference)


def test_files_are_checked_where_the_application_is_left_out(shop: Path) -> None:
    project = read_project(shop, application="")
    assert project.application is None
    assert run_checks(dataclasses.replace(project, map_file="")) == []


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["--app", f"{PACKAGE}.app:application", "readme", *arguments])


def test_a_readme_is_written_from_the_declaration(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop)
    monkeypatch.setenv("TENANTRY_APP", "")  # the command sets it, and it is put back behind the test
    monkeypatch.syspath_prepend(str(shop))
    file = shop / PACKAGE / "docs" / "readme.md"
    assert (_run("--check").exit_code, file.exists()) == (1, False)
    assert (_run().exit_code, _run("boxes", "--check").exit_code) == (0, 0)
    readme = Readme(file.read_text())
    said = {
        "Data Model": ["`boxes_of_the_check` (tenant plane", "| `name` | `VARCHAR(10)", "unique (`name`)"],
        "Schemas & Validation": ["| `name` | text, 1 to 200 characters | required |", "`BoxUpdate`: the fields of"],
        "API Endpoints": [
            "| POST | `/api/v1/boxes` | `boxes:create` |",
            "| POST | `/api/v1/boxes/questions` | anybody |",
            "| POST | `/api/v1/boxes/{id}/seal` | `boxes:seal` |",
            "| POST | `/api/v1/boxes/{id}/label` | |",
        ],
        "Integrations": ["`boxes.created`, `boxes.updated`, `boxes.deleted`, `boxes.purged`"],
        "Security & Compliance": [
            "| `boxes:create` | Add. | | | | yes |",
            "| `boxes:read` | Read. | yes | yes | yes | yes |",
        ],
    }
    for section, lines in said.items():
        part = readme.generated(section) or ""
        assert [line for line in lines if line not in part] == [], part
    assert (readme.generated("Summary"), readme.written("Summary")) == (None, "")


def test_a_module_that_the_project_does_not_have_is_refused(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop)
    monkeypatch.setenv("TENANTRY_APP", "")
    monkeypatch.syspath_prepend(str(shop))
    assert "no module 'crates' with a folder; it has boxes" in str(_run("crates").exception)
