"""Grants: a subject may, or may not, do an action: on one record with what lies below it, or on a whole resource."""

from tenantry.access.grants.facts import TypeGrantBook, TypeGrantFacts

__all__ = ["TypeGrantBook", "TypeGrantFacts"]
