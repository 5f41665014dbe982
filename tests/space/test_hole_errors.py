# ruff: noqa: E501 (tables: one row a line)
"""Mistakes in holes: which error, in which words, at which line and place."""

from __future__ import annotations

import pytest

from inception_search.errors import DocumentError, InceptionSearchError, LimitError, SpecError
from inception_search.space.space import Space
from tests.bounds import bounded
from tests.space.small import HEAD

A = "network:\n  name: n\n  input: 3x16x16\n  stages:\n    a: "  # what follows stands in line 8
WIDTH = A + "{conv: {kernel: 3, width: WIDTH}}\n"


def width(hole: str) -> str:
    """A template with ``hole`` for a width, in line 8."""
    return WIDTH.replace("WIDTH", hole)


def grammar(body: str) -> str:
    """A template whose stage is a definition ``g``, which is in line 5."""
    return f"define:\n  g: {body}\n{A}{{$use: g}}\n"


# What is added to the header, the words of the error, its line, its path.
ERRORS: list[tuple[str, str, int, str]] = [
    # weights
    (A + "{$choice: {x: relu, y: elu}, $weights: {x: 1}}\n", "'y' has no weight, got 'x'; expected a positive number for each of x, y$", 8, "a"),
    (A + "{$choice: {x: relu, yes: elu}, $weights: {x: 1, yess: 2}}\n", "'yess' is no option of the choice", 8, "a"),
    (A + "{$choice: {x: relu, yy: elu}, $weights: {x: 1, yy: 2, yyy: 3}}\n", "'yyy' is no option of the choice.*did you mean 'yy'", 8, "a"),
    (A + "{$choice: {x: relu, y: elu}, $weights: {x: 1, y: -2}}\n", "not a weight, got -2; expected a positive number for each of x, y", 8, "a"),
    (A + "{$choice: {x: relu, y: elu}, $weights: {x: 1, y: 0}}\n", "not a weight, got 0", 8, "a"),
    (A + "{$choice: {x: relu, y: elu}, $weights: {x: 1, y: true}}\n", "not a weight, got True", 8, "a"),
    (A + "{$choice: {x: relu, y: elu}, $weights: {x: 1, y: '2'}}\n", "not a weight, got '2'", 8, "a"),
    (A + "{$choice: {x: relu, y: elu}, $weights: {x: 1e308, y: 1e308}}\n", r"not a weight, got 1e\+308", 8, "a"),  # their sum is not a number
    (A + "{$choice: {x: relu, y: elu}, $weights: [1, 2]}\n", r"weights are given by label, got \[1, 2\]; expected a positive number for each of x, y", 8, "a"),
    (A + "{$choice: {x: relu, y: elu}, $weights: 3}\n", "weights are given by label, got 3", 8, "a"),
    # numbers that follow
    (width("{$of: c}"), r"no integer has this name, got 'c'; give the followed integer this \$name", 8, "a.width"),
    (A + "{conv: {kernel: 3, width: {$int: [4, 8], $name: width}}}\n    b: {conv: {kernel: 3, width: {$of: 2*widht}}}\n", r"no integer has this name, got '2\*widht'; did you mean 'width'", 9, "b.width"),
    (A + "{dropout: {$float: [0, 0.5], $name: c}}\n    b: {conv: {kernel: 3, width: {$of: c}}}\n", "no integer has this name, got 'c'", 9, "b.width"),
    (A + "{$choice: {x: relu, y: elu}, $name: c}\n    b: {conv: {kernel: 3, width: {$of: c}}}\n", "no integer has this name, got 'c'", 9, "b.width"),
    (A + "[{$many: [1, 2], of: relu, $name: c}, elu]\n    b: {conv: {kernel: 3, width: {$of: c}}}\n", "no integer has this name, got 'c'", 9, "b.width"),
    ("define: {m: {conv: {kernel: 3, width: {$int: [4, 8], $name: c}}}}\n" + A + "{$use: m}\n    b: {conv: {kernel: 3, width: {$of: c}}}\n", "no integer has this name, got 'c'", 10, "b.width"),  # that c is the use's
    *[(width(f"{{$of: {raw}}}"), "not an expression.*expected c, 2.c, in/4 or 3.c/2, where c is the .name of an integer", 8, "a.width")
      for raw in ("2.5*c", "c+1", "0*c", "c/0", "-c", "2*2*c", "c*2", "99999*c", "3", "[c]", "''", "null", "C", "é")],
    (width("{$of: in, $name: x}"), r"unknown option of \$of, got '\$name'", 8, "a.width"),
    (A + "{$of: in}\n", r"a number is not a step, got '\$of'", 8, "a"),
    (A + "relu\n  head: {classes: {$of: in}}\n", "no input channels are known here, got 'in'; in is allowed in fields of a conv", 9, "head.classes"),
    (A + "relu\n  head: {classes: {$choice: {x: 3, y: {$of: 2*in}}}}\n", r"no input channels are known here, got '2\*in'", 9, "head.classes"),
    (A + "{repeat: {times: {$of: in}, body: relu}}\n", "no input channels are known here", 8, "a.times"),
    # many
    (A + "[relu, {$many: [1, 2]}]\n", r"\$many has no of; expected {\$many: \[low, high\], of: step}", 8, "a.1"),
    (A + "[relu, {$many: 3, of: elu}]\n", "not a range, got 3", 8, "a.1"),
    (A + "[relu, {$many: [1, 3, 1], of: elu}]\n", "not a range", 8, "a.1"),
    (A + "[relu, {$many: [1, 2.5], of: elu}]\n", "not a range", 8, "a.1"),
    *[(A + f"[relu, {{$many: {given}, of: elu}}]\n", r"a range without members.*expected \[low, high\] with 0 <= low <= high, high from 1 to 256", 8, "a.1")
      for given in ("[2, 1]", "[0, 0]", "[-1, 2]", "[1, 257]", "[1, 100000]", "[300, 300]")],
    (A + "[relu, {$many: [1, 2], steps: elu}]\n", r"unknown option of \$many, got 'steps'; expected of, \$name", 8, "a.1"),
    (A + "[relu, {$many: [1, 2], of: 3x3}]\n", "a convolution needs its width", 8, "a.1.0"),
    (width("{$many: [1, 2], of: 3}"), r"\$many is not allowed as the value of a field; put it among the steps of a chain, the branches of a concat or the stages", 8, "a.width"),
    (A + "{concat: {$many: [1, 2], of: relu}}\n", "concat takes a list", 8, "a.branches"),
    # floats
    (A + "{dropout: {$float: [0.5, 0.5]}}\n", r"a range without members, got \[0\.5, 0\.5\]; expected \[low, high\], low < high", 8, "a.p"),
    (A + "{dropout: {$float: [-1e308, 1e308]}}\n", "a range without members", 8, "a.p"),  # longer than any number
    *[(A + f"{{dropout: {{$float: {given}}}}}\n", r"a range without members.*expected \[low, high, step\] with high on the steps, at most 10000 of them, and no \$log", 8, "a.p")
      for given in ("[0, 1, 0.3]", "[0, 0.5, 0]", "[0, 0.5, -0.1]", "[0, 0.5, 0.00001]", "[0.1, 0.5, 0.1], $log: true")],
    (A + "{dropout: {$float: [0, 0.1, 0.1, 0.1]}}\n", "not a range", 8, "a.p"),
    (A + "{dropout: {$float: ['0', 0.1]}}\n", "not a range", 8, "a.p"),
    # definitions that use themselves
    (grammar("[relu, {$use: g, $depth: 2}]"), r"'g' can only end by using itself again; put the \$use of 'g' inside 'g' in a \$choice that has an option without it", 5, "a.1.1.1"),
    (grammar("{$choice: {more: [relu, {$use: g, $depth: 2}]}}"), "'g' can only end by using itself again", 5, "a.1.1.1"),
    (grammar("{$choice: {end: elu, more: [relu, {$use: g}]}}"), r"a definition contains itself: g -> g; write the inner one in full, or limit the depth: {\$use: g, \$depth: 2}", 5, "a.1"),
    (grammar("{$choice: {end: elu, more: {$use: g, $depth: 1}}}"), "'a' names two holes with different domains", 5, "a"),
    *[(grammar(f"{{$choice: {{end: elu, more: [relu, {{$use: g, $depth: {depth}}}]}}}}"), "not a depth.*expected a whole number of 1 or more", 5, "a.1")
      for depth in ("0", "-1", "true", "two", "1.5", "[1]")],
    (A + "m\n  blocks: {m: {$use: m}}\n", "a definition contains itself: m -> m", 9, "blocks.m"),
    ("define: {w: {$int: [1, 2]}}\n" + width("{$use: w, $name: A}"), "not a name, got 'A'", 9, "a.width"),
    *[(width(f"{{$int: [1, 2], $name: {name}}}"), r"not a name.*expected lower-case letters, digits and _ \(not 'in', the input channels\), after / for the whole document", 8, "a.width")
      for name in ("in", "''", "/", "//x", "[a]", "3", "a.b", "A", "é", '"a\\n"')],
    # options that can be the same, and networks that are two points
    (A + "{$choice: {x: relu, y: relu}}\n", "options 'x' and 'y' can be the same; drop one, or use values that do not overlap", 8, "a"),
    (A + "{$choice: {x: 3x3 4, y: elu, z: {conv: {kernel: 3, width: 4, stride: 1}}}}\n", "options 'x' and 'z' can be the same", 8, "a"),
    (A + "{$choice: {x: {conv: {kernel: 3, width: {$int: [4, 8], $name: p}}}, y: {conv: {kernel: 3, width: {$int: [8, 12], $name: q}}}}}\n", "options 'x' and 'y' can be the same", 8, "a"),
    (A + "{$choice: {x: {conv: {kernel: 3, width: {$int: [4, 8, 2], $name: p}}}, y: {conv: {kernel: 3, width: {$int: [5, 11, 3], $name: q}}}}}\n", "options 'x' and 'y' can be the same", 8, "a"),  # 8 is in both
    (A + "{$choice: {x: {dropout: {$float: [0.1, 0.5], $name: p}}, y: dropout 0.3}}\n", "options 'x' and 'y' can be the same", 8, "a"),
    (A + "{$choice: {x: {$choice: {p: relu, q: elu}, $name: in_x}, y: elu}}\n", "options 'x' and 'y' can be the same", 8, "a"),
    (A + "[{$choice: {y: relu, n: identity}}, {$choice: {y: relu, n: identity}}]\n", "one network is two points.*consecutive parts that may be absent, repeated or chosen must differ in a field", 8, "a.0"),
    (A + "{concat: [1x1 4, {$choice: {y: relu, n: absent}}, {$choice: {y: relu, n: absent}}]}\n", "one network is two points", 8, "a.branches.1"),
    (A + "[{$many: [1, 2], of: relu}, {$many: [1, 2], of: relu}]\n", "one network is two points", 8, "a.0"),
    (A + "{$choice: {a: 3x3 16, b: [{conv: {kernel: 3x3, width: {$int: [1, 4000]}}}]}}\n", "one network is two points: a = a, and a = b", 8, "a"),
    (A + "{$choice: {b: {concat: [{conv: {kernel: 3x3, width: {$int: [1, 4000]}}}, absent]}, a: 3x3 16}}\n", "one network is two points", 8, "a"),
    (A + "[{repeat: {times: {$int: [1, 2]}, body: 3x3 4}}, elu]\n    b: {$many: [1, 2], of: {$choice: {n: absent, y: 3x3 5}}}\n", "one network is two points", 9, "b"),
    (width("{$choice: [8, 8.0]}"), r"one network is two points: a.width = 8\.0, and a.width = 8", 8, "a.width"),
    (A + "{conv: {kernel: 3, width: {$of: c/2}}}\n    b: {$choice: {y: {conv: {kernel: 3, width: {$int: [1, 4], $name: c}}}, n: relu}}\n", "one network is two points", 9, "b.width"),
    # steps that lack something, found when the first point is built
    (A + "{repeat: {body: relu}}\n    b: {$choice: {x: relu, y: elu}}\n", "field 'times' is missing", 8, "a.times"),
    (A + "{repeat: {times: {$int: [1, 2]}}}\n", "field 'body' is missing", 8, "a.body"),
    (A + "{dag: [{}]}\n    b: {$choice: {x: relu, y: elu}}\n", "field 'inputs' is missing", 8, "a.nodes.0.inputs"),
    (A + "relu\n  aux: {x: {$choice: {n: wrong}}}\n", "not a usable value, got 'wrong'; expected fields", 9, "aux.x"),
    (A + "relu\n  aux: {x: {body: {$many: [1, 2], of: {$many: [1, 2], of: relu}}}}\n", "field 'after' is missing", 9, "aux.x.after"),
    (A + "{$choice: [null]}\n", "not a step", 8, "a"),
    ("define: {m: 3}\n" + A + "{$use: m}\n", "not a step, got 3", 4, "a"),
]  # fmt: skip


@pytest.mark.parametrize(("added", "words", "line", "path"), ERRORS, ids=[row[0][-45:] for row in ERRORS])
def test_a_mistake_in_a_hole_is_named_with_its_place(added: str, words: str, line: int, path: str) -> None:
    with pytest.raises(SpecError, match=words) as caught:
        Space(HEAD + added, "s.yaml")
    assert (caught.value.place.file, caught.value.place.line, caught.value.path) == ("s.yaml", line, path)


# Numbers that are refused when the text is read.
NUMBERS: list[tuple[str, type[DocumentError], str]] = [
    ("{$choice: {x: relu, y: elu}, $weights: {x: 1, y: .nan}}", DocumentError, r"s\.yaml:8: a number is not finite"),
    ("{$choice: {x: relu, y: elu}, $weights: {x: 1, y: .inf}}", DocumentError, "a number is not finite"),
    ("{dropout: {$float: [0, .inf]}}", DocumentError, "a number is not finite"),
    ("{dropout: {$float: [.nan, 1]}}", DocumentError, "a number is not finite"),
    ("{conv: {kernel: 3, width: {$int: [1, 1" + "0" * 30 + "]}}}", LimitError, "a number is too large"),
]


@pytest.mark.parametrize(("hole", "kind", "words"), NUMBERS, ids=[row[0][:60] for row in NUMBERS])
def test_numbers_that_are_none_are_refused(hole: str, kind: type[DocumentError], words: str) -> None:
    with pytest.raises(kind, match=words):
        Space(f"{HEAD}{A}{hole}\n", "s.yaml")


DOUBLED = "".join(f"  m{i}: {{concat: [{{$use: m{i + 1}}}, {{$use: m{i + 1}}}]}}\n" for i in range(40))
WIDE = "{concat: [" + ", ".join(["{$use: g, $depth: 15}"] * 50) + "]}"
# Templates that are small as text and huge when written out.
EXPLOSIONS: dict[str, str] = {
    "many of many of many": A + "[{$many: [1, 256], of: {$many: [1, 256], of: {$many: [1, 256], of: relu}}}, elu]\n",
    "definitions that double": f"define:\n{DOUBLED}  m40: relu\n{A}{{$use: m0}}\n",
    "a deep grammar": grammar("{$choice: {end: relu, more: [elu, {$use: g, $depth: 1000}]}}"),
    "a deep and wide grammar": grammar("{$choice: {end: relu, more: " + WIDE + "}}"),
    "a deep grammar without end": grammar("[relu, {$use: g, $depth: 1000000000}]"),
    "many of a grammar": grammar("{$choice: {end: relu, more: {concat: [{$many: [1, 256], of: {$use: g, $depth: 9}}, elu]}}}"),
    "many of uses": "define: {m: [" + "relu, " * 500 + "elu]}\n" + A + "[{$many: [1, 256], of: {$use: m}}, elu]\n",
}  # fmt: skip


@pytest.mark.parametrize("label", EXPLOSIONS)
def test_templates_that_explode_are_refused_soon(label: str) -> None:
    with bounded(), pytest.raises(InceptionSearchError, match="the template is too large or too deep"):
        Space(HEAD + EXPLOSIONS[label], "s.yaml")


def test_large_templates_within_the_limits_are_read_soon() -> None:
    inner = "{$many: [1, 20], of: {dropout: {$float: [0, 0.4, 0.2]}}}"
    with bounded():
        space = Space(f"{HEAD}{A}[{{$many: [1, 128], of: [relu, {inner}]}}, elu]\n")
    assert space.size == sum(sum(3**n for n in range(1, 21)) ** n for n in range(1, 129))


# The fields of an option that share something with others but are no two points.
TOLD_APART: list[str] = [
    "{$choice: {x: {conv: {kernel: 3, width: {$int: [4, 8, 2], $name: p}}}, y: {conv: {kernel: 3, width: {$int: [5, 9, 2], $name: q}}}}}",
    "{$choice: {x: {conv: {kernel: 3, width: {$int: [4, 8]}}}, y: {conv: {kernel: 5, width: {$int: [4, 8]}}}}}",
    "{$choice: {x: [relu, elu], y: [elu, relu], z: relu}}",
    "[{$choice: {y: relu, n: identity}}, 3x3 4, {$choice: {y: relu, n: identity}}]",
    "[{$many: [1, 2], of: relu}, elu, {$many: [1, 2], of: relu}]",
    "{$choice: {x: {dropout: {$float: [0.1, 0.3], $name: p}}, y: {dropout: {$float: [0.4, 0.5], $name: q}}}}",
]


@pytest.mark.parametrize("step", TOLD_APART)
def test_options_that_can_be_told_apart_are_a_space(step: str) -> None:
    space = Space(f"{HEAD}{A}{step}\n", "s.yaml")
    for seed in range(30):
        network, params = space.draw(seed, "holes")
        assert space.encode(network) == params
