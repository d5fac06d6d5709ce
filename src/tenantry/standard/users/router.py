"""Users over HTTP: `/me` and `/users`."""

# No `from __future__ import annotations`: FastAPI reads the schemas of an application from the signatures made here.
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from tenantry.http import VERSIONED, api_router, etag
from tenantry.identity import CurrentCaller, CurrentIdentity, signed_in
from tenantry.resources import Expected
from tenantry.standard.dependencies import standard_service
from tenantry.standard.users.schemas import UserRead, UserSchemas
from tenantry.standard.users.service import Users

_signed_in = [Depends(signed_in)]


Service = Annotated[Users, standard_service("users")]


def own_router(schemas: UserSchemas) -> APIRouter:
    """Return the routes of `/me`."""
    me = api_router("/me", tags=["me"], dependencies=_signed_in)

    @me.get("", operation_id="me_read", response_model=schemas.read, responses={200: VERSIONED})
    async def read_me(identity: CurrentIdentity, service: Service, response: Response) -> UserRead:
        """Who is signed in."""
        return _versioned(await service.read(identity, identity.user_id, schemas), response)

    @me.patch("", operation_id="me_update", response_model=schemas.read, responses={200: VERSIONED})
    async def update_me(
        payload: schemas.profile,  # type: ignore[name-defined]
        identity: CurrentIdentity,
        service: Service,
        caller: CurrentCaller,
        response: Response,
        expected: Expected,
    ) -> UserRead:
        """Change one's own name."""
        changes = payload.model_dump(exclude_unset=True)
        user = await service.change(identity, identity.user_id, changes, caller, expected, schemas)
        return _versioned(user, response)

    return me


def users_router(schemas: UserSchemas) -> APIRouter:
    """Return the routes of `/users`."""
    users = api_router("/users", tags=["users"], dependencies=_signed_in)

    @users.get(
        "/{user_id}",
        operation_id="users_read",
        response_model=schemas.read,
        responses={200: VERSIONED},
    )
    async def read_user(user_id: UUID, identity: CurrentIdentity, service: Service, response: Response) -> UserRead:
        """A user: oneself, or anybody for the platform administrator."""
        return _versioned(await service.read(identity, user_id, schemas), response)

    @users.patch(
        "/{user_id}",
        operation_id="users_update",
        response_model=schemas.read,
        responses={200: VERSIONED},
    )
    async def update_user(
        user_id: UUID,
        payload: schemas.update,  # type: ignore[name-defined]
        identity: CurrentIdentity,
        service: Service,
        caller: CurrentCaller,
        response: Response,
        expected: Expected,
    ) -> UserRead:
        """Change a user: one's own name, or anything as platform administrator."""
        changes = payload.model_dump(exclude_unset=True)
        return _versioned(await service.change(identity, user_id, changes, caller, expected, schemas), response)

    @users.delete("/{user_id}", status_code=204, operation_id="users_delete")
    async def delete_user(user_id: UUID, identity: CurrentIdentity, service: Service, caller: CurrentCaller) -> None:
        """Deactivate a user for good and blank what is personal."""
        await service.remove(identity, user_id, caller)

    return users


def _versioned(user: UserRead, response: Response) -> UserRead:
    response.headers["ETag"] = etag(user.version)
    return user
