"""A Hugging Face Hub on loopback: the few endpoints that an upload and a download of a model use.

Large files are stored under their SHA-256, with the protocol of Git LFS: an upload requests an address from the batch
endpoint, and sends the content there; a download is redirected there, on a host of another name.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "hf_right"


class FakeHub(ThreadingHTTPServer):
    """Repositories by name, each with its files; ``commits`` are the messages.

    Files of at least ``large`` bytes are ``stored``, ``stored_with`` are the Authorization headers of the requests to
    the storage, and ``storage_full`` refuses uploads.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repositories: dict[str, dict[str, bytes]] = {}
        self.private: dict[str, bool] = {}
        self.commits: list[str] = []
        self.large = 10 * 2**20
        self.stored: dict[str, bytes] = {}
        self.stored_with: list[str | None] = []
        self.storage_full = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def storage(self) -> str:
        """The address of large files."""
        return f"http://localhost:{self.server_port}/storage"

    def commit(self, name: str) -> str:
        """The commit of the main branch: a checksum of all files."""
        return hashlib.sha1(repr(sorted(self.repositories[name].items())).encode()).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    server: FakeHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/api/validate-yaml":
            return self.answer({})
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.answer({"error": "Invalid username or password."}, 401)
        if self.path == "/api/repos/create":
            return self.create(json.loads(body))
        if self.path.endswith(".git/info/lfs/objects/batch"):
            return self.batch(json.loads(body))
        found = re.fullmatch(r"/api/models/([^/]+/[^/]+)/(preupload|commit)/main", self.path.partition("?")[0])
        if found is None or found[1] not in self.server.repositories:
            return self.answer({"error": "Repository not found"}, 404, {"X-Error-Code": "RepoNotFound"})
        return self.preupload(json.loads(body)) if found[2] == "preupload" else self.commit(found[1], body)

    def create(self, wanted: dict[str, Any]) -> None:
        name = "/".join(filter(None, (wanted.get("organization"), wanted["name"])))
        known = name in self.server.repositories
        self.server.repositories.setdefault(name, {})
        self.server.private.setdefault(name, wanted.get("visibility") == "private" or bool(wanted.get("private")))
        self.answer({"url": f"{self.server.url}/{name}"}, 409 if known else 200)

    def preupload(self, wanted: dict[str, Any]) -> None:
        modes = ("regular", "lfs")
        files = [
            {"path": each["path"], "uploadMode": modes[each["size"] >= self.server.large], "shouldIgnore": False}
            for each in wanted["files"]
        ]
        self.answer({"files": files})

    def batch(self, wanted: dict[str, Any]) -> None:
        """Where each large file is to be sent; nowhere if it is stored already."""
        objects = [
            {"oid": each["oid"], "size": each["size"]}
            | (
                {}
                if each["oid"] in self.server.stored
                else {"actions": {"upload": {"href": f"{self.server.storage}/{each['oid']}"}}}
            )
            for each in wanted["objects"]
        ]
        self.answer({"transfer": "basic", "objects": objects})

    def do_PUT(self) -> None:
        self.server.stored_with.append(self.headers.get("Authorization"))
        content, oid = self.rfile.read(int(self.headers["Content-Length"])), self.path.removeprefix("/storage/")
        if self.server.storage_full or hashlib.sha256(content).hexdigest() != oid:
            return self.answer({"error": "refused"}, 403)
        self.server.stored[oid] = content
        return self.answer({})

    def commit(self, name: str, body: bytes) -> None:
        for line in filter(None, body.split(b"\n")):
            operation = json.loads(line)
            value = operation["value"]
            if operation["key"] == "header":
                self.server.commits.append(value["summary"])
            elif operation["key"] == "file":
                self.server.repositories[name][value["path"]] = base64.b64decode(value["content"])
            elif operation["key"] == "lfsFile":
                self.server.repositories[name][value["path"]] = self.server.stored[value["oid"]]
        oid = self.server.commit(name)
        self.answer({"success": True, "commitOid": oid, "commitUrl": f"{self.server.url}/{name}/commit/{oid}"})

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        if self.path.startswith("/storage/"):
            self.server.stored_with.append(self.headers.get("Authorization"))
            return self.send(self.server.stored[self.path.removeprefix("/storage/")], 200, {})
        found = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", self.path.partition("?")[0])
        if found is None or found[1] not in self.server.repositories:
            return self.answer({"error": "Repository not found"}, 404, {"X-Error-Code": "RepoNotFound"})
        name, revision, file = found.groups()
        if revision not in ("main", self.server.commit(name)):
            return self.answer({"error": "no revision"}, 404, {"X-Error-Code": "RevisionNotFound"})
        if file not in self.server.repositories[name]:
            return self.answer({"error": "no entry"}, 404, {"X-Error-Code": "EntryNotFound"})
        content = self.server.repositories[name][file]
        tag = hashlib.sha256(content).hexdigest()
        headers = {"X-Repo-Commit": self.server.commit(name), "ETag": f'"{tag}"'}
        if tag not in self.server.stored:
            return self.send(content, 200, headers)
        large = {"X-Linked-Etag": f'"{tag}"', "X-Linked-Size": str(len(content))}
        return self.send(b"", 302, {**headers, **large, "Location": f"{self.server.storage}/{tag}"})

    def answer(self, facts: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.send(json.dumps(facts).encode(), status, {"Content-Type": "application/json", **(headers or {})})

    def send(self, content: bytes, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
