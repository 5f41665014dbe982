"""``inception-search``: the verbs, and the place where errors become a message and an exit code."""

from __future__ import annotations

import errno
import os
import sys
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, NamedTuple, NoReturn, TextIO

import typer
from typer.core import TyperCommand, TyperGroup

from inception_search._version import __version__
from inception_search.cli.shell import ASKS, FAILED, INTERRUPTED, REFUSED, answer_tab, prepare_streams, silence
from inception_search.cli.wording import error_in_options, in_options, use_options_of
from inception_search.errors import (
    DocumentWarning,
    InceptionSearchError,
    StorageFullError,
    UnknownDialectError,
    one_line,
)

OUTPUT_REFUSED = {errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF}


class Verb(NamedTuple):
    """A verb: the first line of its help, and whether it needs an argument; its file is imported on use."""

    help: str
    needs_argument: bool = True
    function: str = ""

    def load(self, name: str) -> Callable[..., Any]:
        """The function in the file of the verb ``name``."""
        found: Callable[..., Any] = getattr(import_module(f"inception_search.cli.{name}"), self.function or name)
        return found


VERBS: dict[str, Verb] = {
    "list": Verb("List networks, dialects, spaces, datasets, ops and passes.", False, "list_shipped"),
    "show": Verb("Print a network or module: shapes, parameters and MACs."),
    "draw": Verb("Draw a network or one of its modules."),
    "view": Verb("Write an interactive HTML page of a network or study."),
    "diff": Verb("Compare two networks, modules or trials: text and figure."),
    "passes": Verb("Show what each rewriting pass does to a network."),
    "convert": Verb("Identify the source of a weight file and convert it."),
    "export": Verb("Write a network or model for ONNX, OpenVINO and others."),
    "bench": Verb("Measure latency on the machine that networks are for.", False),
    "weights": Verb("List published weights of the networks, and download them.", False),
    "path": Verb("Print and draw the edits from one network to another."),
    "schema": Verb("Print the JSON Schema of networks, spaces or study files."),
    "search": Verb("Search a space by training small networks; write a report.", False),
    "resume": Verb("Continue or extend a search."),
    "worker": Verb("Attach a worker process to a running search."),
    "report": Verb("Print the leaderboard of a study and write its report."),
    "dashboard": Verb("Open optuna-dashboard on a copy of a study."),
    "proxies": Verb("Measure how well zero-cost proxies predict accuracies."),
    "finalize": Verb("Retrain the best networks of a study and test them."),
}
_SETTINGS: dict[str, Any] = {
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
}  # Rich markup would hide [defaults]


class Verbs(TyperGroup):
    """The group of verbs; only the verb in use is imported, so that help and completion are fast."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands = {name: TyperCommand(name, help=verb.help) for name, verb in VERBS.items()}

    def get_params(self, ctx: Any) -> list[Any]:
        """The options before the verb: switches default to False, because for None Typer would import pydantic."""
        switches = super().get_params(ctx)
        for switch in switches:
            switch.default = False
        return switches

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The verb named in ``args``, imported."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command if name is None else _command(name), rest


class _VerbCommand(TyperCommand):
    """A verb; its error messages name the verb's options instead of Python arguments."""

    def invoke(self, ctx: Any) -> Any:
        use_options_of(self)
        return super().invoke(ctx)


def _command(name: str) -> Any:
    alone = typer.Typer(add_completion=False, **_SETTINGS)
    alone.command(name, cls=_VerbCommand, no_args_is_help=VERBS[name].needs_argument)(VERBS[name].load(name))
    return typer.main.get_command(alone)


app = typer.Typer(
    cls=Verbs,
    help="Design, search and draw Inception-style networks.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    **_SETTINGS,
)


def _version(requested: bool) -> None:
    if requested:
        typer.echo(f"inception-search {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Design, search and draw Inception-style networks."""


_shown = warnings.showwarning


def _warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Show a warning about a document like an error, any other as Python does; both on one line."""
    if issubclass(category, DocumentWarning):
        typer.echo(f"warning: {in_options(one_line(message))}", err=True)
    else:
        _shown(one_line(message), category, filename, lineno, file, line)


def run() -> None:
    """The console script: exit code 0 success, 1 failure, 2 invalid command line, 130 stopped by Ctrl-C."""
    prepare_streams()
    warnings.showwarning = _warning
    try:
        try:
            answer_tab(app) if ASKS in os.environ else app()
        finally:
            sys.stdout.flush()
    except InceptionSearchError as error:
        _fail(f"error: {error_in_options(error)}", exit_code(error))
    except KeyboardInterrupt:
        _fail("stopped", INTERRUPTED)
    except OSError as error:
        if error.filename is not None or error.errno not in OUTPUT_REFUSED:
            raise
        silence(sys.stdout)
        reader_gone = isinstance(error, BrokenPipeError)  # nobody would read the message
        _fail(None if reader_gone else f"error: standard output cannot be written: {error.strerror}", FAILED)


def _fail(text: str | None, code: int) -> NoReturn:
    try:
        if text is not None:
            typer.echo(text, err=True)
    except OSError:
        silence(sys.stderr)
    sys.exit(code)


def exit_code(error: InceptionSearchError) -> int:
    """2 for an invalid value or a missing file named on the command line; else 1."""
    if isinstance(error, StorageFullError):
        return FAILED
    file = error.place.file
    if file is not None and not _exists(file):
        return REFUSED
    in_a_file = file is not None and not isinstance(error, UnknownDialectError)  # the invalid value is in that file
    return REFUSED if error.of_value and not in_a_file else FAILED


def _exists(file: str) -> bool:
    """Whether a file exists, or is missing only because its folder is not writable."""
    try:
        path = Path(file)
        return path.exists() or (path.parent.is_dir() and not os.access(path.parent, os.W_OK))
    except (OSError, ValueError):
        return False
