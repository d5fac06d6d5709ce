"""The failures of explanations: questions that make no sense."""

from __future__ import annotations

from tenantry.kernel import BadRequest


class InvalidQuestion(BadRequest):
    """The question makes no sense."""


class UnknownAction(InvalidQuestion):
    """There is no such action."""


class UnknownResourceType(InvalidQuestion):
    """There is no such type of resource."""


class UnknownPosition(InvalidQuestion):
    """The list cannot go on there."""
