"""Converts holes of a space, records and running trials to Optuna's distributions and trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from inception_search.space.holes import Choice, Hole, Integer, Params
from inception_search.space.space import Space
from inception_search.store.objectives import objective_values
from inception_search.store.record import QUALITIES, TrialRecord


def distribution(hole: Hole) -> BaseDistribution:
    """The distribution of one hole's values."""
    if isinstance(hole, Choice):
        return CategoricalDistribution(hole.domain)
    if isinstance(hole, Integer):
        return IntDistribution(hole.low, hole.high, log=hole.log, step=hole.step)
    return FloatDistribution(hole.low, hole.high, log=hole.log, step=hole.step)


def distributions(space: Space, params: Params) -> tuple[dict[str, Any], dict[str, BaseDistribution]]:
    """The values of a point for holes that the space still has, and their distributions."""
    known = {name: value for name, value in params.items() if name in space.holes}
    return known, {name: distribution(space.holes[name]) for name in known}


def state_and_values(record: TrialRecord, objectives: Sequence[str]) -> tuple[TrialState, list[float] | None]:
    """Optuna's state and values for a finished record."""
    if record.state == "complete":
        values = objective_values(record)
        return TrialState.COMPLETE, [values[name] for name in objectives]
    pruned = record.state in ("pruned", "infeasible")
    return {True: TrialState.PRUNED, False: TrialState.FAIL}[pruned], None


def running_trial(space: Space, params: Params, attributes: Mapping[str, Any]) -> FrozenTrial:
    """A running trial with these user attributes."""
    known, domains = distributions(space, params)
    return create_trial(state=TrialState.RUNNING, params=known, distributions=domains, user_attrs=dict(attributes))


def user_attributes(facts: Mapping[str, Any], *, origin: str, seed: int, **others: Any) -> dict[str, Any]:
    """The user attributes that Optuna's tools show for a trial besides its parameters.

    A trial whose record is lost is retrained from its parameters and these attributes. A running trial and one made
    from a record therefore have the same ones. ``others`` (label, arch_id, repeat_of) that are None are omitted.
    """
    known = {name: value for name, value in others.items() if value is not None}
    return {**known, **facts, "origin": origin, "seed": seed}


def frozen_trial(
    record: TrialRecord, space: Space, objectives: Sequence[str], attributes: dict[str, Any]
) -> FrozenTrial:
    """The trial of a record with these user attributes; a paused record becomes a running trial."""
    state, values = (TrialState.RUNNING, None) if record.state == "paused" else state_and_values(record, objectives)
    params, known = distributions(space, record.holes)
    reported = dict(record.scores)
    if state == TrialState.PRUNED and reported and len(objectives) == 1:
        values = [reported[max(reported)]]
    return create_trial(
        state=state,
        values=values,
        params=params,
        distributions=known,
        user_attrs=attributes,
        intermediate_values=reported if objectives[0] in QUALITIES else {},
        constraints={"feasible": 1.0} if record.state == "infeasible" else None,
    )
