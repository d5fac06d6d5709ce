"""The failures of API keys and service accounts."""

from __future__ import annotations

from tenantry.kernel import Conflict, InvalidInput, PermissionDenied


class KeysNeedAPerson(PermissionDenied):
    """API keys and service accounts are managed by people, signed in; a key makes no keys."""


class UnknownServiceAccount(InvalidInput):
    """There is no such service account in this tenant."""


class TooManyKeys(Conflict):
    """There are too many keys already; delete one that is not used."""


class InvalidExpiry(InvalidInput):
    """A key expires in the future, within 366 days."""
