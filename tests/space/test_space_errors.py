# ruff: noqa: E501 (tables: one row a line)
"""Every mistake in a space document: which error, in which words, at which line and place."""

from __future__ import annotations

from pathlib import Path

import pytest

from inception_search.errors import DocumentError, InceptionSearchError, SchemaVersionError, SpecError, UnknownNameError
from inception_search.space.load_space import load_space
from inception_search.space.space import Space
from inception_search.spec.documents.parse import parse_step

HEAD = "schema: inception-search/space\nversion: 1\nname: s\n"  # three lines: what is added begins at line 4
NET = "network:\n  name: n\n  input: 3x16x16\n"  # and three more: what follows begins at line 7
WIDTH = "define: {width: {$int: [4, 8]}}\n"

# What is added to the header, the words of the error, its line, its path.
ERRORS: list[tuple[str, str, int, str | None]] = [
    # kinds of holes and their options
    (NET + "  stages:\n    a: {$chioce: {x: relu}}\n", r"unknown hole, got '\$chioce'; expected \$choice.*did you mean '\$choice'", 8, "a"),
    (NET + "  stages:\n    a: {conv: {kernel: 3, width: {$integer: [1, 2]}}}\n", r"unknown hole, got '\$integer'", 8, "a.width"),
    (NET + "  stages:\n    a: {conv: {kernel: 3, width: {$int: [8, 16], $step: 2}}}\n", r"unknown option of \$int, got '\$step'; expected \$name, \$log", 8, "a.width"),
    (NET + "  stages:\n    a: {$choice: {x: relu}, $log: true}\n", r"unknown option of \$choice, got '\$log'; expected \$name", 8, "a"),
    (WIDTH + NET + "  stages:\n    a: {conv: {kernel: 3, width: {$use: width, $log: true}}}\n", r"unknown option of \$use, got '\$log'; expected \$name, \$depth", 9, "a.width"),
    (NET + "  stages:\n    a: {conv: {kernel: 3, width: {$int: [8, 16], $log: yes}}}\n", r"\$log is true or false, got 'yes'", 8, "a.width"),
    (NET + "  stages:\n    a: {conv: {kernel: 3, width: {$int: [8, 16], $name: A b}}}\n", "not a name, got 'A b'; expected lower-case", 8, "a.width"),
    # choices and ranges
    (NET + "  stages:\n    a: {$choice: {}}\n", "an empty choice.*expected .choice: {label: sub-template", 8, "a"),
    (NET + "  stages:\n    a: {$choice: 3}\n", "an empty choice, got 3", 8, "a"),
    (NET + "  stages:\n    a: {conv: {kernel: 3, width: {$choice: []}}}\n", "an empty choice", 8, "a.width"),
    (NET + "  stages:\n    a: {conv: {kernel: 3, width: {$choice: [8, 16, 8]}}}\n", "a choice has one option twice", 8, "a.width"),
    (NET + "  stages:\n    a: {conv: {kernel: 3, width: {$choice: [8, '8']}}}\n", "a choice has one option twice", 8, "a.width"),  # one label
    (NET + "  stages:\n    a: {conv: {kernel: 3, width: {$int: [9, 8]}}}\n", r"a range without members, got \[9, 8\]; expected \[low, high, step\]", 8, "a.width"),
    (NET + "  stages:\n    a: {conv: {kernel: 3, width: {$int: [8, 17, 8]}}}\n", "high on the steps", 8, "a.width"),
    (NET + "  stages:\n    a: {conv: {kernel: 3, width: {$int: [8, 16, 0]}}}\n", "a range without members", 8, "a.width"),
    (NET + "  stages:\n    a: {conv: {kernel: 3, width: {$int: [0, 16], $log: true}}}\n", r"\$log needs low >= 1", 8, "a.width"),
    (NET + "  stages:\n    a: {conv: {kernel: 3, width: {$int: [8]}}}\n", r"not a range, got \[8\]; expected \[low, high\]", 8, "a.width"),
    (NET + "  stages:\n    a: {conv: {kernel: 3, width: {$int: [1.5, 2]}}}\n", "not a range", 8, "a.width"),
    (NET + "  stages:\n    a: {conv: {kernel: 3, width: {$int: 8}}}\n", "not a range, got 8", 8, "a.width"),
    (NET + "  stages:\n    a: {dropout: {$float: [0.5, 0.1]}}\n", r"a range without members, got \[0\.5, 0\.1\]", 8, "a.p"),
    (NET + "  stages:\n    a: {dropout: {$float: [0, 0.5], $log: true}}\n", "a range without members", 8, "a.p"),
    # names
    (NET + "  stages:\n    a: {conv: {kernel: 3, width: {$int: [8, 16], $name: w}}}\n    b: {conv: {kernel: 3, width: {$int: [8, 32], $name: w}}}\n", r"'w' names two holes with different domains; give one of the two holes a \$name", 9, "b.width"),
    (NET + "  stages:\n    a: {$choice: {x: relu, y: elu}, $name: w}\n    b: {$choice: {x: relu, z: elu}, $name: w}\n", "'w' names two holes with different domains", 9, "b"),
    (NET + "  stages:\n    a:\n      $choice:\n        x: {conv: {kernel: 3, width: {$int: [8, 16]}}}\n        y: {conv: {kernel: 3, width: {$int: [8, 32]}}}\n", "'a.width' names two holes with different domains", 11, "a.width"),
    (NET + "  blocks: {a: {conv: {kernel: 3, width: {$int: [8, 16]}}}}\n  stages:\n    a: {conv: {kernel: 3, width: {$int: [8, 16]}}}\n", r"'a.width' names two holes, here and at blocks.a.width; give one of the two holes a \$name", 9, "a.width"),
    # definitions
    (WIDTH + NET + "  stages:\n    a: {conv: {kernel: 3, width: {$use: widht}}}\n", "unknown definition, got 'widht'; expected one of width; did you mean 'width'", 9, "a.width"),
    (NET + "  stages:\n    a: {$use: c}\n", "unknown definition, got 'c'; expected one of none", 8, "a"),
    (NET + "  stages:\n    a: {$use: [c]}\n", "unknown definition", 8, "a"),
    ("define:\n  m: [relu, {$use: m}]\n" + NET + "  stages:\n    a: {$use: m}\n", "a definition contains itself: m -> m; write the inner one in full", 5, "a.1"),
    ("define:\n  l: {$use: m}\n  m:\n    - {$use: l}\n" + NET + "  stages:\n    a: {$use: m}\n", "a definition contains itself: m -> l -> m", 5, "a.0"),
    ("define:\n  m:\n    - relu\n    - 3x3 8 vald\n" + NET + "  stages:\n    a: {$use: m}\n", "unknown flag, got 'vald'", 7, "a.1"),  # the line of the definition
    ("define:\n  m: 3x3 8 vald\n" + NET + "  stages:\n    a: {$use: m}\n", "unknown flag, got 'vald'", 5, "a"),
    # holes where none can be
    (NET + "  stages: {$choice: {a: {x: relu}}}\n", "no hole is allowed here; put holes inside its steps", 7, "stages"),
    (NET + "  stages: {a: relu}\n  blocks: {$choice: {a: {x: relu}}}\n", "no hole is allowed here; put holes inside its steps", 8, "blocks"),
    (NET + "  stages: {a: relu}\n  source: {$choice: [a, b]}\n", "no hole is allowed here; write it out", 8, "source"),
    ("network:\n  name: {$choice: [a, b]}\n  stages: {a: relu}\n", "no hole is allowed here; write it out", 5, "name"),
    (NET + "  stages:\n    a: {$int: [1, 2]}\n", r"a number is not a step, got '\$int'; write {\$choice", 8, "a"),
    (NET + "  stages:\n    a: [relu, {$float: [0.1, 0.2]}]\n", "a number is not a step", 8, "a.1"),
    (NET + "  stages:\n    a:\n      lrn: {$choice: [1, 2]}\n", r"no hole is allowed here, got '\$choice'; give each field its own", 9, "a"),
    (NET + "  stages:\n    a: {conv: {kernel: 3, $int: [1, 2]}}\n", r"no hole is allowed here, got '\$int'", 8, "a"),
    (NET + "  stages:\n    a: {concat: {$choice: {x: [relu, elu]}}}\n", "concat takes a list", 8, "a.branches"),
    # misspelt parts and wrong values, before any point is drawn
    (NET + "  stages: {a: relu}\n  haed: {classes: 3}\n", "unknown field, got 'haed'.*did you mean 'head'", 8, "haed"),
    (NET + "  stages: {a: relu}\n  head:\n    clases: 3\n", "unknown field, got 'clases'; expected one of pool, hidden, dropout, embedding, classifier, classes", 9, "head.clases"),
    (NET + "  stages:\n    a:\n      conv:\n        kernel: 3\n        widht: {$int: [8, 16]}\n", "unknown field, got 'widht'.*did you mean 'width'", 11, "a.widht"),
    (NET + "  stages:\n    a:\n      $choice:\n        x: relu\n        y:\n          conv: {kernel: 3, width: 8, pading: valid}\n", "unknown field, got 'pading'.*mean 'padding'", 12, "a.pading"),  # in an option that the first point does not take
    (NET + "  stages: {a: relu}\n  aux: {x: {after: a, wieght: 2}}\n", "unknown field, got 'wieght'.*did you mean 'weight'", 8, "aux.x.wieght"),
    (NET + "  stages: {a: relu}\n  conv_defaults: {norm: {epss: 2}}\n", "unknown field, got 'epss'.*did you mean 'eps'", 8, "conv_defaults.norm.epss"),
    (NET + "  stages:\n    a: {$choice: {x: relu}}\n    b: 3x3 0\n", "got 0; expected greater than or equal to 1", 9, "b.width"),
    (NET + "  stages:\n    a: {conv: {kernel: 3, width: {$int: [-4, 0]}}}\n", "not a usable value, got -4; expected greater than or equal to 1", 8, "a.width"),  # no point at all
    (NET + "  stages:\n    a: {$choice: {x: relo}}\n", "unknown block 'relo'; did you mean 'relu'", 8, "a"),
    (NET + "  stages: {a: relu}\ncontians: {}\n", "unknown field, got 'contians'.*did you mean 'contains'", 8, "contians"),
    (NET + "  stages: {a: relu}\ncontains:\n  v: {modul: inception_v1.pool1}\n", "unknown field.*'modul'; expected one of module, network, width, multiple; did you mean 'module'", 9, "contains.v.modul"),
    (NET + "  stages: {a: relu}\ncontains:\n  v: {width: 0.5}\n", "names either a module or a network", 9, "contains.v"),
    (NET + "  stages: {a: relu}\ncontains:\n  v: {module: a.b, width: -1}\n", "got -1", 9, "contains.v.width"),
    ("define: [1]\n" + NET + "  stages: {a: relu}\n", "expected fields", 4, "define"),
    ("define: {A-b: relu}\n" + NET + "  stages: {a: relu}\n", "expected a name of lower-case letters", 4, "define.A-b"),
    (NET + "  stages: [relu]\n", r"got \['relu'\]; expected fields", 7, "stages"),
    (NET, "the network has no stages", 4, "network"),
    ("network: 3\n", "expected fields", 4, "network"),
    ("", "field 'network' is missing", 1, "network"),
]  # fmt: skip


@pytest.mark.parametrize(("added", "words", "line", "path"), ERRORS, ids=[row[1][:50] for row in ERRORS])
def test_a_mistake_is_named_with_its_place(added: str, words: str, line: int, path: str | None) -> None:
    with pytest.raises(SpecError, match=words) as caught:
        Space(HEAD + added, "s.yaml")
    assert (caught.value.place.file, caught.value.place.line, caught.value.path) == ("s.yaml", line, path)


# Document, error, words.
HEADERS: list[tuple[str, type[DocumentError], str]] = [
    ("", DocumentError, "the document is empty"),
    ("schema: inception-search/network\nversion: 1\n", DocumentError, "unknown schema.*begin the document with 'schema: inception-search/space'"),
    ("schema: inception-search/space\nversion: 2\n", SchemaVersionError, "reads up to 1; upgrade inception-search"),
    ("schema: inception-search/space\n", SchemaVersionError, "write 'version: 1'"),
]  # fmt: skip


@pytest.mark.parametrize(("document", "kind", "words"), HEADERS, ids=[row[2] for row in HEADERS])
def test_a_space_document_says_what_it_is(document: str, kind: type[DocumentError], words: str) -> None:
    with pytest.raises(kind, match=words):
        Space(document, "s.yaml")


# An entry of contains, error, words.
FIXED: list[tuple[str, type[InceptionSearchError], str]] = [
    ("{module: inception_v9.stem}", UnknownNameError, "unknown network, got 'inception_v9'.*did you mean"),
    ("{module: inception_v1.inception_3z}", UnknownNameError, "unknown module of inception_v1.*did you mean"),
    ("{network: inception_v9}", UnknownNameError, "unknown network"),
    ("{network: nowhere.yaml}", DocumentError, "no such file"),
    ("{module: inception_v4.inception_a, width: 1000000}", SpecError, "a width factor is positive and at most"),
    ("{module: inception_v1.inception_3a}", SpecError, "has no block or stage called 'module'"),
]


@pytest.mark.parametrize(("entry", "kind", "words"), FIXED, ids=[row[0] for row in FIXED])
def test_a_wrong_entry_of_contains_is_named_with_its_place(
    entry: str, kind: type[InceptionSearchError], words: str
) -> None:
    space = Space(
        f"{HEAD}{NET}  stages: {{a: relu}}\ncontains:\n  fine: {{network: inception_v1}}\n  v: {entry}\n", "s.yaml"
    )
    with pytest.raises(kind, match=words) as caught:
        dict(space.fixed_points)
    if kind is not DocumentError:
        assert (caught.value.place.file, caught.value.place.line) == ("s.yaml", 10)
        assert caught.value.path == "contains.v"


def test_options_of_a_hole_may_come_before_its_kind() -> None:
    space = Space(f"{HEAD}{NET}  stages: {{a: {{$name: kind_of, $choice: {{x: relu, y: elu}}}}}}\n")
    assert list(space.holes) == ["kind_of"]


def test_a_space_some_of_whose_points_break_rules_is_a_space() -> None:
    """The first point halves an odd width; the others do not."""
    space = Space(f"{HEAD}{NET}  stages: {{a: {{conv: {{kernel: 3, factor: split, width: {{$int: [3, 8]}}}}}}}}\n")
    assert space.decode({"a.width": 8}).stages["a"] == parse_step("3x3 8 split")


def test_an_error_in_a_fixed_module_names_no_line_of_the_template() -> None:
    space = Space(f"{HEAD}{NET}  blocks:\n    module: 3x3 8\n  stages: {{a: module}}\n", "s.yaml")
    network = space.with_module(parse_step("[3x3 8, 3x3 9]"))
    assert network.origin.line(("blocks", "module", "body", "steps", 1)) == 7  # the section, not the block's line


def test_whole_networks_can_be_fixed_points_at_a_width() -> None:
    space = Space(f"{HEAD}{NET}  stages: {{a: relu}}\ncontains: {{half: {{network: inception_v3, width: 0.5}}}}\n")
    assert space.fixed_points["half"].stages["mixed_5b"].branches[0].width == 32


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    for path, words in ((tmp_path / "none.yaml", "no such file"), (tmp_path, "a folder, not a document")):
        with pytest.raises(DocumentError, match=words):
            load_space(path)
