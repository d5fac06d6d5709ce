"""Explanations over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import WithJsonSchema

from tenantry.access import MAX_PERMISSION, Access, member, require_permission
from tenantry.http import api_router, fails_with
from tenantry.standard.explain.schemas import ExplanationRead, WhoCanRead
from tenantry.standard.explain.service import EXPLAIN, About, Asked, Explainer, Page

_AN_ID = WithJsonSchema({"type": "string", "format": "uuid"})
"""Each may be absent, which in Python is None; the document does not offer ``null``, which no query can hold."""


def _explainer(request: Request) -> Explainer:
    return cast("Explainer", request.app.state.assembly.services.explainer)


def _asked(
    action: Annotated[str, Query(min_length=1, max_length=MAX_PERMISSION, description="E.g. `projects:update`.")],
    resource_type: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=60,
            description="`project` or `projects`; one above it where the question is about anything below a record.",
        ),
        WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 60}),
    ] = None,
    resource_id: Annotated[
        UUID | None, Query(description="The record; without it, the whole resource."), _AN_ID
    ] = None,
) -> Asked:
    return Asked(action, resource_type, resource_id)


def _about(
    user_id: Annotated[
        UUID | None, Query(description="A member; without any of the three, the caller."), _AN_ID
    ] = None,
    service_account_id: Annotated[UUID | None, Query(description="A service account of the tenant."), _AN_ID] = None,
    api_key_id: Annotated[UUID | None, Query(description="Whoever the key acts for, within its scope."), _AN_ID] = None,
) -> About:
    return About(user_id, service_account_id, api_key_id)


Service = Annotated[Explainer, Depends(_explainer)]
Question = Annotated[Asked, Depends(_asked)]
_explains: Any = require_permission(EXPLAIN)


def explain_router() -> APIRouter:
    """Return the routes that explain access."""
    router = api_router("/access", tags=["access"])

    @router.get(
        "/explain",
        operation_id="access_explain",
        summary="Explain why somebody may or may not do something",
        responses=fails_with(404),
        dependencies=[member],
    )
    async def explain(
        question: Question, about: Annotated[About, Depends(_about)], service: Service, access: Access
    ) -> ExplanationRead:
        """Name the line of the decision order that decides, and the grant or the role behind it.

        Everybody may ask about themselves; to ask about others needs `access:explain`.
        """
        principal = access.principal
        explanation = await service.explain(principal.tenant, question, about, principal)
        return ExplanationRead.model_validate(explanation, from_attributes=True)

    @router.get(
        "/who-can",
        operation_id="access_who_can",
        summary="List who may do something",
        responses=fails_with(404),
        dependencies=[_explains],
    )
    async def who_can(
        question: Question,
        service: Service,
        access: Access,
        limit: Annotated[int, Query(ge=1, le=1000, description="How many of them, at most.")] = 200,
        after: Annotated[UUID | None, Query(description="The last subject of the page before."), _AN_ID] = None,
    ) -> WhoCanRead:
        """Members and service accounts that may do it, by name, each with the line that lets them."""
        page = await service.who_can(access.principal.tenant, question, Page(limit, after))
        return WhoCanRead.model_validate(page, from_attributes=True)

    return router
