"""Invitations: a role that is offered by mail."""

from pathlib import Path

from tenantry.module import Module
from tenantry.standard.invitations.accepting import Invitations
from tenantry.standard.invitations.router import accepting, invitations
from tenantry.standard.invitations.service import InvitationService

module = Module("invitations", routers=(invitations, accepting), folder=Path(__file__).parent)

__all__ = ["InvitationService", "Invitations", "module"]
