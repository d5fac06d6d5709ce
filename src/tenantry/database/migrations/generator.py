"""Writing the next migration of a chain from the difference between the models and the database.

What it writes is a draft for a person to read: a renamed column looks like one dropped and one added.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import sqlalchemy as sa

from tenantry.database.catalog import Relation, read_relations
from tenantry.database.migrations.chains import Chain
from tenantry.database.migrations.comparison import ComparisonScope, compare, migration_context, upgrade_operations
from tenantry.database.migrations.drafting import Draft
from tenantry.database.migrations.runner import owner_connection
from tenantry.database.migrations.scripts import Scripts
from tenantry.database.migrations.versions import read_version
from tenantry.database.planes import POOL_SCHEMA, Plane
from tenantry.database.urls import DatabaseUrls
from tenantry.kernel import ConfigurationError, InvalidInput

TEMPLATE = '''\
"""{message}

Runs {phase}: {phase_rule}
Large tables: add a column as nullable, fill it by a job, then add NOT NULL as a validated CHECK; build indexes with
op.create_index_concurrently in a step of its own; drop a column one release after the code stopped using it.
"""

{imports}

revision = "{revision}"
down_revision = {down_revision}


def upgrade() -> None:
    """Bring the schema to this version."""
    op.timeouts(lock="5s", statement="60s")  # rather fail and run again than make every request wait for our lock
{upgrade}


def downgrade() -> None:
    """Take it back to the version before; what was only in the new columns and tables is lost."""
    op.timeouts(lock="5s", statement="60s")
{downgrade}
'''

_PHASES = {
    "pre": "before the new release, while the previous one still serves on the same tables.",
    "post": "after the previous release is gone; nothing may use what it removes.",
}

_TEXT = re.compile(r"""'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*\"""")
_LONG_TEXT = 90
_TEXT_WIDTH = 80


class NothingChanged(InvalidInput):
    """The database already is what the models say."""


async def revision(
    urls: DatabaseUrls,
    chain: Chain,
    message: str,
    *,
    phase: Literal["pre", "post"] = "pre",
    empty: bool = False,
) -> Path:
    """Write the next migration of `chain` and return its path.

    The database must be at the head of the chain; the pool stands for every placement of tenants. `empty` writes the
    frame alone, for steps that are written by hand. Raises `NothingChanged` when there is nothing to write,
    `ConfigurationError` when the database is behind.
    """
    scripts = Scripts(chain)
    schema = POOL_SCHEMA if chain.plane is Plane.TENANT else chain.plane.value
    scope = ComparisonScope([chain])
    live = await _live(urls, chain, scripts, schema)
    draft = Draft() if empty else await compare(urls, scope, schema, lambda one: _draft(one, scope, live))
    if not (empty or draft.upgrade):
        raise NothingChanged(f"{chain.name}: the models and the database agree.")
    number = f"{len(scripts.revisions) + 1:04d}"
    path = chain.script_location / f"{number}_{phase}_{_slug(message)}.py"
    content = _content(draft, message, phase, number, scripts.head)
    await asyncio.to_thread(_write, path, content)
    await _format(path)
    return path


async def _live(urls: DatabaseUrls, chain: Chain, scripts: Scripts, schema: str) -> dict[str, Relation]:
    async with owner_connection(urls) as connection:
        version = await read_version(connection, schema, chain)
        relations = await read_relations(connection, [schema])
    if version != scripts.head:
        raise ConfigurationError(
            f"{chain.name} is at {version or 'nothing'} in {schema}, its files end at {scripts.head or 'nothing'}. "
            "Run: tenantry migrate"
        )
    return {relation.name: relation for relation in relations}


def _draft(connection: sa.Connection, scope: ComparisonScope, live: dict[str, Relation]) -> Draft:
    draft = Draft()
    draft.add_operations(migration_context(connection, scope), scope, upgrade_operations(connection, scope))
    draft.add_security(scope, live)
    return draft


def _content(draft: Draft, message: str, phase: str, number: str, head: str | None) -> str:
    upgrade, downgrade = _body(draft.upgrade), _body(draft.downgrade)
    return TEMPLATE.format(
        message=message[:1].upper() + message[1:].rstrip(".") + ".",
        phase=f"`{phase}`",
        phase_rule=_PHASES[phase],
        imports="\n".join(_imports(upgrade + downgrade)),
        revision=number,
        down_revision="None" if head is None else f'"{head}"',
        upgrade=upgrade,
        downgrade=downgrade,
    )


def _imports(body: str) -> list[str]:
    lines = ["import sqlalchemy as sa"] if "sa." in body else []
    if "postgresql." in body:
        lines.append("from sqlalchemy.dialects import postgresql")
    lines += ["", "from tenantry.database.migrations import op"]
    if "Policy(" in body:
        lines.append("from tenantry.database.row_security import Policy")
    return lines if lines[0] else lines[1:]


def _body(statements: Sequence[str]) -> str:
    return textwrap.indent("\n".join(_TEXT.sub(_folded, statement) for statement in statements), "    ")


def _folded(literal: re.Match[str]) -> str:
    """Part a long text, usually the condition of a check, into several that Python joins: formatters do not."""
    quote, text = literal[0][0], literal[0][1:-1]
    if len(text) < _LONG_TEXT:
        return literal[0]
    lines = textwrap.wrap(
        text,
        _TEXT_WIDTH,
        drop_whitespace=False,
        replace_whitespace=False,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return f"({' '.join(f'{quote}{line}{quote}' for line in lines)})"


def _slug(message: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", message.lower()).strip("_")


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


async def _format(path: Path) -> None:
    """Lay the file out like the rest of the code, where ruff is installed (it is in development)."""
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")
    if ruff is None:
        return
    for arguments in (["format", "--quiet"], ["check", "--quiet", "--fix", "--select", "I,F401"]):
        process = await asyncio.create_subprocess_exec(ruff, *arguments, str(path))
        await process.wait()
