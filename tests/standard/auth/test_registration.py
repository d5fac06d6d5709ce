"""Registration and the verification of addresses."""

from __future__ import annotations

import asyncio
import unicodedata
from typing import Any
from uuid import UUID

import pytest
from tests.identity.conftest import PASSWORD, MakeWorld, World, bearer

from tenantry.kernel import new_id

pytestmark = pytest.mark.anyio


def address() -> str:
    return f"p{new_id().hex}@acme.test"


async def register(world: World, **changes: Any) -> Any:
    body = {"email": address(), "password": PASSWORD, "name": "Ada", **changes}
    answer = await world.http.post("/api/v1/auth/register", json=body)
    await world.runtime.courier.close()
    return answer


async def verify(world: World, token: str) -> int:
    answer = await world.http.post("/api/v1/auth/verify-email", json={"token": token})
    return int(answer.status_code)


async def test_a_registered_user_is_answered_without_a_secret_and_can_sign_in(world: World) -> None:
    email = address()
    answer = await register(world, email=email.upper())
    user = answer.json()
    assert answer.status_code == 201
    assert set(user) == {
        "id",
        "email",
        "name",
        "is_active",
        "email_verified_at",
        "platform_role",
        "created_at",
        "updated_at",
        "version",
    }
    assert (user["email"], user["email_verified_at"], user["platform_role"]) == (email, None, None)
    pair = await world.http.post("/api/v1/auth/login", json={"email": email, "password": PASSWORD})
    assert pair.status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"password": "1234567"},
        {"password": "x" * 129},
        {"password": None},
        {"email": "nobody"},
        {"email": "a@b"},
        {"email": "a@acme.test\r\nBcc: b@acme.test"},
        {"name": ""},
        {"name": "x" * 201},
        {"name": "nul\u0000"},
        {"platform_role": "superadmin"},
        {"email_verified_at": "2020-01-01T00:00:00Z"},
    ],
)
async def test_what_does_not_fit_is_422(world: World, body: dict[str, Any]) -> None:
    assert (await register(world, **body)).status_code == 422


# 73 bytes; 72 characters of four bytes; differences beyond the 72nd byte, where bcrypt stops reading.
@pytest.mark.parametrize("password", ["x" * 73, "\U0001f511" * 72, "y" * 128, "pässwörd", "with spaces in it", "nul"])
async def test_passwords_count_in_their_whole_length(world: World, password: str) -> None:
    password = password if len(password) >= 8 else password + "\u00e9" * 8
    email = address()
    assert (await register(world, email=email, password=password)).status_code == 201

    async def login(tried: str) -> int:
        answer = await world.http.post("/api/v1/auth/login", json={"email": email, "password": tried})
        return int(answer.status_code)

    assert await login(password) == 200
    assert await login(unicodedata.normalize("NFD", password)) == 200
    assert await login(password[:-1] + "!") == 401
    assert await login(password[:-1]) == 401


async def test_one_address_is_one_account_however_it_is_spelled(world: World) -> None:
    local = f"zoe\u0301.{new_id().hex}"  # decomposed
    assert (await register(world, email=f"{local}@b\u00fccher.test")).status_code == 201
    spellings = [
        f"{local}@b\u00fccher.test",
        f"{unicodedata.normalize('NFC', local)}@b\u00fccher.test",
        f"{unicodedata.normalize('NFD', local)}@B\u00dcCHER.TEST",
        f"{local.upper()}@xn--bcher-kva.test",
        f"  {local}@b\u00fccher.test ",
        f"\uff5a{local[1:]}@b\u00fccher.test",  # a full-width z
    ]
    for spelling in spellings:
        answer = await register(world, email=spelling)
        assert (answer.status_code, answer.json()["code"]) == (409, "email_taken"), ascii(spelling)
        login = await world.http.post("/api/v1/auth/login", json={"email": spelling, "password": PASSWORD})
        assert login.status_code == 200, ascii(spelling)
    assert (await register(world, email=f"{local}+news@b\u00fccher.test")).status_code == 201


async def test_of_ten_registrations_of_one_address_at_once_one_succeeds(world: World) -> None:
    email = address()
    answers = await asyncio.gather(
        *(register(world, email=email if number % 2 else email.upper()) for number in range(10))
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9


async def test_the_mail_verifies_the_address_once(world: World) -> None:
    email = address()
    user = (await register(world, email=email)).json()
    token = world.mailbox.token_for(email)
    answers = await asyncio.gather(*(verify(world, token) for _ in range(10)))
    assert sorted(answers) == [204] + [400] * 9
    assert await verify(world, token) == 400
    (row,) = await world.rows("SELECT email_verified_at FROM control.users WHERE id = $1", UUID(user["id"]))
    assert row["email_verified_at"] == world.clock.now()


async def test_a_verification_expires(world: World) -> None:
    email = address()
    await register(world, email=email)
    world.advance(hours=72)
    assert await verify(world, world.mailbox.token_for(email)) == 400


async def test_a_verification_counts_just_before_it_expires(world: World) -> None:
    email = address()
    await register(world, email=email)
    world.advance(hours=72, seconds=-1)
    assert await verify(world, world.mailbox.token_for(email)) == 204


async def test_a_verification_does_not_count_for_another_address(world: World) -> None:
    admin = await world.person(platform_role="superadmin")
    pair = await admin.sign_in()
    email = address()
    user = (await register(world, email=email)).json()
    old = world.mailbox.token_for(email)
    changed = address()
    answer = await world.http.patch(f"/api/v1/users/{user['id']}", json={"email": changed}, headers=bearer(pair))
    assert (answer.status_code, answer.json()["email"]) == (200, changed)
    await world.runtime.courier.close()
    assert await verify(world, old) == 400
    assert await verify(world, world.mailbox.token_for(changed)) == 204


async def test_a_token_for_a_new_password_verifies_no_address_and_the_other_way_round(world: World) -> None:
    email = address()
    await register(world, email=email)
    verification = world.mailbox.token_for(email)
    await world.http.post("/api/v1/auth/password-reset", json={"email": email})
    await world.runtime.courier.close()
    reset = world.mailbox.token_for(email)
    assert await verify(world, reset) == 400
    body = {"token": verification, "password": "another password"}
    assert (await world.http.post("/api/v1/auth/password-reset/confirm", json=body)).status_code == 400
    assert await verify(world, verification) == 204


@pytest.mark.parametrize("token", ["", "x", "x" * 200, "\u00e9", "\U0001f511"])
async def test_a_token_that_is_none_is_refused(world: World, token: str) -> None:
    assert await verify(world, token) == 400


async def test_registration_succeeds_while_the_mail_server_is_down(world: World) -> None:
    world.mailbox.down = True
    assert (await register(world)).status_code == 201


async def test_registrations_from_one_address_are_limited(make_world: MakeWorld) -> None:
    world = make_world(registrations_per_address=5)
    answers = [await register(world) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [201] * 4 + [429] * 2
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60
    world.advance(seconds=int(answers[-1].headers["retry-after"]))
    assert (await register(world)).status_code == 201


async def test_what_the_seed_makes_is_verified_and_may_administer_the_platform(world: World) -> None:
    profile = await world.users.create(email=address(), password=PASSWORD, name="Root", platform_role="superadmin")
    assert (profile.email_verified_at, profile.platform_role) == (world.clock.now(), "superadmin")
    assert world.mailbox.mails == []
