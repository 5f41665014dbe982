"""Checksums at the end of lines: a changed byte is seen."""

import json

import pytest

from inception_search.errors import DocumentError, Place
from inception_search.store.jsonl import sealed, unsealed

TEXT = '{"number": 1, "value": 0.5, "label": "grün, \\"check\\": \\"0123abcd\\"}"}'


def test_a_sealed_text_is_json_and_comes_back():
    line = sealed(TEXT)
    assert json.loads(line) == {**json.loads(TEXT), "check": json.loads(line)["check"]}
    assert unsealed(line) == TEXT
    assert unsealed(TEXT) == TEXT


def test_every_changed_bit_is_seen_or_changes_no_number():
    line = sealed(TEXT).encode()
    for at in range(len(line)):
        for bit in range(8):
            spoilt = bytearray(line)
            spoilt[at] ^= 1 << bit
            try:
                found = json.loads(unsealed(spoilt.decode()))
            except (ValueError, DocumentError):  # no UTF-8, no JSON, or another checksum
                continue
            found = {name: found.get(name) for name in json.loads(TEXT)}
            assert found == json.loads(TEXT), f"bit {bit} of byte {at}"


def test_the_error_says_where(tmp_path):
    with pytest.raises(DocumentError, match=r"^trials\.jsonl:3: checksum mismatch: the text was modified"):
        unsealed(sealed(TEXT).replace("0.5", "0.6"), Place("trials.jsonl", 3))


def test_a_changed_record_is_refused_and_named(make_record, tmp_path):
    from inception_search.store.run_folder import RunFolder

    run = RunFolder.create(tmp_path / "run", study_text="a: 1\n", space_text="b: 2\n")
    run.append_record(make_record(value=0.75))
    run.trials_file.write_text(run.trials_file.read_text().replace("0.75", "0.95"))
    with pytest.raises(DocumentError, match=r"trials\.jsonl:1: checksum mismatch"):
        run.records()
