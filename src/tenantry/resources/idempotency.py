"""`Idempotency-Key`: a POST that is repeated with the same key and body gets the stored answer, and happens once.

The key is claimed in the transaction of the work itself: a second request with the same key waits at the unique index
until the first one ends, and then finds its answer, or, after a rollback, does the work. Errors are not stored.

Every POST does it by `Idempotency.answer`. A hand-written route takes `Idempotent` as a parameter, which declares the
header; the work it hands over makes the answer, because the answer is stored in the transaction of the work.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, ClassVar
from uuid import UUID

from fastapi import Depends, Request
from sqlalchemy import Index, SmallInteger, String, Text, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column
from starlette.types import Scope

from tenantry.access import Access, Principal
from tenantry.database import ControlTable, Plane, Statement, TenantTable, Timestamp, UnitOfWork
from tenantry.database.row_security import OF_TENANT, Policy, user_setting
from tenantry.http import IdempotencyKey as IdempotencyHeader
from tenantry.http import idempotency_key
from tenantry.identity import CurrentIdentity
from tenantry.kernel import new_id
from tenantry.resources.answer import Answer
from tenantry.resources.errors import IdempotencyKeyReused

KEPT = timedelta(hours=24)
"""How long an answer is replayed; a later request with the key is a new one."""


class KeyColumns:
    """What is kept of a key, in either plane."""

    actor_id: Mapped[uuid.UUID]
    key: Mapped[str] = mapped_column(String(255))
    fingerprint: Mapped[str] = mapped_column(String(64))
    """SHA-256 of method, path and body."""
    status: Mapped[int | None] = mapped_column(SmallInteger)
    location: Mapped[str | None] = mapped_column(String(500))
    version: Mapped[int | None]
    body: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=func.now())


class IdempotencyKey(KeyColumns, TenantTable):
    """A key that an actor used, what for, and the answer it got."""

    __tablename__ = "idempotency_keys"
    __privileges__: ClassVar[dict[str, str]] = {"tenantry_app": "SELECT, INSERT, UPDATE, DELETE"}
    __table_args__ = (Index("uq_idempotency_keys_actor", "tenant_id", "actor_id", "key", unique=True),)


class ControlIdempotencyKey(KeyColumns, ControlTable):
    """The same for requests to the control plane, whose transactions permit no other."""

    __tablename__ = "idempotency_keys"
    __policies__: ClassVar[tuple[Policy, ...]] = (Policy("tenant_rows", "tenantry_control", using=OF_TENANT),)
    __table_args__ = (Index("uq_idempotency_keys_actor", "tenant_id", "actor_id", "key", unique=True),)

    tenant_id: Mapped[uuid.UUID] = mapped_column(primary_key=True, sort_order=-1000)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id, sort_order=-999)


class PersonIdempotencyKey(KeyColumns, ControlTable):
    """The same for requests of a person outside of any tenant: to found one."""

    __tablename__ = "person_idempotency_keys"
    __policies__: ClassVar[tuple[Policy, ...]] = (
        Policy("own_rows", "tenantry_control", using=user_setting("actor_id")),
    )
    __table_args__ = (Index("uq_person_idempotency_keys_actor", "actor_id", "key", unique=True),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)


_NAMES = ("tenant_id", "id", "actor_id", "key", "fingerprint")
_UNIQUE = ("tenant_id", "actor_id", "key")
_ANSWER = ("status", "location", "version", "body")


class _Statements:
    """What is asked of the keys in one of the tables."""

    def __init__(self, model: type[IdempotencyKey | ControlIdempotencyKey | PersonIdempotencyKey]) -> None:
        keys = model.__table__
        new = {name: bindparam(f"new_{name}", type_=keys.c[name].type) for name in _NAMES if name in keys.c}
        claimed = insert(keys).values(new)
        fresh = {"id": claimed.excluded.id, "fingerprint": claimed.excluded.fingerprint}
        self.claim = Statement(
            claimed.on_conflict_do_update(
                index_elements=[name for name in _UNIQUE if name in keys.c],
                set_={**fresh, "status": None, "created_at": func.now()},
                where=keys.c.created_at < func.now() - KEPT,
            ).returning(keys.c.id)
        )
        mine = [keys.c[name] == bindparam(f"of_{name}") for name in _UNIQUE if name in keys.c]
        self.find = Statement(select(keys).where(*mine))
        kept = {name: bindparam(f"new_{name}", type_=keys.c[name].type) for name in _ANSWER}
        self.keep = Statement(update(keys).where(*mine).values(kept))
        self.release = Statement(delete(keys).where(*mine))


_STATEMENTS = {Plane.TENANT: _Statements(IdempotencyKey), Plane.CONTROL: _Statements(ControlIdempotencyKey)}
_OF_PERSON = _Statements(PersonIdempotencyKey)


@dataclass(frozen=True, slots=True)
class Idempotency:
    """The key of one request, if it has one, whose it is, and what the request asks."""

    actor_id: UUID
    key: str | None
    fingerprint: str
    is_of_person: bool = False
    """Whether the request is in no tenant: then the key is the person's, whatever tenant they found."""

    @classmethod
    def of_person(cls, user_id: UUID, header: str | None, scope: Scope, body: bytes) -> Idempotency:
        """Return the key of a request in no tenant; for a unit of work whose user is the person."""
        return cls(user_id, idempotency_key(header), _fingerprint(scope, body), is_of_person=True)

    @classmethod
    def of(cls, principal: Principal, header: str | None, scope: Scope, body: bytes) -> Idempotency:
        """Return the key of a request. Raises `InvalidInput` (422) for a header that is none.

        An API key is an actor of its own: it is not told what its person, who may see more, was answered.
        """
        return cls(principal.key_id or principal.user_id, idempotency_key(header), _fingerprint(scope, body))

    async def answer(
        self,
        uow: UnitOfWork,
        work: Callable[[], Awaitable[Answer]],
        *,
        readmit: Callable[[], Awaitable[object]] | None = None,
    ) -> Answer:
        """Do the work, or return the answer that the same request got before.

        Nobody is told again what they may not do any more: what the caller has not asked yet, and the work asks, asks
        `readmit`. Raises `IdempotencyKeyReused` where the key belongs to another request.
        """
        if self.key is None:
            return await work()
        if repeated := await self._claim(uow, self.key):
            if readmit is not None:
                await readmit()
            return repeated
        answer = await work()
        await self.keep(uow, answer)
        return answer

    async def keep(self, uow: UnitOfWork, answer: Answer) -> None:
        """Store the answer of the work that claimed the key; a later one, where the work takes several transactions."""
        if self.key is None:
            return
        body = answer.body if answer.repeated is None else answer.repeated
        await uow.run(
            self._statements(uow).keep,
            **self._mine(uow, self.key),
            new_status=answer.status,
            new_location=answer.location,
            new_version=answer.version,
            new_body=body.decode(),
        )

    async def release(self, uow: UnitOfWork) -> None:
        """Forget the key of work that was taken back in a later transaction: errors are not stored."""
        if self.key is not None:
            await uow.run(self._statements(uow).release, **self._mine(uow, self.key))

    async def _claim(self, uow: UnitOfWork, key: str) -> Answer | None:
        """Take the key for this work, or return the answer that it has already."""
        mine = await uow.value(
            self._statements(uow).claim,
            new_tenant_id=uow.tenant_id,
            new_id=new_id(),
            new_actor_id=self.actor_id,
            new_key=key,
            new_fingerprint=self.fingerprint,
        )
        if mine is not None:
            return None
        found = await uow.one(self._statements(uow).find, **self._mine(uow, key))
        if found is None or found["fingerprint"] != self.fingerprint:
            raise IdempotencyKeyReused("Send a new key for a new request, or the same body with the same key.")
        return Answer(found["status"], found["body"].encode(), version=found["version"], location=found["location"])

    def _statements(self, uow: UnitOfWork) -> _Statements:
        return _OF_PERSON if self.is_of_person else _STATEMENTS[uow.plane]

    def _mine(self, uow: UnitOfWork, key: str) -> dict[str, object]:
        return {"of_tenant_id": uow.tenant_id, "of_actor_id": self.actor_id, "of_key": key}


def _fingerprint(scope: Scope, body: bytes) -> str:
    return hashlib.sha256(f"{scope['method']} {scope['path']}\n".encode() + body).hexdigest()


async def _sent_idempotency(request: Request, access: Access, key: IdempotencyHeader = None) -> Idempotency:
    return Idempotency.of(access.principal, key, request.scope, await request.body())


Idempotent = Annotated[Idempotency, Depends(_sent_idempotency)]
"""The parameter of a hand-written POST that happens once, however often it is sent with its `Idempotency-Key`."""


async def _sent_by_person(request: Request, identity: CurrentIdentity, key: IdempotencyHeader = None) -> Idempotency:
    return Idempotency.of_person(identity.user_id, key, request.scope, await request.body())


PersonIdempotent = Annotated[Idempotency, Depends(_sent_by_person)]
"""The same for a POST in no tenant."""
