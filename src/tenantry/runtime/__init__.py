"""Process-lifetime objects in one value, and the ports they are reached through."""

from tenantry.runtime.mail import ConsoleMailer, DiscardingMailer, Mail, Mailer
from tenantry.runtime.members import MemberDirectory
from tenantry.runtime.permissions import PermissionMeanings
from tenantry.runtime.runtime import Runtime

__all__ = ["ConsoleMailer", "DiscardingMailer", "Mail", "Mailer", "MemberDirectory", "PermissionMeanings", "Runtime"]
