"""Links that are mailed: a random token, of which only the hash is kept, good for one use and one purpose."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from tenantry.database import UnitOfWork
from tenantry.identity.addresses import email_key
from tenantry.identity.errors import InvalidOneTimeToken
from tenantry.identity.repository import INSERT_LINK, USE_LINK, VOID_LINKS
from tenantry.identity.settings import IdentitySettings
from tenantry.runtime import Mail, Runtime

_BYTES = 32


class Purpose(StrEnum):
    """What a link is good for, and nothing else."""

    VERIFY_EMAIL = "verify_email"
    PASSWORD_RESET = "password_reset"  # noqa: S105 - a purpose


class Links:
    """Mails links, and takes them back."""

    def __init__(self, runtime: Runtime, settings: IdentitySettings) -> None:
        self._clock = runtime.clock
        self._courier = runtime.courier
        self._settings = settings

    async def mail(self, uow: UnitOfWork, purpose: Purpose, user_id: UUID, email: str) -> None:
        """Mail a new link, once `uow` is committed. It counts while the user has this address."""
        token, now = secrets.token_urlsafe(_BYTES), self._clock.now()
        await uow.run(
            INSERT_LINK,
            token_hash=_hashed(token),
            purpose=purpose.value,
            user_id=user_id,
            email_key=email_key(email),
            now=now,
            expires_at=now + self._lifetime(purpose),
        )
        self._courier.send_after(uow, self._mail(purpose, email, token))

    async def use(self, uow: UnitOfWork, token: str, purpose: Purpose) -> UUID:
        """Use a token up, and return whose it is.

        One conditional UPDATE: of any number of uses at the same time, one succeeds. The other open links of the same
        user and purpose end with it. Raises `InvalidOneTimeToken` if it is unknown, used, expired, or meant for
        something else.
        """
        now = self._clock.now()
        user_id: UUID | None = await uow.value(
            USE_LINK, presented_hash=_hashed(token), expected_purpose=purpose.value, now=now
        )
        if user_id is None:
            raise InvalidOneTimeToken
        await uow.run(VOID_LINKS, owner_id=user_id, of_purpose=purpose.value, now=now)
        return user_id

    def _lifetime(self, purpose: Purpose) -> timedelta:
        if purpose is Purpose.VERIFY_EMAIL:
            return timedelta(hours=self._settings.verification_hours)
        return timedelta(minutes=self._settings.reset_minutes)

    def _mail(self, purpose: Purpose, to: str, token: str) -> Mail:
        """Return the mail; the token stands on a line of its own."""
        if purpose is Purpose.VERIFY_EMAIL:
            return Mail(
                to,
                "Confirm your e-mail address",
                "An account was made with this e-mail address. Confirm it with\n\n"
                f"    {self._settings.verification_link or ''}{token}\n\n"
                "If you did not make this account, do nothing: without the confirmation it cannot use your address.",
            )
        return Mail(
            to,
            "Choose a new password",
            "Somebody asked for a new password for your account. Choose one with\n\n"
            f"    {self._settings.reset_link or ''}{token}\n\n"
            "If it was not you, do nothing: your password stays as it is.",
        )


def _hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
