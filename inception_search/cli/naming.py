"""Names on the command line: their help texts and TAB completions.

This module must not load pydantic, rich or torch, and modules that verbs import at the top must not load YAML: help and
completion have to answer in under 0.3 s. docs/naming.md describes the names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import typer

from inception_search.plugins import Kind, all_names
from inception_search.spec.documents.files import shipped_folder, shipped_names

ITEM = "Network or module: a name, name@dialect, name.module, file, run folder or trial (see docs/naming.md)"
NETWORK = "Network: a name, name@dialect, file, run folder or trial (see docs/naming.md)"
# The values of options. A test compares them with the search's own tables, which take longer to load.
STRATEGIES = ("random", "tpe", "evolution", "nsga2", "local", "predictor", "gp", "cmaes", "grid")
OBJECTIVES = (
    "accuracy", "balanced_accuracy", "macro_f1", "loss", "params", "macs", "activation_bytes", "latency", "seconds",
)  # fmt: skip
IMPLEMENTATIONS = ("torchvision", "timm", "cadene", "facenet", "facenet_tf", "fid", "keras", "slim", "lucid")
# The table of loaders imports torch.
ABOUT_DATASETS = {
    "digits": "scikit-learn's 1,797 handwritten digits, upsampled to 16x16; nothing to download",
    "fashion_mnist": "70,000 grey 28x28 images of clothes; Debian's dataset-fashion-mnist, or its files in --data-root",
    "cifar10": "60,000 colour 32x32 images, in the published python or binary form; --data-root or --download",
    "image_folder": "a folder of folders of images, one per class (or train/, val/, test/ of those); --data-root",
}
STYLES = ("plain", "paper", "detail", "overview")
FLOWS = ("down", "up", "right")
PHASES = ("inference", "training")
PALETTES = ("colour", "grey", "print", "colour-blind")
RUNS = "runs"

Complete = Callable[[str], list[str]]


def one_of(names: Iterable[str], added: Kind | None = None) -> Complete:
    """A completion that offers ``names``, and those that other packages register for the kind ``added``."""
    known = tuple(names)

    def complete(incomplete: str) -> list[str]:
        offered = known if added is None else all_names(added, known)
        return [name for name in offered if name.startswith(incomplete)]

    return complete


complete_strategy = one_of(STRATEGIES, "strategy")
complete_data = one_of(ABOUT_DATASETS, "dataset")
complete_device = one_of(("auto", "cpu", "cuda"))
complete_implementation = one_of(IMPLEMENTATIONS)
complete_style = one_of(STYLES)
complete_flow = one_of(FLOWS)
complete_palette = one_of(PALETTES)
complete_kind = one_of(("networks", "dialects", "spaces", "datasets", "ops", "passes"))


def complete_objectives(incomplete: str) -> list[str]:
    """The objectives that may follow those before the last comma."""
    before, comma, last = incomplete.rpartition(",")
    left = [name for name in OBJECTIVES if name not in before.split(",")]
    return [f"{before}{comma}{name}" for name in one_of(left)(last)]


def complete_module(context: typer.Context, incomplete: str) -> list[str]:
    """The modules of the shipped network or dialect that the preceding argument names."""
    network, _, dialect = (context.args[-1] if context.args else "").partition("@")
    return one_of(_modules(network, dialect or None))(incomplete) if network in shipped_names("canonical") else []


def complete_item(incomplete: str) -> list[str]:
    """Shipped networks; their dialects after @, their modules after a dot; and run folders."""
    networks = shipped_names("canonical")
    whole, dot, _ = incomplete.partition(".")
    network, at, dialect = whole.partition("@")
    if network not in networks or not (dot or at):
        return [*one_of(networks)(incomplete), *complete_run(incomplete)]
    parts = _modules(network, dialect or None) if dot else _dialects(network)
    return one_of(f"{whole}.{part}" if dot else f"{network}@{part}" for part in parts)(incomplete)


def complete_space(incomplete: str) -> list[str]:
    """Shipped spaces."""
    return one_of(shipped_names(), "space")(incomplete)


def complete_pass(incomplete: str) -> list[str]:
    """Rewriting passes."""
    from inception_search.passes import PASSES

    return one_of(PASSES)(incomplete)


def complete_run(incomplete: str) -> list[str]:
    """Run folders below runs/, or with a path that begins with the word."""
    folder, slash, _ = incomplete.rpartition("/")
    above = Path(folder or slash or RUNS)
    try:
        found = sorted(path.parent for path in above.glob("*/study.yaml"))
    except (OSError, ValueError):
        return []
    names = [f"{folder}{slash}{path.name}" if slash else f"{RUNS}/{path.name}" for path in found]
    return [name for name in names if name.startswith(incomplete)]


def _dialects(network: str) -> list[str]:
    from inception_search.spec.documents.dialect import dialects_of

    return list(dialects_of(_document(network)))


def _modules(network: str, dialect: str | None) -> list[str]:
    from inception_search.errors import UnknownNameError
    from inception_search.spec.documents.dialect import in_dialect

    try:
        found = in_dialect(_document(network), dialect)
    except UnknownNameError:
        return []
    return [*found["stages"], *(name for name in found.get("blocks", ()) if name not in found["stages"])]


def _document(network: str) -> Any:
    """The data of a shipped document; no network is built, because pydantic takes too long to load."""
    from inception_search.spec.documents.yaml_reader import read_yaml

    return read_yaml((shipped_folder() / "canonical" / f"{network}.yaml").read_text(encoding="utf-8"))
