"""The request headers that many routes take, as they are declared in signatures: type, bounds and description once.

Each may be absent, which in Python is None; the document does not offer ``null``, because a header cannot hold it.
Their meaning is read by `tenantry.http.headers`.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Header
from pydantic import WithJsonSchema

_TAG = r'^(\*|(W/)?"[!#-~]*")$'

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description="The ETag that was read; the write is refused (412) if the record has changed since.",
    ),
    WithJsonSchema({"type": "string", "maxLength": 1000, "pattern": _TAG}),
]
"""A header ``If-Match``; see `expected_versions`. Lists of tags are taken too."""

IfNoneMatch = Annotated[
    str | None,
    Header(alias="If-None-Match", description="The ETag of a copy; the answer is 304 if that is still the version."),
    WithJsonSchema({"type": "string", "maxLength": 1000, "pattern": _TAG}),
]
"""A header ``If-None-Match``; see `is_known`. Lists of tags are taken too."""

IdempotencyKey = Annotated[
    str | None,
    Header(alias="Idempotency-Key", description="Repeat the request with the same key and it happens once."),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"}),
]
"""A header ``Idempotency-Key``; see `idempotency_key`."""
