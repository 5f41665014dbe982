"""What was searched and how, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from inception_search.figures.labels import count
from inception_search.numbers import counted
from inception_search.report.blocks import Block, Folded, Table
from inception_search.report.material import Material

LIMITS = {
    "max_macs": "at most {} multiply-adds",
    "max_params": "at most {} parameters",
    "max_activation_bytes": "at most {} bytes of activations",
    "max_depth": "at most {} layers deep",
    "max_latency_ms": "at most {} ms for one image",
    "min_macs": "at least {} multiply-adds",
    "min_params": "at least {} parameters",
    "min_depth": "at least {} layers deep",
    "min_receptive_field": "a receptive field of at least {} pixels",
}
OBJECTIVES = {
    "accuracy": "validation accuracy (high)",
    "balanced_accuracy": "balanced accuracy on the validation images (high)",
    "macro_f1": "macro F1 on the validation images (high)",
    "loss": "validation loss (low)",
    "params": "parameters (few)",
    "macs": "multiply-adds (few)",
    "activation_bytes": "bytes of activations (few)",
    "latency": "latency (short)",
    "seconds": "seconds of training (few)",
}
PRUNERS = {
    "median": "trials that are worse than the median at the same epoch are stopped",
    "none": "every trial is trained to the last epoch",
}


def recipe_section(material: Material) -> list[Block]:
    """Space, data, fidelity, strategy, objectives, limits, seed and trials; then the decisions of the space."""
    rows = [(name, words) for name, words in _facts(material) if words]
    return [
        Table("A summary; the section Configuration has every option.", ("", "This study"), rows),
        *_holes(material),
    ]


def _facts(material: Material) -> Iterator[tuple[str, str]]:
    space = material.space
    named = str(material.option("space") or "")
    yield "Space", f"{space.name}: {space.about}" if space and space.about else named
    if space:
        yield "Points", f"{space.size}, {counted(len(space.holes), 'decision')}"
    yield "Data", _data(material)
    yield "Notes", _notes(material)
    yield "Training", _training(material)
    yield "Strategy", _strategy(material)
    objectives = material.option("objectives") or ()
    yield "Objectives", ", ".join(OBJECTIVES.get(str(name), str(name)) for name in objectives)
    limits = [words.format(_number(material.option(name))) for name, words in LIMITS.items() if material.option(name)]
    yield "Limits", ", ".join(limits) or ("none" if material.study else "")
    yield "Trials", _trials(material)
    yield "Seed", str(material.option("seed")) if material.option("seed") is not None else ""


def _data(material: Material) -> str:
    facts = material.option("facts")
    data = facts.get("data") if isinstance(facts, Mapping) else None
    if not isinstance(data, Mapping):
        named = material.option("data")
        return named if isinstance(named, str) else ""
    sentence = str(data.get("name", material.option("data")))
    if isinstance(shape := data.get("shape"), list) and len(shape) == 3:
        sentence += f", images of {shape[1]}×{shape[2]} pixels, {shape[0]} channel{'' if shape[0] == 1 else 's'}"
    if isinstance(sizes := data.get("sizes"), Mapping):
        sentence += "; " + ", ".join(f"{_number(number)} {part}" for part, number in sizes.items())
        sentence += " images (a search does not use the test images)" if "test" in sizes else " images"
    return sentence


def _notes(material: Material) -> str:
    facts = material.option("facts")
    notes = facts.get("notes") if isinstance(facts, Mapping) else None
    return ". ".join(_sentence(str(note)) for note in notes) + "." if isinstance(notes, list) and notes else ""


def _sentence(note: str) -> str:
    return note[:1].upper() + note[1:]


def _training(material: Material) -> str:
    get = material.option
    epochs = get("epochs")
    if epochs is None:
        return ""
    parts = [counted(epochs, "epoch") if isinstance(epochs, int) else f"{epochs} epochs"]
    parts += [f"{get('optimizer')}", f"batches of {get('batch_size')}"]
    parts += [f"learning rate {get('learning_rate')}"] if get("learning_rate") else []
    parts += [f"schedule {get('schedule')}"] if get("schedule") else []
    parts += [f"weight decay {get('weight_decay')}"] if get("weight_decay") else []
    parts += [f"label smoothing {get('label_smoothing')}"] if get("label_smoothing") else []
    weights = get("class_weights")
    parts += [f"class weights {_weights(weights)}"] if weights not in (None, "none") else []
    parts += [f"{name} ×{get(name)}" for name in ("width", "depth") if get(name) not in (None, 1.0)]
    parts += [f"images of {get('image_size')} pixels"] if get("image_size") else []
    parts += ["augmented images"] if get("augment") else ["images without augmentation"]
    parts += [str(get("precision"))]
    return ", ".join(parts)


def _weights(chosen: Any) -> str:
    return ", ".join(f"{name} {w:g}" for name, w in chosen.items()) if isinstance(chosen, Mapping) else str(chosen)


def _strategy(material: Material) -> str:
    strategy, pruner = material.option("strategy"), material.option("pruner")
    if strategy is None:
        return ""
    rule = PRUNERS.get(str(pruner), f"{pruner} pauses trials at rungs (eta {material.option('eta')})")
    options = material.option("strategy_options")
    own = ", ".join(f"{name} {value}" for name, value in options.items()) if isinstance(options, Mapping) else ""
    return f"{strategy} ({own}); {rule}" if own else f"{strategy}; {rule}"


def _trials(material: Material) -> str:
    number = material.option("trials")
    if number is None:
        return ""
    sentence = f"{number} different architecture{'' if number == 1 else 's'}"
    if not material.option("baselines"):
        sentence += ", without canonical baselines"
    elif any(record.origin == "baseline" for record in material.records):
        sentence += ", canonical baselines first"
    repeats = material.option("repeats")
    if isinstance(repeats, int) and repeats > 1:
        top = material.option("repeat_top")
        sentence += f"; {f'the best {top}' if top else 'each'} trained with {repeats} seeds"
    return sentence


def _number(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}" if value < 100_000 else count(value)
    return str(value)


def _holes(material: Material) -> list[Block]:
    if material.space is None or not material.space.holes:
        return []
    tried = [record.holes for record in material.records if record.holes]
    rows = [(name, words, f"{sum(name in holes for holes in tried)}") for name, words in material.space.holes]
    caption = (
        f"The decisions of the space, and the number of trials (of {len(tried):,}) whose network has each decision."
    )
    listed = Table(caption, ("Decision$", "One of", "Trials#"), rows, dense=True)
    return [Folded("Decisions of the space", listed, open=True)]
