"""Files of a killed study that were cut, or have a changed byte: one sentence is said, and nothing else is lost."""

import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState

from inception_search.errors import InceptionSearchError
from inception_search.runner.job import read_jobs
from inception_search.store.record import TrialRecord
from inception_search.store.run_folder import RunFolder
from tests.study.conftest import FakeStudy
from tests.study.crashes import Crash, crash_at
from tests.study.spaces import THREE_POINTS

FILES = ["trials.jsonl", "journal.log", "results/1.json", "jobs/1.json", "jobs/2.json"]


def cut(data: bytes, at: int) -> bytes:
    return data[:at]


def changed(data: bytes, at: int) -> bytes:
    """Another digit where a digit is, another letter where a letter is: what is hardest to see."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def no_text(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] | 0x80]) + data[at + 1 :]


Damage = Callable[[bytes, int], bytes]
DAMAGES = [cut, changed, no_text]


class Killed:
    """Three networks are all there are: one is recorded, the result of the second waits, the third is trained."""

    def __init__(self, study: FakeStudy, patch: pytest.MonkeyPatch, kept: Path) -> None:
        self.study, self.run, self.kept = study, study.run.path, kept
        with patch.context() as inner:
            crash_at(inner, "record", 2, before=True)
            with pytest.raises(Crash):
                study.go(capacity=2)
        shutil.copytree(self.run, kept)
        self.finished = study.world.finished.copy()
        self.recorded, self.waiting = study.records, study.run.read_results()
        self.jobs = read_jobs(study.run)
        study.go(capacity=2)
        self.ends = ends(study.records)
        assert len(self.ends) == 3

    def damage(self, name: str, how: Damage, at: int) -> None:
        """Put the folder back to the moment of the kill, but for one byte, or the rest, of one file."""
        shutil.rmtree(self.run)
        shutil.copytree(self.kept, self.run)
        self.study.world.finished = self.finished.copy()
        self.study.notes.notes.clear()
        path = self.run / name
        path.write_bytes(how(path.read_bytes(), at))

    def size(self, name: str) -> int:
        return (self.kept / name).stat().st_size


@pytest.fixture
def killed(fake_study: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Killed:
    study = fake_study(space=THREE_POINTS, trials=3, pruner="none", baselines=False)
    return Killed(study, monkeypatch, tmp_path / "kept")


def ends(records: list[TrialRecord]) -> dict[str | None, float | None]:
    """What each network came to."""
    assert {record.state for record in records} == {"complete"}
    assert len({record.arch_id for record in records}) == len(records)
    return {record.arch_id: record.value for record in records}


def told(study: FakeStudy) -> list[str]:
    """Go on to the end, doing what an error says is to be done; what was said."""
    said = []
    for _ in range(2):
        try:
            assert study.go(capacity=2)
            break
        except InceptionSearchError as error:
            said.append(str(error))
            hint(study, said[-1])
    else:
        raise AssertionError(f"it does not go on: {said}")
    return said + [note for note in study.notes.notes if "no further new" not in note]


def hint(study: FakeStudy, sentence: str) -> None:
    if "empty journal.log and resume" in sentence or "empty the file and resume" in sentence:
        study.run.journal_file.write_bytes(b"")
        return
    assert "delete the line" in sentence or "delete its check" in sentence, sentence
    lines = study.run.trials_file.read_bytes().split(b"\n")
    found = re.search(r"trials\.jsonl:(\d+)", sentence)
    assert found, sentence
    del lines[int(found[1]) - 1]
    study.run.trials_file.write_bytes(b"\n".join(lines))


def survives(killed: Killed, name: str, how: Damage, at: int) -> None:
    killed.damage(name, how, at)
    study, where = killed.study, f"{how.__name__} at byte {at} of {name}"
    said = told(study)
    assert all("\n" not in sentence and str(study.run.path) in sentence for sentence in said), where
    assert len(said) <= 2, where
    assert ends(study.records) == killed.ends, where
    again = {key for key, count in study.world.finished.items() if count > 1}
    lost = {"trials.jsonl": killed.recorded[0].arch_id, "results/1.json": killed.jobs[1].arch_id}.get(name)
    assert {arch for arch, _ in again} <= {lost}, where
    if not again and name != "journal.log":
        assert said == [], where
    if name != "trials.jsonl":
        assert [record.number for record in study.records] == [0, 1, 2], where
    for record in study.records:
        trial = study.index[record.number]
        assert (trial.state, trial.value, trial.params) == (TrialState.COMPLETE, record.value, record.holes), where


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_file_costs_at_most_what_it_tells_of(killed, name, how):
    size = killed.size(name)
    for at in (*range(DAMAGES.index(how) * 31, size, 331), size - 1):
        survives(killed, name, how, at)


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("how", DAMAGES)
def test_a_file_damaged_at_any_byte_costs_at_most_what_it_tells_of(killed, name, how):
    for at in range(killed.size(name)):
        survives(killed, name, how, at)


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("name", ["trials.jsonl", "results/1.json", "jobs/1.json"])
def test_no_changed_byte_is_believed(killed, name, how):
    """At every byte: what is read is as it was, or it is refused in one sentence, or it is not there."""
    killed.damage(name, cut, 0)
    whole, run = (killed.kept / name).read_bytes(), killed.study.run
    for at in range(len(whole)):
        (killed.run / name).write_bytes(how(whole, at))
        if name == "trials.jsonl":
            assert records(run) in ([], killed.recorded), at
        elif name == "results/1.json":
            found = run.read_results().get(1, killed.waiting[1])
            assert {key: found.get(key) for key in killed.waiting[1]} == killed.waiting[1], at
        else:
            assert read_jobs(run).get(1, killed.jobs[1]) == killed.jobs[1], at


def records(run: RunFolder) -> list[TrialRecord]:
    """The records that can be read."""
    with suppress(InceptionSearchError):
        return run.records()
    return []


def test_an_index_that_says_otherwise_than_the_records_is_set_aside_and_made_anew(killed):
    killed.damage("journal.log", lambda data, at: data.replace(b'"values":[0.', b'"values":[1.'), 0)
    (said,) = told(killed.study)
    assert "journal.log differed from the records and was recreated" in said
    assert b'"values":[1.' in (killed.run / "journal.log.corrupt").read_bytes()
    assert [trial.value for trial in killed.study.index] == list(killed.ends.values())


def test_an_index_that_looks_the_other_way_is_made_anew_too(killed):
    killed.damage("journal.log", lambda data, at: data.replace(b'"directions":[2]', b'"directions":[1]'), 0)
    (said,) = told(killed.study)
    assert "was recreated" in said
    assert killed.study.driver.live.study.direction.name == "MAXIMIZE"


def test_a_record_that_is_gone_is_missed(killed):
    killed.damage("trials.jsonl", cut, 0)
    (said,) = told(killed.study)
    assert said.startswith(f"{killed.run}/trials.jsonl has lost the record of trial 0; its network is trained again")
