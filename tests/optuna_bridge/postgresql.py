"""A PostgreSQL server of the tests' own: on 127.0.0.1, in a temporary folder, started as an unprivileged user."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.bounds import PATIENCE

ROLE = "searcher"
PASSWORD = "s3cr-et@ä/x"  # every kind of character that a URL has to escape
SYSTEM_USERS = ("postgres", "nobody")
QUICK = ("fsync=off", "full_page_writes=off", "listen_addresses=127.0.0.1", "unix_socket_directories=")


def programs() -> Path | None:
    """The folder of ``initdb`` and ``postgres``: Debian keeps it out of PATH."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    found = shutil.which("initdb")
    folders += [Path(found).resolve().parent] if found else []
    return next((each for each in folders if (each / "initdb").exists() and (each / "postgres").exists()), None)


def _version(folder: Path) -> int:
    return int(folder.parent.name) if folder.parent.name.isdecimal() else 0


def account() -> dict[str, Any]:
    """Arguments of ``subprocess`` for another user if this one is root, which PostgreSQL refuses."""
    if os.geteuid() != 0:
        return {}
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = next(known[name] for name in SYSTEM_USERS if name in known)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class Server:
    """A cluster in ``folder`` with one superuser, :data:`ROLE`; :meth:`start` and :meth:`stop` any number of times."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        self.binaries, self.account = binaries, account()
        self.data, self.port = folder / "data", free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.log = (folder / "log").open("ab")
        secret = folder / "password"
        secret.write_text(PASSWORD, encoding="utf-8")
        if self.account:
            for path in (folder, secret):
                os.chown(path, self.account["user"], self.account["group"])
        options = ["--auth=scram-sha-256", f"--username={ROLE}", f"--pwfile={secret}", "--no-sync", "--encoding=UTF8"]
        self.run("initdb", f"--pgdata={self.data}", "--no-locale", *options)

    def start(self) -> None:
        """Start the server and wait until it accepts connections."""
        settings = [part for setting in (*QUICK, f"port={self.port}") for part in ("-c", setting)]
        command = [str(self.binaries / "postgres"), "-D", str(self.data), *settings]
        self.process = subprocess.Popen(
            command, cwd="/", stdout=self.log, stderr=self.log, start_new_session=True, **self.account
        )
        end = time.monotonic() + PATIENCE
        while not self._answers():
            assert self.process.poll() is None, Path(self.log.name).read_text()
            assert time.monotonic() < end, "the server does not start"
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop it in immediate mode: connections break off, and the next start recovers from the log."""
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(PATIENCE)
            self.process = None

    def url(self, database: str, role: str = ROLE, password: str | None = PASSWORD) -> str:
        """The URL of a database."""
        secret = "" if password is None else f":{quote(password, safe='')}"
        return f"postgresql://{role}{secret}@127.0.0.1:{self.port}/{database}"

    def sql(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """The rows of a statement."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def run(self, program: str, *arguments: str, **environment: str) -> None:
        """Run one of PostgreSQL's programs to its end."""
        command = [str(self.binaries / program), *arguments]
        variables = {**os.environ, **environment}
        done = subprocess.run(command, cwd="/", env=variables, capture_output=True, text=True, **self.account)
        assert done.returncode == 0, done.stderr

    def _answers(self) -> bool:
        import psycopg

        try:
            self.sql("select 1")
        except psycopg.OperationalError:
            return False
        return True
