"""Every permission that is asked for is declared, and every declared one is granted to a role.

A permission is a text. One that is misspelled where it is asked for refuses everybody, which is noticed; or, in a
condition that says what owners may do, it is never looked at, which is not. One that no role holds is a feature that
cannot be used, and invites a hurried grant of too much.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from tenantry.cli.check.assembled import Assembled, DeclaredVerbs, PermissionUse
from tenantry.cli.check.finding import Finding
from tenantry.cli.check.project import CheckedProject
from tenantry.cli.check.source import Source, last_name, text_of

NAME = "permission-map"

_ASKING = {"require_permission", "require", "breadth"}
_PERMISSION = re.compile(r"[a-z][a-z0-9_-]*:[a-z][a-z0-9_-]*(?::own)?")


def check(project: CheckedProject) -> Iterator[Finding]:
    """Yield permissions that are asked for and not declared, and those that no built-in role holds."""
    application = project.application
    if application is None:
        return
    declared = {f"{one.resource}:{verb}" for one in application.permissions for verb in one.verbs}
    for use in (*application.uses, *_asked(project, application)):
        if use.permission.removesuffix(":own") not in declared:
            hint = _suggestion(use.permission, declared)
            reason = f"the permission {use.permission} is asked for, but not declared{hint}"
            yield Finding(NAME, use.place, reason, "declare the verb in permissions.py, and grant it to a role")
    for resource in application.permissions:
        yield from _ungranted(resource)


def _asked(project: CheckedProject, application: Assembled) -> Iterator[PermissionUse]:
    """Yield the permissions named in the code: ``require("notes:read")``, and ``verb="close"`` inside a module."""
    for source in project.sources:
        resource = _resource_of(source, application)
        for call in source.calls():
            asked = text_of(call.args[0]) if call.args and last_name(call.func) in _ASKING else None
            if asked and _PERMISSION.fullmatch(asked):
                yield PermissionUse(asked, source.place(call))
            for keyword in call.keywords:
                verb = text_of(keyword.value) if keyword.arg == "verb" else None
                if verb and resource:
                    yield PermissionUse(f"{resource}:{verb}", source.place(keyword.value))


def _resource_of(source: Source, application: Assembled) -> str | None:
    owners = [one for one in application.permissions if one.folder and source.path.is_relative_to(one.folder)]
    return owners[0].resource if len(owners) == 1 else None


def _ungranted(resource: DeclaredVerbs) -> Iterator[Finding]:
    for verb in sorted(resource.verbs - resource.granted):
        reason = f"{resource.resource}:{verb} is declared, but no role holds it"
        yield Finding(NAME, resource.place, reason, "grant it to a role, or take the verb away")


def _suggestion(name: str, declared: set[str]) -> str:
    close = difflib.get_close_matches(name, declared, n=1)
    return f"; did you mean {close[0]}?" if close else ""
