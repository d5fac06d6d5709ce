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


def etag(version: int) -> str:
    """Return the strong entity tag of a version.

    >>> etag(3)
    '"3"'
    """
    return f'"{version}"'


def expected_versions(if_match: str | None, if_none_match: str | None = None) -> frozenset[int] | None:
    """Return the versions that a write may meet by its preconditions, None where they demand none.

    After RFC 9110 §13.1.1: comparison of ``If-Match`` is strong, so a weak tag never matches, nor does a tag that is
    none of ours; a list matches if one of its tags does, and ``*`` matches whatever exists. That nothing can match is
    no error: that the version is another one (412) is said after the body was read (422) and the record was found
    (404). ``If-None-Match: *`` (§13.1.2) means that there is no such record yet, so no version will do. Raises
    `InvalidHeader` (400) for what is no list of tags, and for tags in ``If-None-Match``, which a write cannot honour.

    >>> sorted(expected_versions('"3", "abc", "7"')), expected_versions("*"), expected_versions(None, "*")
    ([3, 7], None, frozenset())
    """
    if if_none_match is not None:
        if if_none_match.strip() != "*":
            message = "A write takes If-Match with the tag that was read, or If-None-Match: *"
            raise InvalidHeader.at("header:If-None-Match", message, "if_none_match_invalid")
        return frozenset()
    if if_match is None or if_match.strip() == "*":
        return None
    named = {int(tag) for weak, tag in _tags(if_match) if not weak and _VERSION.fullmatch(tag)}
    return frozenset(version for version in named if version <= _MAX_VERSION)


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
