"""The failures of explanations: questions that make no sense."""

from __future__ import annotations

from typing import Self

from tenantry.kernel import BadRequest, FieldError


class InvalidQuestion(BadRequest):
    """The question makes no sense."""

    @classmethod
    def at(cls, parameter: str, message: str) -> Self:
        """Return the error for one parameter of the query."""
        return cls(message, errors=[FieldError(f"?{parameter}", message, cls.code)])


class UnknownAction(InvalidQuestion):
    """There is no such action."""


class UnknownResourceType(InvalidQuestion):
    """There is no such type of resource."""


class UnknownPosition(InvalidQuestion):
    """The list cannot go on there."""
