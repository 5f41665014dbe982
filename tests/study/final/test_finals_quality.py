"""Balanced accuracy and macro F1 of final trainings: against scikit-learn, a jackknife, and in the table's verdict."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score

from inception_search.analysis.significance import Scores, compare
from inception_search.training.score_parts import Classes, image_parts, packed, unpacked

SCORES = {
    "accuracy": lambda truth, answers: float((truth == answers).mean()),
    "balanced_accuracy": balanced_accuracy_score,
    "macro_f1": lambda truth, answers: f1_score(truth, answers, average="macro"),
}


def answered(rng: np.random.Generator, images: int, right: float) -> tuple[Classes, Classes]:
    """Classes of skewed sizes, and answers so many of which are right."""
    truth = rng.choice(4, images, p=[0.7, 0.2, 0.07, 0.03])
    return truth, np.where(rng.random(images) < right, truth, rng.integers(0, 5, images))


@pytest.mark.parametrize("quality", SCORES)
def test_the_mean_over_images_is_the_score(quality: str) -> None:
    rng = np.random.default_rng(0)
    for images in (7, 300):
        truth, answers = answered(rng, images, 0.8)
        if quality == "balanced_accuracy":
            answers = np.where(np.isin(answers, truth), answers, truth)  # scikit-learn warns of others
        assert image_parts(truth, answers, quality).mean() == pytest.approx(SCORES[quality](truth, answers))


@pytest.mark.parametrize("quality", SCORES)
def test_their_spread_is_how_much_the_score_depends_on_the_images(quality: str) -> None:
    """The standard error from the parts, against that of scores of other images drawn from the same ones."""
    rng = np.random.default_rng(1)
    truth, answers = answered(rng, 2000, 0.8)
    answers = np.where(answers > 3, 0, answers)
    error = image_parts(truth, answers, quality).std(ddof=1) / np.sqrt(2000)
    draws = (rng.integers(0, 2000, 2000) for _ in range(150))
    assert error == pytest.approx(np.std([SCORES[quality](truth[i], answers[i]) for i in draws]), rel=0.2)


def test_a_network_that_is_better_on_the_rare_class_is_better_in_balanced_accuracy_alone() -> None:
    rng = np.random.default_rng(2)
    truth = rng.choice(2, 4000, p=[0.95, 0.05])
    common, rare = ((0.98, 0.5), (0.95, 0.9))

    def scores(chances: tuple[float, float], quality: str) -> Scores:
        given = [np.where(rng.random(4000) < np.take(chances, truth), truth, 1 - truth) for _ in range(3)]
        return Scores("x", np.stack([image_parts(truth, answers, quality) for answers in given]))

    assert compare(scores(rare, "balanced_accuracy"), scores(common, "balanced_accuracy")).outcome == "better"
    assert compare(scores(rare, "accuracy"), scores(common, "accuracy")).difference < 0


def test_classes_come_back() -> None:
    classes = np.random.default_rng(3).integers(0, 70_000, 501)
    assert np.array_equal(unpacked(packed(classes), 501), classes)
    for images in (0, 500, 502):
        with pytest.raises(ValueError, match=f"not the classes of {images} images"):
            unpacked(packed(classes), images)
    for text in ("?", "AAAA", packed(classes)[:-8]):
        with pytest.raises(ValueError, match="not the classes of"):
            unpacked(text, 501)
