"""An application extends, replaces and leaves out the framework's own modules."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from sqlalchemy import String
from sqlalchemy.orm import mapped_column

from tenantry.database import extend
from tenantry.kernel import ConfigurationError
from tenantry.module import Module
from tenantry.standard import standard_modules
from tenantry.standard.users import UserRead
from tenantry.standard.users.repository import UserStatements
from tenantry.tenancy import Team


@pytest.fixture(scope="module")
def seen() -> dict[str, Any]:
    """What a user of the extended application sees; it needs a process of its own."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.standard.boards"], check=False, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


def test_a_column_of_ones_own_is_written_read_filtered_and_changed(seen: dict[str, Any]) -> None:
    assert (seen["made"], seen["plain"], seen["changed"]) == ("red", None, "blue")
    assert seen["listed"] == ["blue"]


def test_the_trail_shows_it_like_every_other_column(seen: dict[str, Any]) -> None:
    assert seen["line"] == {"colour": "blue"}


def test_people_change_a_field_that_the_application_gave_them_and_only_such(seen: dict[str, Any]) -> None:
    assert (seen["phone"], seen["not_ones_own"], seen["to_others"]) == ("+43 1 4711", 422, 404)


def test_members_see_a_column_of_the_tenant_and_only_who_may_change_the_tenant_changes_it(
    seen: dict[str, Any],
) -> None:
    assert (seen["vat"], seen["by_members"]) == (["ATU1", "ATU1", None], 403)


def test_a_sensitive_column_of_ones_own_is_masked_in_the_trail(seen: dict[str, Any]) -> None:
    assert seen["masked"] == {"phone": "***"}


def test_removing_a_user_blanks_the_columns_of_the_application_too(seen: dict[str, Any]) -> None:
    assert seen["after_removal"] == [204, None]


def test_the_rules_of_the_framework_stand(seen: dict[str, Any]) -> None:
    assert seen["rules"] == "team_cycle"


def test_models_and_database_agree_after_the_applications_own_migration(seen: dict[str, Any]) -> None:
    assert seen["drift"] == []


def test_a_column_that_the_framework_could_not_fill_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"teams\.colour: rows are added without it"):
        extend(Team, by=__name__, colour=mapped_column(String(20), nullable=False))
    with pytest.raises(ConfigurationError, match=r"teams\.name exists already"):
        extend(Team, by=__name__, name=mapped_column(String(20)))


def test_a_module_is_left_out_or_replaced_by_its_name() -> None:
    names = [module.name for module in standard_modules()]
    mine = Module("teams")
    assert [module.name for module in standard_modules(without={"teams"})] == [one for one in names if one != "teams"]
    assert standard_modules(instead={"teams": mine})[names.index("teams")] is mine


@pytest.mark.parametrize("choice", [{"without": {"temas"}}, {"instead": {"temas": Module("temas")}}])
def test_a_misspelt_module_is_refused(choice: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="temas"):
        standard_modules(**choice)


def test_a_field_that_no_column_stands_behind_is_refused() -> None:
    class Tall(UserRead):
        height: int

    with pytest.raises(ConfigurationError, match="users: there is no height"):
        UserStatements(Tall)
