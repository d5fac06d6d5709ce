"""`provision`, `migrate`, `migration new` and `doctor`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tenantry.cli.context import DataDir, Json, load, load_application, run_async

if TYPE_CHECKING:
    from tenantry.app import Settings
    from tenantry.database.migrations import Outcome

migration = typer.Typer(help="Write migrations.", no_args_is_help=True)
Phase = Literal["pre", "post"]


def provision(
    database: Annotated[str, typer.Argument(help="Name of the database to make.")],
) -> None:
    """Print the SQL that prepares a server of your own: the five roles, the database, its schemas.

    An administrator runs it once with psql, which asks for a password for each role. Then: tenantry migrate.

    Example: tenantry provision planner > planner.sql && psql -d postgres -f planner.sql
    """
    from tenantry.database.provisioning import provisioning_sql

    print(provisioning_sql(database))


def migrate(
    dry_run: Annotated[bool, typer.Option(help="Print the SQL instead of running it.")] = False,
    parallel: Annotated[int, typer.Option(help="Placements migrated at once.", min=1, max=64)] = 4,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Bring the control plane, the shared schema and every tenant placement to the newest version.

    Running it again does only what is missing; two at once are safe. It needs the URL of the owner,
    TENANTRY_DATABASE_OWNER_URL, unless it works on the data of `tenantry dev`. Ends with 1 when a place failed.

    Example: tenantry migrate --dry-run
    """
    settings = load(data_dir=data_dir)
    failed = run_async(_migrate(settings, dry_run=dry_run, parallel=parallel, as_json=as_json))
    raise typer.Exit(1 if failed else 0)


async def _migrate(settings: Settings, *, dry_run: bool, parallel: int, as_json: bool) -> bool:
    from tenantry.app import database_urls, require_connections, stored_placements
    from tenantry.database import DatabaseRole
    from tenantry.database.migrations import migrate as run_migrations

    def progress(outcome: Outcome) -> None:
        if not as_json:
            state = f"FAILED {outcome.error}" if outcome.error else ", ".join(outcome.applied) or "at head"
            print(f"{outcome.place}: {state}")
            if outcome.sql:
                print(outcome.sql)

    application = load_application()
    async with database_urls(settings) as urls:
        await require_connections(urls, [DatabaseRole.OWNER])
        report = await run_migrations(
            urls, application.chains, stored_placements(urls), progress=progress, dry_run=dry_run, parallel=parallel
        )
    if as_json:
        outcomes = [{"place": one.place, "applied": list(one.applied), "error": one.error} for one in report.outcomes]
        print(json.dumps(outcomes, indent=2))
    return bool(report.failed)


@migration.command("new")
def new(
    chain: Annotated[str, typer.Argument(help="Name of the chain, e.g. planner/tenant.")],
    message: Annotated[str, typer.Argument(help="What it does: add project key")],
    phase: Annotated[Phase, typer.Option(help="pre: runs with the previous release; post: after it is gone.")] = "pre",
    data_dir: DataDir = None,
) -> None:
    """Write the next migration of a chain from the difference between models and database.

    Example: tenantry migration new planner/tenant "add project key"
    """
    settings = load(environment="development", data_dir=data_dir)
    print(run_async(_revision(settings, chain, message, phase)))


async def _revision(settings: Settings, name: str, message: str, phase: Phase) -> Path:
    from tenantry.app import database_urls, require_connections
    from tenantry.database import DatabaseRole
    from tenantry.database.migrations import revision
    from tenantry.kernel import ConfigurationError

    chains = {chain.name: chain for chain in load_application().chains}
    if name not in chains:
        raise ConfigurationError(f"There is no chain {name!r}; there are {', '.join(chains)}.")
    async with database_urls(settings) as urls:
        await require_connections(urls, [DatabaseRole.OWNER])
        return await revision(urls, chains[name], message, phase=phase)


def doctor(data_dir: DataDir = None, as_json: Json = False) -> None:
    """Examine the live database: roles, grants, policies, keys, versions; each finding with the way out.

    It connects as owner, control and application. Ends with 1 when something was found.

    Example: tenantry doctor --json
    """
    findings = run_async(_doctor(load(data_dir=data_dir)))
    if as_json:
        print(json.dumps(findings, indent=2))
    else:
        for finding in findings:
            print(f"{finding['severity']}: {finding['rule']} at {finding['place']}")
            print(f"  {finding['reason']}\n  Way out: {finding['way_out']}")
        print("no findings" if not findings else f"{len(findings)} findings")
    raise typer.Exit(1 if findings else 0)


async def _doctor(settings: Settings) -> list[dict[str, str]]:
    from dataclasses import asdict

    from tenantry.app import database_urls, require_connections, stored_placements
    from tenantry.database import DatabaseRole
    from tenantry.database.doctor import examine

    application = load_application()
    async with database_urls(settings) as urls:
        await require_connections(urls, [DatabaseRole.OWNER, DatabaseRole.CONTROL, DatabaseRole.APP])
        found = await examine(urls, application.chains, await stored_placements(urls).placements())
    return [{name: str(value) for name, value in asdict(finding).items()} for finding in found]
