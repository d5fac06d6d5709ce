import json
from uuid import UUID

from fastapi import FastAPI
from pydantic import BaseModel

from tenantry.http import (
    ResponseStyle,
    answer_model,
    deleted_response,
    envelope_of,
    problem_components,
    problem_responses,
    wrap,
)


class Item(BaseModel):
    name: str


def test_the_content_is_wrapped_without_being_read():
    assert wrap(ResponseStyle.ENVELOPE, "T", b"not json") == b'{"success":true,"title":"T","content":not json}'


def test_a_title_cannot_leave_its_member():
    title = 'x"},\n\u2028\ud800'
    assert json.loads(wrap(ResponseStyle.ENVELOPE, title, b"null"))["title"] == title


def test_what_wrap_makes_is_what_the_model_says():
    body = wrap(ResponseStyle.ENVELOPE, "Item", b'{"name":"x"}')
    assert envelope_of(Item).model_validate_json(body) == envelope_of(Item)(
        success=True, title="Item", content=Item(name="x")
    )


def test_delete_answers_in_the_style():
    assert deleted_response(ResponseStyle.PLAIN, "Deleted", UUID(int=1)).body == b""
    answer = deleted_response(ResponseStyle.ENVELOPE, "Deleted", UUID(int=1))
    assert (answer.status_code, json.loads(answer.body)["content"]) == (200, {"id": str(UUID(int=1))})


def test_openapi_is_exact_in_both_styles():
    for style, name in ((ResponseStyle.PLAIN, "Item"), (ResponseStyle.ENVELOPE, "ItemEnvelope")):
        app = FastAPI()

        @app.get("/x", response_model=answer_model(style, Item), responses=problem_responses(style, 404, 422))
        async def read(n: int) -> None: ...

        document = app.openapi()
        responses = document["paths"]["/x"]["get"]["responses"]
        schema = responses["200"]["content"]["application/json"]["schema"]
        assert schema == {"$ref": f"#/components/schemas/{name}"}
        assert set(responses) == {"200", "404", "422"}
        assert "HTTPValidationError" not in document["components"]["schemas"]
        [reference] = [media["schema"]["$ref"] for media in responses["404"]["content"].values()]
        assert reference.rpartition("/")[2] in problem_components(style)


def test_the_documented_problem_is_the_one_that_is_sent():
    plain = problem_components(ResponseStyle.PLAIN)["ProblemDetails"]
    assert set(plain["properties"]) == {"type", "title", "status", "code", "detail", "request_id", "errors"}
    assert {"ProblemEnvelope", "ProblemDetails", "ProblemField"} == set(problem_components(ResponseStyle.ENVELOPE))
