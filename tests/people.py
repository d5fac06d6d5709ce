"""People who are in no tenant yet, the letter box that their mail goes to, and a look past row security."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
from httpx2 import AsyncClient

from tenantry.access import AccessContext
from tenantry.database import DatabaseRole
from tenantry.kernel import new_id
from tenantry.runtime import Mail
from tenantry.standard.invitations import InvitationService
from tenantry.standard.invitations.schemas import InvitationCreate
from tenantry.testing import PASSWORD, World, call


@dataclass
class LetterBox:
    """A mailer that keeps what it is given."""

    mails: list[Mail] = field(default_factory=list)

    async def send(self, mail: Mail) -> None:
        self.mails.append(mail)

    async def token_for(self, address: str, *, number: int = 1) -> str:
        """Return the token of the mail of this number to an address, waiting for it for a second."""
        for _ in range(100):
            mails = [mail for mail in self.mails if mail.to == address]
            if len(mails) >= number:
                found = re.search(r"^    (\S+)$", mails[number - 1].text, re.MULTILINE)
                assert found is not None
                return found[1]
            await asyncio.sleep(0.01)
        raise AssertionError(f"no mail to {address}")


@dataclass
class Someone:
    """A user who is in no tenant yet."""

    id: UUID
    email: str
    token: str
    world: World

    def client(self, tenant_id: UUID | None = None, slug: str | None = None) -> AsyncClient:
        headers = {"Authorization": f"Bearer {self.token}"}
        if tenant_id is not None:
            headers["X-Tenant-Id"] = str(tenant_id)
        if slug is not None:
            headers["X-Tenant-Slug"] = slug
        return self.world.client(headers)


async def someone(world: World, *, is_verified: bool = True, platform_role: str | None = None) -> Someone:
    """Make a user."""
    email = f"someone.{new_id().hex}@people.test"
    profile = await world.assembly.services.users.create(
        email=email, password=PASSWORD, name="Someone", is_verified=is_verified, platform_role=platform_role
    )
    return Someone(profile.id, email, await world.token(profile.id), world)


async def invite(context: AccessContext, email: str, role: str) -> None:
    """Mail an invitation, as whoever acts in the context."""
    await call(context, InvitationService, "create", InvitationCreate(email=email, role=role))


@asynccontextmanager
async def connected(world: World, role: DatabaseRole) -> AsyncIterator[asyncpg.Connection]:
    """A bare connection. It is ended whatever happens: uvloop waits for ever for one that a failed test left open."""
    connection = await world.assembly.runtime.database.connect(role)
    try:
        yield connection
    finally:
        connection.terminate()


def a_slug() -> str:
    return f"s-{new_id().hex[-24:]}"
