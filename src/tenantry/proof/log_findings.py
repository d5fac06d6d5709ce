"""What was written into the logs while strangers called: ids of the own tenant, and no text of anybody."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tenantry.proof.context import ProofContext
from tenantry.proof.verdicts import Breach, IsolationFinding

LOG = "the logs"


def findings_in_logs(context: ProofContext) -> Iterator[IsolationFinding]:
    """Yield what the logs of the run should not hold."""
    written = context.logs.everything.lower()
    tenants = (context.mine.side.tenant, context.theirs.side.tenant)
    texts = {
        f"the canary of the {name} tenant": one.canary for name, one in zip(("own", "other"), tenants, strict=True)
    }
    texts |= {f"a token of {role}": token for one in tenants for role, token in one.tokens.items()}
    texts |= {f"API key {number}": secret for number, secret in enumerate(context.extras.credentials, 1)}
    for name, text in texts.items():
        if text.lower() in written:
            yield _finding("log lines", "no texts of records, no credentials", name)
    yield from _crossings(context)


def _crossings(context: ProofContext) -> Iterator[IsolationFinding]:
    """Yield lines of the access log in which somebody acts in a tenant that is not theirs."""
    mine, theirs = context.mine.side, context.theirs.side
    own = {str(one.user_id) for one in mine.callers.values() if not one.is_of_both}
    for line in context.logs.access:
        told = json.loads(line)
        if told["tenant_id"] == str(theirs.tenant.id) and told["actor_id"] in own:
            yield _finding("access line", "the own tenant, or none", line.strip())


def _finding(case: str, expected: str, got: str) -> IsolationFinding:
    return IsolationFinding(Breach.LOGGED, LOG, "all", case, "every call of the run", expected, got)
