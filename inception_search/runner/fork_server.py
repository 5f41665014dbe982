"""The server that the processes of trials are forked from (it has torch loaded): started, or one clear error."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from inception_search.errors import MissingRequirementError, ProcessStartError, raw
from inception_search.store.disk import open_standard_descriptors

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext, ForkServerProcess

_PRELOAD = "inception_search.runner.preload"
_ATTEMPTS = 3  # a limit on processes may be met for a moment only
_PAUSE = 0.2  # seconds between attempts
_LONGEST = 64  # bytes of a temporary folder's path; the socket's own name needs 32 of the 104 that a system allows
_SHORT_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")
_PROBE_SECONDS = 120.0
_SERVER_ENDED = (EOFError, ConnectionError)  # what is raised where the server ends instead of answering
_starting = threading.Lock()  # of searches in several threads one starts a process at a time: they share __main__


def check_can_start() -> None:
    """Raise MissingRequirementError where this process can start no trial: without fork, or in a daemonic process."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        raise MissingRequirementError(
            "training trials needs processes that fork, which this operating system does not have",
            found=raw(sys.platform),
            expected="Linux or macOS",
            hint="on Windows, search inside WSL; drawing, comparing and compiling work here",
        )
    if multiprocessing.current_process().daemon:
        raise MissingRequirementError(
            "a daemonic process (a worker of multiprocessing.Pool, for instance) may not start the processes of trials",
            hint="start the search from the main process, a thread, concurrent.futures.ProcessPoolExecutor or a "
            "multiprocessing.Process with daemon=False",
        )


def start_server() -> None:
    """Start the server, unless it runs already; it loads torch while this process goes on.

    Raises MissingRequirementError where this process can start no trial, ProcessStartError where the server cannot be
    started.
    """
    check_can_start()
    if missing := _missing_interpreter():
        raise missing  # now rather than at the first trial: a program that cannot be run is not seen by who starts it
    _patiently(_ensure_running)


def server_context() -> ForkServerContext:
    """The context of :mod:`multiprocessing` whose processes are forked from the server."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([_PRELOAD])
    return context


def start(process: ForkServerProcess) -> None:
    """Start a process of :func:`server_context`, and the server first where it is gone. Raises ProcessStartError."""
    _patiently(lambda: _start(process))


def ended_before_it_began(exit_code: int | None) -> ProcessStartError:
    """The error of processes that started and ended before they had loaded what a trial needs."""
    return _error(_why_not_loaded() or f"it ended with exit code {exit_code} before it began its work")


def _ensure_running() -> None:
    with _starting, _without_main(), _deaf_to_interrupts():
        pass


def _start(process: ForkServerProcess) -> None:
    with _starting, _without_main(), _deaf_to_interrupts():
        process.start()


def _patiently(action: Callable[[], None]) -> None:
    """Do what may fail while processes, descriptors or memory are short, a few times."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            action()
            return
        except (OSError, EOFError, MemoryError) as error:
            if attempt == _ATTEMPTS or (attempt > 1 and isinstance(error, _SERVER_ENDED)):
                raise _missing_interpreter() or _error(_reason(error)) from error
        time.sleep(_PAUSE)


def _missing_interpreter() -> ProcessStartError | None:
    """The error where the program that processes run in is gone."""
    program = _interpreter()
    if program and os.access(program, os.X_OK):
        return None
    return _error(
        f"the Python interpreter {program!r} is not there, or may not be executed",
        "install it again, or name another with multiprocessing.set_executable",
    )


def _interpreter() -> str:
    from multiprocessing import spawn

    return os.fsdecode(spawn.get_executable() or "")


def _reason(error: BaseException) -> str:
    if isinstance(error, _SERVER_ENDED):
        return _why_not_loaded() or "the process that forks them ended; it may be out of memory, or of processes"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _error(reason: str, hint: str | None = None) -> ProcessStartError:
    return ProcessStartError(f"no process for a trial can be started: {reason}", hint=hint or _hint(reason))


def _hint(reason: str) -> str:
    if "path too long" in reason:
        return "set TMPDIR to a shorter folder"
    if "temporary" in reason and "Resource" not in reason:
        return "set TMPDIR to a folder that can be written to"
    if "Resource temporarily unavailable" in reason:
        return "raise the limit on processes (ulimit -u), or use fewer --workers; then resume"
    if "Too many open files" in reason:
        return "raise the limit on open files (ulimit -n), then resume"
    return "put that right, then resume; an unfinished trial continues from its last epoch"


def _why_not_loaded() -> str | None:
    """Load what a trial needs in an interpreter of its own; the last line that it prints, if that fails."""
    try:
        done = subprocess.run(
            [_interpreter(), "-c", f"import sys; sys.path[:] = {sys.path!r}; import {_PRELOAD}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    except OSError as error:
        return error.strerror
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return (lines[-1] if lines else f"the interpreter ended with code {done.returncode}") if done.returncode else None


@contextmanager
def _without_main() -> Iterator[None]:
    """Keep the child from importing the caller's script again, which would start the search a second time.

    multiprocessing does so to find functions defined there; a trial's function is in this package.
    """
    main = sys.modules.get("__main__")
    if main is None:
        yield
        return
    kept = {name: getattr(main, name) for name in ("__file__", "__spec__") if hasattr(main, name)}
    vars(main).pop("__file__", None)
    main.__spec__ = None
    try:
        yield
    finally:
        del main.__spec__
        vars(main).update(kept)


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Start the server with SIGINT blocked, and so are its trials: Ctrl-C goes to all of them, and is the driver's.

    The server would else die of it while it still loads torch, with a traceback on the user's terminal.
    """
    from multiprocessing import forkserver, resource_tracker

    open_standard_descriptors()  # a pipe of the server's may else become what it takes for its standard input
    server_context()
    resource_tracker.ensure_running()  # first: it lets SIGINT through again when it has started
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        with _short_temporary_folder():
            forkserver.ensure_running()
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _short_temporary_folder() -> Iterator[None]:
    """Have the server's socket in a folder whose path is short enough for the address of one, whatever TMPDIR is."""
    before = tempfile.tempdir
    if len(os.fsencode(tempfile.gettempdir())) > _LONGEST:
        usable = (folder for folder in _SHORT_FOLDERS if os.access(folder, os.W_OK | os.X_OK) and Path(folder).is_dir())
        tempfile.tempdir = next(usable, before)
    try:
        yield
    finally:
        tempfile.tempdir = before
