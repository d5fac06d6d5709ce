"""The hot path of keys: from the text of a key to what it stands for, for every request that brings one.

Remembered are texts whose secret was compared, the latest used. Whether the key still exists, what it may do, and
whether the person it acts for is still active is asked every time, of the fact cache; what that person is in the
tenant, the gate asks. A key goes with the membership, and nobody announces it then: it is read again whenever the
membership was, or else whoever leaves and comes back would find it alive.
"""

from __future__ import annotations

import hmac
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from tenantry.access.keys.errors import InvalidApiKey
from tenantry.access.keys.repository import KEY_FACTS, PERSON_IS_ACTIVE
from tenantry.access.keys.secrets import PresentedKey, secrets_of
from tenantry.access.keys.usage import KeyUsage
from tenantry.access.permissions import PermissionCatalog
from tenantry.cache import MISSING, FactCache
from tenantry.database import Database, Row
from tenantry.identity import user_key
from tenantry.kernel import SYSTEM, Clock
from tenantry.tenancy import member_key

KEPT_KEYS = 10_000
"""Compared keys remembered by a process; about 1 KiB each."""


@dataclass(frozen=True, slots=True)
class ServiceAccountFacts:
    """The service account that a key acts for."""

    id: UUID
    name: str
    role: str
    sponsor_id: UUID | None
    """The person who answers for it. Where there is none, nobody does."""
    is_suspended: bool


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What a key stands for: a member (`user_id`) or a service account, one of the two, in one tenant."""

    id: UUID
    tenant_id: UUID
    user_id: UUID | None
    service_account: ServiceAccountFacts | None
    scope: frozenset[str] | None
    """The single permissions that it is limited to; None where none are named."""
    scope_role: str | None
    """The role whose permissions it is limited to; a role that is no more permits nothing."""
    expires_at: datetime | None
    secret_hash: bytes = field(repr=False)

    def is_live(self, now: datetime) -> bool:
        """Tell whether it has not expired."""
        return self.expires_at is None or now < self.expires_at


class _Compared:
    """A text that was presented, and the facts under which its secret was found right."""

    __slots__ = ("facts", "key", "member_key", "membership", "person_key", "presented")

    def __init__(self, presented: PresentedKey, membership: object = MISSING) -> None:
        self.presented = presented
        self.membership = membership
        """What was remembered of the membership before the key was read; `MISSING` where nothing was."""
        self.key = api_key_key(presented.tenant_id, presented.key_id)
        self.facts: KeyFacts | None = None
        self.person_key = self.member_key = ""

    def proves(self, facts: KeyFacts) -> bool:
        if facts is self.facts:
            return True
        if not hmac.compare_digest(facts.secret_hash, self.presented.secret_hash):
            return False
        self.facts = facts
        if facts.user_id is not None:
            self.person_key, self.member_key = user_key(facts.user_id), member_key(facts.tenant_id, facts.user_id)
        return True


class KeyCache:
    """Turns the texts of keys into `KeyFacts`. One for a process."""

    def __init__(
        self, database: Database, facts: FactCache, clock: Clock, *, catalog: PermissionCatalog, usage: KeyUsage
    ) -> None:
        self._database = database
        self._facts = facts
        self._clock = clock
        self._catalog = catalog
        self._usage = usage
        self._compared: OrderedDict[str, _Compared] = OrderedDict()

    def peek(self, text: str) -> KeyFacts | None:
        """Return the facts without waiting, if everything needed is at hand; None means: ask `load`."""
        compared = self._compared.get(text)
        if compared is None:
            return None
        facts = self._facts.peek(compared.key)
        now = self._clock.now()
        if facts is MISSING or not facts.is_live(now) or not compared.proves(facts):
            return None
        if facts.user_id is not None and not self._is_settled(compared):
            return None
        self._compared.move_to_end(text)
        self._usage.note(facts.tenant_id, facts.id, now)
        return facts  # type: ignore[no-any-return]

    async def load(self, text: str) -> KeyFacts:
        """Return what a key stands for; what is not spelled like a key reaches no database.

        Raises `InvalidApiKey`, the same for a key that never was, is no more, has expired, lacks the right secret, or
        acts for a person who was deactivated.
        """
        presented = secrets_of(text)
        if presented is None:
            raise InvalidApiKey
        compared = _Compared(presented, self._start_afresh(text, presented))
        # "No such key" is not kept: whoever makes up ids would push what is true out of the cache.
        facts = await self._facts.load(compared.key, lambda: self._read(presented))
        now = self._clock.now()
        if facts is None or not compared.proves(facts) or not facts.is_live(now) or not await self._may_act(facts):
            self._compared.pop(text, None)
            raise InvalidApiKey
        self._remember(text, compared)
        self._usage.note(facts.tenant_id, facts.id, now)
        return facts

    def _is_settled(self, compared: _Compared) -> bool:
        """Tell whether the person is known to be active, and the membership is the one that the key was read after."""
        membership = self._facts.peek(compared.member_key)
        if membership is MISSING or membership is not compared.membership:
            return False
        return self._facts.peek(compared.person_key) is True

    def _start_afresh(self, text: str, presented: PresentedKey) -> object:
        """Return what is remembered of the membership, and forget the key if that is not what it was read after.

        What is remembered of a key for a text that was not compared came with a wrong secret, or long ago: since then
        the membership may have ended, and have begun again.
        """
        known = self._compared.get(text)
        if known is None:
            self._facts.forget(api_key_key(presented.tenant_id, presented.key_id))
            return MISSING
        if known.facts is None or known.facts.user_id is None:
            return MISSING
        membership = self._facts.peek(known.member_key)
        if membership is MISSING or membership is not known.membership:
            self._facts.forget(known.key)
        return membership

    def _remember(self, text: str, compared: _Compared) -> None:
        self._compared[text] = compared
        self._compared.move_to_end(text)
        if len(self._compared) > KEPT_KEYS:
            self._compared.popitem(last=False)

    async def _read(self, presented: PresentedKey) -> KeyFacts | None:
        since = self._facts.moment()
        async with self._database.control_scope(actor=SYSTEM, tenant_id=presented.tenant_id) as uow:
            row = await uow.one(KEY_FACTS, tenant_id=presented.tenant_id, key_id=presented.key_id)
        if row is None:
            return None
        if row["user_id"] is not None:
            self._facts.keep(user_key(row["user_id"]), row["person_is_active"], since=since)
        return self._facts_of(row)

    async def _may_act(self, facts: KeyFacts) -> bool:
        """Tell whether the person of a key is active: who is deactivated acts by keys no more than by sessions."""
        return facts.user_id is None or await self.is_active(facts.user_id)

    async def is_active(self, user_id: UUID) -> bool:
        """Tell whether a person's account is open."""
        found: bool = await self._facts.load(user_key(user_id), lambda: self._read_active(user_id))
        return found

    async def _read_active(self, user_id: UUID) -> bool:
        async with self._database.control_scope(actor=SYSTEM, user_id=user_id) as uow:
            return bool(await uow.value(PERSON_IS_ACTIVE, user_id=user_id))

    def _facts_of(self, row: Row) -> KeyFacts:
        named, account_id = row["permissions"], row["account_id"]
        return KeyFacts(
            id=row["id"],
            tenant_id=row["tenant_id"],
            user_id=row["user_id"],
            service_account=None
            if account_id is None
            else ServiceAccountFacts(
                account_id,
                row["account_name"],
                row["account_role"],
                row["sponsor_id"],
                is_suspended=row["suspended_at"] is not None,
            ),
            scope=None if named is None else self._catalog.expand(named),
            scope_role=row["role"],
            expires_at=row["expires_at"],
            secret_hash=bytes(row["secret_hash"]),
        )


def api_key_key(tenant_id: UUID, key_id: UUID) -> str:
    """Return the key of a key's facts in the fact cache. It names the tenant as it was presented: whoever puts a
    foreign tenant beside a known id asks for something else, and answers nobody's question with "there is none"."""
    return f"apikey:{tenant_id}:{key_id}"
