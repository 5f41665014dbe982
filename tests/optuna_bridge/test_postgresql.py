"""Searches whose Optuna study is on a PostgreSQL server, which is stopped and started meanwhile."""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError

from inception_search.errors import ConfigError
from inception_search.optuna_bridge.storage import check_storage, open_storage
from inception_search.optuna_bridge.storage_url import VARIABLE
from inception_search.store.record import TrialRecord
from inception_search.store.run_folder import RunFolder
from inception_search.study import places
from inception_search.study import search as study_search
from inception_search.study.search import resume, search
from tests.bounds import PATIENCE
from tests.optuna_bridge.postgresql import PASSWORD, ROLE, Server, free_port, programs
from tests.study.conftest import FakeStudy
from tests.study.crashes import Crash, check, crash_at
from tests.study.fake_executor import FakeExecutor, World
from tests.study.programs import ROOT, SMALL, kill_group, members, start, wait_for
from tests.study.spaces import TINY

pytest.importorskip("psycopg", reason="the driver is not installed: pip install 'psycopg[binary]'")
pytestmark = pytest.mark.skipif(
    programs() is None, reason="PostgreSQL is not installed (on Debian: apt-get install postgresql)"
)

QUICK: dict[str, Any] = {"epochs": 1, "train_images": 64, "image_size": 8, "baselines": False, "device": "cpu"}
STATES = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}


@pytest.fixture(autouse=True)
def no_passwords(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (VARIABLE, "PGPASSWORD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))


def on_server(url: str) -> dict[str, list[FrozenTrial]]:
    """The trials of every Optuna study in a database."""
    storage = open_storage(url)
    names = optuna.get_all_study_names(storage)
    return {name: optuna.load_study(study_name=name, storage=storage).trials for name in names}


def agree(records: list[TrialRecord], trials: list[FrozenTrial]) -> None:
    """The Optuna study contains every record once, with its values after each epoch, and nothing else."""
    assert [trial.number for trial in trials] == [record.number for record in records]
    for record, trial in zip(records, trials, strict=True):
        assert (trial.state, trial.params) == (STATES[record.state], record.holes)
        assert trial.intermediate_values == dict(record.scores)
        if record.state == "complete":
            assert trial.values == [record.objectives[name] for name in record.objectives]


def agrees(study: FakeStudy, url: str) -> None:
    """The only Optuna study in the database contains what the records contain."""
    (trials,) = on_server(url).values()
    agree(study.records, trials)


def agree_by_name(runs: list[Path], url: str) -> None:
    """The database contains one Optuna study for each run folder, and nothing else."""
    found = on_server(url)
    assert len(found) == len(runs)
    for run in runs:
        (trials,) = [trials for name, trials in found.items() if name.startswith(f"inception-search: {run.name} ")]
        agree(RunFolder.open(run).records(), trials)


def restart(server: Server) -> None:
    """Every connection breaks off, and the server accepts new ones."""
    server.stop()
    server.start()


@pytest.mark.parametrize("objectives", [pytest.param("accuracy", marks=pytest.mark.slow), "accuracy,macs"])
def test_the_optuna_study_on_the_server_contains_the_records(fake_study, url, objectives):
    study = fake_study(trials=6, storage=url, pruner="none", objectives=objectives)
    assert study.go(capacity=2)
    agrees(study, url)
    assert not study.notes.notes


@pytest.fixture
def in_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Searches do not train: what a network reaches is a function of it."""
    monkeypatch.setattr(study_search, "start_server", lambda: None)
    monkeypatch.setattr(places, "ProcessExecutor", lambda *given, **named: FakeExecutor(World()))


def test_two_searches_with_one_database_and_the_password_from_the_environment(
    in_one_process, tmp_path, server, database, monkeypatch
):
    url = server.url(database)
    runs = [tmp_path / "a", tmp_path / "b"]
    search(TINY, storage=url, run=runs[0], trials=1, **QUICK)
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    search(TINY, storage=server.url(database, password=None), run=runs[1], trials=1, **QUICK)
    monkeypatch.delenv("PGPASSWORD")
    assert f"storage: {url.partition('searcher:')[0]}searcher:***@" in (runs[0] / "study.yaml").read_text()

    with pytest.raises(ConfigError, match=f"no password was found: set the environment variable {VARIABLE}"):
        resume(runs[0], trials=2)
    monkeypatch.setenv(VARIABLE, url)
    resume(runs[0], trials=2)
    agree_by_name(runs, url)
    saved = b"".join(file.read_bytes() for run in runs for file in run.rglob("*") if file.is_file())
    assert not [form for form in (PASSWORD, url) if form.encode() in saved]


@pytest.mark.parametrize(
    "point", [*(pytest.param(name, marks=pytest.mark.slow) for name in ("begin", "report")), "tell"]
)
def test_a_killed_search_is_resumed_with_its_storage(fake_study, server, url, monkeypatch, point):
    study = fake_study(trials=4, storage=url, pruner="none")
    with monkeypatch.context() as patch:
        crash_at(patch, point, 2, before=False)
        with pytest.raises(Crash):
            study.go(capacity=2)
    restart(server)
    assert study.go(capacity=2)
    agrees(study, url)
    check(study, 4)


def test_an_optuna_study_that_somebody_deletes_meanwhile_is_there_again_at_the_end(fake_study, url):
    def fate(job: Any) -> str:
        if job.number == 2 and not done:
            done.append(True)
            storage = open_storage(url)
            (name,) = optuna.get_all_study_names(storage)
            optuna.delete_study(study_name=name, storage=storage)
        return "complete"

    done: list[bool] = []
    study = fake_study(trials=4, storage=url, pruner="none", fate=fate)
    assert study.go(capacity=2)
    agrees(study, url)


def outage_of_trials(server: Server, first: int, last: int) -> Callable[[Any], str]:
    """The fate of trials while the server is stopped from the first epoch of one to that of another."""

    def fate(job: Any) -> str:
        if job.number == first and server.process is not None and not done:
            server.stop()
        if job.number == last and server.process is None:
            done.append(True)
            server.start()
        return "complete"

    done: list[bool] = []
    return fate


def test_a_server_that_is_stopped_and_started_in_the_middle_of_a_search(fake_study, server, url):
    study = fake_study(trials=8, storage=url, pruner="none", fate=outage_of_trials(server, 2, 5))
    assert study.go(capacity=2)
    shown = url.replace(url.split("@")[0], "postgresql://searcher:***")
    assert study.notes.notes == [
        f"the Optuna storage at {shown} does not answer; the search continues without it",
        "the Optuna storage answers again and is up to date",
    ]
    check(study, 8)
    agrees(study, url)


def test_epochs_of_an_outage_are_in_the_optuna_study_of_a_trial_that_survives_it(fake_study, server, url, monkeypatch):
    study = fake_study(trials=1, storage=url, pruner="none", epochs=5)
    stopped_after(study, server, monkeypatch, epoch=2)
    assert study.go()
    agrees(study, url)


def stopped_after(study: FakeStudy, server: Server, patch: pytest.MonkeyPatch, epoch: int) -> None:
    """The server is stopped after this epoch and answers again before the next but one is reported."""
    from inception_search.optuna_bridge.live_study import LiveStudy

    real = LiveStudy.report

    def report(self: LiveStudy, number: int, value: float, at: int) -> None:
        if at == epoch + 1:
            server.stop()
        if at == epoch + 2:
            server.start()
            self.next_try = 0.0
        real(self, number, value, at)

    patch.setattr(LiveStudy, "report", report)


@contextmanager
def restarted_at(server: Server, nth: int, *, committed: bool) -> Iterator[list[int]]:
    """The server restarts before the ``nth`` statement, or after the ``nth`` commit but before the client knows of it.

    Gives a list whose only item counts them.
    """
    seen = [0]

    def statement(*arguments: Any) -> None:
        seen[0] += 1
        if seen[0] == nth:
            restart(server)

    with pytest.MonkeyPatch.context() as patch:
        if not committed:
            event.listen(Engine, "before_cursor_execute", statement)
        else:
            from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg as Dialect

            real = Dialect.do_commit

            def do_commit(self: Any, connection: Any) -> None:
                real(self, connection)
                statement()
                if seen[0] == nth:
                    raise OperationalError("commit", None, Exception("server closed the connection unexpectedly"))

            patch.setattr(Dialect, "do_commit", do_commit)
        try:
            yield seen
        finally:
            if not committed:
                event.remove(Engine, "before_cursor_execute", statement)


def broken_at(study: FakeStudy, server: Server, url: str, nth: int, *, committed: bool) -> bool:
    """Run a study with a restart of the server at that place; return whether the study comes to it."""
    with study.run.hold():
        driver = study.driver_for(capacity=2)
        with restarted_at(server, nth, committed=committed) as seen:
            assert driver.loop()
    agrees(study, url)
    check(study, 3)
    return seen[0] >= nth


@pytest.mark.parametrize("committed", [False, True], ids=["statement", "commit"])
@pytest.mark.parametrize("nth", [pytest.param(3, marks=pytest.mark.slow), 17])
def test_a_connection_that_breaks_inside_an_operation(fake_study, server, url, nth, committed):
    study = fake_study(trials=3, epochs=2, storage=url, pruner="none")
    assert broken_at(study, server, url, nth, committed=committed)


@pytest.mark.slow
@pytest.mark.parametrize("committed", [False, True], ids=["statement", "commit"])
def test_a_connection_that_breaks_anywhere(fake_study, server, url, tmp_path, committed):
    for nth in range(1, 10_000, 5):
        study = fake_study(trials=3, epochs=2, storage=url, pruner="none")
        study.run.path.rename(tmp_path / f"run {nth}")
        study.run = RunFolder.open(tmp_path / f"run {nth}")
        come = broken_at(study, server, url, nth, committed=committed)
        for name in on_server(url):
            optuna.delete_study(study_name=name, storage=open_storage(url))
        if not come:
            assert nth > 20
            return


SHOWN = {
    "a wrong password": ("correct the user or the password of the URL", {"password": "wr0ng-0ne"}),
    "no password": (f"no password was found: set the environment variable {VARIABLE}", {"password": None}),
    "an unknown user": ("correct the user or the password of the URL", {"role": "nobody-here"}),
}


@pytest.mark.parametrize("case", SHOWN)
def test_an_error_names_the_url_without_its_password(server, database, case):
    hint, wrong = SHOWN[case]
    refused(server.url(database, **wrong), hint, "FATAL|fe_sendauth")


def refused(url: str, hint: str, found: str) -> None:
    """The storage cannot be opened, and the message shows why on one line, but no password."""
    with pytest.raises(ConfigError, match=found) as raised:
        check_storage(url)
    message = str(raised.value)
    address = url.partition("@")[2]
    assert f"@{address} cannot be opened, got OperationalError: " in message or "InsufficientPrivilege" in message
    assert hint in message
    assert "\n" not in message
    assert not [secret for secret in (PASSWORD, "s3cr-et", "wr0ng") if secret in message]


def test_errors_of_a_server_or_database_that_is_not_there(server, database):
    refused(server.url("missing"), "createdb --owner=USER DATABASE", 'database "missing" does not exist')
    gone = server.url(database).replace(f":{server.port}/", f":{free_port()}/")
    refused(gone, "start the server, correct the URL", "Connection refused")


def test_a_user_without_rights_in_the_database(server, database):
    server.sql("create role guest login password 's3cr-et'")
    url = server.url(database, role="guest", password="s3cr-et")
    try:
        refused(url, "ALTER DATABASE name OWNER TO user", "permission denied for schema public")
        server.sql(f"alter database {database} owner to guest")
        check_storage(url)
    finally:
        server.sql(f"drop owned by guest; alter database {database} owner to searcher", database)
        server.sql("drop role guest")


def test_the_recipe_of_the_documentation_gives_a_usable_database(server):
    """Its commands, but with a connection over TCP and a password that needs no terminal."""
    page = (ROOT / "docs" / "search.md").read_text()
    access = {"PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGUSER": ROLE, "PGPASSWORD": PASSWORD}
    commands = [line.split("#")[0].split()[3:] for line in page.splitlines() if line.startswith("sudo -u postgres ")]
    assert [command[0] for command in commands] == ["createuser", "createdb"]
    for program, *arguments in commands:
        own = [each.replace("searcher", "member") for each in arguments if each != "--pwprompt"]
        server.run(program, *own, **access)
    server.sql("alter role member password 'easy'")
    try:
        check_storage(server.url("studies", role="member", password="easy"))
    finally:
        server.sql("drop database studies with (force)")
        server.sql("drop role member")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_the_installed_driver_is_used(server, database, scheme):
    check_storage(server.url(database).replace("postgresql", scheme, 1))


@pytest.fixture
def dashboard(server: Server, database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """The address of optuna-dashboard, which reads the database."""
    pytest.importorskip("optuna_dashboard")
    check_storage(server.url(database))  # creates Optuna's tables
    monkeypatch.setenv("PGPASSWORD", PASSWORD)  # not on its command line
    port = free_port()
    arguments = [server.url(database, password=None), "--host", "127.0.0.1", "--port", str(port)]
    process = start([sys.executable, "-c", "from optuna_dashboard._cli import main; main()", *arguments], tmp_path)
    monkeypatch.delenv("PGPASSWORD")
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: process.poll() is not None or shown(address) is not None)
        assert process.poll() is None, process.communicate()
        yield address
    finally:
        kill_group(process)


def shown(address: str) -> dict[str, list[Any]] | None:
    """The trials that a dashboard shows, by study; None while it does not answer."""
    try:
        with urllib.request.urlopen(f"{address}/api/studies", timeout=PATIENCE) as answer:
            studies = json.load(answer)["study_summaries"]
        trials = {}
        for study in studies:
            with urllib.request.urlopen(
                f"{address}/api/studies/{study['study_id']}?after=0", timeout=PATIENCE
            ) as answer:
                trials[study["study_name"]] = json.load(answer)["trials"]
    except OSError:
        return None
    return trials


def test_optuna_dashboard_shows_the_trials_while_the_search_runs(fake_study, url, dashboard):
    seen: list[Any] = []

    def fate(job: Any) -> str:
        if job.number == 3 and not seen:
            seen.append(shown(dashboard))
        return "complete"

    study = fake_study(trials=5, storage=url, pruner="none", fate=fate)
    assert study.go()
    ((trials,),) = [found.values() for found in seen]
    assert [trial["state"] for trial in trials] == ["Complete"] * 3 + ["Running"]
    assert [trial["values"] for trial in trials[:3]] == [[record.value] for record in study.records[:3]]
    agrees(study, url)


@pytest.mark.slow
def test_programs_with_an_outage_and_a_kill(program, server, database, url, dashboard, tmp_path, monkeypatch):
    """Both meet optuna-dashboard, which shows every trial at the end."""
    monkeypatch.setenv(VARIABLE, url)
    (tmp_path / "tiny.yaml").write_text(TINY)
    storage = server.url(database, password=None)
    for name in ("a", "b"):
        text = f"{SMALL}space: tiny.yaml\nrun: {name}\ntrials: 12\nepochs: 40\npruner: none\nstorage: {storage}\n"
        (tmp_path / f"{name}.yaml").write_text(text)
    both = [program("search", f"{name}.yaml") for name in ("a", "b")]
    lines = [tmp_path / name / "trials.jsonl" for name in ("a", "b")]

    def recorded(more: int) -> None:
        begun = [counted(file) for file in lines]
        wait_for(lambda: all(counted(file) >= least + more for file, least in zip(lines, begun, strict=True)))

    recorded(1)
    server.stop()
    recorded(2)
    both[1].kill()
    wait_for(lambda: not members(both[1].pid))
    server.start()
    both[1] = program("resume", "b")
    errors = [process.communicate(timeout=PATIENCE)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], errors
    assert "does not answer; the search continues without it" in errors[0]
    assert "answers again and is up to date" in errors[0]
    agree_by_name([file.parent for file in lines], url)
    wait_for(lambda: [len(finished(trials)) for trials in (shown(dashboard) or {}).values()] == [12, 12])


def counted(file: Path) -> int:
    """The number of lines of a file that may not be there yet."""
    return file.read_text().count("\n") if file.exists() else 0


def finished(trials: list[Any]) -> list[Any]:
    """Those that are complete."""
    return [trial for trial in trials if trial["state"] == "Complete"]
