"""API keys: made by people, for themselves or for service accounts."""

from pathlib import Path

from tenantry.module import Module
from tenantry.standard.api_keys.permissions import API_KEYS_PERMISSIONS
from tenantry.standard.api_keys.router import api_keys, creation

module = Module(
    "api-keys", permissions=API_KEYS_PERMISSIONS, routers=(creation, api_keys), folder=Path(__file__).parent
)

__all__ = ["module"]
