"""The mailer port: mail leaves after the commit, through whatever the assembly chose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import structlog


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

    def __init__(self) -> None:
        self._log = structlog.get_logger("tenantry.mail")

    async def send(self, mail: Mail) -> None:
        """Write the message to the log."""
        self._log.info("mail", to=mail.to, subject=mail.subject, text=mail.text)


class DiscardingMailer:
    """The mailer of a production system without one: says that a message was not sent, not what it said."""

    def __init__(self) -> None:
        self._log = structlog.get_logger("tenantry.mail")

    async def send(self, mail: Mail) -> None:
        """Log a warning with the subject only."""
        self._log.warning("mail not sent: no mailer is configured", subject=mail.subject)
