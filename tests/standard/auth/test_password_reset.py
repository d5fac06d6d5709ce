"""New passwords for people who can read their mail."""

from __future__ import annotations

import asyncio
import random
from time import perf_counter
from typing import Any

import pytest
from tests.identity.conftest import PASSWORD, MakeWorld, Person, World, bearer

from .test_sign_in import auc

pytestmark = pytest.mark.anyio

NEW = "a new password"


async def ask(world: World, email: str) -> Any:
    answer = await world.http.post("/api/v1/auth/password-reset", json={"email": email})
    await world.runtime.courier.close()
    return answer


async def confirm(world: World, token: str, password: str = NEW) -> int:
    body = {"token": token, "password": password}
    return int((await world.http.post("/api/v1/auth/password-reset/confirm", json=body)).status_code)


async def token_of(world: World, person: Person) -> str:
    await ask(world, person.email)
    return world.mailbox.token_for(person.email)


async def test_a_new_password_replaces_the_old_one_and_ends_every_session_at_once(world: World) -> None:
    person, other = await world.person(), await world.person()
    pairs = [await person.sign_in(), await person.sign_in()]
    bystander = await other.sign_in()
    for pair in pairs:
        assert (await world.http.get("/api/v1/me", headers=bearer(pair))).status_code == 200
    assert await confirm(world, await token_of(world, person)) == 204
    for pair in pairs:
        assert (await world.http.get("/api/v1/me", headers=bearer(pair))).status_code == 401
        answer = await world.http.post("/api/v1/auth/refresh", json={"refresh_token": pair["refresh_token"]})
        assert answer.status_code == 401
    assert (await world.http.get("/api/v1/me", headers=bearer(bystander))).status_code == 200
    await person.sign_in(password=NEW)
    old = await world.http.post("/api/v1/auth/login", json={"email": person.email, "password": PASSWORD})
    assert old.status_code == 401


async def test_known_unknown_inactive_and_unverified_addresses_are_answered_alike(world: World) -> None:
    known, inactive = await world.person(), await world.person()
    unverified = await world.person(is_verified=False)
    await world.admin.execute("UPDATE control.users SET is_active = false WHERE id = $1", inactive.id)
    answers = [await ask(world, email) for email in (known.email, "nobody@acme.test", inactive.email, unverified.email)]
    assert {(answer.status_code, answer.text, str(set(answer.headers))) for answer in answers} == {
        (202, answers[0].text, str(set(answers[0].headers)))
    }
    assert sorted(mail.to for mail in world.mailbox.mails) == sorted([known.email, unverified.email])


async def test_the_time_of_the_answer_does_not_tell_who_has_an_account(make_world: MakeWorld) -> None:
    world = make_world(resets_per_account=10_000, links_per_address=100_000)
    known = await world.person()
    samples: dict[str, list[float]] = {known.email: [], "nobody@acme.test": []}
    for _ in range(2):
        order = list(samples) * 60
        random.Random(11).shuffle(order)
        for email in order:
            begun = perf_counter()
            await world.http.post("/api/v1/auth/password-reset", json={"email": email})
            samples[email].append(perf_counter() - begun)
            await world.runtime.courier.close()
        told = auc(*samples.values())
        if 0.4 <= told <= 0.6:
            return
    pytest.fail(f"AUC {told:.2f}")


async def test_mail_goes_to_the_registered_address_not_to_the_one_that_was_typed(world: World) -> None:
    person = await world.person()
    await ask(world, "\uff50" + person.email[1:])  # a full-width p
    assert [mail.to for mail in world.mailbox.mails] == [person.email]


async def test_of_ten_uses_of_a_link_at_once_one_succeeds(world: World) -> None:
    person = await world.person()
    token = await token_of(world, person)
    answers = await asyncio.gather(*(confirm(world, token, f"new password {number}") for number in range(10)))
    assert sorted(answers) == [204] + [400] * 9
    winner = answers.index(204)
    await person.sign_in(password=f"new password {winner}")


async def test_a_used_link_ends_the_other_links_of_the_account(world: World) -> None:
    person = await world.person()
    first, second = await token_of(world, person), await token_of(world, person)
    assert await confirm(world, second) == 204
    assert await confirm(world, first, "another password") == 400


async def test_a_link_expires(world: World) -> None:
    person = await world.person()
    token = await token_of(world, person)
    world.advance(minutes=30, seconds=-1)
    assert await confirm(world, token) == 204
    token = await token_of(world, person)
    world.advance(minutes=30)
    assert await confirm(world, token, "another password") == 400


async def test_a_link_ends_with_the_account_and_with_the_address(world: World) -> None:
    admin, gone, moved = await world.person(platform_role="superadmin"), await world.person(), await world.person()
    tokens = [await token_of(world, person) for person in (gone, moved)]
    headers = bearer(await admin.sign_in())
    await world.http.patch(f"/api/v1/users/{gone.id}", json={"is_active": False}, headers=headers)
    await world.http.patch(f"/api/v1/users/{moved.id}", json={"email": "m" + moved.email}, headers=headers)
    assert [await confirm(world, token) for token in tokens] == [400, 400]


async def test_reading_the_mail_verifies_the_address(world: World) -> None:
    person = await world.person(is_verified=False)
    await confirm(world, await token_of(world, person))
    pair = await person.sign_in(password=NEW)
    me = (await world.http.get("/api/v1/me", headers=bearer(pair))).json()
    assert me["email_verified_at"] is not None


async def test_a_password_that_does_not_fit_leaves_the_link_usable(world: World) -> None:
    token = await token_of(world, await world.person())
    assert await confirm(world, token, "short") == 422
    assert await confirm(world, token) == 204


async def test_mails_for_one_account_are_limited(world: World) -> None:
    person = await world.person()
    answers = [(await ask(world, spelling)).status_code for spelling in [person.email, person.email.upper()] * 5]
    assert answers == [202] * 8 + [429] * 2
    assert len(world.mailbox.mails) == 8
    unknown = [(await ask(world, "nobody@acme.test")).status_code for _ in range(10)]
    assert unknown == answers


async def test_the_answer_does_not_wait_for_the_mail_server(world: World) -> None:
    world.mailbox.down = True
    assert (await ask(world, (await world.person()).email)).status_code == 202
