"""The peers' side of ``benchmarks/spaces.py``: PyGlove and NNI, in whatever interpreter has them.

Run by ``spaces.py``; reads one JSON request a line and answers with one, with the processor time of its work. It
imports neither ``inception_search`` nor torch (but what NNI's own model space needs).
"""

from __future__ import annotations

import gc
import importlib
import json
import platform
import random
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any

Reply = dict[str, Any]
Span = tuple[int, int, int]  # first, last, step

WIDTH: Span = (8, 1536, 8)
EVEN: Span = (16, 1536, 16)


def timed(work: Callable[[], Any]) -> float:
    """Processor seconds of ``work``; what is in memory already is kept from the garbage collector's walks."""
    gc.collect()
    gc.freeze()
    begun = time.process_time()
    work()
    seconds = time.process_time() - begun
    gc.unfreeze()
    return seconds


class Grand:
    """The grand space in PyGlove: the same decisions, one class for each kind of step, fields checked by PyGlove.

    What differs. A variable number of groups is one group and optional ones (a list for each length would be
    thrice the template). Holes that share a name cannot be written: the image size is decided around the stem and the
    auxiliary heads, LRN at each of its two places, a module's branches inside and outside of a residual block
    have decisions of their own. ``exact``: a number is ``pg.oneof`` over all its values; otherwise
    ``pg.floatv`` over its range, which PyGlove makes and decodes several times faster. ``by_run``: options are
    left functions, which ``pg.hyper.DynamicEvaluationContext`` calls when they are chosen; PyGlove's other, quicker
    way, which has no encode.
    """

    def __init__(self, exact: bool, by_run: bool = False) -> None:
        self.pg = importlib.import_module("pyglove")
        self.exact = exact
        self.by_run = by_run
        self.makers = _classes(self.pg)

    def made(self, kind: str, **fields: Any) -> Any:
        return self.makers[kind](**fields)

    def number(self, span: Span) -> Any:
        low, high, step = span
        return self.pg.oneof([*range(low, high + 1, step)]) if self.exact else self.pg.floatv(float(low), float(high))

    def one(self, *options: Any) -> Any:
        """A choice; an option is a value or what makes one."""
        if self.by_run:
            return self.pg.oneof([_as_function(option) if callable(option) else option for option in options])
        return self.pg.oneof([option() if callable(option) else option for option in options])

    def conv(self, kernel: str, span: Span = WIDTH, **fields: Any) -> Any:
        return self.made("Conv", kernel=kernel, width=self.number(span), **fields)

    def factored(self, kernel: str, factor: str) -> Any:
        return self.conv(kernel, factor=factor, mid=self.number(WIDTH))

    def chain(self, *steps: Any) -> Any:
        return self.made("Chain", steps=list(steps))

    def concat(self, *branches: Any) -> Any:
        return self.made("Concat", branches=list(branches))

    def pool(self, mode: Any, stride: int, padding: str = "valid") -> Any:
        return self.made("Pool", mode=mode, stride=stride, padding=padding)

    def nothing(self) -> Any:
        return self.made("Nothing")

    def spatial(self) -> Any:
        ways = [(kernel, way) for kernel in ("3x3", "7x7") for way in ("row_col", "col_row")]
        factored = [lambda k=kernel, w=way: self.factored(k, w) for kernel, way in ways]
        split = partial(self.conv, "3x3", EVEN, factor="split")
        return self.one(partial(self.conv, "3x3"), split, partial(self.conv, "5x5"), *factored)

    def point(self) -> Any:
        return self.conv("1x1")

    def branches(self) -> Any:
        return self.concat(
            self.one(self.point, self.nothing),
            self.chain(self.point(), self.spatial()),
            self.one(
                lambda: self.chain(self.point(), self.spatial()),
                lambda: self.chain(self.point(), self.spatial(), self.spatial()),
                self.nothing,
            ),
            self.one(lambda: self.chain(self.pool(self.one("max", "avg"), 1, "same"), self.point()), self.nothing),
        )

    def residual(self) -> Any:
        scale, act = self.one(0.1, 0.17, 0.2, 1.0), self.one("relu", "none")
        return self.made("Block", scale=scale, act=act, body=self.branches())

    def mlpconv(self) -> Any:
        start = self.made("Conv", kernel=self.one("3x3", "5x5"), width=self.number(WIDTH))
        return self.chain(start, self.point(), self.one(self.point, self.nothing))

    def module(self) -> Any:
        return self.one(self.branches, self.residual, self.mlpconv)

    def group(self) -> Any:
        return self.made("Repeat", times=self.number((1, 20, 1)), body=self.module())

    def groups(self, most: int) -> Any:
        return self.chain(self.group(), *(self.one(self.group, self.nothing) for _ in range(most - 1)))

    def dropout(self) -> Any:
        return self.one(self.nothing, lambda: self.made("Dropout", rate=0.5))

    def reduction(self) -> Any:
        return self.one(lambda: self.chain(self.pool("max", 2), self.dropout()), self.reducing)

    def reducing(self) -> Any:
        def reduced() -> Any:
            return self.chain(self.point(), self.down())

        def looked() -> Any:
            look = self.one(partial(self.conv, "3x3"), lambda: self.factored("7x7", "row_col"))
            return self.chain(self.point(), look, self.down())

        options = self.one(self.down, reduced), self.one(self.nothing, reduced), self.one(self.nothing, looked)
        return self.concat(*options, self.pool("max", 2))

    def down(self) -> Any:
        return self.conv("3x3", stride=2)

    def lrn(self) -> Any:
        return self.one(self.nothing, lambda: self.made("Lrn"))

    def three(self) -> tuple[Any, Any, Any]:
        return self.down(), self.conv("3x3"), self.conv("3x3")

    def opening(self) -> Any:
        return self.one(
            lambda: self.chain(self.conv("7x7", stride=2), self.pool("max", 2), self.lrn()),
            lambda: self.chain(*self.three(), self.pool("max", 2)),
            lambda: self.chain(*self.three(), self.concat(self.pool("max", 2), self.down())),
        )

    def middle(self) -> Any:
        def two() -> tuple[Any, Any]:
            return self.point(), self.conv("3x3")

        def branching() -> Any:
            long = self.chain(self.point(), self.factored("7x7", "row_col"), self.conv("3x3"))
            return self.chain(self.concat(self.chain(*two()), long), self.concat(self.down(), self.pool("max", 2)))

        return self.one(
            lambda: self.chain(*two(), self.lrn(), self.pool("max", 2)),
            lambda: self.chain(*two(), self.pool("max", 2)),
            lambda: self.chain(*two(), self.down()),
            lambda: self.chain(self.conv("3x3"), self.down(), self.conv("3x3")),
            branching,
        )

    def stem(self) -> Any:
        return self.chain(self.opening(), self.middle())

    def mlpconv_stem(self, kernel: str, stride: int) -> Any:
        convs = [self.conv(kernel, stride=stride), self.point(), self.point()]
        return self.chain(*convs, self.pool("max", 2), self.dropout())

    def front(self, image: str, stem: Any, *heads: Any) -> Any:
        return self.made("Front", image=image, stem=stem, heads=list(heads))

    def early(self) -> Any:
        return self.made("Aux", after=self.one("b1", "b2", "b3", "b4", "b5"), body=self.chain(self.point()))

    def late(self) -> Any:
        body = self.chain(self.point(), self.conv("5x5"))
        return self.made("Aux", after=self.one("b1", "b2", "b3", "b4", "b5"), body=body)

    def front_224(self) -> Any:
        stem = self.one(self.stem, lambda: self.mlpconv_stem("11x11", 4))
        return self.front("caffe_224", stem, *(self.one(self.nothing, self.early) for _ in range(2)))

    def fronts(self) -> Any:
        return self.one(
            self.front_224,
            lambda: self.front("caffe_32", self.mlpconv_stem("5x5", 1)),
            lambda: self.front("tf_299", self.stem(), self.one(self.nothing, self.late, self.late)),
        )

    def network(self) -> Any:
        return self.made(
            "Net",
            norm=self.one("none", "batch", "batch_1e-5"),
            act=self.one("relu", "silu"),
            bias=self.one(True, False),
            count_pad=self.one(True, False),
            front=self.fronts(),
            a=self.groups(4),
            reduction_a=self.reduction(),
            b=self.groups(5),
            c=self.one(self.nothing, lambda: self.chain(self.reduction(), self.groups(3))),
            tail=self.one(self.nothing, self.point),
            dropout=self.one(*(tenth / 10 for tenth in range(9))),
            classifier=self.one("linear", "maps"),
            classes=self.one(1000, 10),
        )


def _as_function(option: Callable[[], Any]) -> Callable[[], Any]:
    """PyGlove calls plain functions without arguments only."""
    return lambda: option()


def _classes(pg: Any) -> dict[str, Any]:
    """PyGlove classes of the steps, whose fields have types and bounds."""
    kinds = pg.typing
    number = kinds.Float(min_value=1.0, max_value=65536.0)
    kernel = kinds.Enum("1x1", ["1x1", "3x3", "5x5", "7x7", "11x11"])
    factor = kinds.Enum("none", ["none", "row_col", "col_row", "split"])
    base = type("Step", (pg.Object,), {})
    step, text, stride = kinds.Object(base), kinds.Str(), kinds.Int(1, min_value=1)
    steps = kinds.List(step, min_size=1)

    def kind(name: str, *fields: tuple[str, Any]) -> Any:
        return pg.members(list(fields))(type(name, (base,), {}))

    conv = (
        ("kernel", kernel),
        ("width", number),
        ("mid", kinds.Float(0.0, min_value=0.0)),
        ("factor", factor),
        ("stride", stride),
    )
    net = [("norm", text), ("act", text), ("bias", kinds.Bool()), ("count_pad", kinds.Bool()), ("front", step)]
    net += [(name, step) for name in ("a", "reduction_a", "b", "c", "tail")]
    net += [("dropout", kinds.Float(min_value=0.0, max_value=1.0)), ("classifier", text), ("classes", kinds.Int())]
    made = [
        kind("Conv", *conv),
        kind("Pool", ("mode", kinds.Enum("max", ["max", "avg"])), ("stride", stride), ("padding", text)),
        kind("Dropout", ("rate", kinds.Float(min_value=0.0, max_value=1.0))),
        kind("Lrn"),
        kind("Nothing"),
        kind("Chain", ("steps", steps)),
        kind("Concat", ("branches", steps)),
        kind("Block", ("scale", kinds.Float()), ("act", text), ("body", step)),
        kind("Repeat", ("times", number), ("body", step)),
        kind("Aux", ("after", text), ("body", step)),
        kind("Front", ("image", text), ("stem", step), ("heads", kinds.List(step))),
        kind("Net", *net),
    ]
    return {made.__name__: made for made in made}


class PyGlove:
    """Draws, decodes, encodes and changes points of one template."""

    def __init__(self, what: str) -> None:
        self.pg = importlib.import_module("pyglove")
        grand = Grand(exact=what == "group")
        self.template = self.pg.template(grand.group() if what == "group" else grand.network())
        self.spec = self.template.dna_spec()
        self.mutator = importlib.import_module("pyglove.ext.evolution").mutators.Uniform(seed=0)

    def run(self, task: str, count: int, seed: int) -> Reply:
        """Seconds of doing ``task`` with ``count`` points, and how many decisions these have."""
        rng = random.Random(seed)
        drawn = [] if task == "draw" else [self.pg.random_dna(self.spec, rng) for _ in range(count)]

        def draw() -> None:
            for _ in range(count):
                drawn.append(self.pg.random_dna(self.spec, rng))
                self.template.decode(drawn[-1])

        values = [self.template.decode(dna) for dna in drawn] if task == "encode" else []
        work = {
            "draw": draw,
            "decode": lambda: [self.template.decode(dna) for dna in drawn],
            "encode": lambda: [self.template.encode(value) for value in values],
            "edit": lambda: [self.template.decode(self.mutator.mutate(dna)) for dna in drawn],
        }[task]
        return {"seconds": timed(work), "count": count, "decisions": _decisions(drawn)}


class PyGloveByRun:
    """PyGlove's dynamic evaluation: the program that makes a network is run with a point's decisions."""

    def __init__(self, what: str) -> None:
        self.pg = importlib.import_module("pyglove")
        grand = Grand(exact=what == "group", by_run=True)
        self.program = grand.group if what == "group" else grand.network
        self.context = self.pg.hyper.DynamicEvaluationContext()
        with self.context.collect():
            self.program()
        self.spec = self.context.dna_spec
        self.mutator = importlib.import_module("pyglove.ext.evolution").mutators.Uniform(seed=0)

    def made(self, dna: Any) -> Any:
        with self.context.apply(dna):
            return self.program()

    def run(self, task: str, count: int, seed: int) -> Reply:
        """As :meth:`PyGlove.run`."""
        rng = random.Random(seed)
        drawn = [] if task == "draw" else [self.pg.random_dna(self.spec, rng) for _ in range(count)]

        def draw() -> None:
            for _ in range(count):
                drawn.append(self.pg.random_dna(self.spec, rng))
                self.made(drawn[-1])

        work = {
            "draw": draw,
            "decode": lambda: [self.made(dna) for dna in drawn],
            "edit": lambda: [self.made(self.mutator.mutate(dna)) for dna in drawn],
        }[task]
        return {"seconds": timed(work), "count": count, "decisions": _decisions(drawn)}


def _decisions(drawn: list[Any]) -> int:
    return sum(len(dna.to_numbers()) for dna in drawn)


class Flat:
    """NNI's mutables without models: a value for each of the grand space's holes, whether reached or not."""

    def __init__(self, domains: dict[str, list[Any]]) -> None:
        mutable = importlib.import_module("nni.mutable")
        self.space = mutable.MutableDict({k: mutable.Categorical(v, label=k) for k, v in domains.items()})
        self.decisions = len(domains)

    def run(self, task: str, count: int, seed: int) -> Reply:
        """Seconds of drawing."""
        random.seed(seed)
        seconds = timed(lambda: [self.space.random() for _ in range(count)])
        return {"seconds": seconds, "count": count, "decisions": count * self.decisions}


class Darts:
    """NNI's own DARTS space of the hub (CIFAR-10, 8 cells): a sample is a torch model with weights."""

    def __init__(self) -> None:
        hub = importlib.import_module("nni.nas.hub.pytorch")
        self.space = hub.DARTS(width=16, num_cells=8, dataset="cifar")
        self.decisions = len(self.space.simplify())

    def run(self, task: str, count: int, seed: int) -> Reply:
        """Seconds of drawing."""
        random.seed(seed)
        seconds = timed(lambda: [self.space.random() for _ in range(count)])
        return {"seconds": seconds, "count": count, "decisions": count * self.decisions}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _made(request: dict[str, Any]) -> Any:
    if request["peer"] == "nni_flat":
        return Flat(request["domains"])
    if request["peer"] == "nni_darts":
        return Darts()
    _, way, what = request["peer"].split("_")
    return (PyGloveByRun if way == "run" else PyGlove)(what)


def main() -> None:
    """Answer requests until there are no more."""
    out = sys.stdout
    peers: dict[str, Any] = {}
    with redirect_stdout(sys.stderr):
        packages = {name: _version(name) for name in ("pyglove", "nni", "naslib", "torch")}
        print(json.dumps({"python": platform.python_version(), "packages": packages}), file=out, flush=True)
        for line in sys.stdin:
            request = json.loads(line)
            try:
                if request["task"] == "make":
                    begun = time.process_time()
                    peers[request["peer"]] = _made(request)
                    reply: Reply = {"seconds": time.process_time() - begun}
                else:
                    reply = peers[request["peer"]].run(request["task"], request["count"], request["seed"])
            except Exception as error:  # a peer's failure is a result
                reply = {"error": f"{type(error).__name__}: {error}"[:300]}
            print(json.dumps(reply), file=out, flush=True)


if __name__ == "__main__":
    main()
