"""The network sockets of Ray's processes."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from benchmarks.kill_watch import family

LOOPBACK = {"0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F"}
"""The loopback addresses as Linux writes them."""
_LISTENS = "0A"


def listening() -> set[str]:
    """The addresses on which this process and those below it listen."""
    tables = [path for name in ("tcp", "tcp6") if (path := Path("/proc/net", name)).exists()]
    rows = [line.split() for path in tables for line in path.read_text().splitlines()[1:]]
    sockets = {f"socket:[{row[9]}]": row[1].partition(":")[0] for row in rows if row[3] == _LISTENS}
    opened: set[str] = set()
    for pid in family(os.getpid()):
        with suppress(OSError):
            opened |= {str(file.readlink()) for file in Path(f"/proc/{pid}/fd").iterdir()}
    return {sockets[name] for name in opened & sockets.keys()}
