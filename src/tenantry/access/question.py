"""What the lines of the decision order mean in memory, for one question: may this principal do that here?"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from uuid import UUID

from tenantry.access.decision import ORDER, Decision, Line, first
from tenantry.access.models import Effect
from tenantry.access.principal import Breadth, Principal


@dataclass(frozen=True, slots=True)
class Question:
    """Whether a principal has a permission, on one record or at all.

    Lives for one decision, so it is cheap to make: `owns` and `found` are asked when the order comes to them.
    """

    principal: Principal
    permission: str
    owns: Callable[[], bool] = lambda: False
    """Whether the record belongs to the principal, and ownership counts for this permission."""
    found: Callable[[Effect], UUID | None] = lambda _: None
    """The first grant on the record, or above it, that has an effect for the principal."""
    always: Collection[str] = frozenset()
    """The roles that pass whatever grants say."""

    def decision(self) -> Decision:
        """Return the decision of the first line that holds, with the grant on a record that made it."""
        decided = first(self.holds)
        grant_id = self.grant(decided.line)
        return decided if grant_id is None else Decision(decided.allowed, decided.line, grant_id)

    def lines(self) -> list[tuple[Line, bool]]:
        """Return every line in its order, and whether it holds, also behind the one that decides."""
        return [(line, self.holds(line)) for line, _ in ORDER]

    def holds(self, line: Line) -> bool:
        """Tell whether a line holds."""
        principal, permission = self.principal, self.permission
        match line:
            case Line.KEY_SCOPE:
                scope = principal.scope(permission)
                return scope is Breadth.NONE or (scope is Breadth.OWN and not self.owns())
            case Line.ALLOW_ALWAYS:
                return not principal.roles.isdisjoint(self.always)
            case Line.DENY_GRANT:
                return permission in principal.denied or self.found(Effect.DENY) is not None
            case Line.ALLOW_GRANT:
                return permission in principal.allowed or self.found(Effect.ALLOW) is not None
            case Line.OWNERSHIP:
                return principal.breadth(permission) is Breadth.OWN and self.owns()
            case _:
                return permission in principal.permissions

    def grant(self, line: Line) -> UUID | None:
        """Return the grant on a record that makes a line hold; None where one on the whole resource does, or none."""
        match line:
            case Line.DENY_GRANT if self.permission not in self.principal.denied:
                return self.found(Effect.DENY)
            case Line.ALLOW_GRANT if self.permission not in self.principal.allowed:
                return self.found(Effect.ALLOW)
            case _:
                return None
