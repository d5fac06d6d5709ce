"""Exceptions from a rule, each with its reason: ``# allow: <rule> - <reason>`` on the line, or alone above it.

An exception that excepts nothing is a finding itself: it hides the next breach on that line, and tells readers of a
problem that is not there any more.
"""

from __future__ import annotations

import difflib
import fnmatch
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from tenantry.cli.check.finding import Finding
from tenantry.cli.check.project import CheckedProject
from tenantry.cli.check.settings import Exemption
from tenantry.cli.check.source import Source

NAME = "allowance"

_ALLOW = re.compile(
    "#\\s*allow:\\s*(?P<rule>[a-z]+(?:-[a-z]+)*)(?:\\s+[-\N{EN DASH}\N{EM DASH}]+\\s*(?P<reason>\\S.*))?"
)
_WAY_OUT = "write it as `# allow: <rule> - <reason>`, or take it away"


@dataclass(frozen=True, slots=True)
class Allowance:
    """A comment that allows one breach of one rule, on the lines that it stands for."""

    rule: str
    reason: str
    source: str
    line: int
    covers: frozenset[int]

    def matches(self, finding: Finding) -> bool:
        """Tell whether the comment stands for a finding."""
        return self.rule == finding.rule and self.source == finding.file and finding.line in self.covers


def apply(
    project: CheckedProject, findings: Iterable[Finding], *, known: Collection[str], ran: Collection[str]
) -> list[Finding]:
    """Return the findings that nothing allows, with those about allowances themselves.

    `known` are the names of all rules, `ran` those that were applied: only of these it is known what is unused.
    """
    allowances = [one for source in (*project.sources, *project.test_sources) for one in _allowances(source)]
    used: set[Allowance | Exemption] = set()
    left: list[Finding] = []
    for finding in findings:
        allowing: list[Allowance | Exemption] = [one for one in allowances if one.reason and one.matches(finding)]
        allowing += [one for one in project.exemptions if _covers(one, finding)]
        used |= set(allowing)
        if not allowing:
            left.append(finding)
    left += _faults_of_comments([one for one in allowances if one not in used], known, ran)
    left += _faults_of_exemptions(project, [one for one in project.exemptions if one not in used], known, ran)
    return left


def _allowances(source: Source) -> Iterator[Allowance]:
    for line, (comment, is_alone) in source.comments.items():
        if found := _ALLOW.search(comment):
            covers = {line, _next_code(source, line)} if is_alone else {line}
            yield Allowance(found["rule"], (found["reason"] or "").strip(), source.name, line, frozenset(covers))


def _next_code(source: Source, line: int) -> int:
    following = line + 1
    while source.comments.get(following, ("", False))[1]:
        following += 1
    return following


def _covers(exemption: Exemption, finding: Finding) -> bool:
    return exemption.rule == finding.rule and fnmatch.fnmatchcase(finding.file, exemption.path)


def _faults_of_comments(unused: Iterable[Allowance], known: Collection[str], ran: Collection[str]) -> Iterator[Finding]:
    for one in unused:
        place = f"{one.source}:{one.line}"
        if one.rule not in known:
            yield Finding(NAME, place, f"there is no rule {one.rule!r}{_suggestion(one.rule, known)}", _WAY_OUT)
        elif not one.reason:
            yield Finding(NAME, place, f"{one.rule} is allowed here without a reason", _WAY_OUT)
        elif one.rule in ran:
            yield Finding(NAME, place, f"{one.rule} is allowed here, but finds nothing", "take the comment away")


def _faults_of_exemptions(
    project: CheckedProject, unused: Iterable[Exemption], known: Collection[str], ran: Collection[str]
) -> Iterator[Finding]:
    for one in unused:
        place = f"pyproject.toml:{_line_of(project, one)}"
        if one.rule not in known:
            reason = f"exempt: there is no rule {one.rule!r}{_suggestion(one.rule, known)}"
            yield Finding(NAME, place, reason, "correct the name, or take the entry away")
        elif one.rule in ran:
            reason = f"{one.path} is exempt from {one.rule}, which finds nothing there"
            yield Finding(NAME, place, reason, "take the entry away")


def _line_of(project: CheckedProject, exemption: Exemption) -> int:
    lines = (project.root / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    named = [number for number, line in enumerate(lines, 1) if f'"{exemption.path}"' in line]
    return named[0] if named else 1


def _suggestion(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
