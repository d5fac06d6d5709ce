"""The mailer port, and the courier: mail leaves after the commit, behind the back of the request."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from tenantry.database import UnitOfWork

_log = structlog.get_logger("tenantry.mail")

_PATIENCE = 5.0
"""Seconds that `Courier.close` waits for what is on its way."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One message in plain text."""

    to: str
    subject: str
    text: str


class Mailer(Protocol):
    """Sends mail. Implementations raise `Unavailable` when they cannot; the caller has committed by then."""

    async def send(self, mail: Mail) -> None:
        """Hand the message over for delivery."""
        ...


class ConsoleMailer:
    """The mailer of development: shows the message in the log, links and tokens included.

    It is refused in production, where a log must not hold a token.
    """

    async def send(self, mail: Mail) -> None:
        """Write the message to the log."""
        _log.info("mail", to=mail.to, subject=mail.subject, text=mail.text)


class DiscardingMailer:
    """The mailer of a production system without one: says that a message was not sent, not what it said."""

    async def send(self, mail: Mail) -> None:
        """Log a warning with the subject only."""
        _log.warning("mail not sent: no mailer is configured", subject=mail.subject)


class Courier:
    """Does what no answer may wait for: a slow mail server must neither delay one nor betray who has an account."""

    def __init__(self, mailer: Mailer) -> None:
        self._mailer = mailer
        self._under_way: set[asyncio.Task[None]] = set()

    def send_after(self, uow: UnitOfWork, mail: Mail) -> None:
        """Send a mail in the background once `uow` is committed; a failure is logged, without the mail."""
        uow.after_commit(lambda: self.run_soon(self._mailer.send(mail)))

    def run_soon(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine in the background; a failure is logged."""
        task = asyncio.get_running_loop().create_task(_watched(work))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def close(self) -> None:
        """Wait for what is on its way, for five seconds at most."""
        while self._under_way:
            _, late = await asyncio.wait(self._under_way, timeout=_PATIENCE)
            if late:
                _log.warning("mails not sent at shutdown", count=len(late))
                return


async def _watched(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception as error:  # noqa: BLE001 - nobody waits for this: the log is where a failure can be seen
        _log.error("mail not sent", error=type(error).__name__)
