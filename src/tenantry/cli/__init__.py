"""The command line. Each command imports what it needs when it runs, so that `tenantry --help` answers at once."""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the command that the arguments name; the entry point of ``tenantry``."""
    from tenantry.cli.root import run

    run()
