"""The gate: from the headers of a request to a principal. Token → identity → tenant → membership → permissions.

Every fact is asked of the in-process cache first; on a hit nothing here waits.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.types import Scope

from tenantry.access.permissions import PermissionCatalog
from tenantry.access.principal import Principal
from tenantry.access.principals import Principals
from tenantry.identity import Authenticator, NotSignedIn
from tenantry.kernel import context
from tenantry.tenancy import DuplicateTenantHeader, TenantResolver


@dataclass(frozen=True, slots=True)
class AccessGate:
    """Resolves who acts. One for a process."""

    authenticator: Authenticator
    resolver: TenantResolver
    principals: Principals

    @property
    def catalog(self) -> PermissionCatalog:
        """Every permission, and what each built-in role holds."""
        return self.principals.catalog

    async def principal(self, scope: Scope) -> Principal:
        """Return who acts in which tenant; published as ``scope["state"]["tenant"]`` and ``…["principal"]`` too.

        Raises `NotSignedIn` (401), then the errors of tenant resolution (400, 403).
        """
        sent = _credentials(scope)
        if sent.token is None:
            raise NotSignedIn("Send an access token: Authorization: Bearer …")
        identity = self.authenticator.peek(sent.token) or await self.authenticator.authenticate(sent.token)
        user_id, platform_role = identity.user_id, identity.platform_role
        context.actor_id.set(str(user_id))
        asked = (user_id, identity.active_tenant_id, sent.tenant_id, sent.tenant_slug)
        membership = self.resolver.peek(*asked) or await self.resolver.resolve(*asked)
        principal = self.principals.peek(user_id, membership, platform_role)
        if principal is None:
            principal = await self.principals.of_person(user_id, membership, platform_role)
        context.tenant_id.set(str(membership.tenant.id))
        state = scope.setdefault("state", {})
        state["tenant"], state["principal"] = membership.tenant, principal
        return principal


@dataclass(frozen=True, slots=True)
class _Sent:
    token: str | None = None
    tenant_id: str | None = None
    tenant_slug: str | None = None


def _credentials(scope: Scope) -> _Sent:
    """Read the three headers; a repeated tenant header is refused, because proxies disagree on which one counts."""
    found: dict[bytes, str] = {}
    for name, value in scope["headers"]:
        if name in _HEADERS:
            if name in found:
                raise DuplicateTenantHeader() if name != b"authorization" else NotSignedIn()
            found[name] = value.decode("latin-1")
    scheme, _, token = found.get(b"authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" and token.strip() else None
    return _Sent(bearer, found.get(b"x-tenant-id"), found.get(b"x-tenant-slug"))


_HEADERS = frozenset({b"authorization", b"x-tenant-id", b"x-tenant-slug"})
