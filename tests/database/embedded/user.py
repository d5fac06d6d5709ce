"""A process that uses a server: ``user.py HOME BINARIES``; then one command a line: ``sql …``, ``stop``, or ``exit``.

Every answer is one line of JSON. The tests kill it.
"""

import asyncio
import json
import sys
from pathlib import Path

import asyncpg

from tenantry.database.embedded import EmbeddedError, EmbeddedServer, find_binaries


def main() -> None:
    server = EmbeddedServer(Path(sys.argv[1]), find_binaries(Path(sys.argv[2])), durable=False)
    say(start(server))
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        match command:
            case "sql":
                say(asyncio.run(ask(server, argument)))
            case "stop":
                say(server.stop())
            case _:
                return


def start(server: EmbeddedServer) -> str:
    try:
        return server.start()
    except EmbeddedError as error:
        return f"{error.code}: {error}"


async def ask(server: EmbeddedServer, sql: str) -> str:
    connection = await asyncpg.connect(**server.connect_arguments("postgres", server.superuser))
    try:
        return str(await connection.fetchval(sql))
    finally:
        await connection.close()


def say(what: str) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
