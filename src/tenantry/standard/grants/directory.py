"""Whom a grant names: subjects of the tenant, found by type and by what the request calls them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from tenantry.access import BUILT_IN_IDS, SubjectType, UnknownSubject
from tenantry.database import Row, UnitOfWork
from tenantry.standard.grants.repository import (
    API_KEY_NAMED,
    ROLE_NAMED,
    SERVICE_ACCOUNT_NAMED,
    TEAM_NAMED,
    USER_NAMED,
)

_BY_ID = {
    SubjectType.USER: USER_NAMED,
    SubjectType.TEAM: TEAM_NAMED,
    SubjectType.API_KEY: API_KEY_NAMED,
    SubjectType.SERVICE_ACCOUNT: SERVICE_ACCOUNT_NAMED,
}


@dataclass(frozen=True, slots=True)
class Subject:
    """Somebody or something of the tenant that can hold a grant."""

    type: SubjectType
    id: UUID
    name: str


async def find_subject(uow: UnitOfWork, kind: SubjectType, called: str) -> Subject:
    """Return a subject of the unit of work's tenant; a role may be called by its name. Raises `UnknownSubject`.

    One that is in another tenant is as unknown as one that is nowhere.
    """
    found = await _find_role(uow, called) if kind is SubjectType.ROLE else await _find_by_id(uow, kind, called)
    if found is None:
        raise UnknownSubject.at("/subject_id", f"There is no such {kind.replace('_', ' ')} in this tenant.")
    return found


async def _find_role(uow: UnitOfWork, called: str) -> Subject | None:
    for name, role_id in BUILT_IN_IDS.items():
        if called in (name, str(role_id)):
            return Subject(SubjectType.ROLE, role_id, name)
    return _subject(SubjectType.ROLE, await uow.one(ROLE_NAMED, tenant_id=uow.tenant_id, called=called))


async def _find_by_id(uow: UnitOfWork, kind: SubjectType, called: str) -> Subject | None:
    statement = _BY_ID.get(kind)
    try:
        subject_id = UUID(called)
    except ValueError:
        return None
    if statement is None:  # a type whose subjects the application does not have
        return None
    return _subject(kind, await uow.one(statement, tenant_id=uow.tenant_id, subject_id=subject_id))


def _subject(kind: SubjectType, row: Row | None) -> Subject | None:
    return None if row is None else Subject(kind, row["id"], row["name"])
