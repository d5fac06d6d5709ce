import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.http import InvalidHeader, etag, expected_versions, idempotency_key
from tenantry.kernel import InvalidInput


@given(st.integers(min_value=0, max_value=2**31 - 1))
def test_what_we_send_is_what_we_read(version):
    assert expected_versions(etag(version)) == {version}


@pytest.mark.parametrize("value", [None, "*", " * "])
def test_no_version_is_demanded(value):
    assert expected_versions(value) is None


@pytest.mark.parametrize(
    ("value", "versions"),
    [('"3", "3"', {3}), ('"a,b" , "7"', {7}), ('W/"1", "2"', {2}), (', "4",', {4}), ('"1", "2"', {1, 2})],
)
def test_a_list_matches_by_any_tag_that_is_ours(value, versions):
    assert expected_versions(value) == versions


@pytest.mark.parametrize(
    "value",
    [
        'W/"3"',
        '"abc"',
        '""',
        '"03"',
        '"-1"',
        '"3.0"',
        '"2147483648"',
        '"99999999999999999999"',
        '"٣"'.encode().decode("latin-1"),
    ],
)
def test_a_tag_that_cannot_match_demands_what_no_record_has(value):
    assert expected_versions(value) == frozenset()


@pytest.mark.parametrize("value", ["", "3", "'3'", '"3', '3"', '"3" "4"', '"3";', 'w/"3"', ",", '"a\x00"'])
def test_what_is_no_tag_is_400(value):
    with pytest.raises(InvalidHeader) as caught:
        expected_versions(value)
    assert caught.value.errors[0].pointer == "header:If-Match"


@given(st.text(max_size=300) | st.text(alphabet='"W/, *0123\t', max_size=50))
def test_no_text_crashes_it(value):
    with contextlib.suppress(InvalidHeader):
        assert isinstance(expected_versions(value), frozenset | None)


@pytest.mark.parametrize("value", ["*", " * "])
def test_what_must_not_exist_yet_meets_no_version(value):
    assert expected_versions('"3"', value) == frozenset()


@pytest.mark.parametrize("value", ['"3"', 'W/"3"', "", "x"])
def test_a_write_takes_no_tag_in_if_none_match(value):
    with pytest.raises(InvalidHeader) as caught:
        expected_versions(None, value)
    assert caught.value.errors[0].pointer == "header:If-None-Match"


def test_a_long_header_is_refused_quickly():
    with pytest.raises(InvalidHeader):
        expected_versions('"1",' * 100_000)


@pytest.mark.parametrize("value", [None, "a", "order 17", "~" * 255])
def test_a_key_is_kept_as_it_is(value):
    assert idempotency_key(value) == value


@pytest.mark.parametrize("value", ["", "a" * 256, "a\x00", "a\nb", "ä", "\x7f"])
def test_a_key_that_is_no_printable_ascii_is_422(value):
    with pytest.raises(InvalidInput) as caught:
        idempotency_key(value)
    assert caught.value.errors[0].code == "idempotency_key_invalid"
