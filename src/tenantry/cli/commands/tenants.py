"""`tenant create|list|suspend|resume`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

import typer

from tenantry.cli.context import DataDir, Json, checked, load, opened, run_async

if TYPE_CHECKING:
    from tenantry.app import Assembly

tenant = typer.Typer(help="Create, list, suspend and resume tenants.", no_args_is_help=True)
_SHOWN = ("id", "slug", "name", "status", "placement")
Named = Annotated[str, typer.Argument(help="Slug or id of the tenant.")]


@tenant.command()
def create(
    name: Annotated[str, typer.Argument(help="Name of the tenant.")],
    slug: Annotated[str, typer.Argument(help="Its name in addresses, e.g. acme.")],
    owner: Annotated[str, typer.Option(help="E-mail address of the user who will own it.")],
    placement: Annotated[
        Literal["pool", "schema"] | None, typer.Option(help="Where its rows live; default from the settings.")
    ] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Create a tenant.

    Example: tenantry tenant create "Acme Ltd" acme --owner ann@acme.test
    """
    _show([run_async(_create(name, slug, owner, placement, data_dir))], as_json=as_json)


@tenant.command("list")
def list_(data_dir: DataDir = None, as_json: Json = False) -> None:
    """List every tenant.

    Example: tenantry tenant list --json
    """
    _show(run_async(_list(data_dir)), as_json=as_json)


@tenant.command()
def suspend(tenant: Named, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Refuse every request of a tenant until it is resumed.

    Example: tenantry tenant suspend acme
    """
    _show([run_async(_move(tenant, "suspend", data_dir))], as_json=as_json)


@tenant.command()
def resume(tenant: Named, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Let a suspended tenant work again.

    Example: tenantry tenant resume acme
    """
    _show([run_async(_move(tenant, "resume", data_dir))], as_json=as_json)


async def _create(name: str, slug: str, owner: str, placement: str | None, data_dir: Path | None) -> dict[str, Any]:
    from tenantry.database import PlacementKind
    from tenantry.http import ShortText, Slug
    from tenantry.kernel import SYSTEM
    from tenantry.standard.tenants import Founding

    name, slug = checked(ShortText, name, "NAME"), checked(Slug, slug, "SLUG")
    kind = PlacementKind(placement) if placement else None
    async with opened(load(data_dir=data_dir)) as assembly:
        owner_id = await _verified_user(assembly, owner)
        founding = Founding(
            name, slug, owner_id, SYSTEM, placement=kind, is_platform=True, reason="tenantry tenant create"
        )
        return _row(await assembly.services.tenants.create(founding))


async def _list(data_dir: Path | None) -> list[dict[str, Any]]:
    async with opened(load(data_dir=data_dir)) as assembly:
        return await _all(assembly, "tenantry tenant list")


async def _move(named: str, verb: str, data_dir: Path | None) -> dict[str, Any]:
    from tenantry.tenancy import TenantNotFound

    async with opened(load(data_dir=data_dir)) as assembly:
        known = await _all(assembly, f"tenantry tenant {verb}: find {named}")
        found = next((one for one in known if named in (one["slug"], one["id"])), None)
        if found is None:
            raise TenantNotFound(f"There is no tenant {named!r}; tenantry tenant list shows all.")
        move = getattr(assembly.services.platform, verb)
        return _row(await move(_call(f"tenantry tenant {verb}"), UUID(found["id"])))


async def _all(assembly: Assembly, reason: str) -> list[dict[str, Any]]:
    """Return every tenant, page by page."""
    from tenantry.query import parse_list
    from tenantry.standard.tenants import ALL_TENANTS

    signer, sizes, spec = assembly.resources.cursors, assembly.resources.page_sizes, ALL_TENANTS.spec
    found: list[dict[str, Any]] = []
    query = first = f"page_size={sizes.largest}"
    while True:
        asked = parse_list(query.encode(), spec, signer=signer, binding=reason, sizes=sizes)
        answer = await assembly.services.platform.list(_call(reason), asked)
        found += [{name: one[name] for name in _SHOWN} for one in json.loads(answer.json)]
        if not answer.has_more:
            return found
        query = f"{first}&cursor={signer.next_cursor(asked, answer.keys, spec=spec, binding=reason)}"


async def _verified_user(assembly: Assembly, email: str) -> UUID:
    from tenantry.identity import UserNotFound, email_key
    from tenantry.kernel import SYSTEM
    from tenantry.tenancy import VERIFIED_USER_BY_EMAIL

    async with assembly.runtime.database.control_scope(actor=SYSTEM) as uow:
        user = await uow.one(VERIFIED_USER_BY_EMAIL, email_key=email_key(email))
    if user is None:
        raise UserNotFound(f"No verified user has the address {email}. Make one: tenantry user create {email}")
    user_id: UUID = user["id"]
    return user_id


def _call(reason: str) -> Any:
    from tenantry.kernel import SYSTEM
    from tenantry.standard.platform import PlatformCall

    return PlatformCall(SYSTEM, reason=reason)


def _row(one: Any) -> dict[str, Any]:
    return {name: str(getattr(one, name)) for name in _SHOWN}


def _show(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    for row in rows:
        print("  ".join(str(value) for value in row.values()))
