"""The model card of a repository: what the model is, what it costs, and how it was trained, from its document."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from inception_search._version import __version__
from inception_search.canonical.catalogue import list_dialects, load, names
from inception_search.figures.diff.diff import Diff, diff_of
from inception_search.graph.graph import Graph
from inception_search.lowering import lower
from inception_search.numbers import class_count
from inception_search.spec.network import Network
from inception_search.store.record import TrialRecord, percent

FIGURE, DOCUMENT = "network.svg", "network.yaml"
LONGEST = 80  # lines of the differences
CLASSES_SHOWN = 20


def card_of(
    name: str,
    network: Network,
    *,
    classes: Sequence[str] | None = None,
    record: TrialRecord | None = None,
    license: str | None = None,  # noqa: A002 (the word of model cards)
    architecture: str,
) -> str:
    """The text of README.md. ``architecture`` is the name of the network in timm; ``record`` is the trial's."""
    parts = [
        _header(license),
        f"# {name.partition('/')[2]}\n\n`{network.name}`, {class_count(network.head.classes)}, images of "
        f"{'x'.join(map(str, network.input.shape))} (channels, height, width).\n\n"
        f"![the network]({FIGURE})",
        _use(name, architecture),
        f"## Costs\n\n{_costs(network)}",
        f"## Differences from the nearest canonical network\n\n{_difference(network)}",
        *([f"## Training\n\n{_training(record)}"] if record is not None else []),
        *([f"## Classes\n\n{_classes(classes)}"] if classes is not None else []),
        f"The document of the network is in [{DOCUMENT}]({DOCUMENT}) and in the metadata of `model.safetensors`. "
        f"This card was written by inception-search {__version__}.",
    ]
    return "\n\n".join(parts) + "\n"


def _header(license: str | None) -> str:  # noqa: A002
    facts = ["library_name: inception-search", "pipeline_tag: image-classification"]
    facts += [] if license is None else [f"license: {json.dumps(license)}"]
    return "\n".join(["---", *facts, "tags: [image-classification, inception, timm]", "---"])


def _use(name: str, architecture: str) -> str:
    return f"""## Use

```python
import inception_search as ins

model = ins.load_model("hf://{name}")
images = ins.prepare_images(["photo.jpg"], model)
print(model(images).softmax(1))
```

In timm:

```python
import inception_search as ins
import timm

ins.register_timm("hf://{name}")
model = timm.create_model("{architecture}", pretrained=True)
```"""


def _costs(network: Network) -> str:
    graph: Graph = lower(network)
    cost = graph.cost()
    rows = [
        ("parameters", f"{cost.params:,}"),
        ("multiply-adds (MACs) for one image", f"{cost.macs:,}"),
        ("memory of all feature maps of one image in float32", f"{cost.activation_bytes / 1e6:,.1f} MB"),
        ("convolutions and linear layers on the longest path", f"{cost.depth}"),
    ]
    if cost.aux_params:
        rows.append(("parameters of auxiliary classifiers, used in training only", f"{cost.aux_params:,}"))
    return _table(("measure", "value"), rows)


def nearest(network: Network) -> Diff:
    """The differences from the canonical network with the fewest of them, in its nearest dialect.

    Added and removed parts count first: another width changes every layer, and is still the same network.
    """
    base = _fewest(names(), network)
    dialects = [f"{base.a.name}@{dialect}" for dialect in list_dialects(base.a.name)]
    return _fewest(dialects, network, base)


def _fewest(others: Iterable[str], network: Network, *known: Diff) -> Diff:
    """The smallest of ``known`` and of the differences from ``others``; the first one of several."""
    found = [(each, each.counts()) for each in (*known, *(_compared(name, network) for name in others))]
    return min(found, key=lambda each: (each[1]["added"] + each[1]["removed"], each[1]["changed"]))[0]


def _compared(name: str, network: Network) -> Diff:
    theirs = load(name)
    return diff_of(theirs, network, names=(name, network.name), networks=(theirs, network), input_shape=None)


def _difference(network: Network) -> str:
    found = nearest(network)
    if not found:
        return f"None: it is `{found.a.name}` as shipped."
    lines = found.text.splitlines()
    more = [f"... and {len(lines) - LONGEST} more lines"] if len(lines) > LONGEST else []
    counts = ", ".join(f"{count} {what}" for what, count in found.counts().items())
    return f"From `{found.a.name}`: {counts}.\n\n```diff\n" + "\n".join([*lines[:LONGEST], *more]) + "\n```"


def _training(record: TrialRecord) -> str:
    last = record.curve[-1] if record.curve else None
    rows = [("trial", str(record.number)), ("state", record.state)]
    rows += [] if record.score is None else [(f"validation {record.quality.replace('_', ' ')}", percent(record.score))]
    rows += [] if last is None else [("epochs", str(last.epoch)), ("training loss", f"{last.train_loss:.4f}")]
    rows += [] if last is None else [("validation loss", f"{last.validation_loss:.4f}")]
    rows += [("seed", str(record.seed)), ("device", record.device or ""), ("seconds", f"{record.seconds:.1f}")]
    rows += [("started", record.started)]
    rows += [(f"data: {key}", _shown(value)) for key, value in record.data.items()]
    rows += [(key.replace("_", " "), _shown(value)) for key, value in record.fidelity.items() if value is not None]
    rows += [(f"version of {key}", value) for key, value in record.versions.items()]
    return _table(("fact", "value"), list(dict(rows).items()))


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _classes(classes: Sequence[str]) -> str:
    shown = ", ".join(classes[:CLASSES_SHOWN])
    more = f" and {len(classes) - CLASSES_SHOWN} more" if len(classes) > CLASSES_SHOWN else ""
    return f"In the order of the logits: {_cell(shown)}{more}."


def _table(head: tuple[str, str], rows: Iterable[tuple[str, str]]) -> str:
    lines = [f"| {head[0]} | {head[1]} |", "|---|---|"]
    return "\n".join([*lines, *(f"| {_cell(key)} | {_cell(value)} |" for key, value in rows)])


def _cell(text: str) -> str:
    """``text`` on one line, without the marks of Markdown's tables and of HTML."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
