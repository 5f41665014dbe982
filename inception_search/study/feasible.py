"""Whether a search can work at all, asked before anything is written."""

from __future__ import annotations

from collections.abc import Iterator

from inception_search.errors import ConfigError, InceptionSearchError, NotInSpaceError, Place, ShapeError
from inception_search.space.holes import Params
from inception_search.space.space import Space
from inception_search.spec.network import Network
from inception_search.study.candidate import Budget, Candidate, make_candidate
from inception_search.study.config import StudyConfig

_SAMPLES = 64  # points looked at; a space of which none of them can be trained is not worth a search


def check_feasible(space: Space, config: StudyConfig, shape: tuple[int, int, int], classes: int) -> None:
    """Raise the first error if no point of ``space`` fits the images, or none that was looked at the budget.

    The canonical modules the space says it contains must be in it: NotInSpaceError else.
    """
    budget = Budget(config.max_macs, config.max_params)
    nearest: Candidate | None = None
    for network, holes in _points(space, config):
        candidate = make_candidate(network, holes, shape, classes)
        if candidate.violation(budget) is None:
            return
        if nearest is None or _excess(candidate, budget) < _excess(nearest, budget):
            nearest = candidate
    if nearest is not None:
        raise _infeasible(nearest, budget, space, shape)


def _points(space: Space, config: StudyConfig) -> Iterator[tuple[Network, Params]]:
    """The canonical modules where they will be trained, all of them encoded first, then samples."""
    fixed = [(network, _encoded(space, label)) for label, network in space.fixed_points.items()]
    yield from fixed if config.baselines else ()
    for seed in range(_SAMPLES):
        holes = space.sample(seed)
        yield space.decode(holes), holes


def _encoded(space: Space, label: str) -> Params:
    try:
        return space.encode(space.fixed_points[label])
    except NotInSpaceError as error:
        place = Place(space.file, path=f"contains.{label}")
        raise NotInSpaceError(f"it is not a point of the space: {error}", place=place) from None


def _excess(candidate: Candidate, budget: Budget) -> float:
    over = candidate.violation(budget)
    return float("inf") if candidate.cost is None else over[0] if over else 0.0


def _infeasible(nearest: Candidate, budget: Budget, space: Space, shape: tuple[int, int, int]) -> InceptionSearchError:
    over = nearest.violation(budget)
    reason = over[1] if over else ""
    if nearest.cost is None:
        size = "x".join(map(str, shape))
        return ShapeError(
            f"no network of space {space.name!r} fits images of {size}: {reason}", mend="use larger images"
        )
    return ConfigError(
        f"no network of space {space.name!r} that was tried is within the budget; the nearest: {reason}",
        mend="raise max_macs or max_params, use smaller images, or a narrower space",
    )
