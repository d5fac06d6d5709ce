"""Applying the rules."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from tenantry.cli.check import allowances
from tenantry.cli.check.finding import Finding
from tenantry.cli.check.project import CheckedProject
from tenantry.cli.check.rules import OF_APPLICATIONS, OF_FILES, Rule
from tenantry.kernel import ConfigurationError

RULES: dict[str, Rule] = {rule.NAME: rule for rule in (*OF_FILES, *OF_APPLICATIONS)}
"""Every rule by its name, in the order in which they are applied."""


def run_checks(project: CheckedProject, only: Iterable[str] | None = None) -> list[Finding]:
    """Apply the rules and return what they find, sorted, without what is allowed with a reason.

    `only` names the rules to apply (`ConfigurationError` for an unknown one); by default all that can be applied: see
    `left_out`.
    """
    applied = _applied(project, only)
    found = {finding for rule in applied for finding in rule.check(project)}
    ran = {rule.NAME for rule in applied}
    return sorted(allowances.apply(project, sorted(found), known=RULES, ran=ran), key=_by_place)


def left_out(project: CheckedProject) -> list[str]:
    """Return the names of the rules that cannot be applied, because the project names no application."""
    return [] if project.application is not None else [rule.NAME for rule in OF_APPLICATIONS]


def explain(name: str) -> str:
    """Return why a rule exists: the incident that it prevents. Raises `ConfigurationError` for an unknown name."""
    return (_rule(name).__doc__ or "").strip()


def _applied(project: CheckedProject, only: Iterable[str] | None) -> list[Rule]:
    skipped = left_out(project)
    if only is None:
        return [rule for name, rule in RULES.items() if name not in skipped]
    chosen = [_rule(name) for name in dict.fromkeys(only)]
    if impossible := [rule.NAME for rule in chosen if rule.NAME in skipped]:
        raise ConfigurationError(
            f"{_listed(impossible)} can be applied to an application only: name it in [tool.tenantry.check] "
            'of pyproject.toml, as application = "package.app:application".'
        )
    return chosen


def _rule(name: str) -> Rule:
    try:
        return RULES[name]
    except KeyError:
        raise ConfigurationError(f"There is no rule {name!r}; the rules are {_listed(RULES)}.") from None


def _by_place(finding: Finding) -> tuple[str, int, str, str]:
    return finding.file, finding.line, finding.rule, finding.reason


def _listed(names: Collection[str]) -> str:
    return ", ".join(names)
