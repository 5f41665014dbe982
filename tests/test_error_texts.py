"""Errors, warnings and notes are one paragraph: nothing in the input breaks their lines or steers a terminal."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import inception_search as ins
from inception_search.errors import DocumentError, InceptionSearchError, Place, one_line, raw, shorten, unknown_name

HOSTILE = "a\nb\r\x1b[31mred\x1b]0;title\x07\u202e\ud800\x00\u2028c"


class NoRepr:
    def __repr__(self) -> str:
        raise ValueError("no words")


class LongRepr:
    def __repr__(self) -> str:
        return HOSTILE


def endless() -> list[Any]:
    values: list[Any] = []
    values.append(values)
    return values


VALUES = [
    HOSTILE,
    raw(HOSTILE),
    raw("x\x07" * 10_000),
    NoRepr(),
    [NoRepr()],
    LongRepr(),
    10**5_000,  # Python refuses to write it in decimals
    {HOSTILE: HOSTILE},
    endless(),
    b"\0" * 10_000,
    "x" * 10**7,
    list(range(10**6)),
    float("nan"),
    object(),
    Path(HOSTILE.replace("\0", "")),
]


def assert_one_paragraph(text: str) -> None:
    assert text
    assert text.isprintable(), ascii(text)
    assert len(text) < 3_000


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_every_part_of_an_error_may_be_hostile(value: object) -> None:
    assert_one_paragraph(shorten(value))
    place = Place(HOSTILE, 3, HOSTILE)
    error = InceptionSearchError(HOSTILE, place=place, found=value, expected=HOSTILE, hint=HOSTILE)
    assert_one_paragraph(str(error))
    assert_one_paragraph(str(InceptionSearchError(HOSTILE, path=HOSTILE).at(file=HOSTILE, line=1)))
    assert_one_paragraph(str(unknown_name("thing", str(type(value)) + HOSTILE, [HOSTILE, "b"])))


def test_line_breaks_of_sentences_are_spaces_and_those_of_names_are_seen() -> None:
    assert one_line("a sentence\n  that goes\ton \x1b[1m") == "a sentence that goes on \\x1b[1m"
    assert str(DocumentError("broken", place=Place("a\nb.yaml", 2))) == "a\\nb.yaml:2: broken"


# Documents whose names, keys and values are hostile, as YAML writes them.
DOCUMENTS = [
    'schema: inception-search/network\nversion: 1\nname: "a\\e[31m\\nb"\nstages: {}\n',
    'schema: inception-search/network\nversion: 1\nname: n\nstages: {"a\\e[31m": 3x3 8}\n',
    'schema: inception-search/network\nversion: 1\nname: n\nstages: {a: "3x3 8 \\e[31m\\n x"}\n',
    'schema: inception-search/network\nversion: 1\nname: n\n"x\\ny\\a": 1\nstages: {a: 3x3 8}\n',
    'schema: "inception\\e[31m\\nsearch"\nversion: 1\n',
    'schema: inception-search/space\nversion: 1\nname: "\\e[1m"\nnetwork: {"\\n\\e": 1}\n',
]


@pytest.mark.parametrize("document", DOCUMENTS, ids=range(len(DOCUMENTS)))
@pytest.mark.parametrize("read", [ins.load, ins.load_space], ids=["load", "load_space"])
def test_hostile_documents(document: str, read: Any, tmp_path: Path) -> None:
    file = tmp_path / "a\n\x1b[31mb.yaml"
    file.write_text(document, encoding="utf-8")
    for source in (document, file):
        with pytest.raises(InceptionSearchError) as caught:
            read(source)
        assert_one_paragraph(str(caught.value))


def test_the_command_line_prints_one_line(tmp_path: Path) -> None:
    file = tmp_path / "a\x1b[31mb.yaml"
    unused = "schema: inception-search/network\nversion: 1\nname: n\nblocks: {b: 1x1 4}\nstages: {a: 3x3 8}\n"
    for text, code, begins in ((DOCUMENTS[2], 1, "error: "), (unused, 0, "warning: ")):
        file.write_text(text, encoding="utf-8")
        program = "from inception_search.cli.main import run; run()"
        command = [sys.executable, "-c", program, "show", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        [line] = done.stderr.splitlines()
        assert line.startswith(begins)
        assert "a\\x1b[31mb.yaml" in line
        assert line.isprintable()


def test_the_former_name_of_a_hint_still_works() -> None:
    with pytest.warns(DeprecationWarning, match=r"error\.hint"):
        assert InceptionSearchError("wrong", hint="turn it").mend == "turn it"
    with pytest.warns(DeprecationWarning, match=r"error\.hint") as warned:
        error = InceptionSearchError("wrong", mend="turn it")
    assert warned[0].filename == __file__
    assert str(error) == "wrong; turn it"
    with pytest.warns(DeprecationWarning, match=r"error\.hint"):
        assert str(InceptionSearchError("wrong", hint="turn it", mend="push it")) == "wrong; turn it"
    with pytest.warns(DeprecationWarning, match=r"error\.hint"):
        error.mend = "push it"
    assert (error.hint, str(error)) == ("push it", "wrong; push it")
