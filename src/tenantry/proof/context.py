"""What a proof works with: the application over a scratch database, two filled tenants, and everybody who calls."""

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
from tenantry.database import PlacementKind
from tenantry.kernel import load_settings
from tenantry.observability import AccessLog, configure_logging
from tenantry.proof.bodies import Bodies, Vocabulary
from tenantry.proof.calling import AppClient
from tenantry.proof.checksums import Guard
from tenantry.proof.controls import Controls
from tenantry.proof.extras import Extras
from tenantry.proof.judging import Judge
from tenantry.proof.owning import OwnCalls
from tenantry.proof.people import NOBODY, Persona, TenantSide, administrator, newcomer, two_sides
from tenantry.proof.probes import Matrix, Nowhere
from tenantry.proof.promises import Promises
from tenantry.proof.scratch import Scratch
from tenantry.proof.seeding import Seeder, TenantFixture
from tenantry.proof.verdicts import Ledger, Secrets
from tenantry.runtime import Mail
from tenantry.testing import ApiOperation, World

_PEOPLE = "SELECT id, email FROM control.users WHERE id = ANY ($1)"


@dataclass
class CapturedLogs:
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
class ProofContext:
    """What every part of the proof works with."""

    assembly: Assembly
    client: AppClient
    operations: list[ApiOperation]
    bodies: Bodies
    seeder: Seeder
    controls: Controls
    mine: TenantFixture
    theirs: TenantFixture
    own_calls: OwnCalls
    extras: Extras
    promises: Promises
    judge: Judge
    guard: Guard
    logs: CapturedLogs
    outsiders: list[Persona]
    """People who are no members of the other tenant, one of whom was."""

    @property
    def matrix(self) -> Matrix:
        """The generator of probes."""
        return Matrix(self.mine, self.theirs, self.bodies)

    @property
    def attackers(self) -> list[Persona]:
        """Everybody of one's own tenant, and nobody in particular."""
        return [*(one for one in self.mine.side.callers.values() if one.attacks), NOBODY]

    @property
    def callers(self) -> list[str]:
        """The names of everybody who calls."""
        granted = [caller.name for caller, _, _ in self.extras.allowed]
        people = (*self.mine.side.callers.values(), NOBODY, *self.outsiders)
        return [*(one.name for one in people), *granted]


@asynccontextmanager
async def proof_context(
    application: Application, scratch: Scratch, *, seed: int, placement: PlacementKind
) -> AsyncIterator[ProofContext]:
    """Assemble the application, fill two tenants, and provide what the proof works with."""
    logs = CapturedLogs()
    with _capturing(logs):
        async with assembled(application, _settings(), scratch.urls, mailer=_Mailbox()) as assembly:
            admin = await asyncpg.connect(scratch.admin_url, timeout=10)
            try:
                logged = replace(assembly, access_log=AccessLog(logs, "json"))
                sides = await two_sides(World(logged), placement)
                yield await _prepared(logged, sides, admin, logs, seed)
            finally:
                await admin.close()


async def _prepared(
    assembly: Assembly,
    sides: tuple[TenantSide, TenantSide],
    admin: asyncpg.Connection,
    logs: CapturedLogs,
    seed: int,
) -> ProofContext:
    mine, theirs = sides
    world = mine.world
    operations = ApiOperation.of_document(world.app.openapi())
    bodies = Bodies(Vocabulary(assembly.application, operations))
    client = AppClient(world.app)
    seeder = Seeder(client, operations, bodies)
    outsiders = await _outsiders(world, theirs)
    fixtures = await seeder.fill(mine), await seeder.fill(theirs)
    guard = _guard(admin, theirs)
    judge = Judge(client, Nowhere(seed), await _secrets(admin, fixtures[1]), Ledger())
    extras = Extras(client, judge, bodies, operations, *fixtures)
    outsiders += await extras.prepare()
    await assembly.access.denials.close()  # writes now what it counted of the other tenant's own refusals
    return ProofContext(
        assembly=assembly,
        client=client,
        operations=operations,
        bodies=bodies,
        seeder=seeder,
        controls=Controls(client, seeder, bodies, await administrator(world)),
        mine=fixtures[0],
        theirs=fixtures[1],
        own_calls=OwnCalls(judge, seeder, bodies, fixtures[0], operations),
        extras=extras,
        promises=Promises(extras, client, judge, bodies, *fixtures),
        judge=judge,
        guard=guard,
        logs=logs,
        outsiders=outsiders,
    )


async def _outsiders(world: World, theirs: TenantSide) -> list[Persona]:
    former = await theirs.leave(await theirs.join("former member"))
    gone = Persona(former.name, former.user_id, former.credential)
    return [gone, await newcomer(world, "stranger"), await administrator(world)]


async def _secrets(admin: asyncpg.Connection, fixture: TenantFixture) -> Secrets:
    people = [one.user_id for one in fixture.side.callers.values()]
    emails = [row["email"] for row in await admin.fetch(_PEOPLE, people)]
    tenant = fixture.side.tenant
    texts = {tenant.canary, tenant.slug, str(tenant.id), *map(str, fixture.made), *emails, *tenant.tokens.values()}
    return Secrets(frozenset(text.lower() for text in texts))


def _guard(admin: asyncpg.Connection, theirs: TenantSide) -> Guard:
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
def _capturing(logs: CapturedLogs) -> Iterator[None]:
    """Send every log line into a buffer, and put back what was there."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging("debug", "json", logs.log)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    try:
        yield
    finally:
        root.handlers, root.level = handlers, level
        structlog.reset_defaults()


class _Mailbox:
    async def send(self, mail: Mail) -> None:
        """Deliver nowhere: nobody reads the mails of a proof."""
