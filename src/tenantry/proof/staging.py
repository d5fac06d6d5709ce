"""The stage of a proof: the application over a scratch database, two furnished tenants, and everybody who calls."""

from __future__ import annotations

import io
import logging
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace

import asyncpg
import structlog

from tenantry.app import Application, Assembly, Settings, assembled
from tenantry.kernel import load_settings
from tenantry.observability import AccessLog, configure_logging
from tenantry.proof.bodies import Bodies, Vocabulary
from tenantry.proof.calling import Door
from tenantry.proof.cells import Matrix, Nowhere
from tenantry.proof.checksums import Guard
from tenantry.proof.controls import Controls
from tenantry.proof.extras import Extras
from tenantry.proof.furnishing import Estate, Furnisher
from tenantry.proof.judging import Judge
from tenantry.proof.owning import OwnCalls
from tenantry.proof.people import NOBODY, Caller, Side, administrator, newcomer, two_sides
from tenantry.proof.promises import Promises
from tenantry.proof.scratch import Scratch
from tenantry.proof.surface import Operation, operations_of
from tenantry.proof.verdicts import Ledger, Secrets
from tenantry.runtime import Mail
from tenantry.testing import World

_PEOPLE = "SELECT id, email FROM control.users WHERE id = ANY ($1)"


@dataclass
class Heard:
    """Everything that the application wrote while it was called."""

    access: list[str] = field(default_factory=list)
    log: io.StringIO = field(default_factory=io.StringIO)

    def write(self, line: str) -> None:
        """Take a line of the access log."""
        self.access.append(line)

    @property
    def everything(self) -> str:
        """All lines."""
        return "".join(self.access) + self.log.getvalue()


@dataclass
class Stage:
    """What every part of the proof works with."""

    assembly: Assembly
    door: Door
    operations: list[Operation]
    bodies: Bodies
    furnisher: Furnisher
    controls: Controls
    mine: Estate
    theirs: Estate
    own_calls: OwnCalls
    extras: Extras
    promises: Promises
    judge: Judge
    guard: Guard
    heard: Heard
    outsiders: list[Caller]
    """People who are no members of the other tenant, one of whom was."""

    @property
    def matrix(self) -> Matrix:
        """The generator of probes."""
        return Matrix(self.mine, self.theirs, self.bodies)

    @property
    def attackers(self) -> list[Caller]:
        """Everybody of one's own tenant, and nobody in particular."""
        return [*(one for one in self.mine.side.callers.values() if one.attacks), NOBODY]

    @property
    def callers(self) -> list[str]:
        """The names of everybody who calls."""
        granted = [caller.name for caller, _, _ in self.extras.allowed]
        people = (*self.mine.side.callers.values(), NOBODY, *self.outsiders)
        return [*(one.name for one in people), *granted]


@asynccontextmanager
async def staged(application: Application, scratch: Scratch, *, seed: int) -> AsyncIterator[Stage]:
    """Provide the stage: assemble the application, furnish two tenants."""
    heard = Heard()
    with _listening(heard):
        async with assembled(application, _settings(), scratch.urls, mailer=_Mailbox()) as assembly:
            admin = await asyncpg.connect(scratch.admin_url, timeout=10)
            try:
                yield await _set(replace(assembly, access_log=AccessLog(heard, "json")), admin, heard, seed)
            finally:
                await admin.close()


async def _set(assembly: Assembly, admin: asyncpg.Connection, heard: Heard, seed: int) -> Stage:
    world = World(assembly)
    operations = list(operations_of(world.app.openapi()))
    bodies = Bodies(Vocabulary(assembly.application, operations))
    door = Door(world.app)
    furnisher = Furnisher(door, operations, bodies)
    mine, theirs = await two_sides(world)
    outsiders = await _outsiders(world, theirs)
    estates = await furnisher.furnish(mine), await furnisher.furnish(theirs)
    guard = _guard(admin, theirs)
    judge = Judge(door, Nowhere(seed), await _secrets(admin, estates[1]), Ledger())
    extras = Extras(door, judge, bodies, operations, *estates)
    outsiders += await extras.prepare()
    await (
        assembly.access.denials.close()
    )  # writes now what it counted of the other tenant's own refusals, not in a minute
    return Stage(
        assembly=assembly,
        door=door,
        operations=operations,
        bodies=bodies,
        furnisher=furnisher,
        controls=Controls(door, furnisher, bodies, await administrator(world)),
        mine=estates[0],
        theirs=estates[1],
        own_calls=OwnCalls(judge, furnisher, bodies, estates[0], operations),
        extras=extras,
        promises=Promises(extras, door, judge, bodies, *estates),
        judge=judge,
        guard=guard,
        heard=heard,
        outsiders=outsiders,
    )


async def _outsiders(world: World, theirs: Side) -> list[Caller]:
    former = await theirs.leave(await theirs.join("former member"))
    gone = Caller(former.name, former.user_id, former.credential)
    return [gone, await newcomer(world, "stranger"), await administrator(world)]


async def _secrets(admin: asyncpg.Connection, estate: Estate) -> Secrets:
    people = [one.user_id for one in estate.side.callers.values()]
    emails = [row["email"] for row in await admin.fetch(_PEOPLE, people)]
    tenant = estate.side.tenant
    texts = {tenant.canary, tenant.slug, str(tenant.id), *map(str, estate.made), *emails, *tenant.tokens.values()}
    return Secrets(frozenset(text.lower() for text in texts))


def _guard(admin: asyncpg.Connection, theirs: Side) -> Guard:
    people = [one.user_id for one in theirs.callers.values() if one.user_id is not None]
    return Guard(admin, theirs.tenant.id, people)


def _settings() -> Settings:
    """The settings of a proof: those of production where they need no secret and no server of their own."""
    return load_settings(
        Settings,
        {
            "TENANTRY_ENVIRONMENT": "test",
            "TENANTRY_LOG_ACCESS": "false",
            "TENANTRY_IDENTITY_SECRET": secrets.token_urlsafe(48),
            "TENANTRY_DATABASE_POOL_WAIT": "10",
        },
    )


@contextmanager
def _listening(heard: Heard) -> Iterator[None]:
    """Send every log line into a buffer, and put back what was there."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging("debug", "json", heard.log)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    try:
        yield
    finally:
        root.handlers, root.level = handlers, level
        structlog.reset_defaults()


class _Mailbox:
    async def send(self, mail: Mail) -> None:
        """Deliver nowhere: nobody reads the mails of a proof."""
