"""Studies over a fake executor, programs, and one PostgreSQL server for all tests of a process."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.optuna_bridge.postgresql import Server, programs
from tests.study.conftest import fake_study, program

__all__ = ["fake_study", "program"]


@pytest.fixture(scope="session")
def _server() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))  # pytest's folders are closed to other users
    binaries = programs()
    assert binaries is not None
    server = Server(folder, binaries)
    try:
        yield server
    finally:
        server.stop()
        server.log.close()
        shutil.rmtree(folder)


@pytest.fixture
def server(_server: Server) -> Server:
    """The server, started."""
    if _server.process is None:
        _server.start()
    return _server


_numbers = count()


@pytest.fixture
def database(server: Server) -> Iterator[str]:
    """The name of an empty database."""
    name = f"studies{next(_numbers)}"
    server.sql(f"create database {name}")
    yield name
    if server.process is None:
        server.start()
    server.sql(f"drop database {name} with (force)")


@pytest.fixture
def url(server: Server, database: str) -> Callable[[], str] | str:
    """The URL of that database, with its password."""
    return server.url(database)
