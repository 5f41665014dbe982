"""Public functions that join several parts of the package; heavy modules are imported when a function is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from inception_search.canonical.catalogue import is_file, is_model, list_dialects, names
from inception_search.errors import ConfigError, raw, unknown_name, warn
from inception_search.hub.repository import local
from inception_search.items import item as named_item
from inception_search.items import load, trial_named
from inception_search.lowering import lower
from inception_search.spec.network import Network
from inception_search.spec.stem import set_stem_stride
from inception_search.spec.transform import remake, scale_network_width, set_depth, set_head, set_input

if TYPE_CHECKING:
    from inception_search.backend.network_module import NetworkModule
    from inception_search.figures.diff.diff import Diff
    from inception_search.figures.figure import Figure
    from inception_search.figures.page.html_page import Page
    from inception_search.spec.step import AnyStep
    from inception_search.weights.checkpoint import Checkpoint
    from inception_search.weights.trained import Trained


def compile(  # hides the builtin: PyTorch users look for this name
    network: Network | str | Path,
    *,
    num_classes: int | None = None,
    in_channels: int | None = None,
    input_size: int | tuple[int, int] | None = None,
    stem_stride: int | None = None,
    global_pool: Literal["avg", "max", "none"] | None = None,
    width: float | None = None,
    depth: float | None = None,
    aux: bool = False,
    weights: str | Path | Mapping[str, Any] | Checkpoint | None = None,
    download: bool = False,
    seed: int | None = None,
    optimize: Literal["none", "training", "inference", "auto"] | Sequence[str] = "none",
) -> NetworkModule:
    """Compile a network to a PyTorch module: (N, C, H, W) images to (N, classes) logits.

    Args:
        network: a document, or a name (docs/naming.md has all forms) such as ``"inception_v3@keras"`` or
            ``"runs/first:12"``. A trial's network gets new weights; :func:`load_model` loads the trained ones.
        num_classes: number of classes (default: the network's); 0 removes the classifier: the output is pooled features
            (N, C), or with ``global_pool="none"`` the last feature map (N, C, H, W).
        in_channels: number of channels of the images (default: the network's).
        input_size: size of the images in pixels: one number, or (height, width) (default: the network's).
        stem_stride: total stride of the stem (1, 2, 4 ...); use 1 for 32x32 images (default: the network's).
        global_pool: pooling of the last feature map to a vector: ``"avg"``, ``"max"`` or ``"none"`` (default: the
            network's).
        width: factor on the number of filters.
        depth: factor on the number of repeats of repeated blocks.
        aux: build the auxiliary classifiers. In training mode the output is then (logits, aux, ...).
        weights: a file (of torchvision, timm, Cadene, facenet-pytorch, Keras, TF-slim or this package), a trial
            (``"runs/first:12"``), or a ``state_dict``. Loading is strict, but ``num_classes`` and ``in_channels`` may
            differ. Weights of a trial or a saved model set the normalisation of the images. ``"pretrained"``: the
            published weights of the dialect, ``"pretrained:gluon_in1k"`` those with this tag; see
            :func:`published_weights`.
        download: download published weights if they are not in the cache of their ecosystem (torch hub, Hugging Face
            hub, Keras).
        seed: seed of the initial weights (default: PyTorch's current random state).
        optimize: rewrite the graph to an equal one that runs faster. ``"none"``: compute layer by layer as the document
            is written, so that hooks on every layer are called and layers can be replaced. ``"training"``: rewrites
            that are exact in training, gradients included. ``"inference"``: those that are exact in evaluation; the
            model is then in evaluation mode. ``"auto"``: each in its mode. A list: these passes, wherever they can be
            applied (docs/passes.md). Keys of the ``state_dict`` are always those of the document. Without a list, a
            cost model chooses, which is measured on this machine at the first use (about a second).

    Returns:
        The model, an ``fx.GraphModule``. Names of modules and keys of the ``state_dict`` are paths in the document;
        ``model.network`` is the document, ``model.loaded`` the report on every tensor of ``weights``.

    Raises:
        ShapeError: the input is too small for the network.
        WeightsError: the weights do not fit, the file is damaged, or the download of published weights fails.
        ConfigError, SpecError: an option cannot be used, such as ``aux=True`` for a network without auxiliary
            classifiers, or ``weights="pretrained"`` for a dialect without published weights.

    >>> import torch
    >>> model = ins.compile("nin_cifar10", num_classes=7, width=0.25, seed=0)
    >>> model(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 7])
    >>> model = ins.compile("inception_v1", optimize=["merge_siblings"])
    >>> [path for name, path in model.rewrites["training"]][0]
    'inception_3a.branches.{0.conv,0.act,1.0.conv,1.0.act,2.0.conv,2.0.act}'
    """
    from inception_search.backend.build import build
    from inception_search.published.for_network import published_for

    _check_seed(seed)
    network, weights = local(network), local(weights)
    net = network if isinstance(network, Network) else load(network)
    if aux and not net.aux:
        raise _no_aux(net)
    published = published_for(net, weights, download=download)
    if published is not None:
        net, weights = published.network, published.file
    found = _of_trial(weights)
    net = _normalised_as(net, found)
    net = set_head(net, num_classes, global_pool)
    height, wide = _sides(input_size)
    net = set_input(net, channels=in_channels, height=height, width=wide)
    net = net if width is None else scale_network_width(net, width)
    net = net if depth is None else set_depth(net, depth)
    net = net if stem_stride is None else set_stem_stride(net, stem_stride)
    net = net if aux else remake(net, aux={})
    module = build(lower(net), name=net.name, seed=seed)
    module.remember(network=net)
    if weights is None and isinstance(network, str | Path) and is_model(network):
        weights = network
    if weights is not None:
        from inception_search.weights.fit import Allowed
        from inception_search.weights.load import load_weights

        weights = weights if found is None else found.checkpoint
        allowed = Allowed(num_classes is not None, in_channels is not None)
        load_weights(module, weights, allowed=allowed)
    if published is not None:
        published.name_classes(module)
    return _optimized(module, optimize) if optimize and optimize != "none" else module


def _optimized(module: NetworkModule, optimize: str | Sequence[str]) -> NetworkModule:
    """``module``, computing by rewritten graphs; in evaluation mode if it can only compute that."""
    from inception_search.backend.execution import execute_by
    from inception_search.measures.choose_rewrites import rewrites_of

    rewrites = rewrites_of(module.recall("graph"), optimize)
    execute_by(module, rewrites)
    return module if "training" in rewrites else module.eval()


def _of_trial(weights: str | Path | Mapping[str, Any] | Checkpoint | None) -> Trained | None:
    """The trained weights of the trial that ``weights`` names; None if it names no trial."""
    trial = trial_named(weights) if isinstance(weights, str | Path) else None
    if trial is None:
        return None
    from inception_search.named import trained_of

    return trained_of(trial)


def _normalised_as(network: Network, trained: Trained | None) -> Network:
    """``network`` with the image normalisation that its weights were trained with."""
    facts = None if trained is None else trained.network.preprocess
    if facts is None or len(facts.mean) != network.input.channels:
        return network
    return remake(network, preprocess=facts)


def _check_seed(seed: int | None) -> None:
    if seed is not None and not -(2**63) <= seed < 2**64:
        raise ConfigError("seed cannot be used", found=seed, expected="a whole number of 64 bits, or None")


def _no_aux(network: Network) -> ConfigError:
    """The error for auxiliary classifiers that a network does not have."""
    base = network.name.partition("@")[0]
    known = [f"{base}@{dialect}" for dialect in list_dialects(base)] if base in names() else []
    having = [name for name in known if load(name).aux]
    return ConfigError(
        "the network has no auxiliary classifiers to build",
        found=raw(f"aux=True for {network.name}"),
        expected=f"one of {', '.join(having)}" if having else None,
        hint="leave out aux" if known else "leave out aux, or write some under 'aux:' in the document",
    )


def _sides(input_size: int | tuple[int, int] | None) -> tuple[int | None, int | None]:
    if input_size is None or isinstance(input_size, int):
        return input_size, input_size
    return input_size


class HasNetwork(Protocol):
    """An object that keeps its document: a compiled or loaded model, a :class:`Move`, the best trial of a study."""

    @property
    def network(self) -> Network: ...


def draw(
    item: Network | AnyStep | HasNetwork | str | Path,
    *,
    style: Literal["plain", "paper", "detail", "overview"] | None = None,
    flow: Literal["down", "up", "right"] | None = None,
    title: str | None = None,
    network: Network | None = None,
    input_shape: tuple[int, int, int] | None = None,
    blocks: bool = False,
    width: str | float | None = None,
    font_size: float | None = None,
    palette: Literal["colour", "grey", "print", "colour-blind"] | None = None,
) -> Figure:
    """Draw a network or one of its modules as a figure for a notebook, a paper or a web page.

    Args:
        item: a document, a module, a name of either (docs/naming.md), such as ``"inception_v4.inception_a"``, or a
            compiled model.
        style: ``"overview"`` draws one box for each stage, ``"plain"`` every convolution; ``"detail"`` adds shapes,
            parameters and multiply-adds; ``"paper"`` draws upwards, as the network's paper does (default:
            ``"overview"`` for a network, ``"plain"`` for a module).
        flow: the direction of the data: ``"down"``, ``"up"`` or ``"right"`` (default: ``"up"`` in style paper, else
            ``"down"``).
        title: the title; ``""`` omits it (default: the name).
        network: for a module: the network with its blocks and shapes.
        input_shape: for a module without ``network``: the shape (C, H, W) of its input feature map.
        blocks: draw every module of a network beside it.
        width: width on paper: ``"240pt"``, or another unit: bp, texpt, mm, cm, in, px. A warning is given if the text
            becomes too small to read.
        font_size: size of the text on paper, in points.
        palette: ``"colour"``, ``"grey"``, ``"print"`` or ``"colour-blind"`` (default: ``"colour"``).

    Returns:
        The figure; a notebook displays it. ``figure.save("v4.svg")`` writes it, also as PNG, PDF, TikZ and others
        (docs/drawing.md).

    Raises:
        UnknownNameError: the name is unknown.
        ConfigError: an option cannot be used with this item.

    >>> figure = ins.draw("inception_v4.inception_a", style="paper")
    >>> figure
    Figure('inception_v4: inception_a', 542x334 px)
    >>> figure.save("inception_a.svg").name
    'inception_a.svg'
    """
    from inception_search.figures.draw import draw as draw_item

    drawn: Network | AnyStep
    if isinstance(item, str | Path):
        found = named_item(item)
        drawn, network = found.whole, network or (found.network if found.module else None)
        title = f"{found.network.name}: {found.module}" if found.module and title is None else title
    else:
        drawn = _document(item)
    figure = draw_item(
        drawn,
        style=style,
        flow=flow,
        title=title,
        network=network,
        input_shape=input_shape,
        blocks=blocks,
        width=width,
        font_size=font_size,
        palette=palette,
    )
    if figure.note:
        warn(figure.note)
    return figure


def _document(item: Network | AnyStep | HasNetwork) -> Network | AnyStep:
    """The network of a model or another object that keeps one; a document or step is returned unchanged."""
    from inception_search.spec.step import KINDS

    if isinstance(item, (Network, *KINDS.values())):
        return item  # type: ignore[return-value]  # mypy does not see that KINDS has every step
    network = getattr(item, "network", None)
    if not isinstance(network, Network):
        hint = "give its name, document or module, or a model made by ins.compile or ins.load_model"
        raise ConfigError("only a network or a module can be looked at", found=type(item).__name__, hint=hint)
    return network


def view(
    item: Network | HasNetwork | str | Path,
    *,
    module: str | None = None,
    title: str | None = None,
    time: bool = False,
    top: int | None = None,
) -> Page:
    """Create an interactive page of a network or a study: one HTML file that needs no server and no network access.

    Args:
        item: a document, a name (docs/naming.md has all forms), a compiled model, or a run folder with trials.
        module: show only this block or stage of the network.
        title: the title (default: the name).
        time: measure the seconds of each op on this machine's CPU (one image, float32), and offer them as a colour
            scale.
        top: for a run folder: number of best trials to show, in addition to the baselines (default: 30).

    Returns:
        The page; a notebook displays it. ``page.save("v4.html")`` writes it.

    Raises:
        UnknownNameError: the name is unknown.
        RunFolderError: the run folder cannot be read.

    >>> page = ins.view("nin_cifar10")
    >>> page.save("nin.html").name
    'nin.html'
    """
    from inception_search.figures.page.data import module_data, network_data
    from inception_search.figures.page.html_page import network_page
    from inception_search.figures.page.study import TOP, page_of_study

    if isinstance(item, str | Path) and is_file(Path(item, "trials.jsonl")):
        from inception_search.store.run_folder import RunFolder

        name = title or Path(item).resolve().name  # not the whole path: people share these pages
        most = TOP if top is None else top
        return page_of_study(name, RunFolder.open(item).records(), top=most, path=str(item))
    if isinstance(item, str | Path):
        found = named_item(item)
        network = found.network
        module, title = (found.module, title or found.name) if module is None else (module, title)
    else:
        document = _document(item)
        assert isinstance(document, Network)  # no step fits the annotation
        network = document
    seconds = _measured(network) if time else None
    if module is None:
        return network_page(network_data(network, seconds) | ({"name": title} if title else {}))
    parts = {**network.stages, **network.blocks}
    if module not in parts:
        raise unknown_name(f"module of {network.name}", module, parts)
    return network_page(module_data(parts[module], title or f"{network.name}.{module}", network, seconds))


def _measured(network: Network) -> dict[str, float]:
    """Seconds of every op by its path."""
    from inception_search.measures.latency import latency_by_path

    return {path: milliseconds / 1000 for path, milliseconds in latency_by_path(network).items()}


def diff(
    a: Network | AnyStep | HasNetwork | str | Path,
    b: Network | AnyStep | HasNetwork | str | Path,
    *,
    network_a: Network | None = None,
    network_b: Network | None = None,
    input_shape: tuple[int, int, int] | None = None,
) -> Diff:
    """The differences between two networks, or between two modules.

    Args:
        a: the first: a document, a step, a name (docs/naming.md has all forms) or a compiled model.
        b: the second.
        network_a: the network that step ``a`` belongs to, with its blocks and shapes.
        network_b: the network that step ``b`` belongs to.
        input_shape: for steps without networks: the shape (C, H, W) of the feature map that both read.

    Returns:
        The differences, falsy if there are none: ``.text`` lists them with the changes in parameters and multiply-adds,
        ``.draw()`` is a figure of both side by side, ``.to_dict()`` is JSON data.

    Raises:
        ConfigError: one is a module and the other a whole network.

    >>> difference = ins.diff("inception_v3.mixed_6b", "inception_v3.mixed_6c")
    >>> bool(difference)
    True
    >>> bool(ins.diff("inception_v3", "inception_v3"))
    False
    """
    from inception_search.figures.diff.diff import diff_of

    sides = _compared(a, network_a), _compared(b, network_b)
    names = sides[0].name, sides[1].name
    if names[0] == names[1] and isinstance(a, str | Path) and isinstance(b, str | Path) and "\n" not in f"{a}{b}":
        names = str(a), str(b)
    networks = sides[0].network, sides[1].network
    return diff_of(sides[0].item, sides[1].item, names=names, networks=networks, input_shape=input_shape)


class _Compared(NamedTuple):
    """One argument of :func:`diff`: the item that it names, and the network of a step."""

    name: str | None
    item: Network | AnyStep
    network: Network | None


def _compared(item: Network | AnyStep | HasNetwork | str | Path, network: Network | None) -> _Compared:
    if not isinstance(item, str | Path):
        return _Compared(None, _document(item), network)
    found = named_item(item)
    return _Compared(found.name, found.whole, network or found.network)
