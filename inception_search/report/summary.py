"""The outcome of a study in one or two sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from inception_search.analysis.leaderboard import best_baseline, points
from inception_search.numbers import counted
from inception_search.store.query import counts, leaderboard, quality_words
from inception_search.store.record import TrialRecord, percent, trial_name

# The weight of one validation image; only in plain accuracy do all images count the same.
_WORTH = {
    "accuracy": "corresponds to {:.2f} points",
    "balanced_accuracy": "counts more in a small class",
    "macro_f1": "counts more in a small class",
}
_UNSEEN = {"threads", "curve_images"}  # fields of a fidelity that do not affect the trained weights


def summary(records: Sequence[TrialRecord]) -> str:
    """The outcome of a study in one or two sentences."""
    numbers = counts(records)
    text = f"{counted(len(records), 'trial')}, {numbers['complete']} trained to the last epoch."
    text += _recipes(records)
    found = next((r for r in leaderboard(records, len(records)) if r.origin != "baseline"), None)
    if found is None or found.score is None:
        return text
    text += f" Best network found: {trial_name(found)} with {percent(found.score)} validation {quality_words(records)}"
    text += f" and a loss of {found.objectives['loss']:.3g}" if found.ranked_by == "loss" else ""
    reference = best_baseline(records)
    if reference is None or reference.score is None:
        return text + "." + _grain(records, found)
    difference = found.score - reference.score
    text += f", {points(difference)} points compared with {trial_name(reference)}, the best baseline"
    loss = f" and a loss of {reference.objectives['loss']:.3g}" if found.ranked_by == "loss" else ""
    text += f" ({percent(reference.score)}{loss})."
    if leaderboard([found, reference], 1)[0].number == reference.number:
        text += f" No network found is better than {trial_name(reference)}."
    return text + _grain(records, found, reference)


def _recipes(records: Sequence[TrialRecord]) -> str:
    """A sentence if trials were trained with different settings, because the recipe was changed."""
    # Records of a large study share fidelity objects; each needs to be examined only once.
    known = {id(record.fidelity): record.fidelity for record in records if record.state == "complete"}
    recipes = [{"class_weights": "none", **fidelity} for fidelity in known.values() if fidelity]
    names = sorted({name for recipe in recipes for name in recipe} - _UNSEEN)
    values_of = {name: sorted({str(recipe.get(name)) for recipe in recipes}) for name in names}
    words = [f"{name} {' or '.join(distinct)}" for name, distinct in values_of.items() if len(distinct) > 1]
    return (
        f" They were trained with different settings ({', '.join(words)}), so their accuracies are not comparable."
        if words
        else ""
    )


def _grain(records: Sequence[TrialRecord], *named: TrialRecord) -> str:
    """The weight of one validation image and the number of trainings, as a hint at differences due to chance."""
    sizes = named[0].data.get("sizes")
    images = sizes.get("validation") if isinstance(sizes, dict) else None
    if not isinstance(images, int) or images < 1:
        return ""
    again = Counter(record.repeat_of for record in records if record.state == "complete")
    counts_of = [f"{trial_name(record)} was trained {_times(1 + again[record.number])}" for record in named]
    repeated = any(again[record.number] for record in named)
    trained = ", ".join(counts_of) if repeated else "each network was trained once"
    worth = _WORTH[named[0].quality].format(100 / images)
    return f" One of the {images:,} validation images {worth}; {trained}."


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"
