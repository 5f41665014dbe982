"""Records and running trials as trials of Optuna."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from optuna.trial import FrozenTrial, TrialState, create_trial

from inception_search.optuna_bridge.distributions import distributions
from inception_search.space.holes import Params
from inception_search.space.space import Space
from inception_search.store.objectives import told
from inception_search.store.record import QUALITIES, TrialRecord


def state_and_values(record: TrialRecord, objectives: Sequence[str]) -> tuple[TrialState, list[float] | None]:
    """State and values of a record that has ended, as Optuna has them."""
    if record.state == "complete":
        values = told(record)
        return TrialState.COMPLETE, [values[name] for name in objectives]
    pruned = record.state in ("pruned", "infeasible")
    return {True: TrialState.PRUNED, False: TrialState.FAIL}[pruned], None


def running_trial(space: Space, params: Params, attributes: Mapping[str, Any]) -> FrozenTrial:
    """A trial that has begun, with these user attributes."""
    known, domains = distributions(space, params)
    return create_trial(state=TrialState.RUNNING, params=known, distributions=domains, user_attrs=dict(attributes))


def user_attributes(facts: Mapping[str, Any], *, origin: str, seed: int, **others: Any) -> dict[str, Any]:
    """What Optuna's tools show of a trial besides its parameters.

    A trial whose record is lost is trained again from its parameters and these, so a running trial and one made from a
    record have the same ones. ``others`` (label, arch_id, repeat_of) that are None are left out.
    """
    known = {name: value for name, value in others.items() if value is not None}
    return {**known, **facts, "origin": origin, "seed": seed}


def frozen_trial(
    record: TrialRecord, space: Space, objectives: Sequence[str], attributes: dict[str, Any]
) -> FrozenTrial:
    """The trial that a record tells of, with these user attributes; one that is paused is under way."""
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
