"""Request and response headers that rules depend on: `ETag`, `If-Match`, `Idempotency-Key`."""

from __future__ import annotations

import re

from tenantry.http.errors import InvalidHeader
from tenantry.kernel import InvalidInput

_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_VERSION = re.compile(r"0|[1-9][0-9]{0,9}")
_MAX_VERSION = 2**31 - 1  # of a column of type integer
_IDEMPOTENCY_KEY = re.compile(r"[\x20-\x7e]{1,255}")
_MAX_IF_MATCH = 1000

NO_VERSION = -1
"""What a tag that is none of ours demands: no record ever has this version."""


def etag(version: int) -> str:
    """Return the strong entity tag of a version.

    >>> etag(3)
    '"3"'
    """
    return f'"{version}"'


def parse_if_match(value: str | None) -> int | None:
    """Return the version that ``If-Match`` demands, None where it demands none (absent, or ``*``).

    After RFC 9110 §13.1.1: comparison is strong, so a weak tag never matches, nor does a tag that is none of ours; a
    list matches if one of its tags does. Where none can match, the answer is `NO_VERSION`, and not an error: that the
    version is another one (412) is said after the body was read (422) and the record was found (404). What is not a
    list of tags, or names two different versions (no client that read the record has two), is `InvalidHeader` (400).

    >>> parse_if_match('"3"'), parse_if_match('"abc", "7"'), parse_if_match("*"), parse_if_match('"abc"')
    (3, 7, None, -1)
    """
    if value is None or value.strip() == "*":
        return None
    named = {int(tag) for weak, tag in _tags(value) if not weak and _VERSION.fullmatch(tag)}
    versions = {version for version in named if version <= _MAX_VERSION}
    match len(versions):
        case 0:
            return NO_VERSION
        case 1:
            return versions.pop()
        case _:
            raise InvalidHeader.at("header:If-Match", "Name one version", "if_match_ambiguous")


def is_known(if_none_match: str | None, version: int) -> bool:
    """Say whether ``If-None-Match`` names this version, so that a read is answered 304 without a body.

    After RFC 9110 §13.1.2: comparison is weak (a proxy that compresses an answer marks our tag as weak), of a list one
    tag is enough, and ``*`` names every version. What is no tag is passed over: a body is sent that was not needed.

    >>> is_known('"3"', 3), is_known('W/"3", "2"', 3), is_known("*", 3), is_known('"2"', 3), is_known(None, 3)
    (True, True, True, False, False)
    """
    if if_none_match is None:
        return False
    if if_none_match.strip() == "*":
        return True
    return any(tag == str(version) for _, tag in _TAG.findall(if_none_match[:_MAX_IF_MATCH]))


def idempotency_key(value: str | None) -> str | None:
    """Return a header ``Idempotency-Key`` as it is, None where there is none.

    Raises `InvalidInput` (422) unless it is 1 to 255 printable ASCII characters.

    >>> idempotency_key("order-17")
    'order-17'
    """
    if value is None or _IDEMPOTENCY_KEY.fullmatch(value):
        return value
    message = "Use 1 to 255 printable ASCII characters"
    raise InvalidInput.at("header:Idempotency-Key", message, "idempotency_key_invalid")


def _tags(value: str) -> list[tuple[str, str]]:
    tags = []
    # A comma may stand inside a tag, so the list is read tag by tag; empty elements are allowed (RFC 9110 §5.6.1).
    rest = value[: _MAX_IF_MATCH + 1].strip(" \t,")
    while rest:
        found = _TAG.match(rest)
        after = rest[found.end() :] if found else ""
        if found is None or len(value) > _MAX_IF_MATCH or (after and not after.lstrip(" \t").startswith(",")):
            raise InvalidHeader.at(
                "header:If-Match", "Send an entity tag as the ETag header gave it", "if_match_invalid"
            )
        tags.append((found.group(1) or "", found.group(2)))
        rest = after.lstrip(" \t,")
    if not tags:
        raise InvalidHeader.at("header:If-Match", "Send an entity tag as the ETag header gave it", "if_match_invalid")
    return tags
