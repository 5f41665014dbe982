"""A run folder that came from others never makes a verb write, empty or remove a file outside of it."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from inception_search.errors import InceptionSearchError, RunFolderError
from inception_search.report.study_report import write_study_report
from inception_search.runner import trial_process
from inception_search.store.links import FOLDERS, refuse_links
from inception_search.store.run_folder import RunFolder
from inception_search.study.attend import attend
from inception_search.study.final.finalize import finalize
from inception_search.study.proxy_scores import ProxyScores
from inception_search.study.search import resume
from tests.example import copy_example

FILES = (
    *("run.lock", "env.json", "report.html", "best.yaml", "study.yaml", "space.yaml", "journal.log", "trials.jsonl"),
    *("trials.jsonl.torn", "journal.log.corrupt", "growing.json", "finals.jsonl", "finals.json", "finals.md"),
    *("workers/driver", "jobs/data.safetensors", "jobs/0.json", "results/0.json", "results/0.json.corrupt"),
    *("checkpoints/0.safetensors", "checkpoints/0.state", "figures/front.svg", "finals/settings.jsonl"),
    *("finals/jobs/test.safetensors", "finals/checkpoints/x.state", ".study.yaml.0123456789abcdef.tmp"),
    *("figures/.front.svg.0123456789abcdef.tmp", "proxies.json"),
)
INNER = ("finals/jobs", "finals/results", "finals/checkpoints", "workers/host-1-0123abcd")
VERBS: dict[str, Callable[[Path], object]] = {
    "resume": lambda run: resume(run, trials=40),
    "report": lambda run: write_study_report(RunFolder.open(run)),
    "finalize": lambda run: finalize(run, top=1, seeds=1, epochs=1),
    "worker": lambda run: attend(run, idle=0.0, stop=threading.Event()),
}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_example(tmp_path_factory.mktemp("example") / "mine", records=12)


def linked(example: Path, tmp_path: Path, name: str) -> tuple[Path, Path, Path]:
    """A run folder with a link at ``name``, the link, and the folder outside that it leads into."""
    run, outside = Path(shutil.copytree(example, tmp_path / "mine")), tmp_path / "outside"
    outside.mkdir()
    for each in ("victim", "0.json", "baseline-v4_a.svg", ".front.svg.0123456789abcdef.tmp", "x.state"):
        (outside / each).write_text("precious\n")
    (outside / "host-1-0123abcd").mkdir()
    (outside / "host-1-0123abcd" / "alive").write_text("precious\n")
    place = run / name
    if place.is_dir():
        shutil.rmtree(place)
    place.unlink(missing_ok=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    target = outside if name in FOLDERS or name in INNER else outside / "victim"
    if name in ("study.yaml", "space.yaml", "trials.jsonl", "journal.log"):  # else it is no run folder at all
        target.write_bytes((example / name).read_bytes())
    place.symlink_to(os.path.relpath(target, place.parent))
    return run, place, outside


@pytest.mark.parametrize("name", [*FOLDERS, *INNER, *FILES])
def test_a_link_is_refused_by_its_name(example: Path, tmp_path: Path, name: str) -> None:
    run, place, outside = linked(example, tmp_path, name)
    before = contents(outside)
    refused = pytest.raises(RunFolderError, match=r"a symbolic link to .*, and nothing is written through it")
    with refused as told, RunFolder.open(run).hold():
        pass
    assert told.value.place.file == str(place)
    assert contents(outside) == before


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("name", ["figures", "workers/driver", "report.html", "best.yaml", "trials.jsonl"])
def test_every_verb_that_writes_refuses_it(example: Path, tmp_path: Path, name: str, verb: str) -> None:
    run, place, outside = linked(example, tmp_path, name)
    before = contents(outside)
    with pytest.raises(RunFolderError, match="symbolic link") as told:
        VERBS[verb](run)
    assert told.value.place.file == str(place)
    assert contents(outside) == before


def test_what_is_no_file_is_refused(example: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(example, tmp_path / "mine"))
    (run / "workers").mkdir(exist_ok=True)
    os.mkfifo(run / "workers" / "driver")
    with pytest.raises(RunFolderError, match="a pipe, a socket or a device"):
        refuse_links(run)


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Path]:
    """A run folder with more folders within each other than Python calls; the innermost holds a link."""
    here = os.open(tmp_path, os.O_RDONLY)
    for name in (names := ("results", *["x"] * 1200)):
        os.mkdir(name, dir_fd=here)
        here = step(here, name)
    os.symlink("anywhere", "link", dir_fd=here)
    yield tmp_path
    os.unlink("link", dir_fd=here)
    for name in reversed(names):
        here = step(here, "..")
        os.rmdir(name, dir_fd=here)
    os.close(here)


def step(here: int, name: str) -> int:
    """The folder ``name``, opened from the open folder ``here``, which is closed."""
    there = os.open(name, os.O_RDONLY, dir_fd=here)
    os.close(here)
    return there


def test_folders_are_looked_through_however_deep_they_are(deep: Path) -> None:
    with pytest.raises(RunFolderError, match="a symbolic link to 'anywhere'"):
        refuse_links(deep)


def test_the_page_of_a_report_is_replaced(example: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("old\n")
    assert write_study_report(RunFolder.open(example), page) == [page]
    assert page.read_text().startswith("<!DOCTYPE html>")
    assert sorted(tmp_path.iterdir()) == [page]


def test_a_link_to_the_run_folder_and_links_of_the_users_own_are_fine(example: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(example, tmp_path / "mine"))
    (run / "notes").symlink_to(tmp_path)
    (tmp_path / "latest").symlink_to(run)
    written = write_study_report(RunFolder.open(tmp_path / "latest"))
    assert (run / "report.html") in [path.resolve() for path in written]
    with RunFolder.open(tmp_path / "latest").hold():
        assert (run / "run.lock").read_text()


def test_scores_of_proxies_are_not_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious\n")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "proxies.json").symlink_to("../victim")
    scores = ProxyScores(tmp_path / "run", "data")
    scores.put("a1-0", "macs", 8, 0, 1.0)
    scores.save()
    assert "symbolic link" in scores.notes[-1]
    assert (tmp_path / "victim").read_text() == "precious\n"


@pytest.mark.parametrize("field", ["result", "checkpoint", "state"])
@pytest.mark.parametrize("path", ["../victim", "/tmp/victim", "results/../../victim"])
def test_a_job_that_names_a_file_outside_is_not_done(tmp_path: Path, field: str, path: str) -> None:
    from inception_search.runner.job import Job

    named = {"result": "results/0.json", "checkpoint": "checkpoints/0.safetensors", "state": None, field: path}
    job = Job(
        number=0, attempt=1, arch_id="a", started="", network={}, data="", fidelity={}, seed=0, device="cpu", **named
    )
    trial = trial_process.RunningJob(job, tmp_path / "run", "cpu")
    with pytest.raises(InceptionSearchError, match="a file outside its run folder"):
        trial_process._check_inside(trial)
