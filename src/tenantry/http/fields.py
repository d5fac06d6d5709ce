"""Field types for input schemas: each is bounded, has one canonical form, and shows its bounds in OpenAPI."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any

import nh3
from annotated_types import MaxLen
from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    SecretStr,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

__all__ = [
    "RESERVED_SLUGS",
    "AwareDateTime",
    "BigInt",
    "BoundedInt",
    "CalendarDate",
    "Email",
    "LongText",
    "MaxLen",
    "Password",
    "RichText",
    "ShortText",
    "Slug",
    "canonical_email",
]

# fmt: off
RESERVED_SLUGS = frozenset({
    "account", "admin", "api", "app", "assets", "auth", "billing", "console", "docs", "health", "help", "internal",
    "login", "logout", "mail", "metrics", "null", "openapi", "platform", "postgres", "public", "register", "root",
    "security", "signup", "static", "status", "support", "system", "tenantry", "undefined", "www",
})
"""Slugs that could be taken for a part of the platform."""

_MAX_EMAIL = 254
_FIRST_YEAR, _LAST_YEAR = 1900, 2200
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]")
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])")
_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "li",
    "ol", "p", "pre", "s", "span", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "u", "ul",
}
# fmt: on
_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    attributes={"a": {"href", "title"}, "abbr": {"title"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}},
    url_schemes={"http", "https", "mailto"},
    link_rel="noopener noreferrer nofollow",
)

ShortText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
"""A name or title: 1 to 200 characters after stripping white space."""

LongText = Annotated[str, StringConstraints(max_length=10_000)]
"""Plain text of up to 10,000 characters."""

BoundedInt = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
"""What fits into a column of type integer."""

BigInt = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]
"""What fits into a column of type bigint."""

Password = Annotated[SecretStr, Field(min_length=8, max_length=128)]
"""A new password: 8 to 128 characters, never shown by `repr`, `str` or a dump; `get_secret_value()` reveals it."""


@dataclass(frozen=True, slots=True)
class RichText:
    """Marks a text as HTML that is reduced to a harmless subset: ``Annotated[str, RichText(10_000)]``.

    The limit holds before sanitising (cost) and after it (the column): escaping makes text longer.

    >>> from pydantic import TypeAdapter
    >>> TypeAdapter(Annotated[str, RichText(100)]).validate_python("<b onclick=x()>hi</b><script>x()</script>")
    '<b>hi</b>'
    """

    max_length: int = 10_000

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        bounded = core_schema.str_schema(max_length=self.max_length)
        return core_schema.no_info_after_validator_function(self._sanitise, bounded)

    def _sanitise(self, text: str) -> str:
        clean = _CLEANER.clean(text)
        if len(clean) > self.max_length:
            raise PydanticCustomError("string_too_long", "The text is too long once special characters are escaped")
        return clean


def canonical_email(address: str) -> str:
    """Return the one form of an e-mail address that is stored and compared: lower case, NFC, readable domain.

    Raises `ValueError` (with a constant message) for what is no address or longer than 254 characters.

    >>> canonical_email("Ada@Example.TEST")
    'ada@example.test'
    """
    if len(address) > _MAX_EMAIL:  # first of all: the cost of the check grows with the length
        raise ValueError("not an e-mail address")
    try:
        checked = validate_email(address.strip(), check_deliverability=False, test_environment=True)
        # Lower case can leave NFC or the rules of domains (a capital I with a dot): what comes out must be stable.
        lowered = checked.normalized.lower()
        again = lowered
        if lowered != checked.normalized:
            again = validate_email(lowered, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        raise ValueError("not an e-mail address") from None
    if again != lowered or len(again) > _MAX_EMAIL:
        raise ValueError("not an e-mail address")
    return again


def _email(address: str) -> str:
    try:
        return canonical_email(address)
    except ValueError:
        raise PydanticCustomError("email_invalid", "Input should be an e-mail address") from None


def _slug(slug: str) -> str:
    if not _SLUG.fullmatch(slug):
        raise PydanticCustomError(
            "slug_invalid", "Use 2 to 63 lower-case letters, digits and hyphens, no hyphen first or last"
        )
    if slug in RESERVED_SLUGS or slug.startswith("xn--"):  # xn-- is how host names spell other alphabets
        raise PydanticCustomError("slug_reserved", "This name is reserved")
    return slug


def _date_text(value: Any) -> Any:
    if isinstance(value, date) or (isinstance(value, str) and _DATE.fullmatch(value)):
        return value
    raise PydanticCustomError("date_format", "Write the date as 2031-12-24")  # not 0, not 1e9, not a time of day


def _moment_text(value: Any) -> Any:
    if isinstance(value, datetime) or (isinstance(value, str) and _MOMENT.match(value)):
        return value
    raise PydanticCustomError("datetime_format", "Write the time with its offset, as 2031-12-24T18:00:00Z")


def _date_in_range(day: date) -> date:
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise PydanticCustomError("date_range", "The year should be between 1900 and 2200")
    return day


def _in_range(moment: datetime) -> datetime:
    try:
        utc = moment.astimezone(UTC)
    except OverflowError:  # 9999-12-31T23:59:59-14:00 lies in the year 10000
        utc = None
    if utc is None or not _FIRST_YEAR <= utc.year <= _LAST_YEAR:
        raise PydanticCustomError("datetime_range", "The year should be between 1900 and 2200")
    return utc


Email = Annotated[
    str,
    StringConstraints(max_length=_MAX_EMAIL),
    AfterValidator(_email),
    WithJsonSchema({"type": "string", "format": "email", "maxLength": _MAX_EMAIL}, mode="validation"),
]
"""An e-mail address in its canonical form; addresses of test domains are accepted, nothing is looked up."""

Slug = Annotated[
    str,
    AfterValidator(_slug),
    WithJsonSchema({"type": "string", "minLength": 2, "maxLength": 63, "pattern": f"^{_SLUG.pattern}$"}),
]
"""A name in addresses. What is not canonical is refused rather than changed: the client sees what will be used."""

CalendarDate = Annotated[
    date,
    BeforeValidator(_date_text),
    AfterValidator(_date_in_range),
    WithJsonSchema({"type": "string", "format": "date", "pattern": "^(19|2[01])[0-9]{2}-|^2200-"}, mode="validation"),
]
"""A day in the years 1900 to 2200. The driver takes 9999-12-31 for ``infinity``, and would store that."""

AwareDateTime = Annotated[AwareDatetime, BeforeValidator(_moment_text), AfterValidator(_in_range)]
"""A moment with its offset, converted to UTC, in the years 1900 to 2200."""
