"""The gate: from the headers of a request to a principal. Token → identity → tenant → membership → permissions.

Every fact is asked of the in-process cache first; on a hit nothing here waits.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.types import Scope

from tenantry.access.permissions import PermissionCatalog
from tenantry.access.principal import Principal
from tenantry.identity import Authenticator, Identity, NotSignedIn
from tenantry.kernel import Actor, ActorKind, context
from tenantry.tenancy import DuplicateTenantHeader, Membership, TenantResolver


@dataclass(frozen=True, slots=True)
class AccessGate:
    """Resolves who acts. One for a process; `catalog` knows what each role may do."""

    authenticator: Authenticator
    resolver: TenantResolver
    catalog: PermissionCatalog

    async def principal(self, scope: Scope) -> Principal:
        """Return who acts in which tenant; published as ``scope["state"]["tenant"]`` too.

        Raises `NotSignedIn` (401), then the errors of tenant resolution (400, 403).
        """
        sent = _credentials(scope)
        if sent.token is None:
            raise NotSignedIn("Send an access token: Authorization: Bearer …")
        identity = self.authenticator.peek(sent.token) or await self.authenticator.authenticate(sent.token)
        context.actor_id.set(str(identity.user_id))
        asked = (identity.user_id, identity.active_tenant_id, sent.tenant_id, sent.tenant_slug)
        membership = self.resolver.peek(*asked) or await self.resolver.resolve(*asked)
        context.tenant_id.set(str(membership.tenant.id))
        scope.setdefault("state", {})["tenant"] = membership.tenant
        return self._principal(identity, membership)

    def _principal(self, identity: Identity, membership: Membership) -> Principal:
        return Principal(
            Actor(ActorKind.USER, identity.user_id),
            identity.user_id,
            membership.tenant,
            membership.role,
            self.catalog.of_role(membership.role),
        )


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
