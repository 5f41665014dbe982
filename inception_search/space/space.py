"""A space: a template with holes, its points, and the canonical modules that it contains."""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Literal

from inception_search.arguments import checked, checked_on_failure
from inception_search.canonical.catalogue import load, module
from inception_search.errors import InceptionSearchError, NotInSpaceError, Place, SpecError
from inception_search.numbers import counted
from inception_search.space import neighbours as near
from inception_search.space.ambiguity import check_ambiguity
from inception_search.space.build import Builder
from inception_search.space.contents import written_out
from inception_search.space.count import Counts
from inception_search.space.decode import decode, fill, plain, try_fill
from inception_search.space.document import SCHEMA, VERSION, Fixed, SpaceDocument
from inception_search.space.document_layout import Encoded
from inception_search.space.encode import encode, find
from inception_search.space.holes import Choice, Hole, Params, Value
from inception_search.space.path import Step, path
from inception_search.space.sampling import SuggestTrial, ask, draw, first, random_of
from inception_search.space.template import TemplateReader
from inception_search.spec.documents.parse import Upgrade, check_header
from inception_search.spec.documents.validation import validated
from inception_search.spec.documents.yaml_reader import MarkedDict, read_yaml
from inception_search.spec.network import Network, with_source
from inception_search.spec.step import AnyStep, Block
from inception_search.spec.transform import remake, scale_network_width, scale_width

UPGRADES: dict[int, Upgrade] = {}
PROBES = 20  # points tried before a space without valid points is refused
TRIES = 1_000  # points drawn before sampling gives up, if most points of a space are invalid
MODULE = "module"  # the block or stage that takes the canonical modules
EXACT = 2**53  # larger whole numbers lose digits in most readers of JSON
By = Literal["points", "holes"]


class Space:
    """A search space; :func:`load_space` reads one.

    A space is a network document with holes. A hole is an open value. A point gives a value to each hole: it
    is a dict from the names of the holes to numbers, or to labels for choices.

    - :meth:`sample`, :meth:`draw`: random points; :meth:`neighbours`, :meth:`changed`: points near another one.
    - :meth:`decode`, :meth:`encode`: the network of a point, and the reverse.
    - :meth:`contains`, :meth:`why_not`: whether a network is in the space.
    - :attr:`fixed_points`: the canonical modules or networks that the space contains, with scaled widths if it says so.
    - :attr:`size`, :attr:`size_in_words`: the number of points.

    Args:
        text: the document, as YAML (docs/spaces.md describes the language).
        file: the file name for error messages.

    >>> space = ins.load_space("inception_modules")
    >>> point = space.sample(0)
    >>> space.encode(space.decode(point)) == point
    True
    """

    @checked
    def __init__(self, text: str, file: str | None = None) -> None:
        self.text = text
        self.file = file
        raw = read_yaml(text, file)
        data = check_header(raw, SCHEMA, VERSION, UPGRADES, file)
        if "contains" in data:
            entries = written_out(data["contains"], file, data.lines.get("contains"))
            data = MarkedDict({**data, "contains": entries}, data.line, data.lines)
        self.document: SpaceDocument = validated(SpaceDocument.model_validate, data, file, SpaceDocument)
        if "stages" not in data["network"]:
            raise SpecError("the network has no stages", place=Place(file, data.lines.get("network"), "network"))
        define = data.get("define") or {}
        reader = TemplateReader(define, file)
        self.template = reader.network(data["network"])
        lines = getattr(define, "lines", {})
        self.unused: dict[str, int | None] = {n: lines.get(n) for n in define if n not in reader.sizes}
        """The unused entries of ``define``, with their lines."""
        self.holes: dict[str, Hole] = self.template.holes
        self.lines: dict[str, int] = getattr(data.get("contains"), "lines", {})  # of the entries of contains
        self._builder = Builder(self.template)
        self._probe()
        check_ambiguity(self._builder, file)

    def __repr__(self) -> str:
        return f"Space({self.name!r}, {counted(len(self.holes), 'hole')}, {self.size_in_words} points)"

    @property
    def name(self) -> str:
        """The name of the space."""
        return self.document.name

    @property
    def about(self) -> str:
        """The description in the document."""
        return self.document.about

    @checked_on_failure
    def decode(self, params: Params, layout: Network | None = None) -> Network:
        """The network at a point.

        Args:
            params: the point: a value for each of its holes.
            layout: a network from which the name, source, recipe and the division into stages and blocks are copied, as
                far as they fit (default: the network that was encoded, else the document of the space).

        Returns:
            The network.

        Raises:
            NotInSpaceError: ``params`` is not a point of the space.

        >>> import inception_search as ins
        >>> space, net = ins.load_space("inception"), ins.load("inception_v4")
        >>> point = space.encode(net)
        >>> space.decode(point) == net, space.decode(dict(point), net) == net, space.decode(dict(point)).name
        (True, True, 'inception')
        """
        return decode(self._builder, params, self.file, layout)

    @checked
    def encode(self, network: Network) -> Encoded:
        """The point of a network; ``decode(encode(network)) == network``.

        Args:
            network: the network. Its stages and blocks may be divided and named in another way than the template's.

        Returns:
            A ``dict`` from the names of holes to their values. If the network is written in another way than the
            template, the attribute ``layout`` of the dict has the network.

        Raises:
            NotInSpaceError: the network is not in the space; the error has the path of the part that is outside.
        """
        return encode(self._builder, network)

    @checked
    def contains(self, network: Network) -> bool:
        """Whether ``network`` is a point of the space."""
        return find(self._builder, network) is not None

    @checked
    def why_not(self, network: Network) -> str | None:
        """The reason why ``network`` is not in the space; None if it is."""
        try:
            self.encode(network)
        except NotInSpaceError as error:
            return str(error)
        return None

    @cached_property
    def _counts(self) -> Counts:
        return Counts(self.template.root)

    @cached_property
    def size(self) -> int | float:
        """The number of points; ``inf`` if a range is continuous.

        Points that are not valid documents are counted, too.
        """
        return self._counts.total

    @property
    def size_in_words(self) -> str:
        """The number of points as text: ``"15,625"``, ``"1.46e+14"``, ``"about 10^399"`` or ``"endless"``."""
        if self.size == math.inf:
            return "endless"
        if self.size < 10**6:
            return f"{self.size:,}"
        return f"{self.size:.3g}" if self.size < 10**30 else f"about 10^{math.floor(math.log10(self.size))}"

    @property
    def rounded_size(self) -> int | float | None:
        """The number of points for JSON: exact up to 2**53, then a float; None if it is larger than any float."""
        if self.size <= EXACT:
            return self.size
        return None if self.size > sys.float_info.max else float(self.size)

    @property
    def sampling(self) -> By:
        """The default of :meth:`sample`: ``"holes"`` for infinite spaces and weighted choices, else ``"points"``."""
        weighted = any(isinstance(hole, Choice) and hole.weights for hole in self.holes.values())
        return "holes" if weighted or self.size == math.inf else "points"

    @checked
    def sample(self, seed: int | random.Random, by: By | None = None) -> Params:
        """Draw a random point.

        Args:
            seed: a number, or a random number generator.
            by: ``"points"``: uniform over all points; ``"holes"``: hole by hole, with the weights of choices (default:
                :attr:`sampling`).

        Returns:
            The point: a dict from the names of its holes to their values.

        Raises:
            NotInSpaceError: ``by="points"`` for an infinite space.
            SpecError: almost no point of the space is a valid document.
        """
        return self.draw(seed, by)[1]

    @checked
    def draw(self, seed: int | random.Random, by: By | None = None) -> tuple[Network, Params]:
        """Draw a random point as :meth:`sample` does; returns its network and the point."""
        rng = random_of(seed)
        by = by or self.sampling
        if by == "points" and self.size == math.inf:
            raise NotInSpaceError("an endless space cannot be sampled evenly over its points", hint="sample by holes")
        for _ in range(TRIES):
            known = self._counts.draw(rng) if by == "points" else None
            drawn = try_fill(self._builder, lambda hole: draw(hole, rng), self.file, known)
            if drawn is not None:
                return drawn
        return self.fill(lambda hole: draw(hole, rng))

    @checked
    def suggest(self, trial: SuggestTrial) -> tuple[Network, Params]:
        """The network and the point of an Optuna trial: ``trial.suggest_*`` is called for each hole of the point.

        Args:
            trial: an ``optuna.Trial``.
        """
        return self.fill(lambda hole: ask(hole, trial))

    def neighbours(self, params: Params) -> Iterator[Params]:
        """Every point that differs from ``params`` in one decision: another label, or the next number of a range.

        New holes copy the corresponding hole of a preceding module; without one they get their first value.
        """
        params = plain(params)
        seen = {_key(params)}
        for name in params:
            for value in near.changes(self.holes[name], params[name]):
                try:
                    point = self.changed(params, {name: value})
                except SpecError:
                    continue
                if _key(point) not in seen:
                    seen.add(_key(point))
                    yield point

    @checked
    def neighbour(self, params: Params, seed: int | random.Random, steps: Sequence[int] = (1,)) -> Params:
        """A random neighbour: one decision, more often a label than a number, gets another value.

        Args:
            params: the point.
            seed: a number, or a random number generator.
            steps: by how many steps of its range a number may go up or down.

        Raises:
            NotInSpaceError: the point has no neighbour.
        """
        rng = random_of(seed)
        for name, value in near.moves(self.holes, plain(params), rng, steps):
            try:
                return self.changed(params, {name: value})
            except SpecError:
                continue
        raise NotInSpaceError(f"no other point of space {self.name!r} is one decision away")

    def changed(self, params: Params, update: Params) -> Params:
        """``params`` with the decisions in ``update`` changed.

        New holes copy the corresponding hole of a preceding module; without one they get their first value.
        """
        return near.changed(plain(params), plain(update), lambda answer: self.fill(answer)[1])

    def distance(self, one: Params, other: Params) -> int:
        """The number of decisions that differ between two points; decisions that only one of them has count, too."""
        one, other = plain(one), plain(other)
        return sum(one.get(name) != other.get(name) for name in one.keys() | other.keys())

    def path(
        self, start: Params, goal: Params, valid: Callable[[Network], bool] = lambda network: True
    ) -> tuple[Step, ...]:
        """A path between two points, in steps of a few decisions.

        Args:
            start: the first point.
            goal: the last point.
            valid: a function that accepts or rejects the network of each step.

        Returns:
            The steps, each with its point and network.
        """
        return path(self, plain(start), plain(goal), valid)

    @cached_property
    def fixed_points(self) -> dict[str, Network]:
        """The canonical modules or networks in ``contains``, by label, with the widths given there.

        A module is placed in the template's network.
        """
        return {name: self._fixed(name, fixed) for name, fixed in self.document.contains.items()}

    @checked
    def with_module(self, step: AnyStep) -> Network:
        """The template's network with a step as its module; the other holes have their first value.

        Args:
            step: the module; it need not be in the space. If the template's module is a ``block:``, any other step is
                put into a block.

        Returns:
            The network, with ``step`` as its block or stage called ``module``.

        Raises:
            SpecError: the template has no block or stage of this name.

        >>> import inception_search as ins
        >>> space = ins.load_space("inception_modules")
        >>> space.with_module(ins.parse_step("[1x1 8, 3x3 8]")).blocks["module"].kind
        'block'
        """
        base, _ = self.fill(first)
        section = "blocks" if MODULE in base.blocks else "stages"
        parts: dict[str, AnyStep] = getattr(base, section)
        if MODULE not in parts:
            hint = "give the block or stage that takes the module this name"
            raise SpecError(f"space {self.name!r} has no block or stage called 'module' to put a module in", hint=hint)
        forms: list[AnyStep] = [step] if isinstance(step, Block) else [step, Block(body=step)]
        if isinstance(parts[MODULE], Block):
            forms.reverse()
        made = [remake(base, **{section: {**parts, MODULE: form}}) for form in forms]
        network = next(filter(self.contains, made), made[0])
        return with_source(network, base.origin.without(section, MODULE))

    @checked
    def fill(self, answer: Callable[[Hole], Value]) -> tuple[Network, Params]:
        """Fill the template: ``answer`` gives the value of each hole; returns the network and its point."""
        return fill(self._builder, answer, self.file)

    def _fixed(self, name: str, fixed: Fixed) -> Network:
        try:
            if fixed.network is not None:
                network = load(fixed.network)
                return scale_network_width(network, fixed.width, fixed.multiple) if fixed.width != 1.0 else network
            return self.with_module(scale_width(module(str(fixed.module)), fixed.width, fixed.multiple))
        except InceptionSearchError as error:
            raise error.at(file=self.file, line=self.lines.get(name), path=f"contains.{name}") from None

    def _probe(self) -> None:
        """Refuse a template without valid points, with the reason why its first point is invalid."""
        try:
            self.fill(first)
        except SpecError as reason:
            if not self._has_points():
                raise reason from None

    def _has_points(self) -> bool:
        rng = random.Random(0)
        for _ in range(PROBES if self.holes else 0):
            try:
                self.fill(lambda hole: draw(hole, rng))
            except SpecError:
                continue
            return True
        return False


def _key(params: Params) -> frozenset[tuple[str, Value]]:
    return frozenset(params.items())
