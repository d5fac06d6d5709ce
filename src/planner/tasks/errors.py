"""What can go wrong with tasks."""

from tenantry.kernel import InvalidInput


class AssigneeNotMember(InvalidInput):
    """The assignee is not a member of this tenant."""


class ProjectOfTaskNotFound(InvalidInput):
    """The project to move the task to does not exist."""
