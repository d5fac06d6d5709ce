"""Process-lifetime objects in one value, and the ports they are reached through."""

from tenantry.runtime.mail import ConsoleMailer, Courier, DiscardingMailer, Mail, Mailer
from tenantry.runtime.members import MemberDirectory
from tenantry.runtime.permissions import PermissionMeanings
from tenantry.runtime.runtime import Runtime
from tenantry.runtime.settings import SettingsGroups

__all__ = [
    "ConsoleMailer",
    "Courier",
    "DiscardingMailer",
    "Mail",
    "Mailer",
    "MemberDirectory",
    "PermissionMeanings",
    "Runtime",
    "SettingsGroups",
]
