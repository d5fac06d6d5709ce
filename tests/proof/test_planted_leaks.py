"""The proof is alive: it finds each leak that is planted, and nothing where none is."""

from __future__ import annotations

import pytest
from tests.proof import planting
from tests.proof.conftest import Prove

from tenantry.access import NotPermitted
from tenantry.proof import Breach, Scratch
from tenantry.resources.operations import Operations

pytestmark = pytest.mark.anyio

LEAKS = [
    (planting.counts_everything, "GET /api/v1/items", Breach.COUNT),
    (planting.search_forgets_the_predicate, "GET /api/v1/items", Breach.HIDDEN_SHOWN),
    (planting.cursor_forgets_the_predicate, "GET /api/v1/items", Breach.HIDDEN_SHOWN),
    (planting.list_ignores_denials, "GET /api/v1/projects", Breach.GRANT),
    (planting.expired_grants_count, "/api/v1/projects/{id}", Breach.GRANT),
    (planting.restricted_fields_sort, "GET /api/v1/projects", Breach.FIELD),
    (planting.foreign_is_forbidden, "GET /api/v1/items/{id}", Breach.TOLD_APART),
    (planting.foreign_has_an_etag, "GET /api/v1/items/{id}", Breach.TOLD_APART),
    (planting.header_is_trusted, "GET /api/v1/items", Breach.LEAK),
    (planting.key_outlives_membership, "GET /api/v1/items", Breach.OUTSIDER),
    (planting.type_grants_of_everybody, "GET /api/v1/projects", Breach.GRANT),
]


@pytest.mark.parametrize(("plant", "only", "kind"), LEAKS, ids=[plant.__name__ for plant, _, _ in LEAKS])
async def test_a_planted_leak_is_found(
    plant: planting.Plant,
    only: str,
    kind: Breach,
    proving: Prove,
    scratch: Scratch,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with planting.fresh_statements():
        plant(monkeypatch, scratch)
        report = await proving(only)
    assert kind in {finding.kind for finding in report.findings}, report.as_text()


async def test_a_refusal_that_takes_longer_is_found(
    proving: Prove, scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    planting.foreign_takes_longer(monkeypatch, scratch)
    report = await proving("GET /api/v1/comments/{id}", samples=20)
    assert Breach.TIMING in {finding.kind for finding in report.findings}, report.as_text()


async def test_a_foreign_key_without_the_tenant_is_found(
    proving: Prove, scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with planting.simple_foreign_key(monkeypatch, scratch):
        report = await proving("PATCH /api/v1/tasks/{id}")
    assert Breach.ACCEPTED in {finding.kind for finding in report.findings}, report.as_text()


async def test_a_route_that_refuses_everybody_is_not_proved(proving: Prove, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object) -> None:
        raise NotPermitted

    monkeypatch.setattr(Operations, "delete", refuse)
    report = await proving("DELETE /api/v1/comments/{id}")
    assert Breach.UNPROVEN in {finding.kind for finding in report.findings}, report.as_text()
