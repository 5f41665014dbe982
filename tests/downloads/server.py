"""A server on loopback for downloads: it cuts, stalls, redirects, refuses and continues as a test sets."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Published:
    """A file on the server, and how its answers go wrong."""

    content: bytes
    etag: str | None = '"1"'
    ranges: bool = True  # whether the server can continue
    cut_after: list[int] = field(default_factory=list)  # bytes that the next answers send before the connection ends
    statuses: list[int] = field(default_factory=list)  # statuses of the next answers, in place of 200
    moved_to: str | None = None
    headers: dict[str, str] = field(default_factory=dict)  # of every answer
    wrong_parts: int = 0  # the next answers to a request for a part are the second half of the file
    slow: threading.Event | None = None  # the second half is sent when this is set


@dataclass
class Server:
    """What is published at which path, and the requests that came: path, and the Range header or None."""

    url: str
    files: dict[str, Published] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)

    def put(self, path: str, content: bytes, **how: Any) -> str:
        """Publish ``content`` at ``path``; returns its address."""
        self.files[path] = Published(content, **how)
        return self.url + path


def random_bytes(size: int, seed: int = 0) -> bytes:
    return b"".join(hashlib.sha256(b"%d %d" % (seed, block)).digest() for block in range(size // 32 + 1))[:size]


class _Handler(BaseHTTPRequestHandler):
    server: Any

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        state: Server = self.server.state
        state.requests.append((self.path, self.headers["Range"]))
        file = state.files.get(self.path)
        if file is None:
            return self._send(404, {}, b"nothing here", with_body)
        if file.statuses:
            return self._send(file.statuses.pop(0), {}, b"not now", with_body)
        if file.moved_to is not None:
            return self._send(302, {"Location": file.moved_to, **file.headers}, b"", with_body)
        begin, known = 0, {} if file.etag is None else {"ETag": file.etag}
        if file.ranges and self.headers["Range"] and self.headers["If-Range"] == file.etag:
            begin = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        size = len(file.content)
        if begin and file.wrong_parts:
            file.wrong_parts -= 1
            begin = size // 2
        if begin > size:
            return self._send(416, {"Content-Range": f"bytes */{size}"}, b"", with_body)
        part = {"Content-Range": f"bytes {begin}-{size - 1}/{size}"} if begin else {}
        return self._send(
            206 if begin else 200, {**known, **part, **file.headers}, file.content[begin:], with_body, file
        )

    def _send(
        self, status: int, headers: dict[str, str], body: bytes, with_body: bool, file: Published | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if not with_body:
            return
        if file is not None and file.slow is not None:
            half = len(body) // 2
            self.wfile.write(body[:half])
            self.wfile.flush()
            file.slow.wait(60)
            body = body[half:]
        if file is not None and file.cut_after:
            body = body[: file.cut_after.pop(0)]
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Nothing: tests read stderr."""


@contextmanager
def serving() -> Iterator[Server]:
    """A server that runs while the context lasts."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as http:
        http.daemon_threads = True
        http.state = Server(f"http://127.0.0.1:{http.server_address[1]}")  # type: ignore[attr-defined]
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield http.state  # type: ignore[attr-defined]
        finally:
            http.shutdown()
            thread.join()
