from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, ValidationError, field_validator

from tenantry.http import InputSchema, MaxLen, OutputSchema, ShortText, partial


class Line(InputSchema):
    note: str


class ItemCreate(InputSchema):
    """An item."""

    name: ShortText
    description: Annotated[str, MaxLen(5)] | None = None
    price_cents: int = Field(default=1, ge=1, alias="priceCents")
    status: str = "draft"
    lines: list[Line] = Field(default_factory=list)
    extra: dict[str, Any] = Field(default_factory=dict)

    @field_validator("status")
    @classmethod
    def _known(cls, status):
        if status not in {"draft", "open"}:
            raise ValueError("unknown status")
        return status


class ItemUpdate(partial(ItemCreate)): ...


@partial
class ItemPatch(ItemCreate):
    """A change of an item."""


def problems(model, **values):
    with pytest.raises(ValidationError) as caught:
        model.model_validate(values)
    return [(error["loc"], error["type"]) for error in caught.value.errors()]


class TestText:
    @pytest.mark.parametrize(
        ("values", "place"),
        [
            ({"name": "a\x00"}, ("name",)),
            ({"name": "a", "lines": [{"note": "ok"}, {"note": "\x00"}]}, ("lines", 1, "note")),
            ({"name": "a", "extra": {"deep": [{"x": "\x00"}]}}, ("extra", "deep", 0, "x")),
            ({"name": "a", "extra": {"k\x00": 1}}, ("extra", "[key]")),
        ],
    )
    def test_nul_is_refused_where_it_stands(self, values, place):
        assert problems(ItemCreate, **values) == [(place, "nul_character")]

    def test_half_a_surrogate_pair_is_refused_where_it_stands(self):
        assert problems(ItemCreate, name="\ud800", extra={"\ud800": "\udfff"}) == [
            (("name",), "lone_surrogate"),
            (("extra", "[key]"), "lone_surrogate"),
            (("extra", "?"), "lone_surrogate"),
        ]

    def test_every_spelling_of_a_text_becomes_one(self):
        item = ItemCreate(name="Cafe\u0301", extra={"e\u0301": ["e\u0301"]})
        assert item.name == "Caf\u00e9"
        assert item.extra == {"\u00e9": ["\u00e9"]}

    def test_the_limit_counts_normalised_characters(self):
        assert ItemCreate(name="x", description="e\u0301" * 5).description == "\u00e9" * 5

    def test_nesting_has_a_limit(self):
        deep: Any = 1
        for _ in range(200):
            deep = [deep]
        assert problems(ItemCreate, name="x", extra={"a": deep})[0][1] == "too_deep"

    def test_a_container_has_a_limit(self):
        assert problems(ItemCreate, name="x", extra={"a": [1] * 10_001}) == [(("extra", "a"), "too_many_items")]
        assert problems(ItemCreate, name="x", extra={str(n): 1 for n in range(10_001)}) == [
            (("extra",), "too_many_items")
        ]


def test_unknown_members_are_refused():
    assert problems(ItemCreate, name="x", tenant_id="t") == [(("tenant_id",), "extra_forbidden")]


def test_a_refusal_never_shows_the_value():
    with pytest.raises(ValidationError) as caught:
        ItemCreate.model_validate({"name": 5_550_123})
    assert "5550123" not in str(caught.value)


@pytest.mark.parametrize("model", [ItemUpdate, ItemPatch])
class TestPartial:
    def test_nothing_is_required(self, model):
        assert model.model_validate({}).model_dump(exclude_unset=True) == {}

    def test_only_what_was_sent_is_dumped(self, model):
        item = model.model_validate({"priceCents": 7, "description": None})
        assert item.model_dump(exclude_unset=True) == {"price_cents": 7, "description": None}

    def test_null_is_refused_unless_the_field_is_nullable(self, model):
        assert problems(model, name=None) == [(("name",), "string_type")]
        assert problems(model, priceCents=None, status=None, lines=None) == [
            (("priceCents",), "int_type"),
            (("status",), "string_type"),
            (("lines",), "list_type"),
        ]

    def test_constraints_validators_and_text_rules_stay(self, model):
        assert problems(model, name="x" * 201) == [(("name",), "string_too_long")]
        assert problems(model, priceCents=0) == [(("priceCents",), "greater_than_equal")]
        assert problems(model, status="lost") == [(("status",), "value_error")]
        assert problems(model, name="\x00") == [(("name",), "nul_character")]
        assert problems(model, other=1) == [(("other",), "extra_forbidden")]

    def test_the_schema_shows_no_required_fields_and_no_null_defaults(self, model):
        schema = model.model_json_schema()
        assert "required" not in schema
        assert all("default" not in field for field in schema["properties"].values())
        assert schema["properties"]["name"] == {"maxLength": 200, "minLength": 1, "title": "Name", "type": "string"}


def test_the_create_schema_is_untouched_by_its_partial():
    assert ItemCreate.model_fields["name"].is_required()
    assert ItemCreate(name="x").status == "draft"


def test_a_partial_keeps_its_name_and_can_be_used_as_a_create_schema():
    assert (ItemPatch.__name__, ItemPatch.__doc__) == ("ItemPatch", "A change of an item.")
    assert issubclass(ItemPatch, ItemCreate)


def test_an_output_is_made_from_attributes():
    class Row:
        name = "x"

    class Read(OutputSchema):
        name: str

    assert Read.model_validate(Row()).name == "x"
    assert issubclass(Read, BaseModel)
