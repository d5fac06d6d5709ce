"""API keys, as requests come with them: what their texts say, and what they stand for."""

from tenantry.access.keys.errors import InvalidApiKey, TwoCredentials
from tenantry.access.keys.facts import KeyCache, KeyFacts, ServiceAccountFacts, api_key_key
from tenantry.access.keys.repository import KEYS_OF_ACCOUNT
from tenantry.access.keys.secrets import MARK, NewSecret, PresentedKey, secrets_of
from tenantry.access.keys.usage import KeyUsage

__all__ = [
    "KEYS_OF_ACCOUNT",
    "MARK",
    "InvalidApiKey",
    "KeyCache",
    "KeyFacts",
    "KeyUsage",
    "NewSecret",
    "PresentedKey",
    "ServiceAccountFacts",
    "TwoCredentials",
    "api_key_key",
    "secrets_of",
]
