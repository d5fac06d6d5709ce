"""What holds for every answer, whatever was sent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.fuzz.direct import Answer
from tests.fuzz.poison import MARK
from tests.fuzz.shots import Shot

from planner.app import application
from tenantry.database import DatabaseRole, ValueRefused

SECRET_PLACES = re.compile(r"/(password|token|refresh_token)$|(Authorization|Cookie|X-Api-Key)$", re.IGNORECASE)

_MADE_OF = re.compile(
    r"Traceback|File \"|/src/|site-packages|0x[0-9a-f]{6,}|Error\b.*\bline \d|"
    r"asyncpg|sqlalchemy|starlette|fastapi|pydantic|uvicorn|postgres|"
    r"SQLSTATE|DETAIL:|search_path|\bSELECT\b.*\bFROM\b|INSERT INTO|UPDATE .* SET|"
    r"byte sequence|syntax error|violates|relation \"|column \"|constraint \"|"
    r"\b(fk|uq|pk|ck|ix)_[a-z_]+|\b(pool|control|shared)\.[a-z_]+",
    re.IGNORECASE,
)
_TABLES = sorted({model.__table__.name for model in application.models if "_" in model.__table__.name})
_ROLES = [role.value for role in DatabaseRole]
_INSIDES = re.compile("|".join(re.escape(name) for name in [*_TABLES, *_ROLES]))


def faults(shot: Shot, answer: Answer) -> Iterator[str]:
    """Return everything that is wrong with an answer; the first word says which rule it breaks."""
    if not 200 <= answer.status < 500:
        yield f"server error {answer.status}: {answer.body[:300]!r}"
        return
    if any(set(value) & set(b"\r\n\0") for _, value in answer.headers):
        yield "injected header"
    if SECRET_PLACES.search(shot.place) and _is_marked(answer):
        yield "secret came back"
    if answer.status >= 400:
        yield from _faults_of_refusal(answer)
    elif answer.body and answer.header(b"content-type") == b"application/json":
        answer.json()


def _faults_of_refusal(answer: Answer) -> Iterator[str]:
    if answer.header(b"content-type") != b"application/problem+json":
        yield f"problem without its media type: {answer.status} {answer.headers} {answer.body[:200]!r}"
        return
    problem = answer.json()
    if not _is_whole(problem, answer):
        yield f"problem is not whole: {problem}"
    if problem["code"] == ValueRefused.code:
        yield "let through: the database refused what the input types should have"
    told = _told(problem)
    if MARK in told:
        yield f"echo: {told[:500]}"
    text = answer.body.decode()
    if found := _MADE_OF.search(text) or _INSIDES.search(text):
        yield f"insides: {found[0]!r} in {text[:500]}"
    if len(answer.body) > 30_000:
        yield f"long refusal: {len(answer.body)} bytes"


def _is_whole(problem: dict[str, Any], answer: Answer) -> bool:
    return (
        problem["status"] == answer.status
        and re.fullmatch("[a-z][a-z0-9_]+", problem["code"]) is not None
        and problem["type"] == f"/problems/{problem['code']}"
        and bool(problem["title"])
        and bool(problem["detail"])
        and problem["request_id"].encode() == answer.header(b"x-request-id")
    )


def _told(problem: dict[str, Any]) -> str:
    """Return what a problem says of its own accord.

    The name of an unknown member is part of its pointer, and the request id is the client's if it is safe.
    """
    errors = [{"message": error["message"], "code": error["code"]} for error in problem.get("errors", ())]
    return json.dumps({**problem, "errors": errors, "request_id": None})


def _is_marked(answer: Answer) -> bool:
    return MARK.encode() in answer.body or any(MARK.encode() in value for _, value in answer.headers)
