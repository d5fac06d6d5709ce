"""What can go wrong with projects."""

from tenantry.kernel import InvalidInput


class NewOwnerNotMember(InvalidInput):
    """The new owner is neither a member nor a team of this tenant."""
