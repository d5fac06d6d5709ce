"""What goes on, said while it goes on; on standard error, so that the result stands alone on standard output."""

from __future__ import annotations

import sys


def say(text: str) -> None:
    """Print one line at once."""
    print(text, file=sys.stderr, flush=True)
