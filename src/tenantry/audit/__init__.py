"""Who did what to which row, before and after, in the same transaction."""

from tenantry.audit.models import AuditEntry, ControlAuditEntry
from tenantry.audit.trail import MASK, record, sensitive, shown, who

__all__ = ["MASK", "AuditEntry", "ControlAuditEntry", "record", "sensitive", "shown", "who"]
