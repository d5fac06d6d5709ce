"""The decision order, in one place.

1. the actor is authenticated                      `tenantry.identity`, before a principal exists
2. and an active member of the tenant              `tenantry.tenancy`, before a principal exists
3. to 8. are `ORDER`; before them stands the scope of the API key, which nothing widens.

`ORDER` has two readers. `predicate` folds the conditions of the lines into one condition of SQL: lists, counts, single
records and writes use it. `first` asks one line after the other about one record in memory: live events and `explain`.
What each line means is said by `tenantry.access.resource` for SQL, by `tenantry.access.question` in memory; neither
knows the order.

*Visible* is the decision for ``read``. A write needs visible and its own action. A child is visible only if its parent
is. What is not visible is 404, what is visible but not allowed is 403; the first is asked before the second.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, not_, or_


class Line(StrEnum):
    """The lines of the decision order, by the names that `explain` gives them."""

    KEY_SCOPE = "key_scope"
    ALLOW_ALWAYS = "allow_always"
    DENY_GRANT = "deny_grant"
    ALLOW_GRANT = "allow_grant"
    OWNERSHIP = "ownership"
    ROLE = "role"
    NOTHING = "nothing"


ORDER: tuple[tuple[Line, bool], ...] = (
    (Line.KEY_SCOPE, False),
    (Line.ALLOW_ALWAYS, True),
    (Line.DENY_GRANT, False),
    (Line.ALLOW_GRANT, True),
    (Line.OWNERSHIP, True),
    (Line.ROLE, True),
)
"""The lines, first to last, and what each decides where it holds. Where none holds, the answer is no."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether something is allowed, the line that decided, and the grant that did where it was one."""

    allowed: bool
    line: Line
    grant_id: UUID | None = None


def first(holds: Callable[[Line], bool]) -> Decision:
    """Return the decision of the first line that holds.

    >>> first(lambda line: line in (Line.DENY_GRANT, Line.ROLE))
    Decision(allowed=False, line=<Line.DENY_GRANT: 'deny_grant'>, grant_id=None)
    >>> first(lambda line: False).line.value
    'nothing'
    """
    for line, allows in ORDER:
        if holds(line):
            return Decision(allows, line)
    return Decision(False, Line.NOTHING)


def predicate(conditions: Mapping[Line, ColumnElement[bool]]) -> ColumnElement[bool]:
    """Return the same decision as a condition of SQL; a line without a condition never holds.

    >>> from sqlalchemy import column, Boolean
    >>> own, denied = column("own", Boolean), column("denied", Boolean)
    >>> print(predicate({Line.OWNERSHIP: own, Line.DENY_GRANT: denied}))
    NOT denied AND own
    """
    folded: ColumnElement[bool] = false()
    for line, allows in reversed(ORDER):
        condition = conditions.get(line)
        if condition is not None:
            folded = or_(condition, folded) if allows else and_(not_(condition), folded)
    return folded
