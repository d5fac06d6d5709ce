"""Which keys somebody reaches: their own, those of service accounts, or all. One rule for lists, reads and deletion."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from tenantry.access import Breadth, NotPermitted, Principal
from tenantry.kernel import ActorKind
from tenantry.standard.api_keys.errors import KeysNeedAPerson


@dataclass(frozen=True, slots=True)
class KeysInReach:
    """The keys that somebody may do something with, as the parameters of the statements name them."""

    reaches_all: bool
    reaches_accounts: bool
    own_id: UUID | None

    @property
    def parameters(self) -> dict[str, object]:
        """What the statements take."""
        return {
            "reaches_all": self.reaches_all,
            "reaches_accounts": self.reaches_accounts,
            "own_id": self.own_id,
        }

    def covers(self, user_id: UUID | None, account_id: UUID | None) -> bool:
        """Tell whether a key is among them, by whom it acts for."""
        if self.reaches_all or (self.reaches_accounts and account_id is not None):
            return True
        return self.own_id is not None and self.own_id in (user_id, account_id)


def reach_of(principal: Principal, verb: str) -> KeysInReach:
    """Return the keys for which a principal holds ``api-keys:<verb>``; whoever manages service accounts, theirs too.

    Raises `NotPermitted` where it reaches none.
    """
    permission = f"api-keys:{verb}"
    breadth = _breadth(principal, permission)
    reaches_accounts = _breadth(principal, "service-accounts:manage") is Breadth.ALL
    if breadth is Breadth.NONE and not reaches_accounts:
        raise NotPermitted(f"This needs the permission {permission}.", permission=permission)
    own_id = None if breadth is Breadth.NONE else principal.user_id
    return KeysInReach(reaches_all=breadth is Breadth.ALL, reaches_accounts=reaches_accounts, own_id=own_id)


def require_person(principal: Principal) -> None:
    """Raise `KeysNeedAPerson` unless a person acts who signed in.

    A key that makes keys outlives its own end, and one that changes service accounts lifts itself: a key that leaked
    could then not be taken back by deleting it.
    """
    actor = principal.actor
    if actor.kind is not ActorKind.USER or actor.id != principal.user_id or principal.ceiling is not None:
        raise KeysNeedAPerson


def _breadth(principal: Principal, permission: str) -> Breadth:
    """Return how far a permission reaches within the key of the request: `ALL`, `OWN` or `NONE`."""
    breadth, scope = principal.breadth(permission), principal.scope(permission)
    if breadth in (Breadth.NONE, Breadth.DENIED) or scope is Breadth.NONE:
        return Breadth.NONE
    return Breadth.OWN if Breadth.OWN in (breadth, scope) else Breadth.ALL
