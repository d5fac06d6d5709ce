"""What is checked of every answer, and what a breach is called."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tenantry.proof.calling import AppRequest, AppResponse

MOST_SHOWN = 300
"""Characters of an answer that a finding shows."""
MOST_OF_A_KIND = 5
"""Findings of one kind on one route that are kept; the others are counted."""

_VOLATILE_HEADERS = frozenset({"date", "x-request-id", "server-timing", "content-length", "traceparent"})
_VOLATILE_TEXT = re.compile(r'("(?:request_id|trace_id)":\s*)"[^"]*"')


class Breach(StrEnum):
    """What can be wrong; the value is what reports say."""

    LEAK = "shows something of the other tenant"
    TOLD_APART = "tells what exists from what does not"
    ACCEPTED = "takes what belongs to the other tenant"
    CHANGED = "changes rows of the other tenant"
    HIDDEN_SHOWN = "shows a record that the caller cannot read"
    COUNT = "counts records that the caller cannot see"
    LIST_AND_ITEM = "list and single record disagree"
    FIELD = "gives away a field that the caller cannot read"
    OUTSIDER = "lets somebody in who is no member"
    GRANT = "a grant is not kept"
    TIMING = "takes another time for what exists"
    LOGGED = "writes something of a tenant into the log"
    BROKEN = "fails"
    UNPROVEN = "has no allowed call, so its refusals prove nothing"


WAYS_OUT: Mapping[Breach, str] = {
    Breach.LEAK: "Read the rows in the tenant's unit of work, through a statement that begins with the visible set.",
    Breach.TOLD_APART: "Ask for the record in the caller's visible set first and raise RecordNotFound for everything "
    "else; decide permissions, versions and states only afterwards.",
    Breach.ACCEPTED: "Check the reference against the visible set (`records.is_parent_visible`, "
    "`runtime.members.is_member`), and make the foreign key composite with `tenant_reference`.",
    Breach.CHANGED: "Write in the tenant's unit of work; row security refuses the rest. Check that no role bypasses "
    "it.",
    Breach.HIDDEN_SHOWN: "Begin the statement with the visible set of `ResourceAccess`, in search, continuation and "
    "export too.",
    Breach.COUNT: "Count with the same condition as the page: `count_of` over the statement of the list.",
    Breach.LIST_AND_ITEM: "Use the same predicate for the list and for the single record: `ResourceAccess.visible`.",
    Breach.FIELD: "Refuse filters, sorts and searches on a restricted field as if it did not exist.",
    Breach.OUTSIDER: "Resolve the tenant through `TenantResolver`; a header, a key or a token selects among "
    "memberships, it does not make one.",
    Breach.GRANT: "Take the grants of the tenant and of the moment only, and let a deny hold in lists as on the "
    "record.",
    Breach.TIMING: "Answer both ways with the same statements; look for a second statement, or for work that is done "
    "for existing records only.",
    Breach.LOGGED: "Log ids of the own tenant only, and no texts of records or credentials.",
    Breach.BROKEN: "Raise an error of `tenantry.kernel.errors`, so that it becomes a problem with a status.",
    Breach.UNPROVEN: "Make the route callable with a body that follows from its schema (formats, enumerations, "
    "examples), or see in the detail why no call succeeded.",
}


@dataclass(frozen=True, slots=True)
class IsolationFinding:
    """One breach: where, as whom, what was sent, expected and got, and the way out."""

    kind: Breach
    route: str
    caller: str
    case: str
    request: str
    expected: str
    got: str

    @property
    def way_out(self) -> str:
        """What to do about it."""
        return WAYS_OUT[self.kind]


@dataclass
class Ledger:
    """Everything that was found, kept short: a route that leaks does it in many calls."""

    findings: list[IsolationFinding] = field(default_factory=list)
    counts: dict[tuple[Breach, str], int] = field(default_factory=dict)

    def add(self, finding: IsolationFinding) -> None:
        """Note a finding."""
        key = (finding.kind, finding.route)
        self.counts[key] = self.counts.get(key, 0) + 1
        if self.counts[key] <= MOST_OF_A_KIND:
            self.findings.append(finding)

    def of_route(self, route: str) -> int:
        """Return how many findings a route has."""
        return sum(number for (_, named), number in self.counts.items() if named == route)


@dataclass
class Secrets:
    """What must never be shown to the other side: canary, slug, ids, addresses, tokens."""

    texts: frozenset[str]

    def shown_in(self, answer: AppResponse, request: AppRequest) -> list[str]:
        """Return the secrets that an answer shows and the request did not bring."""
        shown = f"{answer.text}\n{answer.headers}".lower()
        found = [text for text in self.texts if text in shown]
        if not found:
            return []
        told = json.dumps([request.path, request.params, request.headers, request.body], default=str).lower()
        return [text for text in found if text not in told]


def comparable(answer: AppResponse, values: Iterable[str]) -> tuple[int, str, tuple[tuple[str, str], ...]]:
    """Return what answers about a foreign and about a random thing must have in common.

    `values` are what the two requests differ in: each may be repeated in its answer.
    """
    text = _without(_VOLATILE_TEXT.sub(r"\1null", answer.text), values)
    headers = sorted(
        (name, "" if name in _VOLATILE_HEADERS else _without(value, values)) for name, value in answer.headers
    )
    return answer.status, text, tuple(headers)


def difference(one: AppResponse, other: AppResponse, values: Iterable[str], others: Iterable[str]) -> str | None:
    """Return in words how two answers differ; None where they do not."""
    first, second = comparable(one, values), comparable(other, others)
    if first == second or (one.is_success and other.is_success and one.status == other.status):
        return None if first == second or not _is_list(one) else _bodies(first[1], second[1])
    if first[0] != second[0]:
        return f"status {first[0]} and {second[0]}"
    if first[1] != second[1]:
        return _bodies(first[1], second[1])
    ours, theirs = dict(first[2]), dict(second[2])
    names = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
    return "headers: " + ", ".join(f"{name} {ours.get(name)!r} and {theirs.get(name)!r}" for name in names)


def shown(answer: AppResponse) -> str:
    """Return an answer as findings show it."""
    text = answer.text if len(answer.text) <= MOST_SHOWN else answer.text[:MOST_SHOWN] + "…"
    return f"{answer.status} {text}".strip()


def items_of(answer: AppResponse) -> list[Any]:
    """Return the items of a page; nothing for any other answer."""
    body = answer.json()
    items = body.get("items") if isinstance(body, dict) else body
    return items if isinstance(items, list) else []


def page_of(answer: AppResponse) -> dict[str, Any]:
    """Return what a page says about its place in the list."""
    body = answer.json()
    page = body.get("page") if isinstance(body, dict) else None
    return page if isinstance(page, dict) else {}


def _bodies(one: str, other: str) -> str:
    return f"bodies {one[:MOST_SHOWN]!r} and {other[:MOST_SHOWN]!r}"


def _is_list(answer: AppResponse) -> bool:
    return bool(page_of(answer))


def _without(text: str, values: Iterable[str]) -> str:
    for value in sorted(values, key=len, reverse=True):
        text = text.replace(value, "…").replace(value.lower(), "…")
    return text
