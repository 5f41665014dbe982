"""The verdict against scipy, and against simulations of networks whose true difference is known."""

import numpy as np
import pytest
from scipy import stats

from inception_search.analysis.significance import Bools, Interval, Scores, compare, holm, signed


def drawn(rng: np.random.Generator, seeds: int, images: int, *, share: float, spread: float = 0.0) -> Bools:
    """Right answers of ``seeds`` trainings, each right about so large a share, more or less by ``spread``."""
    shares = np.clip(share + rng.normal(0, spread, (seeds, 1)), 0, 1)
    return rng.random((seeds, images)) < shares


def hard_and_easy(rng: np.random.Generator, images: int) -> tuple[np.ndarray, np.ndarray]:
    """How likely each image is got right by two networks that are equally good, and mostly agree on what is hard."""
    ours = rng.beta(2, 0.35, images)
    return ours, np.where(rng.random(images) < 0.7, ours, rng.beta(2, 0.35, images))


class TestAgainstScipy:
    @pytest.fixture
    def pair(self) -> tuple[Bools, Bools]:
        rng = np.random.default_rng(1)
        return drawn(rng, 5, 400, share=0.9, spread=0.02), drawn(rng, 4, 400, share=0.8, spread=0.03)

    def test_the_interval_over_seeds_is_welchs(self, pair):
        found = compare(Scores("a", pair[0]), Scores("b", pair[1]))
        welch = stats.ttest_ind(pair[0].mean(1), pair[1].mean(1), equal_var=False)
        expected = welch.confidence_interval(0.95)
        assert (found.over_seeds.low, found.over_seeds.high) == pytest.approx((expected.low, expected.high))
        assert found.difference == pytest.approx(pair[0].mean() - pair[1].mean())

    def test_the_error_over_images_is_the_paired_one(self, pair):
        found = compare(Scores("a", pair[0]), Scores("b", pair[1]))
        assert found.image_error == pytest.approx(stats.sem(pair[0].mean(0) - pair[1].mean(0)))

    def test_for_one_training_each_it_is_that_of_mcnemars_test(self):
        rng = np.random.default_rng(2)
        ours, theirs = drawn(rng, 1, 500, share=0.9), drawn(rng, 1, 500, share=0.85)
        only_ours, only_theirs = (ours & ~theirs).sum(), (~ours & theirs).sum()
        difference = (only_ours - only_theirs) / 500
        expected = np.sqrt(((only_ours + only_theirs) / 500 - difference**2) / 499)
        assert compare(Scores("a", ours), Scores("b", theirs)).image_error == pytest.approx(expected)

    def test_the_p_value_agrees_with_the_interval(self):
        rng = np.random.default_rng(3)
        for _ in range(100):
            found = compare(*(Scores("x", drawn(rng, 3, 200, share=s, spread=0.01)) for s in (0.85, 0.8)))
            assert (found.p_value < 0.05) == (found.outcome != "not distinguishable")


class TestAgainstSimulation:
    @pytest.mark.parametrize("seeds", [2, 3, 5])
    @pytest.mark.parametrize("spread", [0.0, 0.03])
    @pytest.mark.parametrize("difference", [0.0, 0.05])
    def test_the_interval_has_the_true_difference_in_95_of_100(self, seeds, spread, difference):
        rng = np.random.default_rng([seeds, int(100 * spread), int(100 * difference)])
        hits = []
        for _ in range(600):
            ours = drawn(rng, seeds, 300, share=0.8 + difference, spread=spread)
            found = compare(Scores("a", ours), Scores("b", drawn(rng, seeds, 300, share=0.8, spread=spread)))
            hits.append(found.interval.low <= difference <= found.interval.high)
        assert np.mean(hits) > 0.93
        assert np.mean(hits) < 0.999 or spread == 0  # where only images differ it is wider, never narrower

    def test_also_for_other_test_images_of_the_same_kind(self):
        rng = np.random.default_rng(5)
        hits = []
        for _ in range(600):
            chances = hard_and_easy(rng, 400)
            pair = [rng.random((3, 400)) < chance for chance in chances]
            found = compare(Scores("a", pair[0]), Scores("b", pair[1]))
            hits.append(found.outcome == "not distinguishable")
        assert np.mean(hits) > 0.93

    def test_a_clear_difference_is_found_nearly_always(self):
        rng = np.random.default_rng(6)
        pairs = [[Scores("x", drawn(rng, 3, 1000, share=s, spread=0.005)) for s in (0.9, 0.8)] for _ in range(200)]
        assert np.mean([compare(ours, theirs).outcome == "better" for ours, theirs in pairs]) > 0.95
        assert np.mean([compare(theirs, ours).outcome == "worse" for ours, theirs in pairs]) > 0.95

    def test_seeds_that_happen_to_agree_do_not_make_it_certain(self):
        """Welch alone would be sure of 2 points of 100 images here."""
        right = np.zeros((3, 100), dtype=bool)
        ours, theirs = right.copy(), right.copy()
        ours[:, :82] = theirs[:, 2:82] = True
        found = compare(Scores("a", ours), Scores("b", theirs))
        assert found.over_seeds.outcome == "better"
        assert found.outcome == "not distinguishable"


class TestWords:
    def test_say_how_much_and_how_sure(self):
        rng = np.random.default_rng(7)
        good, bad = (Scores("x", drawn(rng, 3, 2000, share=s)) for s in (0.9, 0.7))
        assert compare(good, bad).words.startswith("better by ")
        assert compare(bad, good).words.startswith("worse by ")
        assert "95 % interval +" in compare(good, bad).words
        assert "2000 test images" in compare(good, bad).words

    def test_never_claim_what_the_interval_does_not_allow(self):
        rng = np.random.default_rng(8)
        same = compare(*(Scores("x", drawn(rng, 3, 100, share=0.8)) for _ in range(2)))
        assert same.words.startswith("not distinguishable: ")
        assert "includes 0" in same.words
        assert "better" not in same.words

    def test_one_seed_gives_no_interval(self):
        rng = np.random.default_rng(9)
        found = compare(Scores("a", drawn(rng, 1, 100, share=0.99)), Scores("b", drawn(rng, 3, 100, share=0.5)))
        assert (found.interval, found.p_value, found.outcome) == (None, None, "no interval")
        assert "proves nothing" in found.words
        assert "better" not in found.words

    def test_equal_to_the_last_image(self):
        ones = np.ones((2, 50), dtype=bool)
        found = compare(Scores("a", ones), Scores("b", ones))
        assert (found.difference, found.p_value, found.outcome) == (0.0, 1.0, "not distinguishable")

    def test_one_image(self):
        one = np.ones((2, 1), dtype=bool)
        assert compare(Scores("a", one), Scores("b", ~one)).difference == 1.0

    def test_numbers(self):
        assert (signed(0.0125), signed(-0.004), signed(-0.00001)) == ("+1.25", "−0.40", "0.00")
        assert Interval(-0.1, 0.2).outcome == "not distinguishable"
        assert Interval(0.0, 0.2).outcome == "not distinguishable"


@pytest.mark.parametrize(
    ("given", "adjusted"),
    [
        ([], []),
        ([0.04], [0.04]),
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),
        ([0.5, 0.6, 0.001], [1.0, 1.0, 0.003]),
    ],
)
def test_holm(given, adjusted):
    assert holm(given) == pytest.approx(adjusted)
