"""``draw``: a picture of a network or of one of its modules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, TypeAlias, get_args

from inception_search.errors import ConfigError, did_you_mean
from inception_search.figures.facts import Facts, facts_of_network, facts_of_step, shape_text
from inception_search.figures.figure import Figure
from inception_search.figures.layout import Placement, lay_out
from inception_search.figures.module import ModuleTree
from inception_search.figures.outline import outline, sentence
from inception_search.figures.overview import NetworkTree, opens
from inception_search.figures.parts import Box, Note, Part, column
from inception_search.figures.sheet import Panel, sheet
from inception_search.figures.svg import clean, svg
from inception_search.spec.alone import MODULE, check_blocks, first_place
from inception_search.spec.network import Network
from inception_search.spec.step import KINDS, AnyStep, Chain, Repeat, Use, children

Style: TypeAlias = Literal["paper", "detail", "overview"]
Flow: TypeAlias = Literal["down", "up"]


def draw(
    item: Network | AnyStep,
    *,
    style: Style | None = None,
    flow: Flow = "down",
    title: str | None = None,
    network: Network | None = None,
    input_shape: tuple[int, int, int] | None = None,
    blocks: bool = False,
) -> Figure:
    """A picture of a network, or of a step (a module).

    ``style``: ``overview`` folds a network to one box per stage (the default for a network); ``paper`` shows every
    convolution with kernel and width (the default for a step, which has no other overview); ``detail`` adds shape,
    parameters and MACs.
    ``flow``: downwards, or upwards as most papers draw. ``blocks`` puts every module of a network beside it.
    For a step, ``network`` is where the blocks it uses (and its shapes) come from and ``input_shape`` (C, H, W)
    what it reads.
    """
    style = _checked("style", style or ("overview" if isinstance(item, Network) else "paper"), get_args(Style))
    flow = _checked("flow", flow, get_args(Flow))
    title = None if title is None else clean(title)
    if isinstance(item, Network):
        return _draw_network(item, style, flow, item.name if title is None else title, blocks)
    if not isinstance(item, tuple(KINDS.values())):
        raise ConfigError("only a network or a step can be drawn", found=type(item).__name__)
    if blocks:
        raise ConfigError("blocks=True shows the modules of a network", found=type(item).__name__)
    return _draw_step(item, style, flow, title or "", network, input_shape)


def _draw_network(network: Network, style: Style, flow: Flow, title: str, blocks: bool) -> Figure:
    facts = facts_of_network(network)
    tree = NetworkTree(network, facts, folded=style == "overview", detail=style == "detail")
    whole = tree.part()
    panels = [Panel("", placed(whole, flow))]
    for names, step, path in _modules(network) if blocks else ():
        part = _module(step, path, network, facts, style == "detail")
        panels.append(Panel(", ".join(names), placed(part, flow)))
    return _figure(sheet(title, panels), title or network.name, whole)


def _draw_step(
    step: AnyStep,
    style: Style,
    flow: Flow,
    title: str,
    network: Network | None,
    input_shape: tuple[int, int, int] | None,
) -> Figure:
    check_blocks(step, network)
    path, facts = _step_facts(step, network, input_shape)
    if facts is None and style == "detail":
        raise ConfigError(
            "style 'detail' needs the shape that the step reads",
            path="input_shape",
            mend="write input_shape=(channels, height, width), or network= the network it is part of",
        )
    part = _module(step, path, network, facts, style == "detail")
    return _figure(sheet(title, [Panel("", placed(part, flow))]), title or "Module", part)


def _module(step: AnyStep, path: str, network: Network | None, facts: Facts | None, detail: bool) -> Part:
    """A step below its input; where shapes are known, with sizes along its trunk and its output."""
    tree = ModuleTree(network.blocks if network else {}, facts, detail)
    read, fact = (facts.read_by(path), facts.get(path)) if facts else (None, None)
    lines = ("Input", shape_text(read)) if read else ("Input",)
    start = Box(lines, "input", "what the module reads", slim=True)
    if facts is None or fact is None:
        return column(start, tree.step(step, path))
    end = Box(("Output", fact.shape), "input", f"what the module makes: {fact.tip()}", slim=True)
    if detail or not isinstance(step, Chain):
        return column(start, tree.step(step, path), end)
    return column(start, *_trunk(step, path, tree, facts), end)


def _trunk(step: Chain, path: str, tree: ModuleTree, facts: Facts) -> Iterator[Part]:
    """The parts of a chain, each followed by the size that leaves it where that is not the one before."""
    shown = None
    for index, inner in enumerate(step.steps):
        place = f"{path}.{index}"
        yield tree.step(inner, place)
        fact = facts.get(place)
        if fact and fact.shape != shown and index < len(step.steps) - 1:
            shown = fact.shape
            yield Note(shown, place)


def _modules(network: Network) -> list[tuple[list[str], AnyStep, str]]:
    """Names, step and first place of every different block in use and stage that is not drawn in the overview."""
    found: list[tuple[list[str], AnyStep, str]] = []
    stack = [(name, name, step) for name, step in reversed(network.stages.items())]
    while stack:
        name, path, step = stack.pop()
        if isinstance(step, Use):
            stack.append((step.name, path, network.blocks[step.name]))
        elif isinstance(step, Repeat):
            stack.append((name, f"{path}.0", step.body))
        elif isinstance(step, Chain) and opens(step):
            parts = [(f"{name}.{i}", f"{path}.{i}", part) for i, part in enumerate(step.steps)]
            stack.extend(reversed(parts))
        elif children(step):
            _note(found, name, step, path)
    return found


def _note(found: list[tuple[list[str], AnyStep, str]], name: str, step: AnyStep, path: str) -> None:
    for names, other, _ in found:
        if other == step:
            if name not in names:
                names.append(name)
            return
    found.append(([name], step, path))


def _step_facts(
    step: AnyStep, network: Network | None, input_shape: tuple[int, int, int] | None
) -> tuple[str, Facts | None]:
    """The path to draw ``step`` under, and the facts of its places where they can be known."""
    if input_shape is not None:
        return MODULE, facts_of_step(step, input_shape, network)
    path = first_place(network, step) if network else None
    if network is None or path is None:
        return MODULE, None
    return path, facts_of_network(network)


def network_part(network: Network) -> Part:
    """A network with one box per stage, ready to be placed."""
    return NetworkTree(network, facts_of_network(network), folded=True, detail=False).part()


def stage_part(network: Network, stage: str) -> Part:
    """One stage of a network, every convolution drawn, ready to be placed."""
    return _module(network.stages[stage], stage, network, facts_of_network(network), detail=False)


def placed(part: Part, flow: Flow = "down") -> Placement:
    """A part with every box and wire at its place."""
    placement = lay_out(part)
    return placement.flipped() if flow == "up" else placement


def _figure(drawing: Placement, title: str, part: Part) -> Figure:
    picture = svg(drawing, title=title, description=sentence(part))
    return Figure(picture, drawing.width, drawing.height, title, outline(part))


def _checked(name: str, value: str, known: tuple[str, ...]) -> Any:
    if value not in known:
        raise ConfigError(
            f"unknown {name}",
            path=name,
            found=value,
            expected=f"one of {', '.join(known)}",
            mend=did_you_mean(str(value), known),
        )
    return value
