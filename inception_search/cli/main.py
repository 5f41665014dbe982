"""``inception-search``: the verbs, and the one place where errors become a paragraph and an exit code."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable
from typing import Annotated, Any, NoReturn

import typer

from inception_search import __version__
from inception_search.cli.convert import convert
from inception_search.cli.dashboard import dashboard
from inception_search.cli.diff import diff
from inception_search.cli.draw import draw
from inception_search.cli.finalize import finalize
from inception_search.cli.list import list_shipped
from inception_search.cli.path import path
from inception_search.cli.proxies import proxies
from inception_search.cli.report import report
from inception_search.cli.resume import resume
from inception_search.cli.schema import schema
from inception_search.cli.search import search
from inception_search.cli.show import show
from inception_search.cli.streams import prepare_streams, silence
from inception_search.cli.view import view
from inception_search.cli.worker import worker
from inception_search.errors import InceptionSearchError

FAILED, INTERRUPTED = 1, 130
OUTPUT_REFUSED = {errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF}
VERBS: dict[str, Callable[..., Any]] = {
    "list": list_shipped,
    "show": show,
    "draw": draw,
    "view": view,
    "diff": diff,
    "convert": convert,
    "path": path,
    "schema": schema,
    "search": search,
    "resume": resume,
    "worker": worker,
    "report": report,
    "dashboard": dashboard,
    "proxies": proxies,
    "finalize": finalize,
}

app = typer.Typer(
    help="Design, search and draw Inception-style networks.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _name, _verb in VERBS.items():
    app.command(
        _name,
        no_args_is_help=_name
        in (
            "show",
            "draw",
            "view",
            "diff",
            "convert",
            "path",
            "schema",
            "resume",
            "worker",
            "report",
            "dashboard",
            "proxies",
            "finalize",
        ),
    )(_verb)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"inception-search {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Design, search and draw Inception-style networks."""


def run() -> None:
    """The console script: exit code 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C."""
    prepare_streams()
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except InceptionSearchError as error:
        _fail(f"error: {error}", FAILED)
    except KeyboardInterrupt:
        _fail("stopped", INTERRUPTED)
    except OSError as error:
        if error.filename is not None or error.errno not in OUTPUT_REFUSED:
            raise
        silence(sys.stdout)
        reader_gone = isinstance(error, BrokenPipeError)  # then there is nobody to tell
        _fail(None if reader_gone else f"error: standard output cannot be written: {error.strerror}", FAILED)


def _fail(text: str | None, code: int) -> NoReturn:
    try:
        if text is not None:
            typer.echo(text, err=True)
    except OSError:
        silence(sys.stderr)
    sys.exit(code)
