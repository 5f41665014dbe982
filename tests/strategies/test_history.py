"""The history of a strategy: which trials run, and which are the best, after any order of observations."""

from hypothesis import given
from hypothesis import strategies as st

from inception_search.strategies.history import History, best_first
from inception_search.strategies.protocol import Observation


@st.composite
def observations(draw):
    objectives = draw(st.integers(1, 2))
    loss = st.sampled_from([0.0, 0.25, 0.5, 1.0])
    told = []
    for number in draw(st.lists(st.integers(0, 9), max_size=40)):
        state = draw(st.sampled_from(["running", "complete", "pruned", "failed"]))
        losses = draw(st.tuples(*[loss] * objectives)) if state in ("complete", "pruned") else None
        told.append(Observation(number, {}, f"a{number}", state, losses, draw(st.integers(0, 2)) if losses else 0))
    return told


@given(told=observations(), most=st.integers(0, 12))
def test_the_history_follows_from_the_latest_observation_of_each_trial(told, most):
    history = History()
    for observation in told:
        history.tell(observation)
    latest = {}
    for observation in told:
        latest[observation.number] = observation  # a known number keeps its place
    assert history.running == [each for each in latest.values() if each.state == "running"]
    assert sorted(each.number for each in history.ended) == sorted(n for n, o in latest.items() if o.losses is not None)
    assert history.best_few(most) == best_first(history.ended)[:most]
