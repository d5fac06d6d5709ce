"""Declared failures: every error a client can meet has a kind, a stable code and a docstring that is its title.

The edges translate the *kind* once each: HTTP to a status (`http/problem.py`), the command line to an exit code,
a worker to "discard" or "retry". Code that fails raises the most specific subclass, with data rather than prose.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Self

_MAX_POINTER = 100
"""Characters that are told of a place: the name of an unknown parameter comes from the client and may be long."""


class Kind(StrEnum):
    """What sort of failure it is; each edge maps it once."""

    BAD_REQUEST = "bad_request"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    CONFLICT = "conflict"
    STALE = "stale"
    TOO_LARGE = "too_large"
    UNSUPPORTED_MEDIA = "unsupported_media"
    INVALID = "invalid"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"
    CONFIGURATION = "configuration"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with the input: where (`pointer`, e.g. ``/price_cents`` or ``?sort``), what, and a code."""

    pointer: str
    message: str
    code: str


class TenantryError(Exception):
    """Something failed.

    Subclasses set `kind`, or take it from a base such as `Conflict` or `NotFound`; `code` defaults to the class name in
    snake case; the first line of the docstring is the title that clients see. The argument is the detail: what happened
    here, without secrets or foreign values.

    >>> class ProjectKeyTaken(Conflict):
    ...     "A project with this key exists."
    >>> error = ProjectKeyTaken("The key OPS is used by another project.")
    >>> error.code, error.title, error.kind.value
    ('project_key_taken', 'A project with this key exists.', 'conflict')
    """

    kind: ClassVar[Kind] = Kind.INTERNAL
    code: ClassVar[str] = "error"
    title: ClassVar[str] = "Something failed."

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "code" not in cls.__dict__:
            cls.code = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
        if cls.__doc__:
            cls.title = cls.__doc__.strip().split("\n", 1)[0]

    def __init__(
        self, detail: str | None = None, *, errors: Sequence[FieldError] = (), retry_after: float | None = None
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = tuple(errors)
        self.retry_after = retry_after
        """Seconds after which a repetition may succeed; sent as `Retry-After`."""

    @classmethod
    def at(cls, pointer: str, message: str | None = None, code: str | None = None) -> Self:
        """Return the error with the one place of the input that is wrong.

        >>> class UnknownColour(InvalidInput):
        ...     "There is no such colour."
        >>> UnknownColour.at("/colour").errors[0]
        FieldError(pointer='/colour', message='There is no such colour.', code='unknown_colour')
        """
        place = pointer[:_MAX_POINTER]
        return cls(message, errors=[FieldError(place, message or cls.title, code or cls.code)])


class Unauthenticated(TenantryError):
    """It is not known who sends this."""

    kind = Kind.UNAUTHENTICATED


class NotFound(TenantryError):
    """There is no such thing here."""

    kind = Kind.NOT_FOUND


class PermissionDenied(TenantryError):
    """This is not allowed."""

    kind = Kind.FORBIDDEN


class Conflict(TenantryError):
    """This cannot be done as things are."""

    kind = Kind.CONFLICT


class StaleVersion(TenantryError):
    """The record has changed since it was read."""

    kind = Kind.STALE


class BadRequest(TenantryError):
    """The request makes no sense."""

    kind = Kind.BAD_REQUEST


class InvalidInput(TenantryError):
    """The input is not valid."""

    kind = Kind.INVALID


class ConfigurationError(TenantryError):
    """The application cannot run with this configuration."""

    kind = Kind.CONFIGURATION


class Unavailable(TenantryError):
    """The service cannot answer at the moment."""

    kind = Kind.UNAVAILABLE
