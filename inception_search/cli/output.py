"""Where tables are printed."""

from __future__ import annotations

import os
import sys

from rich.console import Console

_PIPED = 160  # columns of a file or pipe, which have no width of their own


def stdout_console() -> Console:
    """Standard output as wide as its terminal; wide enough for a table where it is none."""
    measured = sys.stdout.isatty() or "COLUMNS" in os.environ
    return Console(width=None if measured else _PIPED)
