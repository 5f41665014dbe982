"""``dashboard``: what a browser gets from it, and what a person is told where it cannot start."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from inception_search.cli.dashboard import _draw
from inception_search.optuna_bridge.dashboard_server import DashboardServer, serve_dashboard
from inception_search.store.run_folder import RunFolder
from inception_search.study.config import StudyConfig
from tests.bounds import PATIENCE
from tests.cli.conftest import Command
from tests.example import copy_example

Get = Callable[[str], tuple[str, bytes]]


@contextmanager
def served(run: Path, **options: Any) -> Iterator[tuple[DashboardServer, Get]]:
    """A server on a free port, and how to get a page of it."""
    there: list[DashboardServer] = []
    is_ready = threading.Event()

    def ready(server: DashboardServer) -> None:
        there.append(server)
        is_ready.set()

    of_study = {"objectives": StudyConfig.read(run / "study.yaml").objectives, "name": run.name}
    keywords = {"host": "127.0.0.1", "port": 0, "ready": ready, **of_study, **options}
    thread = threading.Thread(
        target=serve_dashboard, args=(RunFolder.open(run), partial(_draw, varying=("module",))), kwargs=keywords
    )
    thread.start()
    assert is_ready.wait(PATIENCE)
    (server,) = there

    def get(path: str) -> tuple[str, bytes]:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}{path}", timeout=PATIENCE) as answer:
            return answer.headers["Content-Type"], answer.read()

    try:
        yield server, get
    finally:
        server.shutdown()
        thread.join(30)


def trials(get: Get) -> list[dict[str, Any]]:
    detail = json.loads(get("/api/studies/0")[1])
    return list(detail["trials"])


def test_every_trial_has_its_values_its_columns_and_one_picture(tmp_path: Path) -> None:
    run = copy_example(tmp_path / "mine")
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    records = RunFolder.open(run).records()
    with served(run) as (_, get):
        kind, page = get("/dashboard")
        assert kind.startswith("text/html")
        assert b"<div" in page
        detail = json.loads(get("/api/studies/0")[1])
        assert detail["objective_names"] == ["accuracy", "macs"]
        shown = detail["trials"]
        assert [trial["number"] for trial in shown] == [record.number for record in records]
        for trial, record in zip(shown, records, strict=True):
            attributes = {each["key"]: each["value"] for each in trial["user_attrs"]}
            assert attributes["arch_id"].strip("'\"") == record.arch_id
            assert int(attributes["macs"]) == record.cost["macs"]
            (artifact,) = trial["artifacts"]
            assert artifact["mimetype"] == "image/svg+xml"
            path = f"/artifacts/0/{trial['trial_id']}/{artifact['artifact_id']}"
            assert path in trial["note"]["body"]
            if record.state == "complete":
                assert [float(value) for value in trial["values"]] == list(record.objectives.values())
                kind, svg = get(path)
                assert kind.startswith("image/svg+xml")
                assert ElementTree.fromstring(svg).tag.endswith("svg")
        reason = next(record.reason for record in records if record.state == "infeasible")
        attributes = [{a["key"]: a["value"] for a in trial["user_attrs"]} for trial in shown]
        assert any(str(reason) in str(each.get("reason")) for each in attributes)
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_new_trials_are_seen_and_those_in_flight_have_their_place(tmp_path: Path) -> None:
    whole = copy_example(tmp_path / "whole")
    lines = (whole / "trials.jsonl").read_text().splitlines(keepends=True)
    run = copy_example(tmp_path / "mine", records=14)
    numbers = [json.loads(line)["number"] for line in lines[:14]]
    (run / "trials.jsonl").write_text("".join([*lines[:10], *lines[11:14]]))  # one is still in flight
    with served(run) as (server, get):
        first = trials(get)
        missing = numbers[10]
        assert [t["state"] for t in first if t["number"] == missing] == ["Running"]
        (run / "trials.jsonl").write_text("".join(lines[:20]))
        assert server.copy.refresh() == 7
        assert server.copy.refresh() == 0
        for _ in range(100):  # the dashboard itself keeps what it knows for two seconds
            shown = {trial["number"]: trial for trial in trials(get)}
            if shown[missing]["state"] != "Running":
                break
            time.sleep(0.1)
        assert shown[missing]["state"] == "Complete"
        assert len(shown[missing]["artifacts"]) == 1
        assert shown[missing]["params"]
        assert len(shown) >= 20


def test_a_damaged_record_is_told_and_the_server_goes_on(tmp_path: Path) -> None:
    run = copy_example(tmp_path / "mine", records=3)
    told: list[str] = []
    with served(run, every=0.01, note=told.append) as (_, get):
        with (run / "trials.jsonl").open("a") as file:
            file.write("{}\n")
        for _ in range(100):
            if told:
                break
            time.sleep(0.1)
        assert len(trials(get)) >= 3
    assert "trials.jsonl:4" in told[0]


def test_hostile_names_are_text_in_notes() -> None:
    from inception_search.optuna_bridge.dashboard import _plain

    assert _plain("](javascript:alert(1))<img src=x>\n# h") == (r"\]\(javascript:alert\(1\)\)\<img src=x\> \# h")


class TestRefusals:
    def test_a_port_that_is_taken(self, command: Command, tmp_path: Path) -> None:
        copy_example(tmp_path / "mine", records=3)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            said = command("dashboard", "mine", "--port", port)
        assert said.code == 2
        assert said.err.startswith(f"error: --port: the port is taken, got {port}; write --port ")
        assert int(said.err.rsplit(" ", 1)[1]) != port

    def test_an_address_of_nobody(self, command: Command, tmp_path: Path) -> None:
        copy_example(tmp_path / "mine", records=3)
        said = command("dashboard", "mine", "--host", "192.0.2.1", "--port", 8099)
        assert said.code == 2
        assert "not an address of this machine, got '192.0.2.1'; write --host 127.0.0.1" in said.err

    def test_a_missing_extra(self, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        copy_example(tmp_path / "mine", records=3)
        monkeypatch.setattr("inception_search.optuna_bridge.dashboard.find_spec", lambda name: None)
        said = command("dashboard", "mine")
        assert said.code == 1
        assert said.err.count("\n") == 1
        assert "pip install optuna-dashboard, or in a clone of inception-search pip install '.[dashboard]'" in said.err

    def test_an_empty_study(self, command: Command, tmp_path: Path) -> None:
        copy_example(tmp_path / "mine", records=0)
        said = command("dashboard", "mine")
        assert said.code == 1
        assert "no trial to show yet; `inception-search resume mine` continues" in said.err


def test_it_says_where_it_is_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    copy_example(tmp_path / "mine", records=3)
    with socket.create_server(("127.0.0.1", 0)) as one:
        port = one.getsockname()[1]
    command = [sys.executable, "-m", "inception_search", "dashboard", "mine", "--port", str(port)]
    root = str(Path(__file__).parents[2])
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": root},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        bufsize=1,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background job ignores it
    )
    assert process.stdout is not None
    assert process.stdout.readline() == f"http://127.0.0.1:{port}/dashboard/studies/0\n"
    assert "smartSelection" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert said.startswith("3 trials, new ones are not loaded (--watch 30 loads them)")
    assert "Traceback" not in said


class TestWhoIsAnswered:
    @pytest.fixture(scope="class")
    @staticmethod
    def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
        run = copy_example(tmp_path_factory.mktemp("served") / "mine", records=3)
        with served(run) as (server, _):
            yield server.server_port

    @staticmethod
    def ask(port: int, method: str, host: str, origin: str | None = None) -> tuple[int, dict[str, str]]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        headers = {"Host": host, "Content-Type": "application/json"} | ({"Origin": origin} if origin else {})
        path = "/api/studies" if method == "GET" else "/api/studies/0/note"
        connection.request(
            method, path, body=None if method == "GET" else '{"body": "x", "version": 1}', headers=headers
        )
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status, dict(answer.getheaders())

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
    def test_its_own_names(self, port: int, host: str) -> None:
        status, headers = self.ask(port, "GET", f"{host}:{port}")
        assert status == 200
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]

    @pytest.mark.parametrize("host", ["evil.example", "evil.example:{}", "127.0.0.1", "127.0.0.1:1", "", "0.0.0.0:{}"])
    def test_no_other(self, port: int, host: str) -> None:
        assert self.ask(port, "GET", host.format(port))[0] == 403

    @pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH"])
    @pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "http://localhost:1"])
    def test_nothing_is_changed_from_elsewhere(self, port: int, method: str, origin: str | None) -> None:
        assert self.ask(port, method, f"localhost:{port}", origin)[0] == 403

    def test_its_own_pages_may_change_something(self, port: int) -> None:
        assert self.ask(port, "PUT", f"localhost:{port}", f"http://localhost:{port}")[0] != 403

    def test_a_server_for_everybody_knows_the_address_it_was_reached_at(self) -> None:
        from inception_search.optuna_bridge.dashboard_server import ADDRESS, Guard

        def status(host: str) -> str:
            said: list[str] = []
            environ = {"HTTP_HOST": host, ADDRESS: "192.0.2.7", "REQUEST_METHOD": "GET"}
            guard = Guard(lambda environ, start: start("200 OK", []) or [], "0.0.0.0", 80)
            guard(environ, lambda status, headers: said.append(status))
            return said[0][:3]

        assert [status(host) for host in ("192.0.2.7", "192.0.2.7:80", "localhost", socket.gethostname())] == [
            "200"
        ] * 4
        assert [status(host) for host in ("evil.example", "192.0.2.8", "192.0.2.7:81")] == ["403"] * 3
