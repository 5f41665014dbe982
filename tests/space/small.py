# ruff: noqa: E501 (tables: one row a line)
"""Small spaces, and every point of a space found by trying."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from functools import cache

from inception_search.errors import NotInSpaceError, SpecError
from inception_search.space.holes import Params
from inception_search.space.space import Space

HEAD = "schema: inception-search/space\nversion: 1\nname: s\n"


def space(network: str, define: str = "") -> Space:
    """A space with ``network``'s lines, indented by two, under the header of its template."""
    given = "" if "  input:" in network else "  input: 3x16x16\n"
    return Space(f"{HEAD}{define}network:\n  name: n\n{given}{network}", "space.yaml")


C = "{conv: {kernel: 3x3, width: {$int: [4, 5]}}}"  # a convolution of two widths
OPS = "define: {op: {$choice: {conv: " + C + ", pool: max 3x3}}}\n"  # 3 points

# Lines of the template, the definitions, and how many points it has.
SMALL: dict[str, tuple[str, str, int]] = {
    "no hole": ("  stages: {a: 3x3 8}\n", "", 1),
    "one integer": ("  stages: {a: {conv: {kernel: 3x3, width: {$int: [4, 16, 4]}}}}\n", "", 4),
    "two integers": ("  stages:\n    a: {conv: {kernel: 3x3, width: {$int: [4, 6]}}}\n    b: {conv: {kernel: 3x3, width: {$int: [1, 2]}}}\n", "", 6),
    "one name for two holes": ("  stages:\n    a: {conv: {kernel: 3x3, width: {$int: [4, 6], $name: w}}}\n    b: {conv: {kernel: 1x1, width: {$int: [4, 6], $name: w}}}\n", "", 3),
    "logarithmic": ("  stages: {a: {conv: {kernel: 3x3, width: {$int: [4, 9], $log: true}}}}\n", "", 6),
    "choice of values": ("  stages: {a: {conv: {kernel: 3x3, width: 8, linear: {$choice: [true, false]}}}}\n", "", 2),
    "choice of steps": ("  stages: {a: {$choice: {small: 3x3 4, large: 5x5 8, none: identity}}}\n", "", 3),
    "choice with holes inside": ("  stages: {a: {$choice: {conv: {conv: {kernel: 3x3, width: {$int: [4, 6]}}}, pool: max 3x3}}}\n", "", 4),
    "options share the holes at one place": ("  stages: {a: {$choice: {s: {conv: {kernel: 3x3, width: {$int: [4, 6]}}}, l: {conv: {kernel: 5x5, width: {$int: [4, 6]}}}}}}\n", "", 6),
    "choices inside choices": ("  stages: {a: [{$choice: {x: {$choice: {p: relu, q: elu}, $name: inner}, y: max 3x3}}, 3x3 4]}\n", "", 3),
    "choices inside fields of choices": ("  stages: {a: {$choice: {x: {pool: {mode: {$choice: [max, avg]}, kernel: 3x3, count_pad: {$choice: [true, false]}}}, y: {act: {$choice: [relu, silu]}}}}}\n", "", 6),
    "choices with weights": ("  stages: {a: {$choice: {x: relu, y: elu, z: {dropout: {$choice: [0.1, 0.2]}}}, $weights: {x: 1, y: 9, z: 0.5}}}\n", "", 4),
    "null as an option": ("  stages: {a: {conv: {kernel: 3x3, width: 8, factor: row_col, mid: {$choice: [null, 4]}}}}\n", "", 2),
    "kernels": ("  stages: {a: {conv: {kernel: {$choice: [1x1, 3x3, 1x7]}, width: 8}}}\n", "", 3),
    "square kernels": ("  stages: {a: {conv: {kernel: {$int: [1, 7, 2]}, width: 8}}}\n", "", 4),
    "one side of a kernel": ("  stages: {a: {conv: {kernel: [1, {$int: [3, 7, 2]}], width: 8}}}\n", "", 3),
    "hidden layers": ("  stages: {a: 3x3 8}\n  head: {hidden: [{$int: [3, 4]}, {$int: [5, 7]}]}\n", "", 6),
    "heads": ("  stages: {a: 3x3 8}\n  head: {$choice: {deep: {hidden: [{$int: [3, 4]}]}, flat: {pool: max}}}\n", "", 3),
    "norms": ("  conv_defaults: {norm: {$choice: [none, batch]}, act: {$choice: [relu, silu]}}\n  stages: {a: 3x3 8}\n", "", 4),
    "inputs": ("  input: {$choice: {small: 3x16x16, large: 3x32x32}}\n  stages: {a: 3x3 8}\n", "", 2),
    "steps of a float": ("  stages: {a: {dropout: {$float: [0, 0.4, 0.1]}}}\n", "", 5),
    "steps of a float, named": ("  stages: {a: {dropout: {$float: [0.1, 0.3, 0.1], $name: p}}}\n  head: {dropout: {$float: [0.1, 0.3, 0.1], $name: p}}\n", "", 3),
    "negative floats": ("  stages: {a: {block: {skip: add, project: linear, scale: {$float: [-0.3, 0.3, 0.2]}, body: 3x3 4}}}\n", "", 4),
    # repeats: one whose number is 1 stands as its body
    "repeats": ("  stages: {a: {repeat: {times: {$int: [1, 3]}, body: {conv: {kernel: 3x3, width: {$int: [4, 5]}}}}}}\n", "", 6),
    "repeats in a chain": (f"  stages: {{a: [{{repeat: {{times: {{$int: [1, 3]}}, body: [relu, {C}]}}}}, max 3x3]}}\n", "", 6),
    "repeats by choice": ("  stages: {a: [elu, {repeat: {times: {$choice: [1, 2, 5]}, body: relu}}, elu]}\n", "", 3),
    "repeats inside repeats": ("  stages: {a: {repeat: {times: {$int: [1, 2]}, body: [relu, {repeat: {times: {$int: [1, 3], $name: inner}, body: max 3x3}}]}}}\n", "", 6),
    "repeats of one number": ("  stages: {a: {repeat: {times: {$int: [1, 3], $name: t}, body: relu}}, b: 3x3 4, c: {repeat: {times: {$int: [1, 3], $name: t}, body: elu}}}\n", "", 3),
    "repeats that do not vary": (f"  stages: {{a: {{repeat: {{times: 1, body: {C}}}}}, b: {{repeat: {{times: 2, body: {C}}}}}}}\n", "", 4),
    "repeats of a choice": ("  stages: {a: {repeat: {times: {$int: [1, 2]}, body: {$choice: {x: relu, y: [elu, max 3x3]}, $name: op}}}}\n", "", 4),
    "repeats in branches": (f"  stages: {{a: {{concat: [1x1 4, {{repeat: {{times: {{$int: [1, 2]}}, body: {C}}}}}]}}}}\n", "", 4),
    # parts that may be absent
    "absent branches": ("  stages:\n    a: {concat: [1x1 4, {$choice: {none: absent, some: 3x3 4}}, {$choice: {none: absent, some: max 3x3}}]}\n", "", 4),
    "a branch left alone in a chain": ("  stages:\n    a: [3x3 8, {concat: [[1x1 4, 3x3 4], {$choice: {none: absent, some: 1x1 3}}]}, 3x3 9]\n", "", 2),
    "a shortcut left alone in a chain": ("  stages:\n    a: [3x3 8, {concat: [identity, {$choice: {none: absent, some: 1x1 3}}]}, 3x3 9]\n", "", 2),
    "a concat left alone in a concat": ("  stages:\n    a: {concat: [{concat: [{concat: [1x1 4, 3x3 4]}, {$choice: {none: absent, some: 1x1 3}}]}, 3x3 9]}\n", "", 2),
    "a concat that goes": ("  stages:\n    a: {concat: [{concat: [{$choice: {n: absent, o: 5x5 2}}, {$choice: {none: absent, some: 1x1 3}}]}, 3x3 9]}\n", "", 4),
    "optional steps": ("  stages: {a: [{$choice: {y: 3x3 4, n: identity}}, 5x5 8, {$choice: {y: 1x1 4, n: identity}}]}\n", "", 4),
    "optional stages": (f"  stages: {{a: {{$choice: {{n: absent, y: {C}}}}}, b: relu, c: {{$choice: {{n: absent, y: 5x5 8}}}}}}\n", "", 6),
    "optional stages, one decision": ("  stages: {a: relu, b: {$choice: {two: absent, three: 3x3 4}, $name: phases}, c: {$choice: {two: absent, three: 5x5 4}, $name: phases}}\n", "", 2),
    "optional heads": ("  stages: {a: 3x3 8}\n  aux: {x: {$choice: {n: null, y: {after: a, hidden: [{$int: [3, 4]}]}}}}\n", "", 3),
    "two optional heads": ("  stages: {a: 3x3 8, b: 3x3 4}\n  aux: {x: {$choice: {n: null, y: {after: a}}}, z: {$choice: {n: null, y: {after: b, weight: 0.5}}}}\n", "", 4),
    "heads after a choice of stages": ("  stages: {a: 3x3 8, b: 3x3 4}\n  aux: {x: {after: {$choice: [a, b]}, body: " + C + "}}\n", "", 4),
    # a variable number
    "many in a chain": (f"  stages: {{a: [{{$many: [1, 3], of: {C}}}, relu]}}\n", "", 2 + 4 + 8),
    "none or many in a chain": (f"  stages: {{a: [relu, {{$many: [0, 2], of: {C}}}]}}\n", "", 1 + 2 + 4),
    "many in a body": (f"  stages: {{a: {{block: {{body: {{$many: [1, 2], of: {C}}}}}}}}}\n", "", 2 + 4),
    "many in a repeated body": (f"  stages: {{a: {{repeat: {{times: 2, body: {{$many: [1, 2], of: {C}}}}}}}}}\n", "", 2 + 4),
    "many branches": (f"  stages: {{a: {{concat: [1x1 4, {{$many: [1, 3], of: {C}}}]}}}}\n", "", 2 + 4 + 8),
    "none or many branches": (f"  stages: {{a: {{concat: [max 3x3, {{$many: [0, 2], of: {C}}}]}}}}\n", "", 1 + 2 + 4),
    "many branches, one left alone": (f"  stages: {{a: [relu, {{concat: [{{$many: [1, 2], of: {C}}}]}}, relu]}}\n", "", 2 + 4),
    "many stages": (f"  stages: {{a: {{$many: [1, 2], of: {C}}}, b: relu}}\n", "", 2 + 4),
    "none or many stages": (f"  stages: {{b: relu, a: {{$many: [0, 2], of: {C}}}}}\n", "", 1 + 2 + 4),
    "many stages or none": (f"  stages: {{b: relu, a: {{$choice: {{n: absent, y: {{$many: [1, 2], of: {C}, $name: count}}}}}}}}\n", "", 1 + 2 + 4),
    "many in a head": ("  stages: {a: 3x3 8}\n  aux: {x: {after: a, body: {$many: [1, 2], of: " + C + "}}}\n", "", 2 + 4),
    "many in a dag": ("  stages:\n    a: {dag: [{inputs: [{node: 0, step: {$many: [0, 2], of: {$choice: {x: relu, y: max 3x3}}}}], then: {$many: [1, 2], of: elu}}]}\n", "", 7 * 2),
    "many of many": ("  stages: {a: [elu, {$many: [1, 2], of: [relu, {$many: [1, 2], of: max 3x3}]}]}\n", "", 2 + 4),
    "many of one number": ("  stages: {a: [elu, {$many: [1, 3], of: relu, $name: n}, elu], b: [{$many: [1, 3], of: max 3x3, $name: n}, 3x3 4]}\n", "", 3),
    "many of a definition": ("  stages: {a: [relu, {$many: [0, 2], of: {$use: op}}]}\n", OPS, 1 + 3 + 9),
    "many with one width": ("  stages: {a: [relu, {$many: [1, 3], of: {conv: {kernel: 3x3, width: {$int: [4, 5], $name: w}}}}]}\n", "", 6),
    # numbers that follow another
    "twice another": ("  stages: {a: {conv: {kernel: 3x3, width: {$int: [4, 6], $name: c}}}, b: {conv: {kernel: 1x1, width: {$of: 2*c}}}}\n", "", 3),
    "half another, rounded down": ("  stages: {a: {conv: {kernel: 3x3, width: {$int: [1, 5], $name: c}}}, b: {conv: {kernel: 1x1, width: {$of: c/2}}}}\n", "", 5),
    "a number and a half": ("  stages: {a: {conv: {kernel: 3x3, factor: row_col, mid: {$of: 3*c/2}, width: {$int: [1, 3], $name: c}}}}\n", "", 3),
    "what follows comes first": ("  stages: {a: {conv: {kernel: 3x3, width: {$of: c/2}}}, b: {conv: {kernel: 1x1, width: {$int: [4, 6], $name: c}}}}\n", "", 3),
    "what is followed is an option": ("  stages: {a: {$choice: {y: {conv: {kernel: 3x3, width: {$int: [4, 6], $name: c}}}, n: relu}}, b: {conv: {kernel: 1x1, width: {$of: 2*c}}}}\n", "", 6),
    "following inside an option": ("  stages: {a: {conv: {kernel: 3x3, width: {$int: [4, 6], $name: c}}}, b: {$choice: {y: {conv: {kernel: 1x1, width: {$of: c}}}, n: relu}}}\n", "", 6),
    "following inside a use": ("  stages: {a: [{$use: m}, {$use: m}]}\n", "define: {m: [{conv: {kernel: 3x3, width: {$int: [4, 6], $name: c}}}, {conv: {kernel: 1x1, width: {$of: 2*c}}}]}\n", 9),
    "following from a use to the document": ("  stages: {a: {conv: {kernel: 3x3, width: {$int: [4, 6], $name: c}}}, b: [{$use: m}, {$use: m}]}\n", "define: {m: {conv: {kernel: 1x1, width: {$of: c}}}}\n", 3),
    "following the times of a repeat": ("  stages: {a: {repeat: {times: {$int: [1, 3], $name: t}, body: relu}}, b: {conv: {kernel: 1x1, width: {$of: 4*t}}}}\n", "", 3),
    "as many as come in": (f"  stages: {{a: [{C}, relu, {{conv: {{kernel: 1x1, width: {{$of: 2*in}}}}}}, {{conv: {{kernel: 3x3, width: {{$of: in/4}}}}}}]}}\n", "", 2),
    "as many as come in, at least 1": ("  stages: {a: {conv: {kernel: 1x1, width: {$of: in/8}}}, b: " + C + "}\n", "", 2),
    "as many as come in, from stages and uses": ("  stages: {a: " + C + ", b: [{$use: m}, {$use: m}], c: {$use: m}}\n", "define: {m: [{$choice: {n: identity, y: {conv: {kernel: 1x1, width: {$of: 2*in}}}}}, {conv: {kernel: 3x3, width: {$of: in}}}]}\n", 16),
    "as many as come in, in branches": (f"  stages: {{a: [{C}, {{concat: [{{conv: {{kernel: 1x1, width: {{$of: in/2}}}}}}, {{$choice: {{n: absent, y: {{conv: {{kernel: 3x3, width: {{$of: in}}}}}}}}}}]}}, {{conv: {{kernel: 5x5, width: {{$of: in}}}}}}]}}\n", "", 4),
    "as many as come in, in a repeat": (f"  stages: {{a: [{C}, {{repeat: {{times: {{$int: [1, 3]}}, body: {{conv: {{kernel: 1x1, width: {{$of: in}}}}}}}}}}]}}\n", "", 6),
    "as many as come in, in a dag": (f"  stages: {{a: [{C}, {{dag: [{{inputs: [{{node: 0, step: {{conv: {{kernel: 3x3, width: {{$of: 2*in}}}}}}}}]}}, {{join: concat, inputs: [0, {{node: 1, step: {{$choice: {{x: relu, y: elu}}}}}}], then: {{conv: {{kernel: 1x1, width: {{$of: in}}}}}}}}]}}]}}\n", "", 4),
    "as many as come in, of many": (f"  stages: {{a: [{C}, {{$many: [0, 2], of: {{conv: {{kernel: 1x1, width: {{$of: 2*in}}}}}}}}]}}\n", "", 6),
    "as many as come in, after a choice": (f"  stages: {{a: [{{$choice: {{x: {C}, y: 3x3 9, z: {{concat: [identity, 3x3 9]}}}}}}, {{conv: {{kernel: 1x1, width: {{$of: in}}}}}}]}}\n", "", 4),
    # dags
    "operations of a dag": ("  stages:\n    a: {dag: [{inputs: [{node: 0, step: {$choice: {x: relu, y: elu, z: zero}}}]}, {inputs: [0, {node: 1, step: {$choice: {x: relu, y: elu}}}]}]}\n", "", 6),
    "wirings of a dag": ("  stages:\n    a: {dag: [{inputs: [{node: 0, step: relu}]}, {inputs: [{node: {$choice: {zero: 0, one: 1}}, step: elu}, {node: 1, step: max 3x3}]}, {join: {$choice: [add, concat]}, inputs: [0, 2]}]}\n", "", 4),
    # definitions
    "uses have holes of their own": ("  stages: {a: [{$use: c}, {$use: c}]}\n", "define: {c: {conv: {kernel: 3x3, width: {$int: [4, 6]}}}}\n", 9),
    "uses of one name share all": ("  stages: {a: [{$use: op, $name: x}, relu], b: {$use: op, $name: x}}\n", OPS, 3),
    "uses of one name, and of none": ("  stages: {a: [{$use: op, $name: x}, relu, {$use: op, $name: x}], b: {$use: op}}\n", OPS, 9),
    "a use of a block": (f"  blocks: {{m: {C}}}\n  stages: {{a: m, b: m, c: {{$use: m}}}}\n", "", 4),
    "a name inside a use is the use's": ("  stages: {a: [{$use: c}, {$use: c}]}\n", "define: {c: [{conv: {kernel: 3x3, width: {$int: [4, 6], $name: w}}}, {conv: {kernel: 1x1, width: {$int: [4, 6], $name: w}}}]}\n", 9),
    "a name of the document inside a use": ("  stages: {a: [{$use: c}, {$use: c}], b: {conv: {kernel: 1x1, width: {$int: [4, 6], $name: w}}}}\n", "define: {c: {conv: {kernel: 3x3, width: {$int: [4, 6], $name: /w}}}}\n", 3),
    "uses inside uses": ("  stages: {a: [{$use: two, $name: x}, {$use: two}]}\n", OPS.replace("}}}\n", "}}, two: [{$use: op}, relu, {$use: op, $name: /y}]}\n"), 3 * 3 * 3),
    "a field from a use": ("  stages: {a: {conv: {kernel: 3x3, width: {$use: w}}}, b: {conv: {kernel: 3x3, width: {$use: w}}}}\n", "define: {w: {$int: [4, 6]}}\n", 9),
    "a grammar of chains": ("  stages: {a: {$use: g}}\n", "define: {g: {$choice: {end: " + C + ", more: [relu, {$use: g, $depth: 2}]}}}\n", 6),
    "a grammar of branches": ("  stages: {a: {$use: g}}\n", "define: {g: {$choice: {leaf: max 3x3, split: {concat: [{$use: g, $depth: 2}, {$use: g, $depth: 2}]}}}}\n", 1 + (1 + 1) ** 2),
    "a grammar of two": ("  stages: {a: {$use: g}}\n", "define: {g: {$choice: {leaf: max 3x3, split: {concat: [{$use: h, $depth: 1}, relu]}}}, h: {$choice: {leaf: avg 3x3, chain: [{$use: g, $depth: 1}, elu]}}}\n", 4),
    # names
    "a residual toggle": ("  stages:\n    a: {block: {skip: {$choice: {off: none, on: add}, $name: r}, project: {$choice: {off: none, on: linear}, $name: r}, body: 3x3 8}}\n", "", 2),
    # a hole that one option brings in and that stands outside as well is one hole: 3 * 2 points, not 3 + 3 * 3
    "a name inside an option and outside": ("  stages:\n    a: {$choice: {y: {conv: {kernel: 3x3, width: {$int: [4, 6], $name: w}}}, n: relu}}\n    b: {conv: {kernel: 1x1, width: {$int: [4, 6], $name: w}}}\n", "", 6),
    # a toggle named twice, of which one option has a hole of its own: off, or on with 3 widths
    "a toggle with a hole inside": ("  stages:\n    a: {$choice: {off: relu, on: 3x3 8}, $name: t}\n    b: {$choice: {off: relu, on: {conv: {kernel: 1x1, width: {$int: [4, 6]}}}}, $name: t}\n", "", 4),
}  # fmt: skip


@cache
def small(label: str) -> Space:
    """A space of the table."""
    network, define, _ = SMALL[label]
    return space(network, define)


def every_point(of: Space) -> Iterator[Params]:
    """Every point, found by giving each hole that decode asks for all of its values; also those that break rules."""
    waiting: list[Params] = [{}]
    while waiting:
        params = waiting.pop()
        try:
            of.decode(params)
        except NotInSpaceError as error:
            hole = of.holes[str(error.path)]
            waiting += [{**params, hole.name: value} for value in hole.domain or ()]
        except SpecError:
            yield params
        else:
            yield params


@cache
def points_of(label: str) -> tuple[Params, ...]:
    """Every point of a space of the table."""
    return tuple(every_point(small(label)))


def brute_force(of: Space) -> list[Params] | None:
    """Every assignment of values to names that the space takes as a point; None where there are too many."""
    domains = [[None, *(hole.domain or ())] for hole in of.holes.values()]
    if math.prod(map(len, domains)) > 1_500:
        return None
    found = []
    for values in itertools.product(*domains):
        params = {name: value for name, value in zip(of.holes, values, strict=True) if value is not None}
        try:
            of.decode(params)
        except NotInSpaceError:
            continue
        found.append(params)
    return found


def key(params: Params) -> frozenset[tuple[str, object]]:
    """A point as something that can be in a set."""
    return frozenset(params.items())


# A document with one of every kind of hole.
EVERY_HOLE = """\
schema: inception-search/space
version: 1
name: s
about: One of every hole.
contains: {v: {module: inception_v1.inception_3a, width: 0.25}, w: {network: nin_cifar10}}
define:
  w: {$int: [4, 16, 4], $name: width}
  c: {$choice: {a: [1x1 8, {conv: {kernel: 3x3, width: {$use: w}}}], none: absent}}
network:
  name: n
  input: 3x9x9
  conv_defaults: {act: {$choice: [relu, elu], $weights: [2, 1]}}
  blocks:
    module: {concat: [{$use: c}, {conv: {kernel: {$choice: [1x1, 3x3]}, width: {$use: w}}}, {$use: c}]}
  stages: {a: {repeat: {times: {$int: [1, 2]}, body: module}}, b: {dropout: {$float: [0.1, 0.5], $log: true}}}
  head: {pool: {$choice: [avg, max]}, classes: 3}
"""
