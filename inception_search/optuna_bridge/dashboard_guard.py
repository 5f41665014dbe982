"""What the dashboard answers: its own names, changes from its own pages, and never inside a page of somebody else."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from typing import Any

ADDRESS = "inception_search.address"
"""In the environment of a request: the address of this machine that the connection came to."""
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
    """A WSGI application before another: answers 403 to a foreign Host, and to changes from a foreign Origin.

    A page on the internet can have its name point at this machine (DNS rebinding); the browser then sends that name as
    Host. ``host`` and ``port`` are what the server is bound to.
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
            return self._refuse(start_response, "this server does not have the name that was asked for")
        origins = {f"http://{host}" for host in hosts}
        if environ["REQUEST_METHOD"] not in READING and environ.get("HTTP_ORIGIN", "").lower() not in origins:
            return self._refuse(start_response, "only the dashboard's own pages may change something")

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start_response(status, [*headers, *HEADERS], *rest)

        return self.app(environ, start)

    def _hosts(self, environ: dict[str, Any]) -> set[str]:
        """What a Host header may be, with its port; a browser leaves out port 80."""
        names = self.names | ({str(environ.get(ADDRESS, ""))} - {""} if self.everybody else set())
        return {f"{name}:{self.port}" for name in names} | (names if self.port == 80 else set())

    def _refuse(self, start_response: Callable[..., Any], why: str) -> list[bytes]:
        start_response("403 Forbidden", [("Content-Type", "text/plain; charset=utf-8"), *HEADERS])
        return [f"{why}\n".encode()]
