"""An application that gives the framework's teams, users and tenants columns of its own.

Run in a process of its own (``python -m tests.standard.boards``): the columns are added to models of the framework.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import StringConstraints
from sqlalchemy import String
from sqlalchemy.orm import mapped_column

from tenantry.app import Application
from tenantry.database import extend
from tenantry.identity import User
from tenantry.resources import partial
from tenantry.standard import standard_modules, teams, tenants, users
from tenantry.tenancy import Team, Tenant

extend(Team, by=__name__, colour=mapped_column(String(20, collation="C")))
extend(User, by=__name__, phone=mapped_column(String(30, collation="C"), info={"sensitive": True}))
extend(Tenant, by=__name__, vat=mapped_column(String(20, collation="C")))


class ColouredTeamCreate(teams.TeamCreate):
    """A new team, with its colour on the board."""

    colour: Annotated[str, StringConstraints(max_length=20)] | None = None


@partial
class ColouredTeamUpdate(ColouredTeamCreate):
    """What can be changed about a team."""


class ColouredTeamRead(teams.TeamRead):
    """A team, with its colour on the board."""

    colour: str | None


Phone = Annotated[str, StringConstraints(max_length=30)]


@partial
class ReachableProfileUpdate(users.ProfileUpdate):
    """What people change about themselves."""

    phone: Phone | None


class ReachableRead(users.UserRead):
    """A user, with a number to call."""

    phone: str | None


@partial
class TaxedTenantUpdate(tenants.TenantUpdate):
    """What can be changed about a tenant."""

    vat: Annotated[str, StringConstraints(max_length=20)] | None


class TaxedTenantRead(tenants.TenantRead):
    """A tenant, with its number at the tax office."""

    vat: str | None


coloured = teams.teams.extended(
    read=ColouredTeamRead, create=ColouredTeamCreate, update=ColouredTeamUpdate, filters={"colour"}, sort={"name"}
)
module = replace(teams.module, routers=(coloured, teams.team_members))
reachable = users.user_module(users.UserSchemas(read=ReachableRead, profile=ReachableProfileUpdate))
taxed = tenants.tenant_module(tenants.TenantSchemas(read=TaxedTenantRead, update=TaxedTenantUpdate))
application = Application(
    title="Boards",
    package="tests.standard.boards",
    modules=standard_modules(instead={"teams": module, "users": reachable, "tenants": taxed}),
)
