"""`access explain|who-can`: why somebody may or may not do something, and who may."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from tenantry.cli.context import DataDir, Json, checked, load, opened, run_async

if TYPE_CHECKING:
    from tenantry.app import Assembly
    from tenantry.standard.explain import (
        AccessQuestion,
        ExplainedGrant,
        ExplanationRead,
        SubjectReference,
        WhoCanRead,
    )

access = typer.Typer(help="Explain who may do what, and why.", no_args_is_help=True)

Action = Annotated[str, typer.Argument(help="A permission, e.g. projects:update.")]
Tenant = Annotated[str, typer.Option(help="Slug or id of the tenant.")]
Record = Annotated[str | None, typer.Option(help="Id of the record; without it, the whole resource.")]
Type = Annotated[
    str | None,
    typer.Option(
        "--type",
        help="Type of the record, where it is one above those that the action is about: project for tasks:create.",
    ),
]


@access.command()
def explain(  # noqa: PLR0913, PLR0917 - one parameter for each option
    action: Action,
    tenant: Tenant,
    user: Annotated[str | None, typer.Option(help="A member: e-mail address or id.")] = None,
    service_account: Annotated[str | None, typer.Option(help="Or: id of a service account.")] = None,
    key: Annotated[str | None, typer.Option(help="Or: id of an API key, within its scope.")] = None,
    record: Record = None,
    type_: Type = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Say whether somebody may do something, and which line of the decision order decides.

    The exit code is 0 when the question was answered, whatever the answer is; scripts read --json.

    Example: tenantry access explain projects:update --tenant acme --user member@acme.test --record 0190c3b2-…
    """
    named = {"user": user, "service-account": service_account, "key": key}
    explanation = run_async(_explain(tenant, _question(action, record, type_), named, data_dir))
    print(explanation.model_dump_json(indent=2) if as_json else _told(explanation))


@access.command("who-can")
def who_can(
    action: Action,
    tenant: Tenant,
    record: Record = None,
    type_: Type = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many to list.")] = 200,
    after: Annotated[str | None, typer.Option(help="Go on behind this subject (an id).")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """List the members and service accounts that may do something, each with the line that lets them.

    Example: tenantry access who-can projects:update --tenant acme --record 0190c3b2-…
    """
    behind = None if after is None else _id(after, "--after")
    page = run_async(_who_can(tenant, _question(action, record, type_), limit, behind, data_dir=data_dir))
    print(page.model_dump_json(indent=2) if as_json else _listed(page))


async def _explain(
    tenant: str, question: AccessQuestion, named: dict[str, str | None], data_dir: Path | None
) -> ExplanationRead:
    async with opened(load(data_dir=data_dir)) as assembly:
        facts = await assembly.gate.resolver.named(_tenant(tenant))
        return await assembly.services.explainer.explain(facts, question, await _about(assembly, named), None)


async def _who_can(
    tenant: str, question: AccessQuestion, limit: int, after: UUID | None, *, data_dir: Path | None
) -> WhoCanRead:
    async with opened(load(data_dir=data_dir)) as assembly:
        facts = await assembly.gate.resolver.named(_tenant(tenant))
        return await assembly.services.explainer.who_can(facts, question, limit=limit, after=after)


def _question(action: str, record: str | None, type_: str | None) -> AccessQuestion:
    from tenantry.standard.explain import AccessQuestion

    return AccessQuestion(action, type_, None if record is None else _id(record, "--record"))


async def _about(assembly: Assembly, named: dict[str, str | None]) -> SubjectReference:
    """Return whom the options name. Raises `InvalidInput` unless it is one."""
    from tenantry.access import SubjectType
    from tenantry.kernel import InvalidInput
    from tenantry.standard.explain import SubjectReference

    match [(option, value) for option, value in named.items() if value is not None]:
        case [("user", value)]:
            return SubjectReference(SubjectType.USER, await _user(assembly, value))
        case [("key", value)]:
            return SubjectReference(SubjectType.API_KEY, _id(value, "--key"))
        case [(option, value)]:
            return SubjectReference(SubjectType.SERVICE_ACCOUNT, _id(value, f"--{option}"))
        case _:
            raise InvalidInput("Say who: --user, --service-account or --key, one of them.")


async def _user(assembly: Assembly, named: str) -> UUID:
    """Return the id of a user who is named by e-mail address or id."""
    from tenantry.identity import UserNotFound, email_key
    from tenantry.kernel import SYSTEM
    from tenantry.tenancy import VERIFIED_USER_BY_EMAIL

    if "@" not in named:
        return _id(named, "--user")
    async with assembly.runtime.database.control_scope(actor=SYSTEM) as uow:
        user = await uow.one(VERIFIED_USER_BY_EMAIL, email_key=email_key(named))
    if user is None:
        raise UserNotFound(f"No verified user has the address {named}.")
    user_id: UUID = user["id"]
    return user_id


def _id(value: str, name: str) -> UUID:
    """Return an argument as an id. Raises `InvalidInput` naming it."""
    return UUID(str(checked(UUID, value, name)))


def _tenant(tenant: str) -> UUID | str:
    try:
        return UUID(tenant)
    except ValueError:
        return tenant


def _told(explanation: ExplanationRead) -> str:
    """Return an explanation for people: the sentence, then the order with the line that decided on the action."""
    decided = explanation.decided_by.value
    rows = [explanation.reason, "", f"{'allowed':12}{'yes' if explanation.allowed else 'no'}"]
    rows.append(f"{'decided by':12}{decided}")
    if explanation.role is not None:
        rows.append(f"{'role':12}{explanation.role}")
    if explanation.grant is not None:
        rows.append(f"{'grant':12}{_grant(explanation.grant)}")
    rows += ["", f"{explanation.action}, line by line; the first that holds decides:"]
    for line in explanation.lines:
        number, holds = line.step or "", "holds" if line.holds else "-"
        grant = f"  {_grant(line.grant)}" if line.grant else ""
        rows.append(
            f"{number!s:>3} {line.line.value:13} {'allows' if line.allows else 'denies':7} {holds:6}{grant}".rstrip()
        )
    for read in explanation.visible.reads:
        seen = "yes" if read.allowed else "no"
        rows.append(f"sees the {read.resource_type or 'record'}: {seen}, by {read.decided_by.value}")
    return "\n".join(rows)


def _grant(grant: ExplainedGrant) -> str:
    holder = f"{grant.subject_type.value.replace('_', ' ')} {grant.subject_name}"
    ends = f" until {grant.expires_at.isoformat()}" if grant.expires_at else ""
    return f"{grant.id} {grant.effect.value} {grant.action} to {holder} on {grant.scope.value}{ends}"


def _listed(page: WhoCanRead) -> str:
    if not page.subjects:
        return "Nobody."
    rows = [("NAME", "TYPE", "DECIDED BY", "ROLE", "ID")]
    rows += [
        (one.name, one.subject_type.value, one.decided_by.value, one.role or "", str(one.subject_id))
        for one in page.subjects
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(f"{text:{width}}" for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    if page.has_more:
        lines.append(f"There are more: --after {page.next_after}")
    return "\n".join(lines)
