"""Bases of what comes in and goes out, and `partial`, which turns a Create schema into an Update schema."""

from __future__ import annotations

from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    ModelWrapValidatorHandler,
    ValidationError,
    create_model,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError

from tenantry.http.text import clean

M = TypeVar("M", bound=BaseModel)

_EXACT = frozenset({"int", "float", "bool"})

MAX_PROBLEMS = 1000
"""Problems of one input that are told apart: a list of a million dicts takes seconds to make and nobody reads it."""


def _make_exact(schema: Any) -> None:
    """Make every number and truth value in a schema strict.

    Not by `strict` in the model's configuration: a date, a UUID and an enum have no spelling of their own in JSON, and
    strict mode would refuse their texts as soon as a validator of ours has seen them.
    """
    if isinstance(schema, dict):
        if schema.get("type") in _EXACT:
            schema["strict"] = True
        schema = list(schema.values())
    if isinstance(schema, (list, tuple)):
        for part in schema:
            _make_exact(part)


class InputSchema(BaseModel):
    r"""What a client sends. Unknown members are refused, NaN and Infinity too, and every text has passed `text.clean`.

    A number is a number and a truth value is true or false: Pydantic would also take ``"1_000"``, ``true`` for 1 and
    ``"off"``, of which the OpenAPI document says nothing.

    A validator of yours must not put the value into its message: messages are sent to the client.

    >>> class ItemCreate(InputSchema):
    ...     name: str
    >>> ItemCreate.model_validate_json('{"name": "a\\u0000"}')
    Traceback (most recent call last):
    ...
    pydantic_core._pydantic_core.ValidationError: 1 validation error for ItemCreate
    name
      NUL characters are not accepted [type=nul_character]
    """

    model_config = ConfigDict(
        extra="forbid",
        allow_inf_nan=False,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema without its conversions between text, numbers and truth values."""
        schema = handler(source)
        _make_exact(schema)
        return schema

    @model_validator(mode="wrap")
    @classmethod
    def _check(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if type(data) is not dict:
            return handler(data)
        try:
            return handler(clean(data, cls.__name__))
        except ValidationError as error:
            if error.error_count() <= MAX_PROBLEMS:
                raise
            raise _flood(cls.__name__) from None


class OutputSchema(BaseModel):
    """What a client gets; made from attributes of rows as well as from values."""

    model_config = ConfigDict(from_attributes=True, use_attribute_docstrings=True)


def partial(model: type[M]) -> type[M]:
    """Return `model` with every field optional, for PATCH: what is absent is not touched.

    An explicit null stays an error where the field is not nullable, because only the *presence* becomes optional, not
    the type. Read a payload with ``model_dump(exclude_unset=True)``; an absent field is None as an attribute. Fields
    keep their constraints and validators; an ``after`` model validator sees None for absent fields. Nested models
    are replaced whole.

    Two spellings; the second is the one that mypy understands with all attributes (a call as a base class is
    ``# type: ignore[misc]`` there, pyright takes both):

    >>> class ItemCreate(InputSchema):
    ...     name: str
    ...     price_cents: int = 0
    >>> class ItemUpdate(partial(ItemCreate)): ...
    >>> @partial
    ... class ItemPatch(ItemCreate): ...
    >>> ItemUpdate.model_validate({"price_cents": 5}).model_dump(exclude_unset=True)
    {'price_cents': 5}
    >>> ItemPatch.model_validate({}).model_dump(exclude_unset=True)
    {}
    """
    fields: dict[str, Any] = {name: _optional(details.asdict()) for name, details in model.model_fields.items()}
    # As a decorator it stands in for the class it was given; as a base the name is never seen.
    partial_model: type[M] = create_model(
        model.__name__, __base__=model, __module__=model.__module__, __doc__=model.__doc__, **fields
    )
    partial_model.__qualname__ = model.__qualname__
    return partial_model


def _flood(title: str) -> ValidationError:
    kind = PydanticCustomError("too_many_errors", "There are too many problems to list")
    return ValidationError.from_exception_data(title, [{"type": kind, "loc": (), "input": None}], hide_input=True)


def _optional(field: Any) -> Any:
    attributes = {key: value for key, value in field["attributes"].items() if key not in {"default", "default_factory"}}
    # A factory, because a default would show up in the JSON schema, and null is no value of most of these fields.
    parts = (field["annotation"], *field["metadata"], Field(default_factory=_absent, **attributes))
    return Annotated[parts]


def _absent() -> None:
    return None
