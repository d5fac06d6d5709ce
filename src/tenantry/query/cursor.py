"""Cursors: the sort keys of the last row of a page, signed, so that they come back unchanged and to the same list.

A cursor is not secret (its keys are values of a row that its owner has seen), but it is bound: to what the caller
names (tenant, actor, resource), to the order, the filters and the search. Anywhere else it answers 400.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from functools import lru_cache

from tenantry.kernel import ConfigurationError
from tenantry.query.errors import InvalidCursor
from tenantry.query.request import ListRequest
from tenantry.query.spec import MAX_KEY_TEXT, MAX_SORTS, ListSpec
from tenantry.query.values import ValueType

_VERSION = b"\1"
_MAC_BYTES = 16
_LENGTH_BYTES = 2
_KEY_BYTES = 32
_LISTS_KEPT = 2048  # lists whose hash is begun already; one of an actor's is some 500 bytes

# The longest cursor that a spec can lead to: each text key at four bytes a character, beside its length, and the id.
_LONGEST = 1 + _MAC_BYTES + (MAX_SORTS + 1) * (1 + _LENGTH_BYTES + 4 * MAX_KEY_TEXT)
MAX_CURSOR = -(-_LONGEST * 4 // 3)
"""Characters of a cursor; a longer one is refused unread."""


class CursorSigner:
    """Makes and reads cursors with one secret key of at least 32 bytes, shared by all processes.

    The key may serve other purposes too: it is not used itself, but one derived from it.
    """

    __slots__ = ("_begun", "_key")

    def __init__(self, key: bytes) -> None:
        if len(key) < _KEY_BYTES:
            raise ConfigurationError(f"the key of cursors has {len(key)} bytes; it needs {_KEY_BYTES}")
        self._key = hmac.digest(key, b"tenantry list cursor", hashlib.sha256)
        self._begun = lru_cache(maxsize=_LISTS_KEPT)(self._begin)

    def next_cursor(self, request: ListRequest, last_keys: Sequence[object], *, spec: ListSpec, binding: str) -> str:
        """Return the cursor that continues after the row whose values of `keys_of` are `last_keys`.

        `binding` must name tenant, actor and resource, and be the one that `parse_list` gets with the next request.
        """
        keys = zip(_key_types(request, spec), last_keys, strict=True)
        payload = b"".join(_packed(value_type, key) for value_type, key in keys)
        mac = self._mac(payload, request, binding)
        return base64.urlsafe_b64encode(_VERSION + mac + payload).rstrip(b"=").decode()

    def keys(self, cursor: str, request: ListRequest, *, spec: ListSpec, binding: str) -> list[object]:
        """Return the keys of the row after which the page starts; None stands for NULL.

        Raises `InvalidCursor` for every cursor that was not made by `next_cursor` for the same list.
        """
        raw = _decoded(cursor)
        mac, payload = raw[1 : 1 + _MAC_BYTES], raw[1 + _MAC_BYTES :]
        if raw[:1] != _VERSION or not hmac.compare_digest(mac, self._mac(payload, request, binding)):
            raise _invalid()
        try:
            return _unpacked(payload, _key_types(request, spec))
        except (ValueError, OverflowError):  # signed by a release in which the column had another type
            raise _invalid() from None

    def _mac(self, payload: bytes, request: ListRequest, binding: str) -> bytes:
        shape = request.shape
        values = [request.params.get(name) for name in ("q", *(f"f{i}" for i in range(len(shape.filters))))]
        # `repr` keeps the values apart from each other and from their neighbours: no text can look like two.
        mac = self._begun(binding, shape.sort, shape.filters, repr(values)).copy()
        mac.update(payload)
        return mac.digest()

    def _begin(self, *list_of: object) -> hashlib.blake2b:
        """The keyed hash of what a cursor is bound to; keyed BLAKE2b is a MAC (RFC 7693), at half the cost of HMAC."""
        named = repr(list_of).encode()
        signed = _VERSION + len(named).to_bytes(4, "big") + named
        return hashlib.blake2b(signed, key=self._key, digest_size=_MAC_BYTES)


def _key_types(request: ListRequest, spec: ListSpec) -> list[ValueType]:
    return [spec.key(name).type for name, _ in request.shape.sort]


def _decoded(cursor: str) -> bytes:
    if len(cursor) > MAX_CURSOR or not cursor.isascii():
        raise _invalid()
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise _invalid() from None
    # The last character has spare bits: without this, several cursors would be taken for the one that was signed.
    if base64.urlsafe_b64encode(raw).rstrip(b"=") != cursor.encode():
        raise _invalid()
    return raw


def _packed(value_type: ValueType, key: object) -> bytes:
    if key is None:
        return b"\0"
    packed = value_type.pack(key)
    return value_type.tag + len(packed).to_bytes(_LENGTH_BYTES, "big") + packed


def _unpacked(payload: bytes, value_types: Sequence[ValueType]) -> list[object]:
    keys: list[object] = []
    for value_type in value_types:
        tag, payload = payload[:1], payload[1:]
        if tag == b"\0":
            keys.append(None)
            continue
        end = _LENGTH_BYTES + int.from_bytes(payload[:_LENGTH_BYTES], "big")
        if tag != value_type.tag or len(payload) < end:
            raise ValueError(tag)
        keys.append(value_type.unpack(payload[_LENGTH_BYTES:end]))
        payload = payload[end:]
    if payload:
        raise ValueError(payload)
    return keys


def _invalid() -> InvalidCursor:
    return InvalidCursor.at("?cursor", "Start again without a cursor; it fits one list with one order and one filter.")
