import json

import pytest

from tenantry.http import STATUS_OF, problem_body, problem_of
from tenantry.kernel import ConfigurationError, FieldError, InvalidInput, Kind, TenantryError, Unavailable


class Slow(TenantryError):
    """Slow down."""

    kind = Kind.RATE_LIMITED


class Who(TenantryError):
    """Who are you?"""

    kind = Kind.UNAUTHENTICATED


def test_every_kind_has_a_status():
    assert set(STATUS_OF) == set(Kind)


def test_field_errors_are_members():
    body = json.loads(problem_body(InvalidInput(errors=[FieldError("/a", "Wrong", "wrong")]), "r-1"))
    assert body["errors"] == [{"pointer": "/a", "message": "Wrong", "code": "wrong"}]
    assert body["request_id"] == "r-1"


def test_any_detail_can_be_sent():
    detail = 'half \ud800 "quoted" \x00'
    assert json.loads(problem_body(InvalidInput(detail), None))["detail"] == detail


@pytest.mark.parametrize(("given", "sent"), [(None, "1"), (0, "0"), (0.2, "1"), (3, "3"), (-5, "0")])
def test_a_client_is_always_told_when_to_come_back(given, sent):
    assert problem_of(Slow(retry_after=given)).headers["Retry-After"] == sent
    assert problem_of(Unavailable(retry_after=given)).headers["Retry-After"] == sent


def test_401_asks_for_a_token():
    assert problem_of(Who()).headers["WWW-Authenticate"] == "Bearer"


def test_a_wrong_configuration_tells_the_client_nothing():
    problem = problem_of(ConfigurationError("TENANTRY_DATABASE_URL is wrong"))
    assert (problem.status, problem.code) == (500, "internal_error")
    assert "DATABASE" not in str(problem)
