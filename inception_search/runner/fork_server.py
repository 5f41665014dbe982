"""The fork server of trial processes, which has torch loaded: start, checks and clear errors."""

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
_ATTEMPTS = 3  # a limit on processes may be reached only for a moment
_PAUSE = 0.2  # seconds between attempts
_LONGEST = 64  # bytes of a temporary folder's path; the socket's name needs 32 of the 104 bytes that systems permit
_SHORT_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")
_PROBE_SECONDS = 120.0
_SERVER_ENDED = (EOFError, ConnectionError)  # raised if the server ends instead of responding
_starting = threading.Lock()  # searches in several threads share __main__, so only one may start a process at a time


def check_can_start() -> None:
    """Raise MissingRequirementError if this process cannot start trials: without fork, or in a daemonic process."""
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
    """Start the server, unless it runs already; it loads torch in the background.

    Raises MissingRequirementError if this process cannot start trials, ProcessStartError if the server cannot be
    started.
    """
    check_can_start()
    if missing := _missing_interpreter():
        raise missing  # checked here, because the fork server does not report a missing program
    _retry(_ensure_running)


def server_context() -> ForkServerContext:
    """The :mod:`multiprocessing` context that forks processes from the server."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([_PRELOAD])
    return context


def start(process: ForkServerProcess) -> None:
    """Start a process of :func:`server_context`, after restarting an ended server. Raises ProcessStartError."""
    _retry(lambda: _start(process))


def ended_before_it_began(exit_code: int | None) -> ProcessStartError:
    """The error for processes that ended before they had loaded the modules of a trial."""
    return _error(_why_not_loaded() or f"it ended with exit code {exit_code} before it began its work")


def _ensure_running() -> None:
    with _starting, _without_main(), _interrupts_blocked():
        pass


def _start(process: ForkServerProcess) -> None:
    with _starting, _without_main(), _interrupts_blocked():
        process.start()


def _retry(action: Callable[[], None]) -> None:
    """Retry ``action`` a few times, because processes, descriptors or memory may be short for a moment."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            action()
            return
        except (OSError, EOFError, MemoryError) as error:
            if attempt == _ATTEMPTS or (attempt > 1 and isinstance(error, _SERVER_ENDED)):
                raise _missing_interpreter() or _error(_reason(error)) from error
        time.sleep(_PAUSE)


def _missing_interpreter() -> ProcessStartError | None:
    """The error for a missing Python interpreter, or None."""
    program = _interpreter()
    if program and os.access(program, os.X_OK):
        return None
    return _error(
        f"the Python interpreter {program!r} does not exist, or may not be executed",
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
    """Load the modules of a trial in a new interpreter; returns its last line of output if that fails."""
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
    """Prevent the child from importing the caller's script again, which would start a second search.

    multiprocessing imports it to find functions defined there, but a trial's function is in this package.
    """
    main = sys.modules.get("__main__")
    if main is None:
        yield
        return
    hidden = {name: getattr(main, name) for name in ("__file__", "__spec__") if hasattr(main, name)}
    vars(main).pop("__file__", None)
    main.__spec__ = None
    try:
        yield
    finally:
        del main.__spec__
        vars(main).update(hidden)


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Start the server, and thus its trials, with SIGINT blocked: only the driver reacts to Ctrl-C, which all receive.

    Otherwise Ctrl-C would end the server while it loads torch, with a traceback on the user's terminal.
    """
    from multiprocessing import forkserver, resource_tracker

    open_standard_descriptors()  # otherwise a pipe may get a standard descriptor
    server_context()
    resource_tracker.ensure_running()  # started first, because it unblocks SIGINT after its start
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        with _short_temporary_folder():
            forkserver.ensure_running()
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _short_temporary_folder() -> Iterator[None]:
    """Place the server's socket in a folder with a path short enough for a socket address, independent of TMPDIR."""
    before = tempfile.tempdir
    if len(os.fsencode(tempfile.gettempdir())) > _LONGEST:
        usable = (folder for folder in _SHORT_FOLDERS if os.access(folder, os.W_OK | os.X_OK) and Path(folder).is_dir())
        tempfile.tempdir = next(usable, before)
    try:
        yield
    finally:
        tempfile.tempdir = before
