import pytest
from pydantic import TypeAdapter, ValidationError

from tenantry.http import SafeJson


def nested(levels):
    value = 1
    for _ in range(levels):
        value = {"a": value}
    return value


def code(value):
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(SafeJson).validate_python(value)
    return caught.value.errors()[0]["type"]


@pytest.mark.parametrize(
    "value", [{}, {"a": [1, 1.5, None, True, "ä"]}, nested(32), {"a": 2**63 - 1, "b": -(2**63)}, {"a": "x" * 65_000}]
)
def test_an_ordinary_object_is_kept(value):
    assert TypeAdapter(SafeJson).validate_python(value) == value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (nested(33), "json_too_deep"),
        (nested(5000), "json_too_deep"),
        ({"a": [{"b": "\x00"}]}, "nul_character"),
        ({"a\x00": 1}, "nul_character"),
        ({"a": float("nan")}, "finite_number"),
        ({"a": [float("inf")]}, "finite_number"),
        ({"a": 2**63}, "int_range"),
        ({"a": -(2**63) - 1}, "int_range"),
        ({"a": 10**5000}, "int_range"),
        ({"a": "x" * 66_000}, "json_too_large"),
        ({"a": "ä" * 33_000}, "json_too_large"),
        ({"a": "\ud800"}, "json_text"),
        ({"a": object()}, "json_text"),
    ],
)
def test_what_the_database_could_not_keep_is_refused(value, expected):
    assert code(value) == expected


@pytest.mark.parametrize("value", [[], "x", 1, None])
def test_it_is_an_object(value):
    assert code(value) == "dict_type"
