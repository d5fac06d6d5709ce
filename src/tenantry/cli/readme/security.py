"""*Security & Compliance*: who holds which permission, and which columns are not for everybody."""

from __future__ import annotations

from collections.abc import Iterator

from tenantry.access import OWN, Permissions, ResourceAccess
from tenantry.audit import sensitive
from tenantry.cli.readme.tables import code, table
from tenantry.module import Module
from tenantry.resources import ResourceRouter, is_controller
from tenantry.tenancy import Role


def security(module: Module) -> str:
    """Return the permissions by role, and what the access rules say; an empty text where nothing is declared."""
    parts = []
    if isinstance(module.permissions, Permissions):
        parts.append(_permissions(module.permissions))
    facts = list(dict.fromkeys(fact for router in module.routers for fact in _facts(router)))
    facts += [
        f"`{model.__tablename__}`: {code(sorted(masked))} masked in the trail"
        for model in module.models
        if (masked := sensitive(model))
    ]
    if facts:
        parts.append("\n".join(f"- {fact}" for fact in facts))
    return "\n\n".join(parts)


def _permissions(declared: Permissions) -> str:
    roles = sorted(Role, key=lambda role: sum(role.covers(other) for other in Role))
    held = {role: declared.of(role) for role in roles}
    rows = [
        [f"`{permission}`", text, *(_how(permission, held[role]) for role in roles)]
        for permission, text in declared.all().items()
    ]
    return table(["permission", "", *(role.value for role in roles)], rows)


def _how(permission: str, held: frozenset[str]) -> str:
    if permission in held:
        return "yes"
    return "own" if f"{permission}{OWN}" in held else ""


def _facts(router: object) -> Iterator[str]:
    access = getattr(router, "access", None) if is_controller(router) else None
    if isinstance(router, ResourceRouter):
        access = router.service.resource.access
    if not isinstance(access, ResourceAccess):
        return
    if access.owner:
        yield f"own {access.resource} are those whose `{access.owner}` is the caller, or a team of theirs"
    for verb, values in access.own_when.items():
        conditions = " and ".join(f"`{column}` is `{value}`" for column, value in values.items())
        yield f"`{access.permission(verb)}{OWN}` holds while {conditions}"
    for column, permission in access.restricted.items():
        yield f"`{column}` is read and written by holders of `{permission}` alone"
    if access.parent is not None:
        yield f"{access.resource} are visible where their {access.parent.access.singular} is"
    if access.grantable:
        yield f"{access.resource} are granted one by one, by the roles {code(sorted(access.acl_admins))}"
    if access.acl_allow_always:
        yield f"{code(sorted(access.acl_allow_always))} may do everything, whatever grants say"
