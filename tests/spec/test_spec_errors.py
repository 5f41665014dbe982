# ruff: noqa: E501 (tables: one row a line)
"""Every mistake in a document: which error, in which words, at which line and place."""

from __future__ import annotations

from pathlib import Path

import pytest

from inception_search.errors import DocumentError, LimitError, SchemaVersionError, ShapeError, SpecError
from inception_search.lowering import lower
from inception_search.spec.documents.parse import load_network, parse_network, parse_step, step_from_data

HEAD = "schema: inception-search/network\nversion: 1\nname: n\n"  # three lines: what is added begins at line 4

# What is added to the header, the words of the error, its line, its path.
RULES: list[tuple[str, str, int, str | None]] = [
    # misspelt fields, with what was meant
    ("stages:\n  stem:\n    conv:\n      kernel: 3x3\n      widht: 8\n", "unknown field.*'widht'.*did you mean 'width'", 8, "stem.widht"),
    ("stges:\n  stem: 3x3 8\n", "unknown field.*'stges'.*did you mean 'stages'", 4, "stges"),
    ("stages: {a: 3x3 8}\nhead:\n  clases: 10\n", "expected one of pool, hidden, dropout, embedding, classifier, classes.*mean 'classes'", 6, "head.clases"),
    ("stages: {a: 3x3 8}\naux:\n  x: {after: a, hiden: [3]}\n", "did you mean 'hidden'", 6, "aux.x.hiden"),
    ("stages: {a: 3x3 8}\nconv_defaults:\n  norm:\n    epss: 1e-3\n", "one of kind, eps, momentum, gamma.*mean 'eps'", 7, "conv_defaults.norm.epss"),
    ("stages: {a: 3x3 8}\npool_defaults: {cel: true}\n", "did you mean 'ceil'", 5, "pool_defaults.cel"),
    # wrong types
    ("stages:\n  a:\n    conv: {kernel: 3x3, width: wide}\n", "got 'wide'; expected an integer", 6, "a.width"),
    ("stages:\n  a:\n    conv: {kernel: 3x3, width: true}\n", "got True; expected an integer", 6, "a.width"),
    ("stages:\n  a:\n    conv: {kernel: 3x3, width: 8.0}\n", r"got 8\.0; expected an integer", 6, "a.width"),
    ("stages:\n  a:\n    conv: {kernel: 3x3, width: 007}\n", "got '007'; expected an integer", 6, "a.width"),
    ("stages:\n  a:\n    conv: {kernel: 3x3, width: 8, linear: yes}\n", "got 'yes'; expected true or false", 6, "a.linear"),
    ("stages:\n  a:\n    conv: {kernel: 3by3, width: 8}\n", r"'3by3'; expected 7x7, 7 or \[7, 7\]", 6, "a.kernel"),
    ("stages:\n  a:\n    conv: {kernel: 3x3, width: 8, padding: some}\n", r"expected same, valid, tf, 1, 1x2 or \[1, 2\]", 6, "a.padding"),
    ("stages:\n  a:\n    conv: {kernel: 3x3, width: 8, padding: [1, -1]}\n", "got -1; expected greater than or equal to 0", 6, "a.padding.1"),
    ("stages:\n  a: 3x3 8 s0\n", "got 0; expected greater than or equal to 1", 5, "a.stride"),
    ("stages: {a: 3x3 8}\nhead: 10\n", "expected fields", 5, "head"),
    ("stages: [3x3 8]\n", "expected fields", 4, "stages"),
    ("blocks: [[1x1 3]]\nstages: {a: 3x3 8}\n", "expected fields", 4, "blocks"),
    ("blocks: 5\nstages: {a: 3x3 8}\n", "got 5; expected fields", 4, "blocks"),
    ("aux: [1]\nstages: {a: 3x3 8}\n", "expected fields", 4, "aux"),
    ("input: 3x299\nstages: {a: 3x3 8}\n", "'3x299'; expected 3x299x299", 4, "input"),
    ("input: 3x0x299\nstages: {a: 3x3 8}\n", "got 0", 4, "input.height"),
    # unknown steps, flags, blocks
    ("stages:\n  a: 3x3 8\n  b: {cnov: {kernel: 3x3}}\n", "unknown step, got 'cnov'; did you mean 'conv'", 6, "b"),
    ("stages:\n  a: 3x3 8\n  b: 3x3\n", "a convolution needs its width: '3x3 64'", 6, "b"),
    ("stages:\n  a: max\n", "a pool needs its kernel: 'max 3x3'", 5, "a"),
    ("stages:\n  a: dropout\n", "write 'dropout 0.4'", 5, "a"),
    ("stages:\n  a: lrn 3\n", "'lrn' is written alone", 5, "a"),
    ("stages:\n  a: {max: 3x3}\n", "write 'max 3x3 s2', or {pool: {mode: max", 5, "a"),
    ("stages:\n  a:\n    - 3x3 8\n    - 3x3 8 vald\n", "unknown flag, got 'vald'.*did you mean 'valid'", 7, "a.1"),
    ("stages:\n  a: 3x3 8 s2 s3\n", "stride given twice", 5, "a"),
    ("stages:\n  a: 3x3 8 row_col split\n", "factor given twice", 5, "a"),
    ("stages:\n  a: dropout x\n", "not a number, got 'x'", 5, "a"),
    ("stages:\n  a: 3 x 3 x relu\n", "a repeat of a repeat.*multiply the two", 5, "a"),
    ("stages:\n  a: {conv: {kernel: 3x3, width: 8}, relu: }\n", "not a step", 5, "a"),
    ("stages:\n  a: {conv: {kind: pool, mode: max}}\n", "kind inside conv, got 'pool'", 5, "a"),
    ("stages:\n  a: {conv: }\n", "conv takes fields; expected conv: {kernel, width", 5, "a"),
    ("stages:\n  a: {chain: 3}\n", "chain takes a list, got 3", 5, "a.steps"),
    ("stages:\n  a: 7\n", "not a step, got 7", 5, "a"),
    ("blocks: {module: 3x3 8}\nstages:\n  a: 3x3 8\n  b:\n    - 1x1 8\n    - 4 x modul\n", "unknown block 'modul'; did you mean 'module'", 9, "b.1.body"),
    ("stages:\n  a: 3x3 8\n  b: relo\n", "unknown block 'relo'; did you mean 'relu'", 6, "b"),
    ("stages: {a: 3x3 8}\naux:\n  x:\n    after: a\n    body:\n      - nowhere\n      - relu\n", "unknown block 'nowhere'; blocks: none", 9, "aux.x.body.0"),
    # missing fields
    ("stages:\n  a:\n    conv: {kernel: 3x3}\n", "field 'width' is missing", 5, "a.width"),
    ("stages:\n  a:\n    block: {skip: add}\n", "field 'body' is missing", 5, "a.body"),
    ("stages: {a: 3x3 8}\naux:\n  x: {body: relu}\n", "field 'after' is missing", 6, "aux.x.after"),
    ("", "field 'stages' is missing", 1, "stages"),
    ("stages: {}\n", "one stage or more", 1, None),
    # rules of convolutions and pools
    ("stages:\n  a: 3x3 4>8\n", "mid 4 needs a factor in series; write row_col", 5, "a"),
    ("stages:\n  a: 3x3 4>8 split\n", "mid 4 needs a factor in series", 5, "a"),
    ("stages:\n  a: 1x7 8 row_col\n", "1x7 kernel cannot be factored as row_col", 5, "a"),
    ("stages:\n  a: 3x3 8 stacked\n", "odd square kernel of 5 or more, got 3x3", 5, "a"),
    ("stages:\n  a: 5x7 8 stacked\n", "odd square kernel of 5 or more, got 5x7", 5, "a"),
    ("stages:\n  a: {conv: {kernel: 5, width: 8, factor: stacked, padding: [2, 2]}}\n", "takes same, valid or tf padding", 5, "a"),
    ("stages:\n  a: 3x3 7 split\n", "must be even, got 7", 5, "a"),
    ("stages:\n  a: 3x3 8 split valid\n", "split needs same padding", 5, "a"),
    ("stages:\n  a: {conv: {kernel: 3, width: 4, groups: 4, factor: split}}\n", "half of width 4, for split, is not divisible", 5, "a"),
    ("stages:\n  a: {conv: {kernel: 3, width: 10, groups: 4}}\n", "width 10 is not divisible by groups 4", 5, "a"),
    ("stages:\n  a: {conv: {kernel: 3, width: 8, mid: 6, groups: 4, factor: row_col}}\n", "width 6 is not divisible by groups 4", 5, "a"),
    ("stages:\n  a: 2x2 8\n", r"an even kernel has no same padding; write valid, tf, or padding: \[h, w\]", 5, "a"),
    ("stages:\n  a: max 2x2 s2\n", "an even kernel has no same padding", 5, "a"),
    ("stages:\n  a: {pool: {mode: max, padding: [2, 2]}}\n", r"padding \[2, 2\] is more than half the kernel", 5, "a"),
    ("stages:\n  a: {block: {body: 3x3 8, stride: 2}}\n", "stride is that of the projected skip; write skip: project, or drop stride", 5, "a"),
    # names and places
    ("blocks:\n  relu: 3x3 8\nstages: {a: 3x3 8}\n", "cannot have the name of a step, got 'relu'", 5, "blocks.relu"),
    ("blocks:\n  A-b: 3x3 8\nstages: {a: 3x3 8}\n", "'A-b'; expected a name of lower-case letters", 5, "blocks.A-b"),
    ("stages:\n  a: 3x3 8\n  head: 3x3 8\n", "'head' is taken by the network's head", 6, "head"),
    ("stages:\n  input: max 3x3\n", "'input' is taken by the network's input", 5, "input"),
    ("stages:\n  a: relu\n  train: 3x3 8\n", "'train' is a word of Python or PyTorch.*another name", 6, "train"),
    ("stages:\n  a: relu\n  class: 3x3 8\n", "'class' is a word of Python", 6, "class"),
    ("stages: {a: relu}\naux:\n  forward: {after: a}\n", "'forward' is a word of Python or PyTorch", 6, "aux.forward"),
    ("stages:\n  mixed: 3x3 8\naux:\n  x:\n    after: mxied\n", "after unknown stage 'mxied'; did you mean 'mixed'", 8, "aux.x.after"),
    ("stages:\n  a: 3x3 8\n  b: absent\n", "'b' is absent; leave it out", 6, "b"),
    ("stages:\n  a:\n    - 3x3 8\n    - absent\n", "a chain cannot hold 'absent'.*only a concat", 5, "a"),
    ("stages:\n  a: 3 x identity\n", "a repeat cannot hold 'identity'", 5, "a"),
    # blocks inside blocks
    ("blocks:\n  a: b\n  b: [3x3 8, a]\nstages:\n  s: a\n", "block 'a' contains itself: a -> b -> a", 6, "blocks.b.1"),
    ("blocks:\n  a: 2 x a\nstages:\n  s: relu\n", "block 'a' contains itself", 5, "blocks.a.body"),
    # sizes
    ("stages:\n  a: 3x3 1000000000\n", "got 1000000000; expected less than or equal to 65536", 5, "a.width"),
    ("stages:\n  a: 1000000 x 3x3 8\n", "got 1000000; expected less than or equal to 1000", 5, "a.times"),
    ("stages:\n  a: {repeat: {times: 1000, body: {repeat: {times: 1000, body: 1000 x relu}}}}\n", "1000000000 steps when written out", 5, "a"),
    ("blocks:\n  a: 1000 x relu\n  b: 1000 x a\nstages:\n  s: relu\n", "1000000 steps when written out", 6, "blocks.b"),
    ("stages:\n" + "".join(f"  s{i}: 1000 x relu\n" for i in range(11)), "11000 steps when written out", 1, None),
    ("blocks:\n  b0: relu\n" + "".join(f"  b{i}: [b{i - 1}, b{i - 1}]\n" for i in range(1, 40)) + "stages:\n  s: relu\n", "steps when written out", 19, "blocks.b14"),
    ("blocks:\n  b0: relu\n" + "".join(f"  b{i}: b{i - 1}\n" for i in range(1, 3000)) + "stages:\n  s: b2999\n", "nested more than 64 deep", 2941, "blocks.b2936"),
]  # fmt: skip


@pytest.mark.parametrize(("added", "words", "line", "path"), RULES, ids=[row[0][:60] for row in RULES])
def test_a_mistake_is_named_with_its_place(added: str, words: str, line: int, path: str | None) -> None:
    with pytest.raises(SpecError, match=words) as caught:
        parse_network(HEAD + added, "net.yaml")
    assert (caught.value.place.line, caught.value.path) == (line, path)
    assert str(caught.value).startswith(f"net.yaml:{line}: ")


# Document, error, words, line.
HEADERS: list[tuple[str, type[DocumentError], str, int | None]] = [
    ("", DocumentError, "the document is empty", 1),
    ("# only a comment\n", DocumentError, "the document is empty", 2),
    ("---\n", DocumentError, "not a mapping; expected a document with schema: inception-search/network", None),
    ("- a\n", DocumentError, r"not a mapping, got \['a'\]", 1),
    ("schema: inception-search/space\nversion: 1\n", DocumentError, "unknown schema, got 'inception-search/space'", 1),
    ("version: 1\nname: n\n", DocumentError, "no schema line; begin the document with", 1),
    ("schema: [1]\n", DocumentError, "unknown schema", 1),
    ("schema: inception-search/network\nname: n\n", SchemaVersionError, "no usable version; write 'version: 1'", 1),
    ("schema: inception-search/network\nversion: '1'\n", SchemaVersionError, "no usable version, got '1'", 1),
    ("schema: inception-search/network\nversion: true\n", SchemaVersionError, "no usable version, got True", 1),
    ("schema: inception-search/network\nversion: 0\n", SchemaVersionError, "no usable version, got 0", 1),
    ("schema: inception-search/network\nversion: 2\n", SchemaVersionError, "version 2 of.*reads up to 1; upgrade", 1),
    ("a: 1\n---\nb: 2\n", DocumentError, "more than one document.*drop the '---' lines", 2),
]


@pytest.mark.parametrize(("document", "kind", "words", "line"), HEADERS, ids=[row[0] for row in HEADERS])
def test_a_document_says_what_it_is(document: str, kind: type[DocumentError], words: str, line: int | None) -> None:
    with pytest.raises(kind, match=words) as caught:
        parse_network(document, "net.yaml")
    assert caught.value.place.line == line
    assert caught.value.place.file == "net.yaml"


# Document, error, words, line: text that no reader may trust.
HOSTILE: list[tuple[str, type[DocumentError], str, int | None]] = [
    ("a: &x [1]\nb: *x\n", DocumentError, "anchors and aliases are not used", 1),
    ("&a [*a]\n", DocumentError, "anchors and aliases are not used", 1),  # a list inside itself
    ("a: 1\nb: {<<: {c: 1}}\n", DocumentError, "merge keys are not used", 2),
    ("!!python/object/apply:os.system ['x']\n", DocumentError, "tags are not used", 1),
    ("a: 1\nb: !!str 3\n", DocumentError, "tags are not used.*write the plain value", 2),
    ("[" * 100_000, LimitError, "nested too deeply; expected at most 64", 1),
    ("{a: " * 5_000, LimitError, "nested too deeply", 1),
    ("- " * 3_000, LimitError, "nested too deeply", 1),
    ("a: " + "x" * 600_000, LimitError, "too large, got 600003; expected at most 524288 bytes", None),
    ("[" + "a," * 30_000 + "]", LimitError, "too many nodes; expected at most 20000", 1),
    ("a: 1\nb: " + "x" * 5_000, LimitError, "a text is too long; expected at most 4096", 2),
    ("a: 1\nb: 1" + "0" * 400, LimitError, "a number is too large; expected at most 18 digits", 2),
    ("a: .inf", DocumentError, "not finite, got '.inf'", 1),
    ("a: NaN", DocumentError, "not finite, got 'NaN'", 1),
    ("a: -Infinity", DocumentError, "not finite", 1),
    ("a: 1e999", DocumentError, "not finite, got '1e999'", 1),
    ("a: 1\nb: 2\na: 3\n", DocumentError, "duplicate key, got 'a'; keep one of the two", 3),
    ('{"a": 1, "\\u0061": 2}', DocumentError, "duplicate key", 1),  # the same key in another spelling
    ("a: 1\nb: \0\n", DocumentError, r"the character U\+0000 is not allowed", 2),
    ("a: 1\nb: \x1b[31m\n", DocumentError, r"the character U\+001B is not allowed", 2),
    ('a: 1\n"\\e[31m": 2\n', DocumentError, "a key has control characters", 2),
    ("a: \ud800\n", DocumentError, r"U\+D800 is not allowed", 1),
    ('a: "\\ud800"\n', DocumentError, "half of a surrogate pair", 1),
    ('a: 1\nb: "\\U00110000"\n', DocumentError, "not valid YAML", 2),
    ('a: "\\UFFFFFFFF"\n', DocumentError, "not valid YAML", 1),
    ("a: 'open\n", DocumentError, "unexpected end of stream", 2),
    ("a: [1, 2\n", DocumentError, "not valid YAML: while parsing a flow sequence", 2),
    ("a:\n\t- b\n", DocumentError, "not valid YAML", 2),
    ("? [a]\n: b\n", DocumentError, "a key must be plain text", 1),
    ("%YAML 9.9\n---\na\n", DocumentError, "not valid YAML", 1),
]


@pytest.mark.parametrize("reader", [parse_step, parse_network])
@pytest.mark.parametrize(("document", "kind", "words", "line"), HOSTILE, ids=[row[0][:40] for row in HOSTILE])
def test_hostile_text_is_refused(
    reader, document: str, kind: type[DocumentError], words: str, line: int | None
) -> None:
    with pytest.raises(kind, match=words) as caught:
        reader(document, "net.yaml")
    assert caught.value.place.line == line
    assert str(caught.value).isprintable() or kind is not DocumentError  # nothing that a terminal would obey


@pytest.mark.parametrize("word", ["yes", "on", "1:30", "0o17", "0x1f", "1_000", "inf", "nan", "True", "2001-01-01"])
def test_only_json_has_values_all_else_is_text(word: str) -> None:
    with pytest.raises(SpecError, match="expected a number"):
        parse_step(f"dropout: {word}")


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ("repeat: {times: 1000, body: {repeat: {times: 1000, body: relu}}}", "1000000 steps when written out"),
        ("[" * 30 + "3x3" + "]" * 30, "needs its width"),
    ],
)
def test_a_step_alone_is_held_to_the_same_limits(item: str, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        parse_step(item)


def test_several_mistakes_are_counted() -> None:
    with pytest.raises(SpecError, match=r"and 2 more to correct") as caught:
        parse_network(HEAD + "stages:\n  a: 3x3 0\n  b: 3x3 0\n  c: 3x3 0\n")
    assert caught.value.path == "a.width"


def test_plain_data_with_other_keys_than_text_is_refused() -> None:
    with pytest.raises(SpecError, match="unknown step, got 1"):
        step_from_data({1: 2})


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"name: caf\xe9\n")
    large = tmp_path / "large.yaml"
    large.write_bytes(b"#" * 600_000)
    # path, error, words
    table: list[tuple[Path, type[DocumentError], str]] = [
        (tmp_path / "none.yaml", DocumentError, "no such file; check the path"),
        (tmp_path, DocumentError, "a folder, not a document; name the .yaml file in it"),
        (latin, DocumentError, r"not UTF-8 text \(byte 9\)"),
        (large, LimitError, "too large; expected at most 524288 bytes"),
        (Path("/dev/zero"), LimitError, "too large"),  # never ends
        (Path("a\0b.yaml"), DocumentError, "cannot be read"),
        (tmp_path / ("n" * 300 + ".yaml"), DocumentError, "cannot be read: File name too long"),
    ]
    for path, kind, words in table:
        with pytest.raises(kind, match=words) as caught:
            load_network(path)
        assert caught.value.place.file == str(path)


def test_a_byte_order_mark_and_windows_line_ends_are_read() -> None:
    document = HEAD + "stages:\n  a: 3x3 8\n"
    assert parse_network("\ufeff" + document.replace("\n", "\r\n")) == parse_network(document)


def test_json_with_characters_beyond_16_bits_is_read() -> None:
    parts = '"schema": "inception-search/network", "version": 1, "name": "n", "stages": {"a": "relu"}'
    assert parse_network(f'{{{parts}, "source": "\\ud83d\\ude00"}}').source == "\U0001f600"


# What is added to the header, words, line, path: documents that are fine and shapes that are not.
SHAPES: list[tuple[str, str, int, str]] = [
    ("input: 3x8x8\nstages:\n  a: 3x3 8\n  b:\n    - 1x1 4\n    - 9x9 8 valid\n", "kernel 9x9 is larger than its 8x8 map", 9, "b.1.conv"),
    ("input: 3x8x8\nstages:\n  a:\n    concat:\n      - 1x1 4\n      - 3x3 4 s2\n", "one map size, branch 1 differs, got '8x8, 4x4'", 6, "a.concat"),
    ("input: 3x8x8\nstages:\n  a:\n    concat:\n      - 1x1 4\n      - concat:\n          - 1x1 2\n          - max 9x9 valid\n", "pool kernel 9x9 is larger", 11, "a.branches.1.branches.1"),
    ("input: 3x8x8\nblocks:\n  m:\n    - 1x1 4\n    - 7x7 8 valid\nstages:\n  a: m\n  b: 2 x m\n", "kernel 7x7 is larger than its 2x2", 8, "b.0.1.conv"),
    ("input: 3x8x8\nstages:\n  a:\n    repeat:\n      times: 3\n      body:\n        - relu\n        - max 3x3 s2 valid\n", "pool kernel 3x3 is larger than its 1x1", 11, "a.2.1"),
    ("input: 3x8x8\nstages:\n  a:\n    block:\n      skip: add\n      body:\n        1x1 4\n", r"equal shapes, got '3x8x8 \+ 4x8x8'; give the block project: linear", 6, "a.add"),
    ("input: 3x8x8\nstages:\n  a: {conv: {kernel: 3, width: 4, groups: 2}}\n", "3 input channels are not divisible by groups 2", 6, "a.conv"),
    ("input: 3x8x8\nstages:\n  a: 9x9 4 valid row_col\n", "kernel 1x9 is larger than its 8x8 map", 6, "a.row.conv"),
    ("input: 3x8x8\nstages: {a: 1x1 4}\naux:\n  x:\n    after: a\n    body:\n      - relu\n      - avg 9x9 valid\n", "pool kernel 9x9", 11, "aux.x.body.1"),
]  # fmt: skip


@pytest.mark.parametrize(("added", "words", "line", "path"), SHAPES, ids=[row[3] for row in SHAPES])
def test_shapes_that_do_not_fit_are_named_with_their_place(added: str, words: str, line: int, path: str) -> None:
    network = parse_network(HEAD + added, "net.yaml")
    with pytest.raises(ShapeError, match=words) as caught:
        lower(network)
    place = caught.value.place
    assert (place.file, place.line, place.path) == ("net.yaml", line, path)
