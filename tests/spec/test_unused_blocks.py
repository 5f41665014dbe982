"""A block or definition that nothing uses is said in a warning, once, with its place; it is no error."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import inception_search as ins
from inception_search.errors import UnusedBlockWarning
from inception_search.space.load_space import names as space_names
from inception_search.spec.documents.likely_mistakes import unused_blocks

HEAD = "schema: inception-search/network\nversion: 1\nname: n\ninput: 3x16x16\n"
UNUSED = f"{HEAD}blocks:\n  m: 3x3 8\n  n: [m, 1x1 4]\n  k: 1x1 4\nstages: {{a: 2 x k}}\n"

# A document, the blocks that nothing uses.
DOCUMENTS = [
    (UNUSED, ("m", "n")),
    (UNUSED.replace("2 x k", "[k, n]"), ()),
    (UNUSED.replace("{a: 2 x k}", "{a: {dag: [{inputs: [{node: 0, step: n}]}]}}"), ("k",)),
    (f"{UNUSED}aux: {{x: {{after: a, body: {{concat: [m, 1x1 2]}}}}}}\n", ("n",)),
]


def test_a_document_from_a_pipe_is_read_once() -> None:
    out, into = os.pipe()
    os.write(into, UNUSED.replace("2 x k", "[k, n]").encode())
    os.close(into)
    try:
        assert ins.load(f"/dev/fd/{out}").name == "n"
    finally:
        os.close(out)


@pytest.mark.parametrize(("text", "expected"), DOCUMENTS)
def test_unused_blocks_are_found(text: str, expected: tuple[str, ...]) -> None:
    if not expected:
        assert unused_blocks(ins.load(text)) == ()
        return
    with pytest.warns(UnusedBlockWarning, match=rf"line \d+: blocks\.{expected[0]}: no stage uses this block") as said:
        network = ins.load(text)
    assert unused_blocks(network) == expected
    assert len(said) == 1
    assert all(name in str(said[0].message) for name in expected)


def test_a_block_that_another_dialect_uses_is_used(tmp_path: Path) -> None:
    path = tmp_path / "n.yaml"
    path.write_text(f"{UNUSED}dialect: main\ndialects: {{other: {{stages: {{a: n}}}}}}\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ins.load(path)
        ins.load(f"{path}@other")
        for name in ins.list_models(dialects=False):
            ins.load(name)


def test_the_command_line_says_it_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "n.yaml"
    path.write_text(UNUSED)
    command = [sys.executable, "-m", "inception_search", "show", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stderr == (
        f"warning: {path}:6: blocks.m: no stage uses this block; use it ('m' as a step), or leave it out"
        " (the same holds for n)\n"
    )


SPACE = (
    "schema: inception-search/space\nversion: 1\nname: s\n"
    "define:\n  w: {$int: [4, 8]}\n  m: {conv: {kernel: 3, width: {$use: w}}}\n  k: relu\n"
    "network:\n  name: n\n  input: 3x16x16\n  blocks: {module: {$use: k}}\n  stages: {a: module}\n"
)

# A space, the entries of define that nothing uses.
SPACES = [
    (SPACE, ("w", "m")),
    (SPACE.replace("a: module", "a: [module, {$use: m}]"), ()),
    (SPACE.replace("a: module", "a: {$choice: {x: module, y: {$use: m}}}"), ()),
    (SPACE.replace("a: module", "a: [module, {conv: {kernel: 3, width: {$use: w}}}]"), ("m",)),
]


@pytest.mark.parametrize(("text", "expected"), SPACES)
def test_definitions_that_nothing_uses_are_found(text: str, expected: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(text)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert tuple(ins.load_space(path).unused) == expected
    assert [(each.category, str(each.message)) for each in said] == [
        (
            UnusedBlockWarning,
            f"{path}:{5 if name == 'w' else 6}: define.{name}: nothing uses this entry; use it ({{$use: {name}}}), "
            f"or leave it out{' (the same holds for m)' if len(expected) > 1 else ''}",
        )
        for name in expected[:1]
    ]


def test_every_definition_of_the_shipped_spaces_is_used() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in space_names():
            ins.load_space(name)


def test_a_search_says_it_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(SPACE)
    command = [sys.executable, "-m", "inception_search", "search", "--space", str(path), "--data", "nothing"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr.count("nothing uses this entry") == 1
    assert f"warning: {path}:5: define.w: nothing uses this entry" in done.stderr
