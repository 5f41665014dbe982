"""Which trials go on, stop, pause and are promoted."""

import math
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inception_search.errors import UnknownNameError
from inception_search.study.pruner_options import PRUNER_OPTIONS, MedianOptions, pruner_options
from inception_search.study.pruners import Hyperband, make_scheduler

ONE, ACCURACY_AND_COST = (False,), (False, True)
STARTUP = MedianOptions().startup


def reported(rule, number, epoch, losses):
    """What the rule says of a trial that then does so."""
    word = rule.report(number, epoch, losses)
    if word == "pause":
        rule.hold(number)
    return word


def scheduler(name, epochs=27, rungs=(1, 3, 9), eta=3, beforehand=ONE, **options):
    own = {} if name in ("median", "none") else {"eta": eta}
    return make_scheduler(pruner_options(name, own | options), epochs=epochs, rungs=rungs, beforehand=beforehand)


@pytest.mark.parametrize("name", PRUNER_OPTIONS)
def test_spared_trials_are_never_held_back(name):
    rule = scheduler(name)
    for number in range(40):
        for epoch in range(1, 27):
            assert rule.report(number, epoch, (float(number),), spared=True) == "go on"


def test_an_unknown_pruner_is_named():
    with pytest.raises(UnknownNameError, match=r"unknown pruner, got 'medain'.*did you mean 'median'"):
        scheduler("medain")


def test_median_stops_who_is_behind_more_than_half_at_the_same_epoch():
    rule = scheduler("median", epochs=6)
    for number in range(STARTUP):
        assert rule.report(number, 4, (float(number),)) == "go on"
    assert rule.report(90, 3, (99.0,)) == "go on"  # the first half of the epochs decides nothing
    assert rule.report(91, 4, (3.5,)) == "go on"  # four of eight are better: not more than half
    assert rule.report(92, 4, (4.5,)) == "stop"


@given(
    reports=st.lists(st.tuples(st.integers(0, 15), st.sampled_from([0.0, 0.25, 0.5, 0.5, 0.75, 1.0, math.nan]))),
    startup=st.integers(1, 4),
)
def test_median_of_one_objective_counts_the_latest_loss_of_every_other_trial(reports, startup):
    """Trials report again after a resume, and a loss may be NaN, which is never ahead of another."""
    rule, latest = scheduler("median", epochs=4, startup=startup), {}
    for number, loss in reports:
        others = [other for key, other in latest.items() if key != number]
        behind = sum(other < loss for other in others) > len(others) / 2
        assert rule.report(number, 3, (loss,)) == ("stop" if behind and len(others) >= startup else "go on")
        latest[number] = loss


def test_median_of_several_objectives_asks_only_those_that_cost_no_more():
    rule = scheduler("median", epochs=4, beforehand=ACCURACY_AND_COST)
    for number in range(STARTUP):
        rule.report(number, 3, (float(number), 100.0))
    assert rule.report(50, 3, (99.0, 10.0)) == "go on"  # nobody so cheap is better, however bad it is
    assert rule.report(51, 3, (99.0, 100.0)) == "stop"
    assert rule.report(52, 3, (0.5, 500.0)) == "go on"


def test_asha_promotes_one_in_eta_as_soon_as_it_is_among_the_best():
    rule = scheduler("asha")
    assert [reported(rule, n, 1, (loss,)) for n, loss in enumerate((5.0, 4.0))] == ["pause", "pause"]
    assert rule.promotable() is None
    assert reported(rule, 2, 1, (6.0,)) == "pause"
    assert rule.promotable() == 1
    rule.promote(1)
    assert rule.promotable() is None
    assert reported(rule, 1, 2, (3.0,)) == "go on"  # between rungs
    assert reported(rule, 1, 3, (3.0,)) == "pause"  # alone on its rung
    assert [reported(rule, n, 1, (9.0,)) for n in (3, 4)] == ["pause", "pause"]
    assert reported(rule, 5, 1, (1.0,)) == "go on"
    assert rule.promotable() is None


def test_asha_looks_at_the_highest_rung_first_and_goes_by_fronts():
    rule = scheduler("asha", beforehand=ACCURACY_AND_COST)
    points = {0: (1.0, 5.0), 1: (5.0, 1.0), 2: (6.0, 6.0), 3: (7.0, 7.0), 4: (8.0, 8.0), 5: (9.0, 9.0)}
    for number, losses in points.items():
        reported(rule, number, 1, losses)
    promoted = set()
    while (number := rule.promotable()) is not None:
        rule.promote(number)
        promoted.add(number)
    assert promoted == {0, 1}


def test_a_trial_that_was_told_paused_again_waits_though_it_is_now_among_the_best():
    rule = scheduler("asha")
    for number, loss in enumerate((3.0, 2.0, 1.0)):
        rule.report(number, 1, (loss,))
    assert rule.promotable() is None  # nobody is known to have paused
    for number in range(3):
        rule.hold(number)
    assert rule.promotable() == 2


def test_halving_waits_for_the_whole_cohort_and_closes_with_what_it_has():
    rule = scheduler("halving", epochs=9, rungs=(1, 3))
    for number in range(8):
        assert reported(rule, number, 1, (float(number),)) == "pause"
        assert rule.promotable() is None
    assert reported(rule, 8, 1, (-1.0,)) == "go on"  # the ninth completes the cohort of 3 * 3
    assert [promote(rule), promote(rule), promote(rule)] == [0, 1, None]
    for number in (9, 10):
        reported(rule, number, 1, (float(number),))
    assert rule.promotable() is None
    rule.close()
    assert promote(rule) == 9


def promote(rule):
    number = rule.promotable()
    if number is not None:
        rule.promote(number)
    return number


def finish(rule, losses, epochs):
    """Close the rule and train what it lets continue; the trials that reach their last epoch."""
    rule.close()
    finished = set()
    while (number := promote(rule)) is not None:
        later = [epoch for epoch in epochs if epoch > max(e for e in epochs if (number, e) in losses)]
        for epoch in later:
            losses[number, epoch] = losses[number, 1]
            if reported(rule, number, epoch, losses[number, 1]) == "pause":
                break
        else:
            finished.add(number)
    return finished


@pytest.mark.parametrize(("trials", "at_least"), [(1, 1), (2, 1), (8, 1), (9, 1), (10, 2), (20, 3)])
def test_when_a_study_ends_the_best_of_each_rung_continue_to_the_documented_number(trials, at_least):
    """With two objectives; all trials pause at the first rung, since each is worse than those before it."""
    rule = scheduler("asha", epochs=9, rungs=(1, 3), beforehand=ACCURACY_AND_COST)
    losses = {(number, 1): (float(number), float(number)) for number in range(trials)}
    for (number, epoch), values in losses.items():
        reported(rule, number, epoch, values)
    finished = finish(rule, losses, (1, 3))
    assert finished == set(range(at_least)), "the best, and no more than the number that is documented"


def test_a_paused_trial_that_is_better_than_the_only_one_trained_to_the_end_continues():
    rule = scheduler("asha", epochs=9, rungs=(1, 3), beforehand=ACCURACY_AND_COST)
    for epoch in (1, 3):
        assert rule.report(0, epoch, (0.9, 9.0), spared=True) == "go on"  # canonical
    assert [reported(rule, number, 1, (0.1 * number, 1.0)) for number in (2, 1)] == ["pause", "go on"]
    assert reported(rule, 1, 3, (0.1, 1.0)) == "pause"  # one in three of two trials is none
    losses = {(1, 1): (0.1, 1.0), (1, 3): (0.1, 1.0), (2, 1): (0.2, 1.0)}
    assert 1 in finish(rule, losses, (1, 3))


def test_at_the_end_one_searched_trial_continues_even_where_canonical_ones_lead():
    rule = scheduler("asha", epochs=9, rungs=(1, 3))
    for number in range(3):
        for epoch in (1, 3):
            rule.report(number, epoch, (0.0,), spared=True)
    losses = {(number, 1): (float(number),) for number in (5, 6)}
    for number, epoch in losses:
        assert reported(rule, number, epoch, losses[number, epoch]) == "pause"
    assert finish(rule, losses, (1, 3)) == {5}


def test_the_place_of_a_trial_that_fails_is_given_to_the_next_best():
    rule = scheduler("asha", epochs=3, rungs=(1,))
    for number in range(3):
        reported(rule, number, 1, (float(number),))
    assert promote(rule) == 0
    rule.drop(0)
    rule.close()
    assert promote(rule) == 1
    assert promote(rule) is None


def test_a_cohort_of_halving_decides_without_a_trial_that_fails():
    """At every rung the next best takes its place, while other trials are still to come."""
    rule = scheduler("halving", epochs=9, rungs=(1, 3))
    for number in range(9):
        assert reported(rule, number, 1, (float(number),)) == "pause"
    assert [promote(rule) for _ in range(4)] == [0, 1, 2, None]
    rule.drop(0)
    assert [promote(rule), promote(rule)] == [3, None]
    assert [reported(rule, number, 3, (float(number),)) for number in (3, 2)] == ["pause", "pause"]
    assert promote(rule) is None, "trial 1 has still to come"
    assert reported(rule, 1, 3, (1.0,)) == "go on"
    assert reported(rule, 9, 1, (-1.0,)) == "pause", "the next cohort begins"
    assert promote(rule) is None


def test_the_rungs_decide_one_after_the_other_at_the_end():
    """With several processes, a rung waits for the trials that are on their way to it."""
    rule = scheduler("asha", epochs=9, rungs=(1, 3))
    for number in range(4):
        rule.report(number, 1, (float(number),))
        rule.hold(number)
    assert promote(rule) == 0
    rule.close()
    assert promote(rule) == 1
    assert reported(rule, 1, 3, (5.0,)) == "pause"
    assert promote(rule) is None, "trial 0 has still to come"
    assert reported(rule, 0, 3, (1.0,)) == "pause"
    assert promote(rule) == 0


def test_hyperband_begins_in_proportion_at_every_rung():
    rule = Hyperband((1, 3, 9), 3)
    first = Counter(len(rule.bracket(number).rungs) for number in range(len(rule.turns) * 4))
    assert first == {3: 27 * 4, 2: 12 * 4, 1: 6 * 4, 0: 4 * 4}  # n of algorithm 1 for R=27, eta=3
    early = Counter(len(rule.bracket(number).rungs) for number in range(12))
    assert len(early) >= 3, "the first trials are all of one bracket"


@pytest.mark.parametrize("name", ["asha", "halving", "hyperband"])
@pytest.mark.parametrize("seed", range(5))
def test_a_simulated_study_spends_little_and_finds_the_best(name, seed):
    """Losses that fall as 1/epoch to a level of their own: the order is the same at every epoch."""
    rng, rule = random.Random(seed), scheduler(name, epochs=27)
    level = {number: rng.random() for number in range(81)}
    at: dict[int, int] = {}
    spent, finished = 0, set()

    def run(number):
        nonlocal spent
        for epoch in range(at.get(number, 0) + 1, 28):
            spent, at[number] = spent + 1, epoch
            if epoch < 27 and rule.report(number, epoch, (level[number] + 1 / epoch,)) == "pause":
                rule.hold(number)
                return
        finished.add(number)

    for number in level:
        run(number)
        while (paused := promote(rule)) is not None:
            run(paused)
    rule.close()
    while (paused := promote(rule)) is not None:
        run(paused)
    best = min(level, key=level.get)
    assert best in finished
    assert spent < 81 * 27 * {"asha": 0.4, "halving": 0.25, "hyperband": 0.6}[name]


def test_median_waits_for_as_many_trials_and_epochs_as_it_is_told():
    rule = scheduler("median", epochs=10, startup=3, first_epoch=2)
    for number in range(3):
        assert rule.report(number, 1, (float(number),)) == "go on"
        assert rule.report(number, 2, (float(number),)) == "go on"
    assert rule.report(9, 1, (99.0,)) == "go on"
    assert rule.report(9, 2, (99.0,)) == "stop"


def test_halving_decides_when_a_cohort_of_the_size_it_is_told_has_come():
    rule = scheduler("halving", rungs=(1, 3), cohort=4)
    for number in range(4):
        assert rule.promotable() is None
        assert reported(rule, number, 1, (float(number),)) == "pause"
    assert rule.promotable() == 0


def test_hyperband_has_as_many_brackets_as_it_is_told():
    rule = scheduler("hyperband", brackets=1)
    assert [len(bracket.rungs) for bracket in rule.brackets] == [3]
    assert len(scheduler("hyperband").brackets) == 4
