"""The command line. Each command imports what it needs when it runs, so that `tenantry --help` answers at once."""

from __future__ import annotations

import gc

__all__ = ["main"]


def main() -> None:
    """Run the command that the arguments name; the entry point of ``tenantry``."""
    gc.disable()  # an eighth of the imports' time would be the collector looking at what stays for ever (measured)
    from tenantry.cli.root import run

    run()
