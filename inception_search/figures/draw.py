"""``draw``: a figure of a network or of one of its modules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from inception_search.errors import ConfigError, did_you_mean
from inception_search.figures.annotations import Facts, facts_of_network, facts_of_step, shape_text
from inception_search.figures.captions.papers import captions_of
from inception_search.figures.captions.words import PLAIN, Captions
from inception_search.figures.figure import Figure, Flow, Panels, figure
from inception_search.figures.network.compose import Panel, sheet
from inception_search.figures.network.measure import Room
from inception_search.figures.network.module import ModuleTree
from inception_search.figures.network.overview import NetworkTree, opens
from inception_search.figures.network.place import Placement, lay_out
from inception_search.figures.network.tree import Box, Kind, Note, Part, column
from inception_search.figures.paint.svg import clean
from inception_search.figures.printing.palettes import PaletteName
from inception_search.figures.printing.size import Print, fitted, print_of
from inception_search.spec.as_network import MODULE, check_blocks
from inception_search.spec.network import Network, PoolDefaults
from inception_search.spec.step import KINDS, AnyStep, Block, Chain, Repeat, Use, children
from inception_search.spec.step_places import first_place, step_before

NO_BLOCKS, OVERVIEW, DOWN = "no blocks", "style 'overview'", "flow 'down'"  # options that make a figure narrower
Style: TypeAlias = Literal["plain", "paper", "detail", "overview"]


def draw(
    item: Network | AnyStep,
    *,
    style: Style | None = None,
    flow: Flow | None = None,
    title: str | None = None,
    network: Network | None = None,
    input_shape: tuple[int, int, int] | None = None,
    blocks: bool = False,
    width: str | float | None = None,
    font_size: float | None = None,
    palette: PaletteName | None = None,
) -> Figure:
    """A figure of a network, or of a step (a module).

    ``style``: ``overview`` folds each stage of a network to one box (the default for a network); ``plain`` shows every
    convolution with kernel and filters (the default for a step); ``detail`` adds shape, parameters and MACs; ``paper``
    draws a module as its paper does: upwards, with the paper's terms. ``flow``: ``down``, ``right``, or ``up`` as in
    the papers (the default with ``paper``). ``blocks`` adds every module of a network next to it.

    For a step, ``network`` supplies the blocks it uses (and its shapes), and ``input_shape`` (C, H, W) is the shape of
    its input. ``title=""`` omits the title. ``width`` (``"240pt"``; also texpt (TeX's pt), mm, cm, in, px),
    ``font_size`` (points) and ``palette`` (``colour``, ``grey``, ``print``, ``colour-blind``) are for printing. In a
    figure that is too wide the words are wrapped; if the type is still too small, ``.note`` explains it.
    """
    how = print_of(width, font_size, palette)
    style = _checked("style", style or ("overview" if isinstance(item, Network) else "plain"), get_args(Style))
    flow = _checked("flow", flow or ("up" if style == "paper" else "down"), get_args(Flow))
    title = None if title is None else clean(title)
    if isinstance(item, Network):
        return _draw_network(item, style, flow, item.name if title is None else title, blocks, how)
    if not isinstance(item, tuple(KINDS.values())):
        raise ConfigError("only a network or a step can be drawn", found=type(item).__name__)
    if blocks:
        raise ConfigError("blocks=True shows the modules of a network", found=type(item).__name__)
    return _draw_step(item, style, flow, title or "", network, input_shape, how)


def _draw_network(network: Network, style: Style, flow: Flow, title: str, blocks: bool, how: Print) -> Figure:
    facts = facts_of_network(network)
    look = Look(style == "detail", captions_of(network) if style == "paper" else PLAIN)
    tree = NetworkTree(network, facts, folded=style == "overview", detail=look.detail, captions=look.captions)
    panels = [("", tree.part())]
    for names, step, path in _modules(network) if blocks else ():
        panels.append((", ".join(names), _module(step, path, network, facts, look)))

    def changed(made: frozenset[str]) -> Panels:
        folded = NetworkTree(network, facts, folded=True).part() if OVERVIEW in made else panels[0][1]
        return [("", folded), *([] if NO_BLOCKS in made else panels[1:])]

    changes = [words for words, can in ((NO_BLOCKS, blocks), (OVERVIEW, style != "overview")) if can]
    return _figure(title, network.name, panels, flow, how, changes, changed)


def _draw_step(
    step: AnyStep,
    style: Style,
    flow: Flow,
    title: str,
    network: Network | None,
    input_shape: tuple[int, int, int] | None,
    how: Print,
) -> Figure:
    check_blocks(step, network)
    path, facts = step_facts(step, network, input_shape)
    if facts is None and style == "detail":
        raise ConfigError(
            "style 'detail' needs the shape that the step reads",
            path="input_shape",
            hint="write input_shape=(channels, height, width), or network= the network it is part of",
        )
    look = Look(style == "detail", captions_of(network) if style == "paper" else PLAIN)
    part = _module(step, path, network, facts, look)
    return _figure(title, "Module", [("", part)], flow, how)


class Look(NamedTuple):
    """How a module is drawn: with or without values in the boxes, and with which terms."""

    detail: bool = False
    captions: Captions = PLAIN


def _module(step: AnyStep, path: str, network: Network | None, facts: Facts | None, look: Look) -> Part:
    blocks, pools = (network.blocks, network.pool_defaults) if network else ({}, PoolDefaults())
    tree = ModuleTree(blocks, facts, look.detail, look.captions, pools)
    return module_part(step, path, network, facts, look, tree)


def module_part(
    step: AnyStep, path: str, network: Network | None, facts: Facts | None, look: Look, tree: ModuleTree
) -> Part:
    """A step below its input; with known shapes, also sizes along its trunk, and its output."""
    read, fact = (facts.read_by(path), facts.get(path)) if facts else (None, None)
    first = network is not None and path == next(iter(network.stages))
    name = "Input" if first else look.captions.start(step, step_before(network, step) if network else None)
    size = shape_text(read, look.captions.shape) if read else ""
    lines = look.captions.input(size) if first and read else (name, size) if read and look.captions.sizes else (name,)
    kind: Kind = "input" if first or look.captions.sizes else "act" if isinstance(step, Block) else "concat"
    start = Box(lines, kind, "what the module reads", slim=True)
    if facts is None or fact is None:
        return column(start, tree.step(step, path))
    end = Box(("Output", fact.shape), "input", f"what the module makes: {fact.tip()}", slim=True)
    ends = (end,) if look.captions.sizes else ()
    if look.detail or not isinstance(step, Chain):
        return column(start, tree.step(step, path), *ends)
    return column(start, *_trunk(step, path, tree, facts, look.captions), *ends)


def _trunk(step: Chain, path: str, tree: ModuleTree, facts: Facts, words: Captions) -> Iterator[Part]:
    """The parts of a chain, each followed by its output size where the size changes.

    The last size is in the output's box, or beside the last part if there is no such box.
    """
    shown = None
    for index, inner in enumerate(step.steps):
        place = f"{path}.{index}"
        yield tree.step(inner, place)
        fact = facts.get(place)
        if fact and words.notes and fact.shape != shown and (index < len(step.steps) - 1 or not words.sizes):
            shown = fact.shape
            yield Note(shape_text(fact.type, words.shape), place)


def _modules(network: Network) -> list[tuple[list[str], AnyStep, str]]:
    """Names, step and first path of every different block and stage that the overview does not show in full."""
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


def modules_of(network: Network) -> list[tuple[list[str], AnyStep]]:
    """Every different module of a network with all its names as block or stage."""
    return [(names, step) for names, step, _ in _modules(network)]


def draw_modules(network: Network, names: Sequence[str], title: str) -> Figure:
    """Some modules of a network side by side, selected by the names in :func:`modules_of`."""
    facts = facts_of_network(network)
    chosen = [(known, step, path) for known, step, path in _modules(network) if set(known) & set(names)]
    panels = [(", ".join(known), _module(step, path, network, facts, Look())) for known, step, path in chosen]
    return _figure(title, network.name, panels, "down", print_of(None, None, None))


def _note(found: list[tuple[list[str], AnyStep, str]], name: str, step: AnyStep, path: str) -> None:
    for names, other, _ in found:
        if other == step:
            if name not in names:
                names.append(name)
            return
    found.append(([name], step, path))


def step_facts(
    step: AnyStep, network: Network | None, input_shape: tuple[int, int, int] | None
) -> tuple[str, Facts | None]:
    """The path under which to draw ``step``, and the facts of its parts if they are known."""
    if input_shape is not None:
        return MODULE, facts_of_step(step, input_shape, network)
    path = first_place(network, step) if network else None
    if network is None or path is None:
        return MODULE, None
    return path, facts_of_network(network)


def network_part(network: Network) -> Part:
    """A network with one box per stage, as a drawing tree."""
    return NetworkTree(network, facts_of_network(network), folded=True, detail=False).part()


def stage_part(network: Network, stage: str) -> Part:
    """One stage of a network with every convolution, as a drawing tree."""
    return _module(network.stages[stage], stage, network, facts_of_network(network), Look())


def placed(part: Part, flow: Flow = "down", room: Room | None = None) -> Placement:
    """A part with coordinates for every box and wire."""
    placement = lay_out(part, room=room)
    return placement.flipped() if flow == "up" else placement


def _figure(
    title: str,
    name: str,
    panels: Panels,
    flow: Flow,
    how: Print,
    changes: Sequence[str] = (),
    changed: Callable[[frozenset[str]], Panels] | None = None,
) -> Figure:
    """The panels under ``title``; a figure without a title is called ``name``.

    For a whole network, ``changes`` are options that make it narrower, and ``changed`` returns its panels with some of
    them.
    """
    drawing = panels_in(title, panels, flow, how)
    less = ""
    if how.room is not None and drawing.width > how.room:

        def fits(made: frozenset[str]) -> bool:
            shown = changed(made) if changed else panels
            return panels_in(title, shown, "down" if DOWN in made else flow, how).width <= (how.room or 0)

        found = _advice([*changes, *([DOWN] if flow == "right" else [])], fits)
        less = ", ".join(filter(None, (found, "one module" if changed else "")))
    return figure(title or name, drawing, panels, flow=flow, how=how, less=less)


def panels_in(title: str, panels: Panels, flow: Flow, how: Print) -> Placement:
    """The panels under ``title`` on one sheet, within the width of ``how`` if possible."""

    def laid_out(change: Callable[[Part], Part], room: Room) -> Placement:
        drawings = [Panel(heading, placed(change(part), flow, room)) for heading, part in panels]
        return sheet(title, drawings, how.room)

    return fitted(how, laid_out, turned=flow == "right")


def _checked(name: str, value: str, known: tuple[str, ...]) -> Any:
    if value not in known:
        raise ConfigError(
            f"unknown {name}",
            path=name,
            found=value,
            expected=f"one of {', '.join(known)}",
            hint=did_you_mean(str(value), known),
        )
    return value


def _advice(changes: Sequence[str], fits: Callable[[frozenset[str]], bool]) -> str:
    """The smallest combinations of ``changes`` that make a figure fit, separated by commas.

    Args:
        changes: possible changes, in words.
        fits: whether the figure fits with the given changes.

    Returns:
        The combinations; empty if the figure does not fit even with all changes.

    >>> _advice(["no blocks", "flow 'down'"], lambda made: "flow 'down'" in made)
    "flow 'down'"
    """
    for number in range(1, len(changes) + 1):
        found = [made for made in combinations(changes, number) if fits(frozenset(made))]
        if found:
            return ", ".join(" and ".join(made) for made in found)
    return ""
