# ruff: noqa: E501 (tables: one row a line)
"""Dialects: what an overlay makes of its document, every mistake in one, and the overlays of all shipped networks."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import inception_search as ins
from inception_search.errors import DocumentError, LimitError, ShapeError, UnknownNameError
from inception_search.lowering import lower
from inception_search.spec.documents.dialect import dialects_of
from inception_search.spec.documents.files import shipped_folder
from inception_search.spec.documents.parse import load_network, network_from_data, parse_network
from inception_search.spec.documents.to_yaml import network_text
from inception_search.spec.documents.yaml_reader import read_yaml
from inception_search.spec.network import Network
from inception_search.spec.step import Concat, Conv, Pool

# Twelve lines: what is added begins at line 13.
MAIN = """\
schema: inception-search/network
version: 1
name: n
source: the one
dialect: main
input: 3x32x48
conv_defaults: {norm: {eps: 0.01, momentum: 0.2}, act: silu}
stages:
  a: {concat: [1x1 4, 3x3 4]}
  b: {pool: {mode: max, count_pad: true}}
head: {hidden: [8], dropout: 0.5, classes: 5}
aux: {x: {after: a, body: [avg 3x3, 1x1 2], weight: 0.1}, y: {after: b}}
"""
PLAIN = parse_network(MAIN)
SHIPPED = [f"{name}@{dialect}" for name in ins.list_models(dialects=False) for dialect in ins.list_dialects(name)]
DOCUMENTS = {name: shipped_folder() / "canonical" / f"{name}.yaml" for name in ins.list_models(dialects=False)}


def test_the_lines_counted_below_begin_where_they_should() -> None:
    assert MAIN.count("\n") == 12


# What the overlay says (indented below `dialects: {x: `), a part of the network, what that part is then.
MERGES: list[tuple[str, Callable[[Network], Any], Any]] = [
    ("{}", lambda n: {**n.to_dict(), "name": "n", "dialect": "main"}, PLAIN.to_dict()),  # nothing
    # mappings merge
    ("head: {dropout: 0.1}", lambda n: (n.head.dropout, n.head.classes, n.head.hidden), (0.1, 5, (8,))),
    ("conv_defaults: {norm: {momentum: 0.1}}", lambda n: (n.conv_defaults.norm.eps, n.conv_defaults.norm.momentum, n.conv_defaults.act), (0.01, 0.1, "silu")),
    ("aux: {x: {weight: 0.7}}", lambda n: (n.aux["x"].weight, n.aux["x"].after, list(n.aux)), (0.7, "a", ["x", "y"])),
    ("input: {height: 8}", lambda n: n.input.shape, (3, 8, 48)),  # also into one that was written as 3x32x48
    ("recipe: {label_smoothing: 0.1}", lambda n: n.recipe.label_smoothing, 0.1),  # a section that was not there
    ("blocks: {m: 3x3 8}, stages: {a: 2 x m}", lambda n: lower(n).cost().macs > 0, True),
    # steps and plain values replace
    ("input: 1x8x9", lambda n: n.input.shape, (1, 8, 9)),
    ("source: other", lambda n: n.source, "other"),
    ("head: {hidden: [3, 2]}", lambda n: n.head.hidden, (3, 2)),
    ("conv_defaults: {norm: none}", lambda n: n.conv_defaults.norm, None),
    ("stages: {a: 3x3 8}", lambda n: n.stages["a"], Conv(kernel=(3, 3), width=8)),
    ("stages: {a: {concat: [1x1 8, 1x1 9]}}", lambda n: n.stages["a"], Concat(branches=(Conv(kernel=(1, 1), width=8), Conv(kernel=(1, 1), width=9)))),
    ("stages: {b: {pool: {mode: avg}}}", lambda n: n.stages["b"], Pool(mode="avg")),  # no count_pad left over
    ("aux: {x: {body: {conv: {kernel: 1x1, width: 3}}}}", lambda n: n.aux["x"].body, Conv(kernel=(1, 1), width=3)),
    # null takes away
    ("aux: null", lambda n: n.aux, {}),
    ("aux: {x: null}", lambda n: list(n.aux), ["y"]),
    ("aux: {x: {weight: null}}", lambda n: n.aux["x"].weight, 0.3),  # what it is where nothing is said
    ("stages: {a: null}, aux: {x: null}", lambda n: list(n.stages), ["b"]),
    ("head: {dropout: null}", lambda n: (n.head.dropout, n.head.classes), (0.0, 5)),
    ("head: null", lambda n: n.head.classes, 1000),
    # order
    ("stages: {c: 3x3 8}", lambda n: list(n.stages), ["a", "b", "c"]),  # a new stage at the end
    ("stages: {b: 3x3 8, a: 1x1 4}", lambda n: list(n.stages), ["a", "b"]),  # others where they were
    # names
    ("{}", lambda n: (n.name, n.dialect), ("n@x", "x")),
]  # fmt: skip


@pytest.mark.parametrize(("overlay", "part", "value"), MERGES, ids=[row[0] for row in MERGES])
def test_an_overlay_makes(overlay: str, part: Callable[[Network], Any], value: Any) -> None:
    body = overlay if overlay == "{}" else f"{{{overlay}}}"
    assert part(parse_network(f"{MAIN}dialects: {{x: {body}}}\n", dialect="x")) == value


LIKE = f"""\
{MAIN}dialects:
  c: {{like: b, head: {{dropout: 0.3}}}}
  b: {{like: a, stages: {{c: 1x1 7}}, head: {{classes: 7, dropout: 0.2}}}}
  a: {{source: first, stages: {{b: 1x1 6, d: 1x1 9}}, aux: null}}
"""


def test_like_begins_from_another_dialect_wherever_it_stands() -> None:
    a, b, c = (parse_network(LIKE, dialect=name) for name in "abc")
    assert (c.name, c.dialect, c.source) == ("n@c", "c", "first")
    assert [list(n.stages) for n in (a, b, c)] == [["a", "b", "d"], ["a", "b", "d", "c"], ["a", "b", "d", "c"]]
    assert [(n.head.classes, n.head.dropout) for n in (a, b, c)] == [(5, 0.5), (7, 0.2), (7, 0.3)]
    assert a.aux == b.aux == c.aux == {}
    assert dialects_of(read_yaml(LIKE)) == {"main": "the one", "c": "first", "b": "first", "a": "first"}
    assert parse_network(LIKE) == parse_network(LIKE, dialect="main") == PLAIN


def test_reading_a_dialect_leaves_the_data_as_it_was() -> None:
    data = read_yaml(LIKE)
    before = json.dumps(data)
    assert network_from_data(data, dialect="c") == parse_network(LIKE, dialect="c")
    assert json.dumps(data) == before


def test_plain_data_and_json_have_dialects_too() -> None:
    plain = json.loads(json.dumps(read_yaml(LIKE)))
    assert network_from_data(plain, dialect="c") == parse_network(LIKE, dialect="c")
    assert parse_network(json.dumps(plain), dialect="c") == parse_network(LIKE, dialect="c")


class TestFiles:
    """``file.yaml@dialect``."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        Path("at@home").mkdir()
        for name in ("net.yaml", "a@b.yaml", "at@home/net.yaml", "inception_v3@keras.yaml"):
            Path(name).write_text(LIKE)

    @pytest.mark.parametrize(
        ("path", "name"),
        [
            ("net.yaml", "n"),
            ("net.yaml@b", "n@b"),
            ("net.yaml@main", "n"),
            ("./net.yaml@b", "n@b"),
            ("a@b.yaml", "n"),  # the file's own name has an @
            ("a@b.yaml@a", "n@a"),
            ("at@home/net.yaml", "n"),
            ("at@home/net.yaml@c", "n@c"),
            ("inception_v3@keras.yaml", "n"),
        ],
    )
    def test_load_reads(self, path: str, name: str) -> None:
        assert ins.load(path).name == name

    @pytest.mark.parametrize(
        ("path", "error", "words"),
        [
            ("net.yaml@d", UnknownNameError, r"net\.yaml:13: unknown dialect of n, got 'd'; expected one of a, b, c, main"),
            ("net.yaml@mian", UnknownNameError, "did you mean 'main'"),
            ("net.yaml@", UnknownNameError, "got ''; expected one of"),
            ("none.yaml@a", DocumentError, r"none\.yaml: no such file"),
            ("at@home/none.yaml", DocumentError, r"at@home/none\.yaml: no such file"),
            ("inception_v3@kears", UnknownNameError, r"inception_v3\.yaml:\d+: unknown dialect of inception_v3, got 'kears'; .*mean 'keras'"),
            ("inception_v3@", UnknownNameError, "unknown dialect of inception_v3, got ''"),
            ("inception_v3@x/y", DocumentError, "inception_v3@x/y: no such file"),
            ("incption_v3@keras", UnknownNameError, r"unknown network, got 'incption_v3@keras'.*or with @dialect"),
            ("@keras", UnknownNameError, "unknown network, got '@keras'"),
        ],
    )  # fmt: skip
    def test_load_refuses(self, path: str, error: type[Exception], words: str) -> None:
        with pytest.raises(error, match=words):
            ins.load(path)


def test_a_dialect_of_a_document_without_dialects_is_refused() -> None:
    bare = MAIN.replace("dialect: main\n", "")
    for text in (bare, f"{bare}dialects:\n"):
        with pytest.raises(
            UnknownNameError, match=r"f\.yaml.*unknown dialect of n, got 'keras'; the document has no dialects"
        ):
            parse_network(text, "f.yaml", "keras")


# What is added to MAIN from line 13 on, the words of the error for dialect x, its line, its path.
MISTAKES: list[tuple[str, str, int, str | None]] = [
    # no dialects
    ("dialects: 3", "not dialects, got 3; expected {name", 13, "dialects"),
    ("dialects: []", "not dialects", 13, "dialects"),
    ("dialects: false", "not dialects, got False", 13, "dialects"),
    ("dialects: [x]", "not dialects", 13, "dialects"),
    ("dialects:\n  y: {}\n  x: 3x3 8", "not a dialect, got '3x3 8'; expected sections", 15, "dialects.x"),
    ("dialects:\n  x:\n  y: {}", "not a dialect; expected sections", 14, "dialects.x"),
    ("dialects:\n  x: {}\n  y: [1]", "not a dialect", 15, "dialects.y"),  # also one nobody asked for
    # what an overlay cannot change
    *(
        (f"dialects:\n  x:\n    source: s\n    {key}: {value}", f"cannot change the document's {key}", 16, f"dialects.x.{key}")
        for key, value in (("name", "m"), ("schema", "s"), ("version", 1), ("dialect", "y"), ("dialects", "{}"))
    ),
    ("dialects:\n  x: {}\n  main: {}", "own dialect has this name", 15, "dialects.main"),
    # like
    ("dialects:\n  x:\n    source: s\n    like: y\n  yy: {}", "like an unknown dialect, got 'y'", 16, "dialects.x.like"),
    ("dialects:\n  x: {like: kears}\n  keras: {}", "did you mean 'keras'", 14, "dialects.x.like"),
    ("dialects:\n  x: {like: main}", "leave it out; a dialect starts from the document", 14, "dialects.x.like"),
    ("dialects:\n  x: {like: [y]}\n  y: {}", "like an unknown dialect", 14, "dialects.x.like"),
    ("dialects:\n  x: {like: {y: z}}\n  y: {}", "like an unknown dialect", 14, "dialects.x.like"),
    ("dialects:\n  x: {like: 7}\n  y: {}", "like an unknown dialect, got 7", 14, "dialects.x.like"),
    ("dialects:\n  x: {like: x}", "in a circle, got 'x'", 14, "dialects.x.like"),
    ("dialects:\n  x: {like: y}\n  y: {like: z}\n  z:\n    like: y", "in a circle, got 'y'", 17, "dialects.z.like"),
    # nothing to remove, at any depth
    ("dialects:\n  x:\n    stages:\n      a: 3x3 8\n      c: null", "'c' does not exist", 17, "dialects.x.stages.c"),
    ("dialects:\n  x:\n    head:\n      droput: null", "'droput' does not exist; did you mean 'dropout'", 16, "dialects.x.head.droput"),
    ("dialects:\n  x:\n    source: s\n    axu: null", "'axu' does not exist; did you mean 'aux'", 16, "dialects.x.axu"),
    ("dialects:\n  x:\n    aux:\n      x: {pool: null}", "'pool' does not exist", 16, "dialects.x.aux.x.pool"),
    ("dialects:\n  y: {aux: null}\n  x:\n    like: y\n    aux: null", "'aux' does not exist", 17, "dialects.x.aux"),
    # misspelt sections and fields: at the line of the overlay
    ("dialects:\n  x:\n    source: s\n    haed: {classes: 3}", "unknown field, got 'haed'.*mean 'head'", 16, "haed"),
    ("dialects:\n  x:\n    head:\n      dropout: 0.1\n      clases: 3", "unknown field, got 'clases'.*mean 'classes'", 17, "head.clases"),
    ("dialects:\n  x:\n    conv_defaults:\n      norm:\n        epss: 0.1", "mean 'eps'", 17, "conv_defaults.norm.epss"),
    ("dialects:\n  y:\n    head:\n      clases: 3\n  x:\n    like: y\n    source: s", "mean 'classes'", 16, "head.clases"),
    ("dialects:\n  x:\n    head: {classes: many}", "got 'many'; expected an integer", 15, "head.classes"),
    ("dialects:\n  x:\n    head: 3", "got 3; expected fields", 15, "head"),
    ("dialects:\n  x:\n    stages: [3x3 8]", "expected fields", 15, "stages"),
    ("dialects:\n  x:\n    input: 3x8", "'3x8'; expected 3x299x299", 15, "input"),
    ("dialects:\n  x:\n    input: {height: 0}", "got 0", 15, "input.height"),
    # bad steps
    ("dialects:\n  x:\n    stages:\n      c: 1x1 8\n      b:\n        conv:\n          widht: 8", "mean 'width'", 19, "b.widht"),
    ("dialects:\n  x:\n    stages:\n      b:\n        - 1x1 8\n        - 3x3", "needs its width: '3x3 64'", 18, "b.1"),
    ("dialects:\n  x:\n    stages:\n      c: relo", "unknown block 'relo'; did you mean 'relu'", 16, "c"),
    ("dialects:\n  x:\n    blocks:\n      m: null", "not a step", 16, "blocks.m"),
    ("dialects:\n  x:\n    stages:\n      a: absent", "'a' is absent", 16, "a"),
    ("dialects:\n  x:\n    stages:\n      a: null", "aux 'x' is after unknown stage 'a'", 12, "aux.x.after"),
    ("dialects:\n  x:\n    stages: null", "field 'stages' is missing", 1, "stages"),
]  # fmt: skip


@pytest.mark.parametrize(("more", "words", "line", "path"), MISTAKES, ids=[f"{r[3]}: {r[1][:40]}" for r in MISTAKES])
def test_a_mistake_is_reported_where_it_stands(more: str, words: str, line: int, path: str | None) -> None:
    with pytest.raises(DocumentError, match=words) as caught:
        parse_network(MAIN + more, "f.yaml", "x")
    place = caught.value.place
    assert (place.file, place.line, place.path) == ("f.yaml", line, path)


def test_a_dialect_whose_name_no_document_can_have_is_refused_at_its_line() -> None:
    for name in ("Keras", "a-b", "1x", "x" * 70):
        with pytest.raises(DocumentError, match="a name of l") as caught:
            parse_network(f"{MAIN}dialects:\n  y: {{}}\n  {name}: {{}}", "f.yaml", name)
        assert caught.value.place.line == 15


def test_a_document_without_a_name_gets_none_from_its_dialect() -> None:
    for name, words in (("", "field 'name' is missing"), ("name: 5\n", "got 5")):
        with pytest.raises(DocumentError, match=words):
            parse_network(MAIN.replace("name: n\n", name) + "dialects: {x: {}}", dialect="x")


def test_a_shape_that_does_not_fit_is_reported_at_the_line_of_the_overlay() -> None:
    more = "dialects:\n  x:\n    stages:\n      c: 1x1 8\n      b:\n        - 1x1 8\n        - 63x63 8 valid"
    with pytest.raises(ShapeError, match=r"f\.yaml:19: b\.1\.conv: the conv kernel 63x63 is larger"):
        lower(parse_network(MAIN + more, "f.yaml", "x"))


class TestShipped:
    @pytest.mark.parametrize("name", ins.list_models(dialects=False))
    def test_the_main_dialect_is_the_plain_network(self, name: str) -> None:
        main, *others = ins.list_dialects(name)
        assert ins.load(f"{name}@{main}") == ins.load(name)
        assert (ins.load(name).name, ins.load(name).dialect) == (name, main)
        assert ins.load(str(DOCUMENTS[name])) == ins.load(DOCUMENTS[name]) == ins.load(name)
        for other in others:
            network = ins.load(f"{name}@{other}")
            assert (network.name, network.dialect) == (f"{name}@{other}", other)
            assert ins.load(f"{DOCUMENTS[name]}@{other}") == network == load_network(DOCUMENTS[name], other)

    @pytest.mark.parametrize("name", ins.list_models(dialects=False))
    def test_every_dialect_says_what_it_stands_for(self, name: str) -> None:
        stands_for = ins.list_dialects(name)
        assert all(ins.load(f"{name}@{dialect}").source == source for dialect, source in stands_for.items())
        assert all(stands_for.values())
        assert len(set(stands_for.values())) == len(stands_for)
        data = read_yaml(DOCUMENTS[name].read_text(encoding="utf-8"))
        assert all("source" in overlay for overlay in data.get("dialects", {}).values())

    @pytest.mark.parametrize("name", ins.list_models(dialects=False))
    def test_no_two_dialects_are_the_same_network(self, name: str) -> None:
        def told_apart(dialect: str) -> str:
            data = ins.load(f"{name}@{dialect}").to_dict()
            return json.dumps({key: value for key, value in data.items() if key not in ("name", "dialect", "source")})

        assert len({told_apart(dialect) for dialect in ins.list_dialects(name)}) == len(ins.list_dialects(name))

    @pytest.mark.parametrize("name", SHIPPED)
    def test_it_lowers_and_reads_back_from_every_form(self, name: str) -> None:
        network = ins.load(name)
        assert lower(network).cost().params > 900_000
        data = json.loads(json.dumps(network.to_dict()))
        for again in (parse_network(network_text(network)), network_from_data(data)):
            assert again == network
            assert again.dialect == network.dialect
            assert lower(again).cost() == lower(network).cost()
        schema = json.loads((shipped_folder() / "network.schema.json").read_text(encoding="utf-8"))
        validator = jsonschema.Draft202012Validator(schema)
        assert not list(validator.iter_errors(data))

    @pytest.mark.parametrize("name", ins.list_models(dialects=False))
    def test_a_document_is_no_longer_than_a_page(self, name: str) -> None:
        assert len(DOCUMENTS[name].read_text(encoding="utf-8").splitlines()) <= 95


@pytest.mark.parametrize(
    "overlay",
    [
        {"name": "m"},
        {"haed": {}},
        {"stages": {"a": 3}},
        {"stages": ["3x3 8"]},
        {"like": 3},
        5,
    ],
)
def test_editors_mark_a_bad_overlay(overlay: Any) -> None:
    schema = json.loads((shipped_folder() / "network.schema.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    document = {"schema": "inception-search/network", "version": 1, "name": "x", "stages": {"a": "1x1 8"}}
    assert not list(validator.iter_errors(document | {"dialects": {"d": {"stages": {"a": None, "b": "3x3 8"}}}}))
    assert list(validator.iter_errors(document | {"dialects": {"d": overlay}}))


# Hostile dialects, from line 13 on, and the error they end in (None: they are read).
HOSTILE: list[tuple[str, str, type[Exception] | None]] = [
    ("4,000 dialects like one another", "dialects:\n  x: {}\n" + "".join(f"  d{i}: {{like: {f'd{i - 1}' if i else 'x'}}}\n" for i in range(4_000)), None),
    ("4,000 stages in each of two", "dialects:\n  x: {}\n" + "".join(f"  d{d}: {{like: x, stages: {{{', '.join(f's{i}: relu' for i in range(4_000))}}}}}\n" for d in (1, 3_999)), None),
    ("too many nodes", "dialects:\n" + "".join(f"  d{i}: {{source: s, aux: null}}\n" for i in range(5_000)), LimitError),
    ("too large", f"dialects: {{d3999: {{source: '{'x' * 600_000}'}}}}", LimitError),
    ("nested", "dialects: {d3999: " + "{stages: " * 80 + "null" + "}" * 81, LimitError),
    ("nested steps", "dialects: {d3999: {stages: {a: " + "[" * 70 + "relu" + "]" * 70 + "}}}", LimitError),
    ("10^9 filters", "dialects: {d3999: {stages: {a: 3x3 1000000000}}}", DocumentError),
    ("10^9 steps", "dialects: {d3999: {stages: {a: 1000000000 x relu}}}", DocumentError),
    ("10^6 steps", "dialects: {d3999: {stages: {a: [1000 x b, 1000 x b]}, blocks: {b: 500 x relu}}}", DocumentError),
    ("blocks in a circle", "dialects: {d3999: {stages: {a: b}, blocks: {b: [b, relu]}}}", DocumentError),
]  # fmt: skip


@pytest.mark.parametrize(("more", "error"), [row[1:] for row in HOSTILE], ids=[row[0] for row in HOSTILE])
def test_hostile_dialects_are_read_or_refused(more: str, error: type[Exception] | None) -> None:
    if error is None:
        assert parse_network(MAIN + more, dialect="d3999").name == "n@d3999"
    else:
        with pytest.raises(error):
            parse_network(MAIN + more, dialect="d3999")


SMALL = """\
dialects:
  x: {source: one, head: {dropout: 0.1, hidden: [3]}, stages: {a: 3x3 8, c: [relu, 1x1 4]}, aux: null}
  y: {like: x, input: {height: 9}, conv_defaults: {norm: {eps: 0.001}}, stages: {c: null}}
  z: {like: y, blocks: {m: {concat: [1x1 8, 3x3 4]}}, stages: {d: 2 x m}, preprocess: {resize: 40}, head: null}
"""
WORDS = [
    "null", "true", "0", "-1", "1e9", "''", "{}", "[]", "[x]", "{a: b}", "like", "x", "y", "z", "main", "name", "dialects",
    "dialect", "schema", "version", "stages", "blocks", "head", "aux", "input", "absent", "identity", "kind", "$choice",
    "3x3 8", "2 x m", "{x: null}", "{like: x}", "{like: [y]}", "source", "@", "\ud800", "\t", ":", "#", "body",
]  # fmt: skip


def mutated(rng: random.Random) -> str:
    """The dialects of the small document with some words or collections changed, moved, or cut off."""
    text = SMALL
    for _ in range(rng.randint(1, 4)):
        found = list(re.finditer(rng.choice((r"[\w.]+", r"[\w.]+", r"\{[^{}]*\}|\[[^\[\]]*\]", r"  \w: .*\n")), text))
        if not found:
            continue
        one = rng.choice(found)
        text = text[: one.start()] + rng.choice((rng.choice(WORDS), rng.choice(found)[0])) + text[one.end() :]
    return MAIN + text


def read(text: str, counts: dict[str, int]) -> None:
    """Every dialect that the document may have; only errors of ours come out, and they can be printed."""
    for dialect in (None, "main", "x", "y", "z"):
        try:
            lower(parse_network(text, "f.yaml", dialect)).cost()
            counts["read"] += 1
        except (DocumentError, ShapeError, UnknownNameError) as error:
            str(error).encode("utf-8")
            counts["refused"] += 1


@pytest.mark.parametrize("block", [0, *(pytest.param(block, marks=pytest.mark.slow) for block in range(1, 30))])
def test_mutated_dialects_are_read_or_refused(block: int) -> None:
    counts = {"read": 0, "refused": 0}
    for seed in range(40):
        read(mutated(random.Random(block * 100 + seed)), counts)
    assert min(counts.values()) > 20  # both happen, or the mutations test nothing
