"""Sampling of points of a space within a budget."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Literal, NamedTuple, TypeAlias

from inception_search.errors import (
    ConfigError,
    InceptionSearchError,
    LimitError,
    NotInSpaceError,
    ShapeError,
    SpecError,
)
from inception_search.graph.types import Cost
from inception_search.measures.budget import Budget
from inception_search.measures.measured_network import MeasuredNetwork, at_size
from inception_search.measures.target import TimeUpError
from inception_search.measures.width_scaling import NO_NETWORK, Points, fit, not_within
from inception_search.space.holes import Params
from inception_search.space.sampling import random_of
from inception_search.space.space import Space
from inception_search.spec.network import Network

REPAIRS = 16  # infeasible points that are repaired, nearest first, before the search fails
SECONDS = 120.0
DRAWING = 0.5  # the share of the time after which drawing ends
CONTAINED = 0.75  # the share of the time after which testing the fixed points ends; the rest is for repair

Origin: TypeAlias = Literal["drawn", "canonical", "repaired"]


@dataclass(frozen=True)
class Sampled:
    """A point of a space within a budget."""

    params: Params
    """The point: a value for each hole."""
    network: Network
    """The network of the point, at the ``shape`` of the images."""
    cost: Cost
    """Its parameters, multiply-adds, bytes of activations and depth."""
    origin: Origin
    """``"drawn"``, ``"canonical"`` or ``"repaired"``: the step of :func:`sample_within` that found it."""
    tries: int
    """The number of points that were drawn."""

    @property
    def how(self) -> Origin:
        """The former name of ``origin``; it will be removed in version 0.3."""
        warnings.warn("found.how is called found.origin since 0.2", DeprecationWarning, stacklevel=2)
        return self.origin


class _Point(NamedTuple):
    params: Params
    measured: MeasuredNetwork

    def excess(self, budget: Budget) -> tuple[float, float]:
        """The excess over the limits that widths do not influence, and over all limits."""
        limits = (budget.only(by_width=False).worst(self.measured), budget.worst(self.measured))
        shape, any_ = (0.0 if missed is None else missed[0].excess(missed[1]) for missed in limits)
        return shape, any_


def sample_within(
    space: Space,
    budget: Budget,
    seed: int | random.Random = 0,
    *,
    tries: int = 100,
    shape: tuple[int, int, int] | None = None,
    classes: int | None = None,
    seconds: float = SECONDS,
) -> Sampled:
    """A random network of a space that is within a budget.

    The steps, until one finds a network within the budget:

    1. Draw at most ``tries`` points as ``space.sample`` does.
    2. Draw as many points again, hole by hole; most of these are smaller.
    3. Try the canonical networks that the space contains.
    4. Repair the nearest point: scale all widths down (up for a minimum) as little as possible, then the repeats.

    Args:
        space: the space.
        budget: the limits, for one image.
        seed: a number, or a random number generator.
        tries: number of points to draw in step 1 and in step 2. A point that is not a valid network counts.
        shape: the shape (C, H, W) of the images (default: the space's).
        classes: the number of classes (default: the space's).
        seconds: time limit in seconds: half for the draws, a quarter for canonical networks, a quarter for repair. The
            measurement of an op is not interrupted.

    Returns:
        ``found.network``, its point ``found.params``, its cost ``found.cost``, and ``found.origin``: ``"drawn"`` (steps
        1 and 2), ``"canonical"`` (3) or ``"repaired"`` (4).

    Raises:
        ConfigError: no network within the budget was found; the error shows the nearest value. It is raised immediately
            if the fastest op alone exceeds the limit on latency (milliseconds).
        ShapeError, SpecError: no point that was drawn is a valid network.

    >>> found = ins.sample_within(ins.load_space("inception_modules"), ins.Budget(max_params=60_000), seed=0)
    >>> found.origin, found.cost.params <= 60_000
    ('drawn', True)
    """
    _check(tries, shape, classes, seconds)
    search = _Search(space, budget, shape, classes, seconds)
    return search.drawn(random_of(seed), tries) or search.canonical() or search.repaired()


class _Search:
    """The three methods of finding a point within a budget, with the infeasible points found on the way."""

    def __init__(
        self,
        space: Space,
        budget: Budget,
        shape: tuple[int, int, int] | None,
        classes: int | None,
        seconds: float,
    ) -> None:
        self.space, self.budget, self.shape, self.classes, self.seconds = space, budget, shape, classes, seconds
        self.begun = monotonic()
        self.draws = self.repairs = 0
        self.rejected: list[_Point] = []
        self.broken: InceptionSearchError | None = None
        self.timed = False
        self.unmeasured = 0
        self.share = DRAWING

    def drawn(self, rng: random.Random, tries: int) -> Sampled | None:
        """The first draw within the budget."""
        for number in range(1, 2 * tries + 1):
            self.draws = number
            found = self._look(partial(self.space.draw, rng, None if number <= tries else "holes"), "drawn")
            if found is not None or self._late():
                return found
        return None

    def canonical(self) -> Sampled | None:
        """The first fixed point of the space within the budget."""
        self.share = CONTAINED
        for network in self._contained():
            if self._late():
                return None
            found = self._look(partial(self._decoded, network), "canonical")
            if found is not None:
                return found
        return None

    def repaired(self) -> Sampled:
        """The nearest infeasible point with the least change that makes it feasible; raises if there is none."""
        self.share = 1.0
        if not self.rejected:
            raise self._nothing()
        self.rejected.sort(key=lambda each: each.excess(self.budget))
        tried = [each.measured for each in self.rejected]
        for each in self.rejected[:REPAIRS]:
            if self._late():
                break
            self.repairs += 1
            points = self._around(each)
            found = fit(points.scaled, self.budget)
            if found is not None:
                return self._found(_Point(points.params_of(found), found), "repaired")
            tried += points.networks()
        raise self._out_of_reach(tried)

    def _look(self, make: Callable[[], tuple[Network, Params]], origin: Origin) -> Sampled | None:
        """The point from ``make`` if it is within the budget; otherwise it is stored as infeasible."""
        try:
            network, params = make()
            point = _Point(params, self._measured(network))
            self._check_smallest_op(point)
            if self.budget.worst(point.measured) is None:
                return self._found(point, origin)
            self.rejected.append(point)
        except TimeUpError:
            self.unmeasured += 1
        except NO_NETWORK as error:
            self.broken = self.broken or error
        return None

    def _check_smallest_op(self, point: _Point) -> None:
        """Raise ConfigError if the smallest op of the narrowed first timed network exceeds the latency limit."""
        limit = next((limit for limit in self.budget.limits() if limit.measure == "latency"), None)
        if self.timed or limit is None or self.budget.untimed.worst(point.measured) is not None:
            return
        self.timed = True
        points = self._around(point)
        narrow = points.scaled(-1.0, -1.0) or points.scaled(-1.0, 0.0) or point.measured
        least = narrow.least_latency(self.budget.target)
        if least > limit.value:
            rule = f"no network of space {self.space.name!r} is within the budget; its fastest op alone"
            raise ConfigError(f"{rule}: {limit.words(least)}", hint=f"raise {limit.name}, or use smaller images")

    def _contained(self) -> list[Network]:
        try:
            return list(self.space.fixed_points.values())
        except InceptionSearchError:  # errors in fixed points are reported by the functions that read them
            return []

    def _decoded(self, network: Network) -> tuple[Network, Params]:
        """A network in the space's own form, with its point; raises SpecError if the space does not contain it."""
        try:
            params = dict(self.space.encode(network))
            return self.space.decode(params), params
        except NotInSpaceError as error:
            raise SpecError(str(error)) from None

    def _around(self, point: _Point) -> Points:
        return Points(self.space, point.params, self._measured, self._late)

    def _measured(self, network: Network) -> MeasuredNetwork:
        measured = MeasuredNetwork(at_size(network, self.shape, self.classes), late=self._late)
        _ = measured.cost  # raises if the shapes do not fit
        return measured

    def _found(self, point: _Point, origin: Origin) -> Sampled:
        return Sampled(point.params, point.measured.network, point.measured.cost, origin, self.draws)

    def _late(self) -> bool:
        return monotonic() - self.begun > self.share * self.seconds

    def _out_of_reach(self, tried: list[MeasuredNetwork]) -> ConfigError:
        what = f"no network of space {self.space.name!r} that was tried"
        more = "use smaller images, or a narrower space"
        if self._late():
            what += f" in {self.seconds:g} seconds ({self.draws} drawn, {self.repairs} repaired)"
            more = f"raise seconds, {more}"
        return not_within(what, tried, self.budget, more)

    def _nothing(self) -> InceptionSearchError:
        reason = self.broken
        if self.unmeasured:
            rule = f"the latency of no network of space {self.space.name!r} was measured in {self.seconds:g} seconds"
            return ConfigError(rule, hint="raise seconds, use smaller images, or limit max_macs as well")
        if isinstance(reason, ShapeError | LimitError):
            size = f" images of {'x'.join(map(str, self.shape))}" if self.shape else " its images"
            return ShapeError(f"no network of space {self.space.name!r} fits{size}: {reason}", hint="use larger images")
        return SpecError(f"none of {self.draws} points of space {self.space.name!r} is a valid network: {reason}")


def _check(tries: int, shape: tuple[int, int, int] | None, classes: int | None, seconds: float) -> None:
    for name, value, fits, expected in (
        ("tries", tries, tries >= 1, "a whole number of 1 or more"),
        ("shape", shape, shape is None or min(shape) >= 1, "(C, H, W), three whole numbers of 1 or more"),
        ("classes", classes, classes is None or classes >= 0, "a whole number of 0 or more"),
        ("seconds", seconds, seconds > 0, "a number greater than 0"),
    ):
        if not fits:
            raise ConfigError("not a usable value", path=name, found=value, expected=expected)
