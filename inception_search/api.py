"""The verbs of the facade that join several rooms; heavy ones are imported when called."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inception_search.canonical.catalogue import load
from inception_search.lowering import lower
from inception_search.spec.network import Network
from inception_search.spec.transform import set_classes, set_input

if TYPE_CHECKING:
    from torch import nn

    from inception_search.figures.figure import Figure
    from inception_search.space.space import Space
    from inception_search.spec.step import AnyStep
    from inception_search.store.run_folder import RunFolder
    from inception_search.study.study import Study


def compile(  # the word users look for
    network: Network | str | Path,
    *,
    num_classes: int | None = None,
    in_channels: int | None = None,
    input_size: int | tuple[int, int] | None = None,
    aux: bool = False,
    weights: Mapping[str, Any] | None = None,
    seed: int | None = None,
) -> nn.Module:
    """The network as an ``fx.GraphModule``: (N, C, H, W) images to (N, num_classes) logits.

    ``input_size`` (pixels, or (height, width)) checks and types another resolution; ``aux=True`` builds the
    auxiliary classifiers, which compute in training mode: the output is then (logits, aux, ...).
    ``weights`` is a ``state_dict`` of a module compiled from the same document. Module paths and keys are
    places in the document. Raises ShapeError (the input is too small), CompileError (weights that do not fit).
    """
    from inception_search.backend.compile import build, load_weights

    net = network if isinstance(network, Network) else load(network)
    if num_classes is not None:
        net = set_classes(net, num_classes)
    height, width = (input_size, input_size) if isinstance(input_size, int) else input_size or (None, None)
    net = set_input(net, channels=in_channels, height=height, width=width)
    module = build(lower(net, aux=aux), name=net.name, seed=seed, init=weights is None)
    return module if weights is None else load_weights(module, weights)


def draw(item: Network | AnyStep | str | Path, **options: Any) -> Figure:
    """A picture of a network (a name, a path or a document) or of one of its modules.

    See :func:`inception_search.figures.draw.draw` for the options (style, flow, title).
    """
    from inception_search.figures.draw import draw as draw_item

    return draw_item(load(item) if isinstance(item, str | Path) else item, **options)


def load_space(space: str | Path) -> Space:
    """A search space by shipped name, from a file, or from YAML text."""
    from inception_search.space.space import load_space as load_it

    return load_it(space)


def search(space: Space | str | Path, **options: Any) -> Study:
    """Search ``space`` and return the study; its run folder holds records, report and pictures.

    See :class:`inception_search.study.config.StudyConfig` for the options (data, trials, run, max_macs, seed ...).
    """
    from inception_search.study.search import search as search_it

    return _reported(search_it(space, **options))


def resume(run: str | Path, **options: Any) -> Study:
    """Go on with the study in a run folder; ``trials`` changes how many it trains in all."""
    from inception_search.study.search import resume as resume_it

    return _reported(resume_it(run, **options))


def write_study_report(run: RunFolder) -> list[Path]:
    """The report of a run folder and its pictures, made from the records; the files written."""
    from inception_search.figures.report import write_report
    from inception_search.spec.yaml_reader import read_yaml

    study = read_yaml(run.study_text(), str(run.study_file))
    return write_report(run.path, run.records(), study=study, title=f"Search of {study['space']} on {study['data']}")


def _reported(study: Study) -> Study:
    from inception_search.store.query import best

    if best(study.records) is not None:
        write_study_report(study.run)
    return study
