"""The mails of identity, and their delivery after the commit, behind the back of the request."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from tenantry.runtime import Mail, Mailer

_log = structlog.get_logger("tenantry.identity")

_PATIENCE = 5.0
"""Seconds that `Courier.close` waits for what is on its way."""


def verification_mail(to: str, token: str, link: str | None) -> Mail:
    """Return the mail that asks somebody to confirm the address; the token stands on a line of its own."""
    return Mail(
        to,
        "Confirm your e-mail address",
        "An account was made with this e-mail address. Confirm it with\n\n"
        f"    {link or ''}{token}\n\n"
        "If you did not make this account, do nothing: without the confirmation it cannot use your address.",
    )


def reset_mail(to: str, token: str, link: str | None) -> Mail:
    """Return the mail that lets somebody choose a new password."""
    return Mail(
        to,
        "Choose a new password",
        "Somebody asked for a new password for your account. Choose one with\n\n"
        f"    {link or ''}{token}\n\n"
        "If it was not you, do nothing: your password stays as it is.",
    )


class Courier:
    """Does what no answer may wait for: a slow mail server must neither delay one nor betray who has an account."""

    def __init__(self, mailer: Mailer) -> None:
        self._mailer = mailer
        self._under_way: set[asyncio.Task[None]] = set()

    def send_soon(self, mail: Mail) -> None:
        """Send a mail in the background; a failure is logged, without the mail."""
        self.run_soon(self._mailer.send(mail))

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
