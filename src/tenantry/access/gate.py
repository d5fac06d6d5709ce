"""The gate: from the headers of a request to a principal. Token → identity → tenant → membership → permissions; or
API key → membership or service account of its tenant → permissions within its scope.

Every fact is asked of the in-process cache first; on a hit nothing here waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.types import Scope

from tenantry.access.keys.errors import TwoCredentials
from tenantry.access.keys.facts import KeyCache
from tenantry.access.keys.secrets import MARK
from tenantry.access.permissions import PermissionCatalog
from tenantry.access.principal import Principal
from tenantry.access.principals import Principals
from tenantry.access.sponsors import Sponsors
from tenantry.identity import Authenticator, NotSignedIn
from tenantry.kernel import context
from tenantry.tenancy import DuplicateTenantHeader, NotAMember, TenantFacts, TenantResolver


@dataclass(frozen=True, slots=True)
class AccessGate:
    """Resolves who acts. One for a process."""

    authenticator: Authenticator
    resolver: TenantResolver
    principals: Principals
    keys: KeyCache
    sponsors: Sponsors

    @property
    def catalog(self) -> PermissionCatalog:
        """Every permission, and what each built-in role holds."""
        return self.principals.catalog

    async def principal(self, scope: Scope) -> Principal:
        """Return who acts in which tenant; published as ``scope["state"]["tenant"]`` and ``…["principal"]`` too.

        Raises `NotSignedIn` and `InvalidApiKey` (401), `TwoCredentials` (400), then the errors of tenant resolution
        (400, 403) and `ServiceAccountSuspended` (403).
        """
        sent = _credentials(scope)
        state = scope.setdefault("state", {})
        if sent.key is not None:
            principal = await self._of_key(sent.key, sent, state)
        elif sent.token is not None:
            principal = await self._of_token(sent.token, sent, state)
        else:
            raise NotSignedIn("Send an access token: Authorization: Bearer …")
        context.tenant_id.set(str(principal.tenant.id))
        state["tenant"], state["principal"] = principal.tenant, principal
        return principal

    async def _of_token(self, token: str, sent: _Sent, state: dict[str, Any]) -> Principal:
        identity = self.authenticator.peek(token) or await self.authenticator.authenticate(token)
        state["identity"] = identity  # the trail says who was refused a tenant
        user_id, platform_role = identity.user_id, identity.platform_role
        context.actor_id.set(str(user_id))
        asked = (user_id, identity.active_tenant_id, sent.tenant_id, sent.tenant_slug)
        membership = self.resolver.peek(*asked) or await self.resolver.resolve(*asked)
        known = self.principals.peek(user_id, membership.tenant.id, (membership, platform_role))
        return known or await self.principals.of_person(user_id, membership, platform_role)

    async def _of_key(self, text: str, sent: _Sent, state: dict[str, Any]) -> Principal:
        """A key names its tenant; a header may repeat it. The key counts while whom it acts for belongs there."""
        key = state["api_key"] = self.keys.peek(text) or await self.keys.load(text)
        context.actor_id.set(str(key.id))
        if key.user_id is None:
            tenant = await self.resolver.active(key.tenant_id)
            _require_same(tenant, sent)
            return await self.sponsors.principal(key, tenant)
        asked = (key.user_id, key.tenant_id, None, None)
        membership = self.resolver.peek(*asked) or await self.resolver.resolve(*asked)
        _require_same(membership.tenant, sent)
        return await self.principals.of_key(key, membership)


@dataclass(frozen=True, slots=True)
class _Sent:
    token: str | None = None
    key: str | None = None
    tenant_id: str | None = None
    tenant_slug: str | None = None


def _credentials(scope: Scope) -> _Sent:
    """Read the four headers; a repeated tenant header is refused, because proxies disagree on which one counts."""
    found: dict[bytes, str] = {}
    for name, value in scope["headers"]:
        if name in _HEADERS:
            if name in found:
                raise DuplicateTenantHeader() if name in _TENANT_HEADERS else NotSignedIn()
            found[name] = value.decode("latin-1")
    scheme, _, token = found.get(b"authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" and token.strip() else None
    key = found.get(b"x-api-key")
    if key is not None and b"authorization" in found:
        raise TwoCredentials
    if bearer is not None and bearer.startswith(MARK):
        bearer, key = None, bearer
    return _Sent(bearer, key, found.get(b"x-tenant-id"), found.get(b"x-tenant-slug"))


def _require_same(tenant: TenantFacts, sent: _Sent) -> None:
    """Refuse a header that names another tenant than the key does, whether there is such a tenant or not."""
    if (sent.tenant_id or "").lower() not in ("", str(tenant.id)) or sent.tenant_slug not in (None, tenant.slug):
        raise NotAMember


_TENANT_HEADERS = frozenset({b"x-tenant-id", b"x-tenant-slug"})
_HEADERS = _TENANT_HEADERS | {b"authorization", b"x-api-key"}
