"""Explanations: each line of the order is named where it decides, with the grant or the role that is behind it."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy import Uuid, bindparam, update
from tests.standard.explain.explaining import explained, given, made, of_member, project_of, task_of, team_of

from planner.projects.models import Project
from planner.projects.service import PROJECT_ACCESS
from tenantry.access import SubjectType
from tenantry.access.models import ApiKey, Grant
from tenantry.database import Placement, Statement
from tenantry.identity import User
from tenantry.kernel import SYSTEM
from tenantry.standard.explain import AccessQuestion, Explainer, SubjectReference
from tenantry.tenancy import Role
from tenantry.testing import TestTenant, World

pytestmark = pytest.mark.anyio

PROJECTS, GRANTS, KEYS, USERS = Project.__table__.c, Grant.__table__.c, ApiKey.__table__.c, User.__table__.c
PASSED = datetime(2020, 1, 1, tzinfo=UTC)
ID = bindparam("id", type_=Uuid)

SUBMIT = Statement(update(Project).where(PROJECTS.id == ID).values(status="submitted"))
EXPIRE = Statement(update(Grant).where(GRANTS.id == ID).values(expires_at=PASSED))
EXPIRE_KEY = Statement(update(ApiKey).where(KEYS.id == ID).values(expires_at=PASSED))
DEACTIVATE = Statement(update(User).where(USERS.id == ID).values(is_active=False))


async def alter(tenant: TestTenant, statement: Statement, id_: str, *, control: bool = False) -> None:
    """Change one row below HTTP, as no route does."""
    database = tenant.world.assembly.runtime.database
    scope = (
        database.control_scope(actor=SYSTEM, tenant_id=tenant.id)
        if control
        else database.tenant_scope(tenant.id, Placement.pool(), actor=SYSTEM, request_id=None)
    )
    async with scope as uow:
        assert await uow.run(statement, id=UUID(id_)) == 1


class TestGrantsOnTheRecord:
    @pytest.mark.parametrize(("effect", "line", "step"), [("deny", "deny_grant", 4), ("allow", "allow_grant", 5)])
    async def test_one_to_the_person_decides(self, world: World, effect: str, line: str, step: int):
        tenant = await world.tenant()
        project = await project_of(tenant.owner, tenant)
        grant = await given(tenant, f"/projects/{project}", "projects:update", effect)
        found = await of_member(tenant, "projects:update", project, resource_type="project")
        assert (found["allowed"], found["decided_by"], found["step"]) == (effect == "allow", line, step)
        assert found["grant"] == {
            "id": grant,
            "subject_type": "user",
            "subject_id": str(tenant.people[Role.MEMBER]),
            "subject_name": "member-a",
            "action": "projects:update",
            "effect": effect,
            "scope": "record",
            "record_id": project,
            "expires_at": None,
        }
        may = "may" if effect == "allow" else "may not"
        word = "Allowed" if effect == "allow" else "Denied"
        assert found["reason"] == f"{word}: member-a {may} projects:update on this project (grant {grant})."

    @pytest.mark.parametrize("effect", ["deny", "allow"])
    async def test_one_to_a_team_or_the_team_above_decides_and_names_the_team(self, world: World, effect: str):
        tenant = await world.tenant()
        project = await project_of(tenant.owner, tenant)
        design = await team_of(tenant, "Design")
        icons = await team_of(tenant, "Icons", Role.MEMBER, parent_id=design)
        for team, name in ((icons, "Icons"), (design, "Design")):
            grant = await given(
                tenant, f"/projects/{project}", "projects:*", effect, subject_type="team", subject_id=team
            )
            found = await of_member(tenant, "projects:update", project)
            shown = found["grant"]
            assert (found["decided_by"], shown["id"], shown["subject_name"]) == (f"{effect}_grant", grant, name)
            assert f"the team {name}, which member-a is in, may" in found["reason"]
            assert (await tenant.owner.delete(f"/projects/{project}/grants/{grant}")).status_code == 204

    @pytest.mark.parametrize("effect", ["deny", "allow"])
    async def test_one_to_a_role_decides(self, world: World, effect: str):
        tenant = await world.tenant()
        project = await project_of(tenant.owner, tenant)
        to_role = {"subject_type": "role", "subject_id": "member"}
        await given(tenant, f"/projects/{project}", "projects:update", effect, **to_role)
        found = await of_member(tenant, "projects:update", project)
        assert (found["allowed"], found["decided_by"]) == (effect == "allow", f"{effect}_grant")
        assert "the role member, which member-a has," in found["reason"]

    @pytest.mark.parametrize("effect", ["deny", "allow"])
    async def test_one_on_the_project_decides_for_its_tasks(self, world: World, effect: str):
        tenant = await world.tenant()
        project = await project_of(tenant.owner, tenant)
        task = await task_of(tenant.owner, tenant, project)
        action = "tasks:update" if effect == "deny" else "tasks:purge"
        await given(tenant, f"/projects/{project}", action, effect)
        found = await of_member(tenant, action, task, resource_type="task")
        assert (found["allowed"], found["decided_by"]) == (effect == "allow", f"{effect}_grant")
        assert (found["grant"]["scope"], found["grant"]["record_id"]) == ("above", project)
        assert f"{action} on what is in this project (grant" in found["reason"]

    async def test_one_two_floors_above_decides_and_is_told_by_its_own_kind(self, world: World):
        tenant = await world.tenant()
        project = await project_of(tenant.owner, tenant)
        task = await task_of(tenant.owner, tenant, project)
        comment = (await made(tenant.member, f"/tasks/{task}/comments", body=tenant.canary))["id"]
        for where, kind in ((f"/projects/{project}", "project"), (f"/tasks/{task}", "task")):
            grant = await given(tenant, where, "comments:update", "deny")
            found = await of_member(tenant, "comments:update", comment)
            assert (found["decided_by"], found["grant"]["id"]) == ("deny_grant", grant)
            assert f"on what is in this {kind} (grant" in found["reason"]
            assert (await tenant.owner.delete(f"{where}/grants/{grant}")).status_code == 204
        found = await of_member(tenant, "comments:update", comment)
        assert (found["allowed"], found["decided_by"]) == (True, "ownership")
        assert [one["resource_type"] for one in found["visible"]["reads"]] == ["comment", "task", "project"]

    async def test_one_that_has_expired_decides_nothing(self, world: World):
        tenant = await world.tenant()
        project = await project_of(tenant.owner, tenant)
        grant = await given(tenant, f"/projects/{project}", "projects:update", "allow")
        await alter(tenant, EXPIRE, grant)
        assert (await of_member(tenant, "projects:update", project))["decided_by"] == "nothing"


class TestGrantsOnTheType:
    @pytest.mark.parametrize("effect", ["deny", "allow"])
    async def test_one_decides_for_every_record_and_for_none(self, world: World, effect: str):
        tenant = await world.tenant()
        project = await project_of(tenant.owner, tenant)
        grant = await given(tenant, "project", "projects:update", effect)
        for record in (project, None):
            found = await of_member(tenant, "projects:update", record)
            assert (found["allowed"], found["decided_by"]) == (effect == "allow", f"{effect}_grant")
            assert (found["grant"]["id"], found["grant"]["scope"]) == (grant, "type")
            assert f"projects:update on any project (grant {grant})" in found["reason"]


class TestOwnershipAndRoles:
    async def test_ownership_decides_while_its_condition_holds(self, world: World):
        tenant = await world.tenant()
        project = await project_of(tenant.member, tenant)
        found = await of_member(tenant, "projects:update", project)
        assert (found["allowed"], found["decided_by"], found["step"]) == (True, "ownership", 6)
        assert found["role"] == "member"
        assert found["reason"].startswith("Allowed: member-a owns this project, and the role member")
        assert "while status is draft" in found["reason"]
        await alter(tenant, SUBMIT, project)
        found = await of_member(tenant, "projects:update", project)
        assert (found["allowed"], found["decided_by"], found["step"]) == (False, "nothing", 8)
        assert found["reason"].endswith("while status is draft, and this project is not so now.")

    async def test_what_belongs_to_somebody_else_is_refused_by_nothing(self, world: World):
        tenant = await world.tenant()
        found = await of_member(tenant, "projects:update", await project_of(tenant.owner, tenant))
        assert (found["allowed"], found["decided_by"]) == (False, "nothing")
        assert found["reason"].endswith("member-a does not own this project.")

    async def test_what_a_team_owns_belongs_to_whoever_is_in_it(self, world: World):
        tenant = await world.tenant()
        project = await project_of(tenant.owner, tenant)
        team = await team_of(tenant, "Design", Role.MEMBER)
        answer = await tenant.owner.post(f"/projects/{project}/transfer", json={"owner_id": team})
        assert answer.status_code == 200, answer.text
        found = await of_member(tenant, "projects:update", project)
        assert (found["allowed"], found["decided_by"]) == (True, "ownership")
        assert "the team Design, which member-a is in, owns this project" in found["reason"]

    async def test_a_role_decides(self, world: World):
        tenant = await world.tenant()
        found = await of_member(tenant, "projects:read", await project_of(tenant.owner, tenant))
        assert (found["allowed"], found["decided_by"], found["step"], found["role"]) == (True, "role", 7, "member")
        assert found["reason"] == "Allowed: the role member, which member-a has, has projects:read."

    async def test_the_role_of_a_team_decides_and_the_team_is_named(self, world: World):
        tenant = await world.tenant()
        project = await project_of(tenant.owner, tenant)
        await team_of(tenant, "Leads", Role.MEMBER, role="manager")
        found = await of_member(tenant, "projects:update", project)
        assert (found["decided_by"], found["role"]) == ("role", "manager")
        assert "the role manager, which the team Leads gives member-a, has" in found["reason"]

    async def test_a_role_of_the_tenants_own_decides(self, world: World):
        tenant = await world.tenant()
        project = await project_of(tenant.owner, tenant)
        await made(tenant.owner, "/roles", name="planner", permissions=["projects:read", "projects:update"])
        changed = await tenant.owner.patch(f"/members/{tenant.people[Role.MEMBER]}", json={"role": "planner"})
        assert changed.status_code == 200, changed.text
        found = await of_member(tenant, "projects:update", project)
        assert (found["allowed"], found["decided_by"], found["role"]) == (True, "role", "planner")
        assert (await of_member(tenant, "projects:delete", project))["decided_by"] == "nothing"

    async def test_nothing_decides_where_no_line_holds(self, world: World):
        tenant = await world.tenant()
        found = await of_member(tenant, "projects:purge", await project_of(tenant.owner, tenant))
        assert (found["allowed"], found["decided_by"], found["step"]) == (False, "nothing", 8)
        assert found["reason"] == "Denied: no grant and no role of member-a gives projects:purge here."
        assert [line["line"] for line in found["lines"] if line["holds"]] == ["nothing"]

    async def test_every_line_that_holds_is_listed_behind_the_one_that_decides(self, world: World):
        tenant = await world.tenant()
        project = await project_of(tenant.member, tenant)
        denied = await given(tenant, f"/projects/{project}", "projects:update", "deny")
        allowed = await given(tenant, f"/projects/{project}", "projects:*", "allow")
        found = await of_member(tenant, "projects:update", project)
        lines = {line["line"]: (line["holds"], line["grant"] and line["grant"]["id"]) for line in found["lines"]}
        assert lines == {
            "key_scope": (False, None),
            "allow_always": (False, None),
            "deny_grant": (True, denied),
            "allow_grant": (True, allowed),
            "ownership": (True, None),
            "role": (False, None),
            "nothing": (True, None),
        }

    async def test_the_roles_that_a_resource_always_allows_stand_above_a_deny(self, world: World):
        tenant = await world.tenant()
        project = await project_of(tenant.owner, tenant)
        await given(tenant, f"/projects/{project}", "projects:*", "deny")
        open_access = dataclasses.replace(PROJECT_ACCESS, acl_allow_always=frozenset({"member"}))
        runtime = world.assembly.runtime
        explainer = Explainer(runtime, world.assembly.gate.catalog, [open_access])
        facts = await world.assembly.gate.resolver.named(tenant.id)
        asked = AccessQuestion("projects:delete", None, UUID(project))
        about = SubjectReference(SubjectType.USER, tenant.people[Role.MEMBER])
        found = await explainer.explain(facts, asked, about, None)
        assert (found.allowed, found.decided_by, found.step, found.role) == (True, "allow_always", 3, "member")
        assert "whatever grants say" in found.reason
        asked = AccessQuestion("projects:delete", None, UUID(await project_of(tenant.owner, tenant)))
        about = SubjectReference(SubjectType.USER, tenant.people[Role.VIEWER])
        found = await explainer.explain(facts, asked, about, None)
        assert (found.allowed, found.decided_by) == (False, "nothing")


class TestKeysAndAccounts:
    async def test_the_scope_of_a_key_decides_before_everything(self, world: World):
        tenant = await world.tenant()
        project = await project_of(tenant.member, tenant)
        key = await made(tenant.member, "/api-keys", name="CI", permissions=["projects:read"])
        found = await explained(tenant.owner, "projects:update", resource_id=project, api_key_id=key["id"])
        assert (found["allowed"], found["decided_by"], found["step"]) == (False, "key_scope", None)
        assert found["reason"] == "Denied: the key CI is limited to other permissions than projects:update."
        assert found["subject"] == {
            "subject_type": "user",
            "id": str(tenant.people[Role.MEMBER]),
            "name": "member-a",
            "api_key_id": key["id"],
        }
        found = await explained(tenant.owner, "projects:read", resource_id=project, api_key_id=key["id"])
        assert (found["allowed"], found["decided_by"]) == (True, "role")

    async def test_a_key_for_own_records_refuses_those_of_others(self, world: World):
        tenant = await world.tenant()
        key = await made(tenant.owner, "/api-keys", name="CI", permissions=["projects:read", "projects:update:own"])
        for client, line in ((tenant.owner, "role"), (tenant.member, "key_scope")):
            project = await project_of(client, tenant)
            found = await explained(tenant.owner, "projects:update", resource_id=project, api_key_id=key["id"])
            assert found["decided_by"] == line

    async def test_a_grant_to_the_key_decides(self, world: World):
        tenant = await world.tenant()
        project = await project_of(tenant.owner, tenant)
        key = await made(tenant.member, "/api-keys", name="CI")
        await given(
            tenant, f"/projects/{project}", "projects:read", "deny", subject_type="api_key", subject_id=key["id"]
        )
        found = await explained(tenant.owner, "projects:read", resource_id=project, api_key_id=key["id"])
        assert (found["decided_by"], found["grant"]["subject_name"]) == ("deny_grant", "CI")
        assert (await of_member(tenant, "projects:read", project))["allowed"] is True

    async def test_a_service_account_is_asked_about_by_its_id(self, world: World):
        tenant = await world.tenant()
        account = await made(tenant.owner, "/service-accounts", name="Robot", role="manager")
        project = await project_of(tenant.owner, tenant)
        found = await explained(tenant.owner, "projects:update", resource_id=project, service_account_id=account["id"])
        assert (found["allowed"], found["decided_by"], found["role"]) == (True, "role", "manager")

    async def test_whoever_asks_with_a_key_is_told_what_the_key_may_do(self, world: World):
        tenant = await world.tenant()
        project = await project_of(tenant.member, tenant)
        account = await made(tenant.owner, "/service-accounts", name="Robot", role="manager")
        for maker, of in ((tenant.member, {}), (tenant.owner, {"service_account_id": account["id"]})):
            key = await made(maker, "/api-keys", name="CI", permissions=["projects:read"], **of)
            client = world.client({"X-API-Key": key["secret"]})
            found = await explained(client, "projects:update", resource_id=project)
            assert (found["decided_by"], found["subject"]["api_key_id"]) == ("key_scope", key["id"])

    async def test_a_key_that_has_expired_can_do_nothing(self, world: World):
        tenant = await world.tenant()
        key = await made(tenant.member, "/api-keys", name="CI")
        await alter(tenant, EXPIRE_KEY, key["id"], control=True)
        found = await explained(tenant.owner, "projects:read", api_key_id=key["id"])
        assert (found["allowed"], found["decided_by"], found["step"]) == (False, "nothing", 1)
        assert found["reason"] == "Denied: the key CI has expired."


class TestWhatHasToBeSeen:
    async def test_a_denied_read_of_the_project_is_what_refuses_its_tasks(self, world: World):
        tenant = await world.tenant()
        project = await project_of(tenant.owner, tenant)
        task = await task_of(tenant.owner, tenant, project)
        grant = await given(tenant, f"/projects/{project}", "projects:read", "deny")
        found = await of_member(tenant, "tasks:update", task)
        assert (found["allowed"], found["decided_by"], found["grant"]["id"]) == (False, "deny_grant", grant)
        reads = [(one["resource_type"], one["allowed"], one["decided_by"]) for one in found["visible"]["reads"]]
        assert reads == [("task", True, "role"), ("project", False, "deny_grant")]
        assert (found["visible"]["allowed"], found["visible"]["decided_by"]) == (False, "deny_grant")
        assert found["reason"].startswith("Denied: member-a does not see the project that holds it, because member-a")
        assert next(line for line in found["lines"] if line["line"] == "role")["holds"] is True

    async def test_a_deleted_record_is_told_to_whoever_may_ask_about_any(self, world: World):
        tenant = await world.tenant()
        project = await project_of(tenant.owner, tenant)
        task = await task_of(tenant.owner, tenant, project)
        assert (await tenant.owner.delete(f"/projects/{project}")).status_code == 204
        found = await of_member(tenant, "projects:read", project)
        assert (found["allowed"], found["is_deleted"], found["decided_by"]) == (False, True, "nothing")
        assert found["reason"] == "Denied: this project is deleted."
        found = await of_member(tenant, "tasks:update", task)
        assert (found["allowed"], found["is_deleted"]) == (False, False)
        assert "the project that holds it is deleted" in found["reason"]
        answer = await tenant.member.get("/access/explain", params={"action": "projects:read", "resource_id": project})
        assert answer.status_code == 404

    async def test_a_new_task_is_asked_about_by_the_project_that_is_to_hold_it(self, world: World):
        tenant = await world.tenant()
        project, other = await project_of(tenant.owner, tenant), await project_of(tenant.owner, tenant)
        viewer = {"user_id": str(tenant.people[Role.VIEWER]), "resource_type": "projects"}
        await given(tenant, f"/projects/{project}", "tasks:create", "allow", subject_id=viewer["user_id"])
        found = await explained(tenant.owner, "tasks:create", resource_id=project, **viewer)
        assert (found["allowed"], found["decided_by"], found["grant"]["scope"]) == (True, "allow_grant", "above")
        assert [one["resource_type"] for one in found["visible"]["reads"]] == ["project"]
        found = await explained(tenant.owner, "tasks:create", resource_id=other, **viewer)
        assert (found["allowed"], found["decided_by"]) == (False, "nothing")

    async def test_what_is_true_of_any_task_of_a_project_is_asked_by_the_project(self, world: World):
        tenant = await world.tenant()
        project = await project_of(tenant.owner, tenant)
        await given(tenant, f"/projects/{project}", "tasks:update", "deny")
        found = await of_member(tenant, "tasks:update", project, resource_type="project")
        assert (found["allowed"], found["decided_by"]) == (False, "deny_grant")
        found = await of_member(tenant, "tasks:delete", project, resource_type="project")
        assert (found["allowed"], found["decided_by"]) == (False, "nothing")


class TestRestrictedFields:
    async def test_grants_on_a_record_do_not_open_its_fields_and_those_on_the_type_do(self, world: World):
        tenant = await world.tenant()
        project = await project_of(tenant.member, tenant)
        await given(tenant, f"/projects/{project}", "projects:*", "allow")
        found = await of_member(tenant, "projects:budget", project)
        assert (found["allowed"], found["decided_by"]) == (False, "nothing")
        assert "budget_cents" not in (await tenant.member.get(f"/projects/{project}")).json()
        await given(tenant, "project", "projects:budget", "allow")
        found = await of_member(tenant, "projects:budget", project)
        assert (found["allowed"], found["decided_by"], found["grant"]["scope"]) == (True, "allow_grant", "type")
        assert "budget_cents" in (await tenant.member.get(f"/projects/{project}")).json()


class TestWithoutARecord:
    async def test_what_one_owns_is_enough_for_the_whole_resource(self, world: World):
        tenant = await world.tenant()
        for action, allowed, line in (
            ("projects:create", True, "role"),
            ("projects:update", True, "ownership"),
            ("projects:purge", False, "nothing"),
            ("members:read", False, "nothing"),
            ("api-keys:read", True, "ownership"),
            ("stats:read", False, "nothing"),
        ):
            found = await of_member(tenant, action)
            assert (action, found["allowed"], found["decided_by"]) == (action, allowed, line)

    async def test_a_deactivated_person_can_do_nothing(self, world: World):
        tenant = await world.tenant()
        gone = await world.person(f"gone-{tenant.slug}")
        await tenant.join(gone, Role.OWNER)
        await alter(tenant, DEACTIVATE, str(gone), control=True)
        found = await explained(tenant.owner, "projects:read", user_id=str(gone))
        assert (found["allowed"], found["decided_by"], found["step"]) == (False, "nothing", 1)
        assert "is deactivated" in found["reason"]
        page = (await tenant.owner.get("/access/who-can?action=projects:read")).json()
        assert [one["name"] for one in page["subjects"]] == ["manager-a", "member-a", "owner-a", "viewer-a"]
