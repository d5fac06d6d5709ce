"""`user create`."""

from __future__ import annotations

import getpass
import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from tenantry.cli.context import DataDir, Json, checked, load, opened, run_async

user = typer.Typer(help="Create users.", no_args_is_help=True)


@user.callback()
def _group() -> None:
    """Keep `create` a command of its own although it is the only one."""


@user.command()
def create(
    email: Annotated[str, typer.Argument(help="E-mail address; it counts as verified.")],
    name: Annotated[str, typer.Option(help="Name to show.")] = "",
    superadmin: Annotated[bool, typer.Option(help="Make a platform administrator.")] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Create a user whose address is verified. The password is asked for, or read from the standard input.

    Never an argument, because arguments are shown to everybody who lists processes.

    Example: tenantry user create ann@acme.test --name Ann
    """
    made = run_async(_create(email, name or email.partition("@")[0], _password(), data_dir, superadmin=superadmin))
    print(json.dumps(made, indent=2) if as_json else "  ".join(made.values()))


async def _create(email: str, name: str, password: str, data_dir: Path | None, *, superadmin: bool) -> dict[str, str]:
    from tenantry.http import Email, ShortText
    from tenantry.identity import SUPERADMIN
    from tenantry.kernel import InvalidInput

    if not 8 <= len(password) <= 128:
        raise InvalidInput("The password needs 8 to 128 characters.")
    address, name = checked(Email, email, "EMAIL"), checked(ShortText, name, "--name")
    async with opened(load(data_dir=data_dir)) as assembly:
        profile = await assembly.services.users.create(
            email=address, password=password, name=name, platform_role=SUPERADMIN if superadmin else None
        )
    return {"id": str(profile.id), "email": profile.email}


def _password() -> str:
    if sys.stdin.isatty():
        return getpass.getpass("Password: ")
    return sys.stdin.readline().rstrip(os.linesep)
