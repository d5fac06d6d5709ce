"""What the routes of tenancy ask of those above: permissions are access's business, which knows tenancy and not the
other way round. The assembly hands them in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from tenantry.kernel import Actor
from tenantry.tenancy.facts import TenantFacts


class SignedIn(Protocol):
    """Who is signed in, outside of any tenant."""

    @property
    def user_id(self) -> UUID:
        """The person."""
        ...


class TenantPrincipal(Protocol):
    """Who acts in which tenant."""

    @property
    def actor(self) -> Actor:
        """The actor, as the trail names it."""
        ...

    @property
    def user_id(self) -> UUID:
        """The person who acts, or in whose name."""
        ...

    @property
    def tenant(self) -> TenantFacts:
        """The tenant that the request is about."""
        ...

    @property
    def role(self) -> str:
        """The role there."""
        ...

    @property
    def ceiling(self) -> frozenset[str] | None:
        """What the API key of the request is limited to; None where nothing is."""
        ...


class TenantAccess(Protocol):
    """A request that was let into a tenant."""

    @property
    def principal(self) -> TenantPrincipal:
        """Who acts."""
        ...

    @property
    def request_id(self) -> str:
        """The id of the request."""
        ...


Rule = Callable[..., Awaitable[Any]]
"""An access rule (`tenantry.http.access_rule`); what it returns is named below."""


@dataclass(frozen=True, slots=True)
class TenancyRules:
    """Who may call which routes."""

    signed_in: Rule
    """Anybody with an account: returns `SignedIn`."""
    member: Rule
    """Every member of the tenant: returns `TenantAccess`, as the next three do."""
    may_read_members: Rule
    may_manage_members: Rule
    may_update_tenant: Rule
    platform_admin: Rule
    """The platform administrator: returns `SignedIn`."""
