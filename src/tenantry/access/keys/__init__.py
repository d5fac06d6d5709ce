"""API keys and service accounts: who may act besides people who sign in.

The routes (`router.py`) are beside this surface and not part of it: they ask the gate, which asks this package.
"""

from tenantry.access.keys.api_keys import MAX_KEYS, MAX_LIFETIME, ApiKeyRecord, ApiKeys, MadeKey, NewKey
from tenantry.access.keys.errors import InvalidApiKey, KeysNeedAPerson, TooManyKeys, TwoCredentials
from tenantry.access.keys.facts import KeyCache, KeyFacts, ServiceAccountFacts, api_key_key
from tenantry.access.keys.reach import require_person
from tenantry.access.keys.repository import KEYS_OF_ACCOUNT
from tenantry.access.keys.secrets import MARK, PresentedKey, secrets_of
from tenantry.access.keys.service import KeyService

__all__ = [
    "KEYS_OF_ACCOUNT",
    "MARK",
    "MAX_KEYS",
    "MAX_LIFETIME",
    "ApiKeyRecord",
    "ApiKeys",
    "InvalidApiKey",
    "KeyCache",
    "KeyFacts",
    "KeyService",
    "KeysNeedAPerson",
    "MadeKey",
    "NewKey",
    "PresentedKey",
    "ServiceAccountFacts",
    "TooManyKeys",
    "TwoCredentials",
    "api_key_key",
    "require_person",
    "secrets_of",
]
