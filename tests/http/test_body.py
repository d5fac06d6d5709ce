from uuid import UUID

import pytest
from pydantic import BaseModel, field_validator

from tenantry.http import InputSchema, MalformedJson, UnsupportedMediaType, is_json, read_json, require_json
from tenantry.kernel import InvalidInput


class Cat(InputSchema):
    id: UUID
    name: str
    age: int = 0

    @field_validator("name")
    @classmethod
    def _polite(cls, name):
        if name == "rude-word":
            raise ValueError(f"{name} is not nice")
        if name == "long":
            raise ValueError("Names should be short")
        return name


def refused(raw, model=Cat):
    with pytest.raises(InvalidInput) as caught:
        read_json(raw, model)
    return caught.value


def test_a_body_becomes_a_model():
    cat = read_json(b'{"id":"00000000-0000-0000-0000-000000000001","name":"Mia"}', Cat)
    assert (cat.id.int, cat.name) == (1, "Mia")


@pytest.mark.parametrize("raw", [b"", b" \n", b"{", b"{'a':1}", b"\xff", b"[" * 100_000, b'{"a":' + b"9" * 5000 + b"}"])
def test_what_is_no_json_is_malformed(raw):
    error = refused(raw)
    assert isinstance(error, MalformedJson)
    assert [problem.pointer for problem in error.errors] == [""]


def test_the_last_of_duplicate_members_counts():
    raw = b'{"id":"00000000-0000-0000-0000-000000000001","name":"a","name":"b"}'
    assert read_json(raw, Cat).name == "b"


def test_each_problem_has_a_place_a_message_and_a_code():
    error = refused(b'{"id":"SENTINEL","name":5,"x":1}')
    assert error.code == "invalid_input"
    assert [(p.pointer, p.code) for p in error.errors] == [
        ("/id", "uuid_parsing"),
        ("/name", "string_type"),
        ("/x", "extra_forbidden"),
    ]
    assert "found `S`" not in error.errors[0].message


def test_a_validator_that_quotes_the_value_is_not_quoted():
    identity = b'"id":"00000000-0000-0000-0000-000000000001"'
    assert refused(b'{%s,"name":"rude-word"}' % identity).errors[0].message == "Input is not valid"
    assert refused(b'{%s,"name":"long"}' % identity).errors[0].message == "Names should be short"


def test_the_input_is_not_carried_on_in_the_cause():
    error = refused(b'{"id":"SENTINEL"}')
    assert error.__cause__ is None
    assert error.__suppress_context__


def test_a_flood_of_problems_is_counted_not_listed():
    class Many(BaseModel):
        numbers: list[int]

    error = refused(b'{"numbers":[' + b'"x",' * 5000 + b'"x"]}', Many)
    assert [(p.pointer, p.code) for p in error.errors] == [("", "too_many_errors")]


@pytest.mark.parametrize(
    "header",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "application/merge-patch+json",
        "application/json;version=1",
    ],
)
def test_json_in_utf8_is_accepted(header):
    require_json(header)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "json",
        "text/json",
        "application/jsonp",
        "application/json; charset=utf-16",
        "text/plain",
        "application/json;charset=latin-1",
        "multipart/form-data",
        "application/x+jsonx",
        ";",
        "a" * 10000,
    ],
)
def test_anything_else_is_not(header):
    assert not is_json(header)
    with pytest.raises(UnsupportedMediaType):
        require_json(header)
