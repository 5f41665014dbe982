"""The program of this room as one file: a zip archive that Python runs."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

START = "import sys\n\nfrom inception_search.on_device.main import main\n\nsys.exit(main())\n"


def program() -> bytes:
    """The bytes of ``time_plan.pyz``, the same every time."""
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "__main__.py", START)
        _add(archive, "inception_search/__init__.py", "")
        for file in sorted(Path(__file__).parent.glob("*.py")):
            if file.name != Path(__file__).name:
                _add(archive, f"inception_search/on_device/{file.name}", file.read_text(encoding="utf-8"))
    return b"#!/usr/bin/env python3\n" + found.getvalue()


def _add(archive: zipfile.ZipFile, name: str, text: str) -> None:
    archive.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
