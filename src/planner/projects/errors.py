"""What can go wrong with projects."""

from tenantry.kernel import InvalidInput


class NewOwnerNotMember(InvalidInput):
    """The new owner is not a member of this tenant."""
