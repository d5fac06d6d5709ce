"""Invitations: for one address, once, for a while, and worth no more than whoever sent them."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from uuid import UUID

import pytest
from tests.people import LetterBox, Someone, connected, invite, someone

from tenantry.database import DatabaseRole
from tenantry.kernel import SystemClock, new_id
from tenantry.standard.invitations import Invitations
from tenantry.tenancy import InvalidInvitation, Role
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio


async def invited(world: World, letters: LetterBox, tenant: TestTenant, role: str = "member") -> tuple[Someone, str]:
    """Somebody with an invitation, and its token."""
    who = await someone(world)
    answer = await tenant.owner.post("/invitations", json={"email": who.email, "role": role})
    assert answer.status_code == 201
    return who, await letters.token_for(who.email)


async def accept(who: Someone, token: str) -> tuple[int, str | None]:
    answer = await who.client().post("/invitations/accept", json={"token": token})
    return answer.status_code, answer.json().get("code")


INVALID = (400, "invalid_invitation")


class TestAccepting:
    async def test_an_invitation_makes_a_member_with_the_offered_role(
        self, elsewhere: World, letters: LetterBox
    ) -> None:
        tenant = await elsewhere.tenant()
        who, token = await invited(elsewhere, letters, tenant, "manager")
        answer = await who.client().post("/invitations/accept", json={"token": token})
        assert answer.json() == {
            "id": str(tenant.id),
            "slug": tenant.slug,
            "name": tenant.canary,
            "role": "manager",
        }
        assert (await who.client(tenant.id).get("/tenant")).status_code == 200
        assert (await tenant.owner.get(f"/members/{who.id}")).json()["role"] == "manager"
        assert (await tenant.owner.get("/invitations")).json()["items"] == []

    async def test_of_ten_acceptances_at_once_one_counts(self, elsewhere: World, letters: LetterBox) -> None:
        tenant = await elsewhere.tenant()
        who, token = await invited(elsewhere, letters, tenant)
        results = await asyncio.gather(*(accept(who, token) for _ in range(10)))
        assert sorted(status for status, _ in results) == [200] + [400] * 9
        assert {code for status, code in results if status == 400} == {"invalid_invitation"}

    async def test_nobody_else_can_use_it(self, elsewhere: World, letters: LetterBox) -> None:
        tenant = await elsewhere.tenant()
        who, token = await invited(elsewhere, letters, tenant)
        thief = await someone(elsewhere)
        assert await accept(thief, token) == INVALID
        assert await accept(who, token) == (200, None)

    async def test_an_unverified_address_accepts_nothing(self, elsewhere: World, letters: LetterBox) -> None:
        tenant = await elsewhere.tenant()
        squatter = await someone(elsewhere, is_verified=False)
        await tenant.owner.post("/invitations", json={"email": squatter.email, "role": "member"})
        token = await letters.token_for(squatter.email)
        assert await accept(squatter, token) == (403, "email_not_verified")

    async def test_whoever_is_removed_does_not_come_back_by_an_older_invitation(
        self, elsewhere: World, letters: LetterBox
    ) -> None:
        tenant = await elsewhere.tenant()
        who, token = await invited(elsewhere, letters, tenant)
        await in_database(  # as a request at the same moment would leave it: a member, and an open invitation
            elsewhere,
            tenant.id,
            "INSERT INTO control.memberships (tenant_id, user_id, role) VALUES ($1, $2, 'member')",
            tenant.id,
            who.id,
        )
        assert (await tenant.owner.delete(f"/members/{who.id}")).status_code == 204
        assert await accept(who, token) == INVALID

    async def test_it_ends_with_its_time(self, elsewhere: World, letters: LetterBox) -> None:
        tenant = await elsewhere.tenant()
        who, token = await invited(elsewhere, letters, tenant)
        await in_database(elsewhere, tenant.id, "UPDATE control.invitations SET expires_at = $1", SystemClock().now())
        assert await accept(who, token) == INVALID

    async def test_it_counts_until_then(self, elsewhere: World, letters: LetterBox) -> None:
        tenant = await elsewhere.tenant()
        who, token = await invited(elsewhere, letters, tenant)
        soon = SystemClock().now() + timedelta(minutes=1)
        await in_database(elsewhere, tenant.id, "UPDATE control.invitations SET expires_at = $1", soon)
        assert await accept(who, token) == (200, None)

    async def test_a_revoked_one_is_worth_nothing(self, elsewhere: World, letters: LetterBox) -> None:
        tenant = await elsewhere.tenant()
        who, token = await invited(elsewhere, letters, tenant)
        (item,) = (await tenant.owner.get("/invitations")).json()["items"]
        assert (await tenant.owner.delete(f"/invitations/{item['id']}")).status_code == 204
        assert await accept(who, token) == INVALID
        assert (await tenant.owner.delete(f"/invitations/{item['id']}")).json()["code"] == "invitation_not_found"

    async def test_a_second_invitation_ends_the_first(self, elsewhere: World, letters: LetterBox) -> None:
        tenant = await elsewhere.tenant()
        who, first = await invited(elsewhere, letters, tenant)
        await tenant.owner.post("/invitations", json={"email": who.email, "role": "viewer"})
        second = await letters.token_for(who.email, number=2)
        assert first != second
        assert await accept(who, first) == INVALID
        assert await accept(who, second) == (200, None)
        assert (await tenant.owner.get(f"/members/{who.id}")).json()["role"] == "viewer"

    async def test_adding_the_person_directly_ends_it(self, elsewhere: World, letters: LetterBox) -> None:
        tenant = await elsewhere.tenant()
        who, token = await invited(elsewhere, letters, tenant, "owner")
        await tenant.join(who.id, Role.VIEWER)
        assert await accept(who, token) == INVALID
        assert (await tenant.owner.get(f"/members/{who.id}")).json()["role"] == "viewer"

    async def test_it_is_worth_no_more_than_whoever_sent_it_now(self, elsewhere: World, letters: LetterBox) -> None:
        tenant = await elsewhere.tenant()
        inviter = tenant.people[Role.MANAGER]
        await tenant.owner.patch(f"/members/{inviter}", json={"role": "owner"})
        accomplice, other = await someone(elsewhere), await someone(elsewhere)
        for who, role in ((accomplice, "owner"), (other, "viewer")):
            await tenant.manager.post("/invitations", json={"email": who.email, "role": role})
        await tenant.owner.patch(f"/members/{inviter}", json={"role": "member"})
        assert await accept(accomplice, await letters.token_for(accomplice.email)) == INVALID
        assert await accept(other, await letters.token_for(other.email)) == (200, None)
        third = await someone(elsewhere)
        await tenant.owner.patch(f"/members/{inviter}", json={"role": "owner"})
        await tenant.manager.post("/invitations", json={"email": third.email, "role": "viewer"})
        await tenant.owner.delete(f"/members/{inviter}")
        assert await accept(third, await letters.token_for(third.email)) == INVALID

    async def test_nobody_joins_a_suspended_tenant(self, elsewhere: World, letters: LetterBox) -> None:
        tenant = await elsewhere.tenant()
        who, token = await invited(elsewhere, letters, tenant)
        admin = await someone(elsewhere, platform_role="superadmin")
        await admin.client().post(f"/platform/tenants/{tenant.id}/suspend")
        assert await accept(who, token) == INVALID
        await admin.client().post(f"/platform/tenants/{tenant.id}/resume")
        assert await accept(who, token) == (200, None)

    @pytest.mark.parametrize("change", ["tenant", "secret", "short", "long", "odd"])
    async def test_a_token_that_was_not_mailed_is_worth_nothing(
        self, elsewhere: World, letters: LetterBox, change: str
    ) -> None:
        first, second = await elsewhere.two_tenants()
        who, token = await invited(elsewhere, letters, first)
        forged = {
            "tenant": second.id.hex + token[32:],
            "secret": token[:-1] + ("A" if token[-1] != "A" else "B"),
            "short": token[:-1],
            "long": token + "A",
            "odd": "ü" * 75,
        }[change]
        assert await accept(who, forged) == INVALID
        assert (await who.client(second.id).get("/tenant")).status_code == 403

    async def test_an_invitation_of_the_application_itself_counts(self, elsewhere: World, letters: LetterBox) -> None:
        tenant, who = await elsewhere.tenant(), await someone(elsewhere)
        await invite(tenant.system, who.email, Role.OWNER)
        assert await accept(who, await letters.token_for(who.email)) == (200, None)


class TestRolesOfTheTenantsOwn:
    async def test_an_invitation_goes_with_a_role_that_is_renamed(self, elsewhere: World, letters: LetterBox) -> None:
        tenant, who = await elsewhere.tenant(), await someone(elsewhere)
        role = (await tenant.owner.post("/roles", json={"name": "auditor", "permissions": ["members:read"]})).json()
        await tenant.owner.post("/invitations", json={"email": who.email, "role": "auditor"})
        token = await letters.token_for(who.email)
        await tenant.owner.patch(f"/roles/{role['id']}", json={"name": "inspector"})
        accepted = await who.client().post("/invitations/accept", json={"token": token})
        assert (accepted.status_code, accepted.json()["role"]) == (200, "inspector")
        assert (await who.client(tenant.id).get("/members")).status_code == 200

    async def test_it_is_worth_nothing_once_the_role_is_more_than_whoever_sent_it_holds(
        self, elsewhere: World, letters: LetterBox
    ) -> None:
        tenant, who = await elsewhere.tenant(), await someone(elsewhere)
        await tenant.owner.post("/roles", json={"name": "staff", "permissions": ["members:manage"]})
        role = (await tenant.owner.post("/roles", json={"name": "auditor"})).json()
        await tenant.owner.patch(f"/members/{tenant.people[Role.MANAGER]}", json={"role": "staff"})
        invited = await tenant.manager.post("/invitations", json={"email": who.email, "role": "auditor"})
        assert invited.status_code == 201
        await tenant.owner.patch(f"/roles/{role['id']}", json={"permissions": ["projects:delete"]})
        token = await letters.token_for(who.email)
        refused = await who.client().post("/invitations/accept", json={"token": token})
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid_invitation")

    async def test_whoever_shows_a_good_token_starts_afresh_and_nobody_else(
        self, elsewhere: World, letters: LetterBox
    ) -> None:
        tenant, stranger = await elsewhere.tenant(), await someone(elsewhere)
        forgotten: list[tuple[UUID, UUID]] = []

        async def forget(tenant_id: UUID, user_id: UUID) -> None:
            forgotten.append((tenant_id, user_id))

        invitations = Invitations(elsewhere.assembly.runtime, forget_grants=forget)
        who, token = await invited(elsewhere, letters, tenant, "viewer")
        for user_id, presented in ((stranger.id, token), (who.id, token[:-1] + ("A" if token[-1] != "A" else "B"))):
            with pytest.raises(InvalidInvitation):
                await invitations.accept(user_id, presented)
        assert forgotten == []
        await invitations.accept(who.id, token)
        assert forgotten == [(tenant.id, who.id)]


class TestInviting:
    async def test_members_are_not_invited_again(self, world: World) -> None:
        tenant, who = await world.tenant(), await someone(world)
        await tenant.join(who.id)
        again = await tenant.owner.post("/invitations", json={"email": who.email.upper(), "role": "owner"})
        assert (again.status_code, again.json()["code"]) == (409, "already_member")

    async def test_known_and_unknown_addresses_are_invited_alike(self, world: World) -> None:
        tenant, known = await world.tenant(), await someone(world)
        answers = [
            await tenant.owner.post("/invitations", json={"email": email, "role": "member"})
            for email in (known.email, f"nobody.{new_id().hex}@people.test")
        ]
        assert [answer.status_code for answer in answers] == [201, 201]
        assert answers[0].json().keys() == answers[1].json().keys()

    async def test_an_owner_sees_and_ends_invitations_of_the_own_tenant_only(self, world: World) -> None:
        first, second = await world.two_tenants()
        for tenant in (first, second):
            await tenant.owner.post("/invitations", json={"email": "ada@people.test", "role": "member"})
        (own,) = (await first.owner.get("/invitations")).json()["items"]
        for client, refused in (
            (second.owner, (404, "invitation_not_found")),
            (second.viewer, (403, "not_permitted")),
        ):
            for invitation_id in (own["id"], new_id()):
                answer = await client.delete(f"/invitations/{invitation_id}")
                assert (answer.status_code, answer.json()["code"]) == refused
        assert len((await first.owner.get("/invitations")).json()["items"]) == 1

    async def test_a_repeated_request_invites_once(self, elsewhere: World, letters: LetterBox) -> None:
        tenant, who = await elsewhere.tenant(), await someone(elsewhere)
        body, key = {"email": who.email, "role": "member"}, {"Idempotency-Key": new_id().hex}
        first, again = [await tenant.owner.post("/invitations", json=body, headers=key) for _ in range(2)]
        assert (first.status_code, first.json()) == (again.status_code, again.json())
        token = await letters.token_for(who.email)
        await elsewhere.assembly.runtime.courier.close()  # waits for what is on its way
        assert [mail.to for mail in letters.mails].count(who.email) == 1
        assert len((await tenant.owner.get("/invitations")).json()["items"]) == 1
        assert await accept(who, token) == (200, None)

    async def test_one_that_was_accepted_cannot_be_taken_back(self, elsewhere: World, letters: LetterBox) -> None:
        tenant = await elsewhere.tenant()
        who, token = await invited(elsewhere, letters, tenant)
        (item,) = (await tenant.owner.get("/invitations")).json()["items"]
        await accept(who, token)
        answer = await tenant.owner.delete(f"/invitations/{item['id']}")
        assert (answer.status_code, answer.json()["code"]) == (404, "invitation_not_found")

    async def test_the_token_is_nowhere_but_in_the_mail(self, elsewhere: World, letters: LetterBox) -> None:
        tenant = await elsewhere.tenant()
        _, token = await invited(elsewhere, letters, tenant)
        async with connected(elsewhere, DatabaseRole.PLATFORM) as connection:
            for table in ("invitations", "audit_entries"):
                rows = await connection.fetch(f"SELECT t::text FROM control.{table} t WHERE tenant_id = $1", tenant.id)
                assert rows
                assert not any(token[32:] in row[0] or token[:40] in row[0] for row in rows)

    async def test_the_trail_masks_the_address(self, elsewhere: World, letters: LetterBox) -> None:
        tenant = await elsewhere.tenant()
        who, token = await invited(elsewhere, letters, tenant)
        await accept(who, token)
        other = await someone(elsewhere)
        sent = await tenant.owner.post("/invitations", json={"email": other.email, "role": "member"})
        await tenant.owner.delete(f"/invitations/{sent.json()['id']}")
        async with connected(elsewhere, DatabaseRole.PLATFORM) as connection:
            rows = await connection.fetch(
                "SELECT action, before::text, after::text FROM control.audit_entries WHERE tenant_id = $1 ORDER BY id",
                tenant.id,
            )
        lines = [row["action"] for row in rows]
        assert lines[-4:] == ["invitations.sent", "members.joined", "invitations.sent", "invitations.revoked"]
        first = json.loads(rows[-4]["after"])
        assert {first["email"], first["email_key"], first["token_hash"]} == {"***"}
        assert first["role"] == "member"
        said = "".join(f"{row['before']}{row['after']}" for row in rows)
        assert who.email not in said
        assert other.email not in said

    async def test_the_mail_names_the_tenant_in_its_text_alone(self, elsewhere: World, letters: LetterBox) -> None:
        tenant = await elsewhere.tenant()
        await tenant.owner.patch("/tenant", json={"name": "Evil\nBcc: all@people.test"})
        who, _ = await invited(elsewhere, letters, tenant)
        (mail,) = [mail for mail in letters.mails if mail.to == who.email]
        assert "Evil" not in mail.subject
        assert "Evil" in mail.text


async def in_database(world: World, tenant_id: UUID, sql: str, *values: object) -> None:
    async with connected(world, DatabaseRole.CONTROL) as connection, connection.transaction():
        await connection.execute(f"SET LOCAL app.tenant_id = '{tenant_id}'")
        await connection.execute(sql, *values)
