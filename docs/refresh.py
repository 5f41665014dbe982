"""Writes the generated parts of the documents anew, and the files that are made from the classes of options.

    python docs/refresh.py            everything;  --check: only say what has drifted

A part stands between ``<!-- from: COMMAND -->`` and ``<!-- end -->``; COMMAND prints it.
"""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parent
# Files of the project that a command prints whole.
FILES = {
    "inception_search/cli/flags.json": "inception_search.cli.option_table flags",
    "inception_search/typed_options.py": "inception_search.cli.option_table keywords",
    "search_spaces/study.schema.json": "inception_search schema study",
}
PART = re.compile(r"(<!-- from: (?P<command>.*?) -->\n).*?(<!-- end -->)", re.DOTALL)


def printed(command: str) -> str:
    """What ``command`` prints, run by this Python in the root of the project."""
    words = [sys.executable, "-m", *shlex.split(command)]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=DOCS.parent)
    return done.stdout.strip() + "\n"


def refreshed(text: str) -> str:
    """``text`` with every generated part as its command prints it now."""
    return PART.sub(lambda match: match[1] + printed(match["command"]) + match[3], text)


def main() -> int:
    """0 when nothing has drifted, or everything was written."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing")
    check = parser.parse_args().check
    drifted = 0
    files = {DOCS.parent / name: command for name, command in FILES.items()}
    for path in (*files, *sorted(DOCS.glob("*.md"))):
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        new = printed(files[path]) if path in files else refreshed(old)
        if new != old:
            drifted += 1
            print(f"{path.name} {'has drifted' if check else 'written'}")
            if not check:
                path.write_text(new, encoding="utf-8")
    return drifted if check else 0


if __name__ == "__main__":
    sys.exit(main())
