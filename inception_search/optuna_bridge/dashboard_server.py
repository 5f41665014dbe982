"""A server for optuna-dashboard on a copy of a study; it answers only requests from its own pages."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from socketserver import ThreadingMixIn
from tempfile import TemporaryDirectory
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from inception_search.errors import ConfigError, InceptionSearchError, TrainingError
from inception_search.optuna_bridge.dashboard import DashboardCopy, Draw, check_installed
from inception_search.optuna_bridge.optuna_logging import quiet
from inception_search.store.run_folder import RunFolder

ADDRESS = "inception_search.address"
"""Key in a request's environment: the local address that the client connected to."""
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
EVERYBODY = ("", "0.0.0.0", "::")
READING = ("GET", "HEAD", "OPTIONS")
HEADERS = (
    ("X-Frame-Options", "DENY"),
    ("Content-Security-Policy", "frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)


class Guard:
    """WSGI middleware that answers 403 to a foreign Host, and to writing requests from a foreign Origin.

    A web page can make its own name resolve to this machine (DNS rebinding); the browser then sends that name as Host.
    ``host`` and ``port`` are those that the server is bound to.
    """

    def __init__(self, app: Callable[..., Iterable[bytes]], host: str, port: int) -> None:
        self.app, self.port = app, port
        self.everybody = host in EVERYBODY
        self.names = {name.lower() for name in LOOPBACK} if self.everybody or host in LOOPBACK else {host.lower()}
        if self.everybody:
            self.names |= {socket.gethostname().lower(), socket.getfqdn().lower()}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """One request."""
        hosts = self._hosts(environ)
        if environ.get("HTTP_HOST", "").lower() not in hosts:
            return self._refuse(start_response, "this server does not serve the requested host name")
        origins = {f"http://{host}" for host in hosts}
        if environ["REQUEST_METHOD"] not in READING and environ.get("HTTP_ORIGIN", "").lower() not in origins:
            return self._refuse(start_response, "only the dashboard's own pages may make changes")

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start_response(status, [*headers, *HEADERS], *rest)

        return self.app(environ, start)

    def _hosts(self, environ: dict[str, Any]) -> set[str]:
        """The accepted Host headers, with the port; browsers omit port 80."""
        names = self.names | ({str(environ.get(ADDRESS, ""))} - {""} if self.everybody else set())
        return {f"{name}:{self.port}" for name in names} | (names if self.port == 80 else set())

    def _refuse(self, start_response: Callable[..., Any], why: str) -> list[bytes]:
        start_response("403 Forbidden", [("Content-Type", "text/plain; charset=utf-8"), *HEADERS])
        return [f"{why}\n".encode()]


TRIES = 50  # ports tried after a taken one, to suggest a free one


class DashboardServer(ThreadingMixIn, WSGIServer):
    """A server that looks for new records every ``every`` seconds; 0: never."""

    daemon_threads = True
    allow_reuse_address = True
    copy: DashboardCopy
    every: float = 0.0
    note: Callable[[str], None] = staticmethod(lambda text: None)
    looked: float = 0.0

    def service_actions(self) -> None:
        """Called by the server's loop twice a second."""
        if not self.every or time.monotonic() - self.looked < self.every:
            return
        self.looked = time.monotonic()
        try:
            if added := self.copy.refresh():
                self.note(f"{added} new")
        except InceptionSearchError as error:
            self.note(str(error))


class _Quiet(WSGIRequestHandler):
    def get_environ(self) -> dict[str, Any]:
        """The request, with the local address that it was sent to."""
        return {**super().get_environ(), ADDRESS: self.connection.getsockname()[0]}

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in the base class
        """Nothing: one line per request would flood the terminal."""


def serve_dashboard(
    run: RunFolder,
    draw: Draw,
    *,
    objectives: tuple[str, ...],
    name: str,
    host: str,
    port: int,
    every: float = 0.0,
    ready: Callable[[DashboardServer], None] = lambda server: None,
    note: Callable[[str], None] = lambda text: None,
) -> None:
    """Serve the study in ``run`` until KeyboardInterrupt, or until ``ready`` or another thread shuts it down.

    Raises MissingRequirementError without the package, ConfigError if the port cannot be used, and the errors of
    reading the study.
    """
    check_installed()
    with TemporaryDirectory(prefix="inception-search-") as folder:
        copy = DashboardCopy(run, objectives, name, draw, Path(folder))
        if not copy.refresh():
            hint = f"`inception-search resume {run.path}` continues"
            raise TrainingError("the study has no trial to show yet", path=str(run.trials_file), hint=hint)
        with _server(copy, host, port) as server:
            server.copy, server.every, server.note, server.looked = copy, every, note, time.monotonic()
            ready(server)
            with quiet():  # viewing importances computes them, and warns about small samples each time
                server.serve_forever()


def _server(copy: DashboardCopy, host: str, port: int) -> DashboardServer:
    from optuna_dashboard import wsgi

    app = wsgi(copy.storage, artifact_store=copy.artifacts)
    try:
        server = DashboardServer((host, port), _Quiet)
    except OSError as error:
        raise _refused(host, port, error) from None
    server.set_app(Guard(app, host, server.server_port))
    return server


def _refused(host: str, port: int, error: OSError) -> ConfigError:
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return ConfigError("not an address of this machine", path="host", found=host, hint="write --host 127.0.0.1")
    free = next((each for each in range(max(port, 1023) + 1, port + TRIES + 1024) if _free(host, each)), 0)
    rule = "the port is taken" if error.errno == errno.EADDRINUSE else "the port cannot be used"
    return ConfigError(rule, path="port", found=port, hint=f"write --port {free}")


def _free(host: str, port: int) -> bool:
    try:
        with socket.create_server((host, port)):
            return True
    except OSError:
        return False
