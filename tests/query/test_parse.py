"""What a query string may say, and what each wrong one is told."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.query.conftest import SIZES

from tenantry.kernel import FieldError, Kind
from tenantry.query import InvalidListRequest, ListSpec, PageSizes, Paging, parse_list


@pytest.fixture(scope="session")
def parse(spec, signer):
    def parse(query: str | bytes, spec: ListSpec = spec):
        raw = query.encode() if isinstance(query, str) else query
        return parse_list(raw, spec, signer=signer, binding="t:a:tasks", sizes=SIZES)

    return parse


@pytest.fixture(scope="session")
def refusal(parse):
    def refusal(query: str | bytes) -> tuple[str, str | None]:
        with pytest.raises(InvalidListRequest) as caught:
            parse(query)
        assert caught.value.kind is Kind.BAD_REQUEST
        return caught.value.code, caught.value.errors[0].pointer if caught.value.errors else None

    return refusal


class TestPaging:
    def test_an_empty_query_is_the_first_fifty_in_default_order(self, parse):
        request = parse("")
        assert request.shape.sort == (("created_at", True), ("id", True))
        assert (request.shape.paging, dict(request.params), request.limit) == (Paging.NONE, {"limit": 50}, 50)

    @pytest.mark.parametrize(
        ("query", "params"),
        [
            ("page=1", {"limit": 50}),
            ("page_size=200", {"limit": 200}),
            ("page=3&page_size=10", {"limit": 10, "offset": 20}),
            ("skip=0", {"limit": 50}),
            ("limit=1", {"limit": 1}),
            ("skip=5&limit=7", {"limit": 7, "offset": 5}),
            ("skip=99800&limit=200", {"limit": 200, "offset": 99_800}),
            ("page=500&page_size=200", {"limit": 200, "offset": 99_800}),
        ],
    )
    def test_each_spelling_becomes_limit_and_offset(self, parse, query, params):
        assert dict(parse(query).params) == params

    @pytest.mark.parametrize("query", ["page=0", "page=-1", "page=", "page", "page=1.0", "page=1e2", "page=٣"])
    def test_a_page_that_is_no_number_from_one_is_refused(self, refusal, query):
        assert refusal(query) == ("invalid_page", "?page")

    @pytest.mark.parametrize("name", ["page_size", "limit"])
    @pytest.mark.parametrize("size", ["0", "201", "-1", "1_0", "9" * 5000, "+5", "%2B5", " 5", "NaN"])
    def test_a_size_out_of_range_is_refused(self, refusal, name, size):
        assert refusal(f"{name}={size}") == ("invalid_page", f"?{name}")

    @pytest.mark.parametrize(
        "query", ["page=1&skip=0", "page=1&limit=5", "page_size=5&skip=0", "page_size=5&limit=5", "cursor=x&page=1",
                  "cursor=x&skip=1", "cursor=x&page_size=1&limit=1"],
    )  # fmt: skip
    def test_two_spellings_are_never_mixed(self, refusal, query):
        assert refusal(query)[0] == "conflicting_paging"

    @pytest.mark.parametrize("query", ["page=501&page_size=200", "skip=99801&limit=200", "skip=100000"])
    def test_beyond_a_hundred_thousand_rows_only_a_cursor_leads(self, refusal, query):
        assert refusal(query)[0] == "offset_too_deep"

    @pytest.mark.parametrize("query", ["limit=11", "page_size=11", "skip=99991"])
    def test_the_sizes_of_the_application_bound_each_spelling(self, spec, signer, query):
        def parse(query: str):
            return parse_list(query.encode(), spec, signer=signer, binding="b", sizes=PageSizes(7, 10))

        assert [parse(one).limit for one in ("", "page=2", "skip=99990")] == [7, 7, 7]
        assert [parse(one).limit for one in ("limit=10", "page_size=10")] == [10, 10]
        with pytest.raises(InvalidListRequest, match=r"from 1 to 10\.|At most 99990"):
            parse(query)


class TestSorting:
    def test_the_tie_breaker_follows_the_last_term(self, parse):
        assert parse("sort=-name,rank").shape.sort == (("name", True), ("rank", False), ("id", False))

    def test_nothing_is_sorted_after_the_id(self, spec, parse):
        columns = {"id": spec.id.column, "rank": spec.sorts["rank"].column}
        with_id = ListSpec(columns, fields=["id"], sorts={"id", "rank"})
        assert parse("sort=-id,rank", with_id).shape == parse("sort=-id", with_id).shape

    @pytest.mark.parametrize(
        ("sort", "code"),
        [
            ("secret", "unknown_sort"), ("nope", "unknown_sort"), ("", "unknown_sort"), ("--name", "unknown_sort"),
            ("name,", "unknown_sort"), ("Name", "unknown_sort"), ("name,name", "invalid_sort"),
            ("name,-name", "invalid_sort"), ("name,rank,done,nick,score", "invalid_sort"), ("body", "unknown_sort"),
        ],
    )  # fmt: skip
    def test_another_sort_is_refused(self, refusal, sort, code):
        assert refusal(f"sort={sort}") == (code, "?sort")


class TestFilters:
    @pytest.mark.parametrize(
        ("parameter", "text", "value"),
        [
            ("filter[name]", "caf%C3%A9+%2B", "café +"),
            ("filter%5Bname%5D", "", ""),
            ("filter[name][eq]", "a,b", "a,b"),
            ("filter[name][in]", "a,b", ("a", "b")),
            ("filter[name][contains]", "5%25_%5C", "%5\\%\\_\\\\%"),
            ("filter[rank][lte]", "-9223372036854775808", -(2**63)),
            ("filter[rank][in]", "1,2,2", (1, 2, 2)),
            ("filter[owner_id]", "00000000-0000-0000-0000-00000000000A", UUID(int=10)),
            ("filter[due_on][gt]", "2032-02-29", date(2032, 2, 29)),
            ("filter[seen_at]", "2031-05-01T02:00:00.5%2B02:00", datetime(2031, 5, 1, microsecond=500_000, tzinfo=UTC)),
            ("filter[seen_at][ne]", "9999-12-31t23:59:59z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
            ("filter[done]", "false", False),
            ("filter[nick][null]", "true", True),
        ],
    )
    def test_values_are_read_by_the_type_of_the_column(self, parse, parameter, text, value):
        assert parse(f"{parameter}={text}").params["f0"] == value

    @pytest.mark.parametrize(
        ("field", "text"),
        [
            *[("rank", text) for text in ["", "٣", "1_000", "1e400", "NaN", "Infinity", str(2**63), "-", "9" * 5000]],
            *[("rank", text) for text in ["1.0", "0x10", "%201", "%2B1", "--1", "1%0A", "²"]],
            *[("owner_id", text) for text in ["", "x", "{00000000-0000-0000-0000-000000000001}", "0" * 32, "0" * 5000]],
            *[("due_on", text) for text in ["", "0000-01-01", "2031-02-30", "20310501", "2031-W01-1", "10000-01-01"]],
            *[("due_on", text) for text in ["infinity", "today", "٢٠٣١-05-01", "2031-05-01T00:00:00Z"]],
            *[("seen_at", text) for text in ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00%2B14:00", "now", ""]],
            *[("seen_at", text) for text in ["2031-05-01", "2031-05-01T00:00:00", "2031-05-01T00:00:00+02:00"]],
            *[("seen_at", text) for text in ["2031-05-01T24:00:00Z", "2031-05-01T00:00:60Z", "2031-13-01T00:00:00Z"]],
            *[("done", text) for text in ["", "True", "1", "yes", "null"]],
            ("name", "x" * 501),
        ],
    )
    def test_a_value_of_another_type_is_refused_where_it_stands(self, refusal, field, text):
        assert refusal(f"filter[{field}]={text}") == ("invalid_filter", f"?filter[{field}]")

    @pytest.mark.parametrize("text", ["", "1,", ",", "a", "1,,2", ",".join(["1"] * 101), ",".join(["1"] * 10_000)])
    def test_a_list_has_one_to_a_hundred_values_of_the_type_in_08(self, refusal, text):
        assert refusal(f"filter[rank][in]={text}") == ("invalid_filter", "?filter[rank][in]")

    @pytest.mark.parametrize(
        ("parameter", "code"),
        [
            ("filter[nope]", "unknown_filter"), ("filter[secret]", "unknown_filter"), ("filter[]", "unknown_filter"),
            ("filter[name", "unknown_operator"), ("filter[name][like]", "unknown_operator"),
            ("filter[name]x", "unknown_operator"), ("filter[name][null]", "unknown_operator"),
            ("filter[rank][contains]", "unknown_operator"), ("filter[owner_id][gt]", "unknown_operator"),
            ("filter[done][in]", "unknown_operator"), ("filter", "unknown_parameter"), ("name", "unknown_parameter"),
            ("Page", "unknown_parameter"), ("tenant_id", "unknown_parameter"), ("", "unknown_parameter"),
        ],
    )  # fmt: skip
    def test_what_is_not_declared_is_refused(self, refusal, parameter, code):
        assert refusal(f"{parameter}=1") == (code, f"?{parameter}")

    def test_a_hidden_column_answers_like_one_that_does_not_exist_az_10(self, parse):
        for query in ["filter[{}]=x", "filter[{}][gt]=x", "sort={}", "fields={}", "{}=x"]:
            told = []
            for name in ["secret", "absent"]:
                with pytest.raises(InvalidListRequest) as caught:
                    parse(query.format(name))
                told.append((caught.value.code, caught.value.detail))
            assert told[0] == told[1]

    def test_at_most_twenty_filters_are_taken_in_08(self, refusal, parse):
        every = [f"filter[{field}][{op}]=1" for field in ("rank", "score", "name", "nick")
                 for op in ("eq", "ne", "lt", "lte", "gt", "gte")]  # fmt: skip
        assert len(parse("&".join(every[:20])).shape.filters) == 20
        assert refusal("&".join(every[:21]))[0] == "too_many_filters"

    def test_the_order_of_parameters_makes_no_other_shape(self, parse):
        one = parse("filter[name]=a&filter[rank][gt]=1&sort=name&fields=rank,name")
        other = parse("fields=name,rank&filter[rank][gt]=2&filter[name][eq]=b&sort=name&page=1")
        assert one.shape == other.shape
        assert [dict(request.params) for request in (one, other)] == [
            {"f0": "a", "f1": 1, "limit": 50},
            {"f0": "b", "f1": 2, "limit": 50},
        ]


class TestEverythingElse:
    def test_chosen_fields_come_in_the_order_of_the_schema_with_the_id(self, parse, spec):
        assert parse("fields=rank,name").shape.fields == ("id", "name", "rank")
        assert parse("fields=" + ",".join(reversed(spec.fields))).shape.fields is None

    @pytest.mark.parametrize(
        ("query", "answer"),
        [
            ("fields=", ("unknown_field", "?fields")),
            ("fields=secret", ("unknown_field", "?fields")),
            ("fields=name,name", ("invalid_fields", "?fields")),
            ("with_total=yes", ("invalid_page", "?with_total")),
            ("search=" + "x" * 201, ("invalid_search", "?search")),
            ("cursor=", ("invalid_cursor", "?cursor")),
            ("sort=name&sort=name", ("repeated_parameter", "?sort")),
            ("%73ort=name&sort=name", ("repeated_parameter", "?sort")),
            ("filter[name]=a&filter[name][eq]=a", ("repeated_parameter", "?filter[name][eq]")),
            ("page=1&page=2", ("repeated_parameter", "?page")),
        ],
    )
    def test_other_wrong_values_are_refused_where_they_stand(self, refusal, query, answer):
        assert refusal(query) == answer

    @pytest.mark.parametrize(
        "query",
        [b"search=%00", b"search=\0", b"search=%ff", b"search=\xff", b"search=%", b"search=%4", b"search=%zz",
         b"search=%ed%a0%80", b"%ff=1", b"search=%C0%80", b"search=" + b"x" * 70_000],
    )  # fmt: skip
    def test_bytes_that_are_no_text_are_refused_in_03(self, refusal, query):
        assert refusal(query) == ("invalid_query_string", None)

    def test_an_empty_search_is_no_search(self, parse):
        assert parse("search=").shape == parse("").shape

    def test_a_list_without_search_and_sorts_does_not_know_them(self, spec, parse):
        plain = ListSpec({"id": spec.id.column}, fields=["id"])
        for query in ("search=x", "sort=id", "filter[id]=1"):
            with pytest.raises(InvalidListRequest):
                parse(query, plain)

    def test_empty_pieces_are_passed_over(self, parse):
        assert parse("&&sort=name&").shape == parse("sort=name").shape

    def test_the_error_names_parameter_and_way_out(self, parse):
        with pytest.raises(InvalidListRequest) as caught:
            parse("filter[done]=1")
        assert caught.value.errors == (FieldError("?filter[done]", "It takes true or false.", "invalid_filter"),)

    def test_what_one_request_got_another_cannot_change(self, parse):
        with pytest.raises(TypeError):
            parse("limit=3").params["limit"] = 10_000

    def test_the_same_query_under_two_specs_is_read_by_each(self, spec, parse):
        narrow = ListSpec({"id": spec.id.column}, fields=["id"])
        assert parse("page_size=9").shape.sort != parse("page_size=9", narrow).shape.sort


@given(st.binary(max_size=60) | st.text(alphabet="filter[name]=&%,1-sortpagecursor\0", max_size=40).map(str.encode))
def test_any_bytes_are_a_request_or_a_400(spec, signer, query) -> None:
    try:
        parse_list(query, spec, signer=signer, binding="b", sizes=SIZES)
    except InvalidListRequest:
        return
