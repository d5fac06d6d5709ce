"""The text of a key: what it says in the open, what it keeps secret, and how it is told from everything else.

``tnt_<ids>_<secret>``: the tenant and the row are named in the open, so that the row is looked up inside the tenant's
row security; 32 random bytes prove it. Only their SHA-256 is stored: a slow hash protects what people make up, and
nobody guesses 256 random bits, however fast the hash. Letters and digits alone, each value in one spelling, so that a
double click selects a key and a scanner of repositories finds one.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
from dataclasses import dataclass, field
from uuid import UUID

MARK = "tnt_"
"""How every key begins; no access token does."""

SHOWN = 20
"""Characters of a key that lists show: those of its id that no two keys share, and nothing of its secret."""

_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_VALUE_OF = {digit: value for value, digit in enumerate(_DIGITS)}
_WIDTH = 43  # digits of 256 bits in base 62
_BYTES = 32
_ID_BITS = 128
_KEY = re.compile(rf"{MARK}([0-9A-Za-z]{{{_WIDTH}}})_([0-9A-Za-z]{{{_WIDTH}}})", re.ASCII)
_LENGTH = len(MARK) + _WIDTH + 1 + _WIDTH


@dataclass(frozen=True, slots=True)
class PresentedKey:
    """What a text claims to be: a key of this tenant with this id. That it is one, the hash must prove."""

    tenant_id: UUID
    key_id: UUID
    secret_hash: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewSecret:
    """The secret of a new key: `text` for its holder, once; the rest for the row."""

    text: str = field(repr=False)
    prefix: str
    secret_hash: bytes = field(repr=False)

    @classmethod
    def of(cls, tenant_id: UUID, key_id: UUID) -> NewSecret:
        """Return a new secret for a row.

        >>> made = NewSecret.of(UUID(int=1), UUID(int=2))
        >>> secrets_of(made.text) == PresentedKey(UUID(int=1), UUID(int=2), made.secret_hash)
        True
        """
        random = secrets.token_bytes(_BYTES)
        # The id of the row comes first: keys of one tenant differ where people look, at the beginning.
        ids = (key_id.int << _ID_BITS) | tenant_id.int
        text = f"{MARK}{_spelled(ids)}_{_spelled(int.from_bytes(random, 'big'))}"
        return cls(text, text[:SHOWN], hashlib.sha256(random).digest())


def secrets_of(text: str) -> PresentedKey | None:
    """Return what a text claims to be, or None for what is not spelled like a key: that reaches no database.

    >>> secrets_of("tnt_nonsense") is None
    True
    """
    found = _KEY.fullmatch(text) if len(text) == _LENGTH else None
    if found is None:
        return None
    ids, random = _number(found[1]), _number(found[2])
    if ids.bit_length() > 2 * _ID_BITS or random.bit_length() > 8 * _BYTES:
        return None
    tenant_id, key_id = UUID(int=ids & ((1 << _ID_BITS) - 1)), UUID(int=ids >> _ID_BITS)
    return PresentedKey(tenant_id, key_id, hashlib.sha256(random.to_bytes(_BYTES, "big")).digest())


def _spelled(number: int) -> str:
    digits = []
    for _ in range(_WIDTH):
        number, value = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[value])
    return "".join(reversed(digits))


def _number(spelled: str) -> int:
    number = 0
    for digit in spelled:
        number = number * len(_DIGITS) + _VALUE_OF[digit]
    return number
