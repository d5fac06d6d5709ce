"""What the stories share: the superuser's eye, and assemblies of their own where a story needs other settings."""

from __future__ import annotations

import io
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace

import asyncpg
import pytest
import structlog
from tests.conftest import suite_settings

from planner.app import application
from tenantry.app import Settings, assembled
from tenantry.database import DatabaseRole, DatabaseUrls
from tenantry.observability import AccessLog, configure_logging
from tenantry.runtime import Mail
from tenantry.testing import World

WorldWith = Callable[..., AbstractAsyncContextManager[World]]


@pytest.fixture(scope="session")
async def admin(urls: DatabaseUrls, admin_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The superuser in the worker's database: sees past row security what the application did."""
    connection = await asyncpg.connect(url_of_admin(urls, admin_url))
    yield connection
    await connection.close()


def url_of_admin(urls: DatabaseUrls, admin_url: str) -> str:
    name = urls.of(DatabaseRole.APP).partition("@/")[2].partition("?")[0]
    return admin_url.replace("@/postgres?", f"@/{name}?")


@pytest.fixture(scope="session")
def world_with(urls: DatabaseUrls) -> WorldWith:
    """Open a world over an assembly with other settings, named as groups: ``database={"pool_size": 1}``."""

    @asynccontextmanager
    async def opened(**groups: dict[str, object]) -> AsyncIterator[World]:
        async with assembled(application, changed(suite_settings(), **groups), urls) as assembly:
            yield World(assembly)

    return opened


def changed(settings: Settings, **groups: dict[str, object]) -> Settings:
    updated = {name: getattr(settings, name).model_copy(update=values) for name, values in groups.items()}
    return settings.model_copy(update=updated)


@dataclass
class Watched:
    """A world whose every word is kept: access lines, log lines, mails."""

    world: World
    access: list[str] = field(default_factory=list)
    log: io.StringIO = field(default_factory=io.StringIO)
    mails: list[Mail] = field(default_factory=list)

    @property
    def written(self) -> str:
        """Everything that was logged."""
        return "".join(self.access) + self.log.getvalue()


class _Kept:
    def __init__(self, lines: list[str]) -> None:
        self.write = lines.append


class _Mailbox:
    def __init__(self, mails: list[Mail]) -> None:
        self._mails = mails

    async def send(self, mail: Mail) -> None:
        self._mails.append(mail)


@pytest.fixture(scope="module")
async def watched(urls: DatabaseUrls) -> AsyncIterator[Watched]:
    """The production assembly with an access log into a list, the application's log into a buffer, a mailbox."""
    mails: list[Mail] = []
    access: list[str] = []
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    async with assembled(application, suite_settings(), urls, mailer=_Mailbox(mails)) as assembly:
        logged = replace(assembly, access_log=AccessLog(_Kept(access), "json"))
        kept = Watched(World(logged), access=access, mails=mails)
        configure_logging("debug", "json", kept.log)
        logging.getLogger("httpx2").setLevel(logging.WARNING)  # the test's own client writes the addresses it calls
        yield kept
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()
