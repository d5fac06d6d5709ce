"""Decision 23: an integer, a truth value or a date of the document is one, and not what can be read as one.

`true` that becomes a price of 1 cent, or 0 that becomes the first of January 1970, is lost data with a 201.
"""

from __future__ import annotations

import unicodedata
from urllib.parse import urlencode

import pytest
from tests.fuzz.conftest import Scene
from tests.fuzz.direct import Answer, Request, ask

from tenantry.kernel import new_id

pytestmark = pytest.mark.anyio

JSON = (b"content-type", b"application/json")


async def sent(scene: Scene, method: str, path: str, body: bytes, *headers: tuple[bytes, bytes]) -> Answer:
    caller = scene.admin if path.startswith("/users") else scene.owner
    request = Request(method, f"/api/v1{path}".encode(), [*caller.headers, JSON, *headers], body)
    return await ask(scene.world.app, request)


@pytest.mark.parametrize("value", ['"12"', "true", '" 12 "', '"1_2"', '"\u0661\u0662"', '"0x10"', "1.5", "[12]"])
async def test_an_integer_is_a_number_without_a_fraction(scene: Scene, value: str) -> None:
    answer = await sent(scene, "POST", "/items", f'{{"name":"a","price_cents":{value}}}'.encode())
    assert (answer.status, answer.json()["errors"][0]["pointer"]) == (422, "/price_cents")
    path = f"/tasks/{scene.owner.ids['tasks']}"
    answer = await sent(scene, "PATCH", path, f'{{"priority":{value}}}'.encode())
    assert (answer.status, answer.json()["errors"][0]["pointer"]) == (422, "/priority")


@pytest.mark.parametrize("value", ['"no"', '"off"', "0", "1", '"true"', "1.0"])
async def test_a_truth_value_is_true_or_false(scene: Scene, value: str) -> None:
    path = f"/users/{scene.admin.ids['users']}"
    answer = await sent(scene, "PATCH", path, f'{{"is_active":{value}}}'.encode())
    assert (answer.status, answer.json()["errors"][0]["pointer"]) == (422, "/is_active")


@pytest.mark.parametrize(
    "value",
    ["0", "86400", "86400.0", "-1", '"0"', '"2031-05-17T00:00:00"', '"2031-05-17T00:00:00Z"', '"20310517"',
     '"2031-5-7"', '"\u0662031-05-17"', '" 2031-05-17"', '"1899-12-31"', '"2201-01-01"', "true"],
)  # fmt: skip
async def test_a_date_is_ten_characters_in_the_years_that_the_document_names(scene: Scene, value: str) -> None:
    answer = await sent(scene, "POST", "/projects", f'{{"name":"a","due_on":{value}}}'.encode())
    assert (answer.status, answer.json()["errors"][0]["pointer"]) == (422, "/due_on")


@pytest.mark.parametrize("value", ['"1900-01-01"', '"2200-12-31"', '"2028-02-29"', "null"])
async def test_every_date_that_the_document_offers_is_taken(scene: Scene, value: str) -> None:
    answer = await sent(scene, "POST", "/projects", f'{{"name":"a","due_on":{value}}}'.encode())
    assert answer.status == 201, answer.body


@pytest.mark.parametrize("tag", [b'"abc"', b'W/"1"', b'"-1"', b'"1.0"', b'"01"', b'""', b'"%d"' % 2**31])
async def test_a_tag_that_is_none_of_ours_is_stale_but_only_where_the_record_exists(scene: Scene, tag: bytes) -> None:
    """422 → 404 → 412: a tag says nothing about the order in which things are wrong."""
    match = (b"if-match", tag)
    item, nothing = f"/items/{scene.owner.ids['items']}", f"/items/{new_id()}"
    assert (await sent(scene, "PATCH", item, b"{", match)).status == 422
    assert (await sent(scene, "PATCH", nothing, b'{"name":"a"}', match)).status == 404
    assert (await sent(scene, "PATCH", item, b'{"name":"a"}', match)).status == 412
    for path in ("/me", "/tenant", f"/users/{scene.admin.ids['users']}"):
        assert (await sent(scene, "PATCH", path, b'{"name":"a"}', match)).status == 412
        assert (await sent(scene, "PATCH", path, b"{", match)).status == 422


@pytest.mark.parametrize("field", ["username", "password"])
async def test_a_nul_in_the_sign_in_form_is_refused_by_name(scene: Scene, field: str) -> None:
    form = {"username": "nobody@people.test", "password": "a password of nobody"} | {field: "a\x00b"}
    answer = await signed_in_by_form(scene, form)
    assert (answer.status, answer.json()["errors"][0]["pointer"]) == (422, f"/{field}")


async def test_a_password_is_the_same_in_both_spellings_of_unicode_in_the_form_too(scene: Scene) -> None:
    email, password = f"{new_id().hex}@people.test", "schlüssel für Zoë"
    await scene.world.assembly.services.users.create(email=email, password=password, name="Zoë")
    for spelling in ("NFC", "NFD"):
        form = {"username": email, "password": unicodedata.normalize(spelling, password)}
        assert (await signed_in_by_form(scene, form)).status == 200, spelling


async def signed_in_by_form(scene: Scene, form: dict[str, str]) -> Answer:
    headers = [(b"content-type", b"application/x-www-form-urlencoded")]
    return await ask(scene.world.app, Request("POST", b"/api/v1/auth/token", headers, urlencode(form).encode()))
