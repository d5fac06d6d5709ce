"""Which keys somebody reaches: their own, those of service accounts, or all. One rule for lists, reads and deletion."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ARRAY, ColumnElement, FromClause, Uuid, any_, bindparam, false, func, or_, true

from tenantry.access import SUBJECTS, Breadth, Permit, Principal, ResourceAccess
from tenantry.kernel import ActorKind
from tenantry.standard.api_keys.errors import KeysNeedAPerson


class KeyAccess(ResourceAccess):
    """Who may do what with keys: who manages service accounts reaches their keys, without any permission for keys.

    `Permit.granted` says that they do. Nothing else does: there are no grants on keys.
    """

    def permit(self, principal: Principal, verb: str) -> Permit:
        """Return how far one verb reaches: to keys of everybody, of service accounts, one's own, or none."""
        permission, of_accounts = self.permission(verb), principal.has("service-accounts:manage")
        if verb == "create":
            return Permit(Breadth.ALL if principal.has(permission) else Breadth.NONE)
        if principal.has(permission):
            return Permit(Breadth.ALL)
        return Permit(Breadth.OWN if principal.has_for_own(permission) else Breadth.NONE, granted=of_accounts)

    def _rule(
        self,
        verb: str,  # noqa: ARG002 - the permit says it
        permit: Permit,
        rows: FromClause,
        named: ColumnElement[Any] | None = None,  # noqa: ARG002 - for grants alone
    ) -> ColumnElement[bool]:
        if permit.breadth is Breadth.ALL:
            return true()
        found: list[ColumnElement[bool]] = []
        if permit.breadth is Breadth.OWN:
            acts_for = func.coalesce(rows.c.user_id, rows.c.service_account_id)
            found.append(acts_for == any_(bindparam(SUBJECTS, type_=ARRAY(Uuid))))
        if permit.granted:
            found.append(rows.c.service_account_id.is_not(None))
        return or_(false(), *found)


def require_person(principal: Principal) -> None:
    """Raise `KeysNeedAPerson` unless a person acts who signed in.

    A key that makes keys outlives its own end, and one that changes service accounts lifts itself: a key that leaked
    could then not be taken back by deleting it.
    """
    actor = principal.actor
    if actor.kind is not ActorKind.USER or actor.id != principal.user_id or principal.ceiling is not None:
        raise KeysNeedAPerson
