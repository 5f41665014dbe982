"""The one place where standard input, output and error are made fit for whatever a command was started with."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO

from inception_search.store.descriptors import open_standard_descriptors


def prepare_streams() -> None:
    """Make all three usable: closed ones lead nowhere, characters that a terminal does not have are replaced."""
    open_standard_descriptors()
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115, PTH123 - open until the end
    sys.stdout = _usable(sys.stdout)
    sys.stderr = _usable(sys.stderr)


def silence(stream: TextIO) -> None:
    """Let what a stream still holds, and all that follows, lead nowhere: its reader or its disk is gone."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError):  # no file of the system: a test's, or a notebook's
        return


def _usable(stream: TextIO | None) -> TextIO:
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - open until the end
    if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
        stream.reconfigure(errors="replace")
    return stream
