"""How the statements of a transaction are planned. The policy of a tenant table has no parameter, so a plan that was
kept for a small tenant may be used for a large one (measured: 106 ms instead of 0.4)."""

from __future__ import annotations

from enum import Enum


class Planning(Enum):
    """What the opening batch says to the planner."""

    KEPT = ""
    """Plans are kept: right for statements by key, whose plan is the same for every tenant."""
    FRESH = "SET LOCAL plan_cache_mode = force_custom_plan;"
    """Every execution is planned for this tenant's values: right for lists with filters, searches and counts."""
    IN_ORDER = (
        "SET LOCAL plan_cache_mode = force_generic_plan;"
        "SET LOCAL enable_seqscan = off;SET LOCAL enable_bitmapscan = off;SET LOCAL enable_sort = off;"
    )
    """The plan is kept, and can only be a walk along the index that has the list's order: right for every tenant,
    whoever it was made for. Saves planning, a third of what such a list costs the server (docs/decisions/0011)."""
