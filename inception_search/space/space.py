"""A space: a template with holes, its points, and the canonical modules it says it contains."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol

from pydantic import Field, model_validator

from inception_search.canonical.catalogue import load, module
from inception_search.errors import InceptionSearchError, NotInSpaceError, Place, SpecError, unknown_name
from inception_search.space.count import count
from inception_search.space.decode import decode, fill
from inception_search.space.encode import encode
from inception_search.space.holes import Choice, Float, Hole, Integer, Params, Value
from inception_search.space.template import TemplateReader
from inception_search.spec.document import Upgrade, check_header, read_text, validated
from inception_search.spec.model import Name, SpecModel
from inception_search.spec.network import Network, with_source
from inception_search.spec.shipped import shipped_folder, shipped_names
from inception_search.spec.step import AnyStep, Block
from inception_search.spec.transform import remake, scale_network_width, scale_width
from inception_search.spec.yaml_reader import read_yaml

SCHEMA = "inception-search/space"
VERSION = 1
UPGRADES: dict[int, Upgrade] = {}
SUFFIXES = (".yaml", ".yml", ".json")
PROBES = 20  # points tried before a space in which none can be built is refused


class Fixed(SpecModel):
    """A canonical module or network that is a point of the space, brought to size by ``width``."""

    module: str | None = None
    network: str | None = None
    width: float = Field(default=1.0, gt=0.0, allow_inf_nan=False)
    multiple: int = Field(default=4, ge=1)

    @model_validator(mode="after")
    def _check(self) -> Fixed:
        if (self.module is None) == (self.network is None):
            raise ValueError("an entry of contains names a module or a network, one of the two")
        return self


class SpaceDocument(SpecModel):
    """The parts of a space document; ``network`` is the template, ``define`` what ``$use`` names."""

    schema_: Literal["inception-search/space"] = Field(default="inception-search/space", alias="schema")
    version: Literal[1] = 1
    name: Name
    about: str = Field(default="", max_length=4000)
    contains: dict[Name, Fixed] = {}
    define: dict[Name, Any] = {}
    network: dict[str, Any]


class SuggestTrial(Protocol):
    """What a space asks of an Optuna trial."""

    def suggest_categorical(self, name: str, choices: Any) -> Any: ...
    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int: ...
    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float: ...


class Space:
    """Points are dicts from hole name to value (labels for choices); see :func:`load_space`."""

    def __init__(self, text: str, file: str | None = None) -> None:
        self.text = text
        self.file = file
        raw = read_yaml(text, file)
        data = check_header(raw, SCHEMA, VERSION, UPGRADES, file)
        self.document: SpaceDocument = validated(SpaceDocument.model_validate, data, file, SpaceDocument)
        if "stages" not in data["network"]:
            raise SpecError("the network has no stages", place=Place(file, data.lines.get("network"), "network"))
        reader = TemplateReader(data.get("define") or {}, file)
        self.template = reader.network(data["network"])
        self.holes: dict[str, Hole] = reader.holes
        self.lines: dict[str, int] = getattr(data.get("contains"), "lines", {})  # of the entries of contains
        self._probe()

    def __repr__(self) -> str:
        return f"Space({self.name!r}, {len(self.holes)} holes, {self.size:.3g} points)"

    @property
    def name(self) -> str:
        """The space's name."""
        return self.document.name

    @property
    def about(self) -> str:
        """What the space is, in a paragraph."""
        return self.document.about

    def decode(self, params: Params) -> Network:
        """The network at a point. Raises :class:`NotInSpaceError` when the point is not one."""
        return decode(self.template, params, self.file)

    def encode(self, network: Network) -> Params:
        """The point of a network. Raises :class:`NotInSpaceError` with the place that is outside."""
        return encode(self.template, network)

    def contains(self, network: Network) -> bool:
        """Whether ``network`` is a point of the space."""
        return self.why_not(network) is None

    def why_not(self, network: Network) -> str | None:
        """Why ``network`` is not in the space, or None when it is."""
        try:
            self.encode(network)
        except NotInSpaceError as error:
            return str(error)
        return None

    @cached_property
    def size(self) -> int | float:
        """The number of points over labelled holes (``inf`` with a float hole)."""
        return count(self.template)

    def sample(self, seed: int | random.Random) -> Params:
        """A point drawn uniformly hole by hole."""
        rng = seed if isinstance(seed, random.Random) else random.Random(seed)
        return fill(self.template, lambda hole: _draw(hole, rng), self.file)[1]

    def suggest(self, trial: SuggestTrial) -> tuple[Network, Params]:
        """The network an Optuna trial asks for, and its point: one ``suggest_*`` per hole reached."""
        return fill(self.template, lambda hole: _ask(hole, trial), self.file)

    @cached_property
    def fixed_points(self) -> dict[str, Network]:
        """The canonical modules (or networks) the document says it contains, at the template's size."""
        return {name: self._fixed(name, fixed) for name, fixed in self.document.contains.items()}

    def with_module(self, step: AnyStep) -> Network:
        """The template's network with ``step`` as its block ``module``, other holes at their first value."""
        base, _ = fill(self.template, _first, self.file)
        if "module" not in base.blocks:
            raise SpecError(f"space {self.name!r} has no block called 'module' to put a module in")
        body = step if isinstance(step, Block) else Block(body=step)
        network = remake(base, blocks={**base.blocks, "module": body})
        return with_source(network, base.origin.without("blocks", "module"))

    def _fixed(self, name: str, fixed: Fixed) -> Network:
        try:
            if fixed.network is not None:
                network = load(fixed.network)
                return scale_network_width(network, fixed.width, fixed.multiple) if fixed.width != 1.0 else network
            return self.with_module(scale_width(module(str(fixed.module)), fixed.width, fixed.multiple))
        except InceptionSearchError as error:
            raise error.at(file=self.file, line=self.lines.get(name), path=f"contains.{name}") from None

    def _probe(self) -> None:
        """Refuse a template of which not one point is a network, for the reason its first point is none."""
        try:
            fill(self.template, _first, self.file)
        except SpecError as reason:
            if not self._has_points():
                raise reason from None

    def _has_points(self) -> bool:
        rng = random.Random(0)
        for _ in range(PROBES if self.holes else 0):
            try:
                self.sample(rng)
            except SpecError:
                continue
            return True
        return False


def names() -> tuple[str, ...]:
    """The names of the shipped spaces, sorted."""
    return shipped_names()


def load_space(space: str | Path) -> Space:
    """A space by shipped name, from a file, or from YAML text."""
    if isinstance(space, str) and ("\n" in space or space.lstrip().startswith("{")):
        return Space(space)
    if isinstance(space, str) and space in names():
        path: Path = shipped_folder() / f"{space}.yaml"
    elif isinstance(space, Path) or space.endswith(SUFFIXES) or "/" in space:
        path = Path(space)
    else:
        raise unknown_name("space", space, names())
    return Space(read_text(path), str(path))


def _draw(hole: Hole, rng: random.Random) -> Value:
    if isinstance(hole, Float):
        if hole.log:
            drawn = math.exp(rng.uniform(math.log(hole.low), math.log(hole.high)))
            return min(hole.high, max(hole.low, drawn))
        return rng.uniform(hole.low, hole.high)
    domain: Sequence[Value] = hole.domain
    return rng.choice(domain)


def _ask(hole: Hole, trial: SuggestTrial) -> Value:
    if isinstance(hole, Choice):
        return str(trial.suggest_categorical(hole.name, hole.domain))
    if isinstance(hole, Integer):
        return trial.suggest_int(hole.name, hole.low, hole.high, step=hole.step, log=hole.log)
    return trial.suggest_float(hole.name, hole.low, hole.high, log=hole.log)


def _first(hole: Hole) -> Value:
    return hole.low if isinstance(hole, Integer | Float) else hole.domain[0]
