"""Permissions: what exists, what it means, and which roles hold it from the start.

A permission is ``<resource>:<verb>``. ``<resource>:<verb>:own`` is the same for records that the actor owns, and
``<resource>:*`` stands for every verb.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tenantry.access.errors import UnknownPermission
from tenantry.kernel import ConfigurationError, FieldError
from tenantry.tenancy import Role

OWN = ":own"
"""Suffix of a permission that holds for the actor's own records only."""


@dataclass(frozen=True, slots=True)
class Permissions:
    """The permissions of one module: verb → description, and what each role gets *in addition to* the role below it.

    >>> notes = Permissions("notes", {"read": "Read notes.", "create": "Write notes."},
    ...                     {Role.VIEWER: {"read"}, Role.MEMBER: {"create"}, Role.OWNER: {"*"}})
    >>> sorted(notes.of(Role.MEMBER))
    ['notes:create', 'notes:read']
    """

    resource: str
    verbs: Mapping[str, str]
    grants: Mapping[Role, frozenset[str] | set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a grant of a verb that does not exist: it would never be checked, or never given."""
        for role, verbs in self.grants.items():
            for verb in verbs:
                if verb != "*" and verb.removesuffix(OWN) not in self.verbs:
                    known = ", ".join(self.verbs)
                    raise ConfigurationError(
                        f"permissions of {self.resource}: role {role} is granted {verb!r}; the verbs are {known}."
                    )

    def of(self, role: Role) -> frozenset[str]:
        """Return the permissions that a role holds from the start, with those of the roles below it."""
        held: set[str] = set()
        for granted_to, verbs in self.grants.items():
            if role.covers(granted_to):
                held |= {f"{self.resource}:{verb}" for verb in self._expanded(verbs)}
        return frozenset(held)

    def all(self) -> dict[str, str]:
        """Return every permission with its description."""
        return {f"{self.resource}:{verb}": description for verb, description in self.verbs.items()}

    def _expanded(self, verbs: Iterable[str]) -> Iterable[str]:
        for verb in verbs:
            yield from self.verbs if verb == "*" else (verb,)


class PermissionCatalog:
    """Every permission of an application, and the set that each role holds. Built once, at assembly.

    >>> catalog = PermissionCatalog([Permissions("notes", {"read": "Read notes.", "create": "Write notes."})])
    >>> sorted(catalog.expand(["notes:*", "notes:create:own", "gone:read"]))
    ['notes:create', 'notes:create:own', 'notes:read']
    >>> catalog.is_known("notes:*"), catalog.is_known("notes:paint")
    (True, False)
    """

    def __init__(self, modules: Iterable[Permissions], singulars: Mapping[str, str] | None = None) -> None:
        self.modules = tuple(modules)
        self.singulars = singulars or {}
        """The resources of tenants by name, and what one record of each is called."""
        self.descriptions: dict[str, str] = {}
        for module in self.modules:
            if overlap := self.descriptions.keys() & module.all().keys():
                raise ConfigurationError(f"permissions {sorted(overlap)} are declared twice")
            self.descriptions |= module.all()
        self._wild = {f"{module.resource}:*": frozenset(module.all()) for module in self.modules}
        self._by_role = {role: frozenset().union(*(module.of(role) for module in self.modules)) for role in Role}

    def of_role(self, role: str) -> frozenset[str]:
        """Return the permissions of a role by name; an unknown name holds none."""
        try:
            return self._by_role[Role(role)]
        except ValueError:
            return frozenset()

    def is_known(self, name: str) -> bool:
        """Tell whether a permission exists: plain, for own records, or every verb of a resource."""
        return name.removesuffix(OWN) in self.descriptions or name in self._wild

    def require_known(self, names: Iterable[str]) -> None:
        """Raise `UnknownPermission`, pointing at each of ``/permissions`` that does not exist."""
        errors = [
            FieldError(f"/permissions/{position}", UnknownPermission.title, UnknownPermission.code)
            for position, name in enumerate(names)
            if not self.is_known(name)
        ]
        if errors:
            raise UnknownPermission(errors=errors)

    def expand(self, names: Iterable[str]) -> frozenset[str]:
        """Return the single permissions that `names` stand for; what does not exist (any more) gives nothing."""
        single: set[str] = set()
        for name in names:
            single |= self._wild.get(name) or ({name} if self.is_known(name) else set())
        return frozenset(single)
