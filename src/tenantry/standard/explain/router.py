"""Explanations over HTTP."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import WithJsonSchema

from tenantry.access import MAX_PERMISSION, Access, SubjectType, member, require_permission
from tenantry.http import api_router, fails_with
from tenantry.standard.dependencies import standard_service
from tenantry.standard.explain.errors import InvalidQuestion
from tenantry.standard.explain.question import AccessQuestion, SubjectReference
from tenantry.standard.explain.schemas import ExplanationRead, WhoCanRead
from tenantry.standard.explain.service import EXPLAIN, Explainer

_AN_ID = WithJsonSchema({"type": "string", "format": "uuid"})
"""Each may be absent, which in Python is None; the document does not offer ``null``, which no query can hold."""


def _question(
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
) -> AccessQuestion:
    return AccessQuestion(action, resource_type, resource_id)


def _about(
    user_id: Annotated[
        UUID | None, Query(description="A member; without any of the three, the caller."), _AN_ID
    ] = None,
    service_account_id: Annotated[UUID | None, Query(description="A service account of the tenant."), _AN_ID] = None,
    api_key_id: Annotated[UUID | None, Query(description="Whoever the key acts for, within its scope."), _AN_ID] = None,
) -> SubjectReference | None:
    asked = {
        SubjectType.USER: user_id,
        SubjectType.SERVICE_ACCOUNT: service_account_id,
        SubjectType.API_KEY: api_key_id,
    }
    named = [SubjectReference(kind, subject_id) for kind, subject_id in asked.items() if subject_id is not None]
    if len(named) > 1:
        raise InvalidQuestion.at("?user_id", "Name one of user_id, service_account_id and api_key_id.")
    return named[0] if named else None


Service = Annotated[Explainer, standard_service("explainer")]
Asked = Annotated[AccessQuestion, Depends(_question)]
About = Annotated[SubjectReference | None, Depends(_about)]
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
    async def explain(question: Asked, about: About, service: Service, access: Access) -> ExplanationRead:
        """Name the line of the decision order that decides, and the grant or the role behind it.

        Everybody may ask about themselves; to ask about others needs `access:explain`.
        """
        principal = access.principal
        return await service.explain(principal.tenant, question, about or SubjectReference.of(principal), principal)

    @router.get(
        "/who-can",
        operation_id="access_who_can",
        summary="List who may do something",
        responses=fails_with(404),
        dependencies=[_explains],
    )
    async def who_can(
        question: Asked,
        service: Service,
        access: Access,
        limit: Annotated[int, Query(ge=1, le=1000, description="How many of them, at most.")] = 200,
        after: Annotated[UUID | None, Query(description="The last subject of the page before."), _AN_ID] = None,
    ) -> WhoCanRead:
        """Members and service accounts that may do it, by name, each with the line that lets them."""
        return await service.who_can(access.principal.tenant, question, limit=limit, after=after)

    return router
