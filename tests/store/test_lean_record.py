"""Records of large studies: in little memory, and in everything like the others."""

import re

import pytest

from inception_search.errors import DocumentError
from inception_search.store import query
from inception_search.store.lean_record import LEFT
from inception_search.store.record import TrialRecord
from inception_search.store.run_folder import RunFolder
from tests.example import EXAMPLE, copy_example

RUN = RunFolder.open(EXAMPLE)


def test_every_field_and_answer_is_that_of_the_whole_record():
    lean, whole = RUN.lean_records(), RUN.records()
    assert len(lean) == len(whole)
    for one, other in zip(lean, whole, strict=True):
        for name in (*TrialRecord.model_fields, "score", "reached", "scores", "quality", "measures"):
            assert getattr(one, name) == getattr(other, name), name
        assert one.to_json() == other.to_json()
        assert repr(one) == repr(other)
    assert [r.number for r in query.leaderboard(lean, 99)] == [r.number for r in query.leaderboard(whole, 99)]


def test_what_is_large_is_not_in_memory_and_what_is_alike_is_there_once():
    lean = RUN.lean_records()
    assert not any(name in record.__dict__ for record in lean for name in LEFT)
    assert len({id(record.fidelity) for record in lean if record.fidelity}) == 1


def test_a_copy_with_another_value_keeps_the_rest():
    record = RUN.lean_records()[0]
    copy = record.model_copy(update={"value": 0.25})
    assert (copy.value, copy.network, copy.curve) == (0.25, record.network, record.curve)
    assert TrialRecord.from_json(copy.to_json()) == RUN.records()[0].model_copy(update={"value": 0.25})


def test_the_latest_record_of_a_number_counts(tmp_path):
    run = RunFolder.open(copy_example(tmp_path / "run"))
    again = run.records()[3].model_copy(update={"curve": (), "seconds": 4711.0})
    run.append_record(again)
    assert run.lean_records()[3].seconds == 4711.0
    assert run.lean_records()[3].curve == ()


def test_a_damaged_line_is_an_error_when_it_is_read(tmp_path):
    run = RunFolder.open(copy_example(tmp_path / "run"))
    text = run.trials_file.read_text()
    run.trials_file.write_text(re.sub(r'"width": 16', '"width": 17', text, count=1))
    with pytest.raises(DocumentError, match="checksum"):
        run.lean_records()


def test_a_file_that_changed_meanwhile_is_an_error(tmp_path):
    run = RunFolder.open(copy_example(tmp_path / "run"))
    records = run.lean_records()
    lines = run.trials_file.read_text().splitlines(keepends=True)
    run.trials_file.write_text("".join(reversed(lines)))
    with pytest.raises(DocumentError):
        _ = records[0].network
    run.trials_file.write_text("".join(lines[1:]))
    with pytest.raises(DocumentError, match=r"changed while it was read, got 1; expected the record of trial 0"):
        _ = records[0].network
