"""The parts of a file in their order: what it is, imports, small classes, blocks, the network."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterator

from inception_search._version import __version__
from inception_search.exports.source_classes import Printer, class_start
from inception_search.exports.source_helpers import HELPERS, PAD_FUNCTION
from inception_search.exports.source_layout import WIDTH, Brackets, call, docstring, flat, layout, plain
from inception_search.exports.source_lowering import SourceLowering
from inception_search.exports.source_tree import Scope, calls_in, shape_of
from inception_search.graph.types import Type
from inception_search.spec.network import Network, Preprocess

CLASS = "Network"
RESERVED = {"Module", "Sequential", "Tensor", "Pair", *HELPERS, *keyword.kwlist, *dir(builtins)}
AUX = "aux."


def lines_of(network: Network) -> Iterator[str]:
    """The lines of the file of ``network``."""
    lowering = SourceLowering(network)
    root = lowering.network()
    printer = Printer(root, CLASS, RESERVED)
    body = [*_helpers(root, printer), *printer.text(), "", "", *_network(network, root, printer, lowering.output)]
    text = "\n".join(body)
    yield from docstring(_about(network), 0)
    yield from ("", "from __future__ import annotations", "")
    if re.search(r"\btorch\.[a-z]", text):
        yield "import torch"
    if re.search(r"\bF\.", text):
        yield "import torch.nn.functional as F"
    yield "from torch import Tensor, nn"
    if "Pair" in text:
        yield from ("", "Pair = int | tuple[int, int]")
    yield from body


def _about(network: Network) -> str:
    title = f"{network.name}{_dialect(network)} in plain PyTorch."
    source = f"\n\n{plain(network.source).rstrip('.')}." if network.source else ""
    return (
        f"{title}{source}\n\nWritten by inception_search {__version__}, which is not needed to run it. The keys of "
        "Network().state_dict() are those of the network compiled by inception_search, so its weights can be loaded."
    )


def _dialect(network: Network) -> str:
    return f" ({network.dialect})" if network.dialect and "@" not in network.name else ""


def _helpers(root: Scope, printer: Printer) -> Iterator[str]:
    """The small classes that are used."""
    used = {each.func for each in calls_in(root) if isinstance(each.func, str)}
    for unit in printer.units:
        if unit.norm and not unit.norm.gamma:
            used.add("ShiftBatchNorm2d" if unit.layer == "conv" else "ShiftBatchNorm1d")
        if unit.same:
            used.add("SameConv2d")
    if {"SumNode", "ConcatNode"} & used:
        used.add("Edge")
    if "SameL2Pool2d" in used:
        used.add("L2Pool2d")
    texts = [PAD_FUNCTION] if any(name.startswith("Same") for name in used) else []
    for text in (*texts, *(text for name, text in HELPERS.items() if name in used)):
        yield from ("", *text.rstrip().split("\n"))


def _network(network: Network, root: Scope, printer: Printer, output: Type) -> Iterator[str]:
    """The class of the whole network."""
    names = {leaf: "num_classes" for leaf in shape_of(root).leaves if leaf.always}
    parameters = [f"num_classes: int = {network.head.classes}"] if names else []
    yield from class_start(CLASS, "nn.Module", _facts(network, output), parameters)
    yield "        super().__init__()"
    yield from printer.assignments((part for part in root.parts if not part[0].startswith(AUX)), names)
    if network.aux:
        yield "        self.aux = nn.Module()"
        yield from printer.assignments((part for part in root.parts if part[0].startswith(AUX)), names)
    yield ""
    yield f"    def forward(self, x: Tensor) -> {'Tensor | tuple[Tensor, ...]' if network.aux else 'Tensor'}:"
    *stages, head = root.forward
    if network.aux:
        yield from (f"        {line}" for line in stages)
        yield from _outputs(network, head or "x")
    elif head:
        yield from (f"        {line}" for line in (*stages, f"return {head}"))
    else:
        stages[-1] = stages[-1].replace("x = ", "return ", 1)
        yield from (f"        {line}" for line in stages)


def _outputs(network: Network, head: str) -> Iterator[str]:
    """The end of ``forward`` with auxiliary classifiers, which are computed in training mode only."""
    yield f"        logits = {head}"
    yield "        if not self.training:"
    yield "            return logits"
    heads = [call(f"self.aux.{name}", f"after_{aux.after}") for name, aux in network.aux.items()]
    line = f"        return {', '.join(['logits', *map(flat, heads)])}"
    yield from [line] if len(line) <= WIDTH else layout(Brackets("return (", ("logits", *heads), ")"), 2)


def _facts(network: Network, output: Type) -> str:
    """What the network reads and computes."""
    channels, height, width = network.input.shape
    features = f"features (N, {', '.join(map(str, output))})"
    made = "logits (N, num_classes)" if network.head.classifier != "none" else features
    facts = [f"{network.name}: images (N, {channels}, {height}, {width}) to {made}."]
    if network.aux:
        names = ", ".join(network.aux)
        facts.append(
            f"In training mode, the output is a tuple: the logits, and those of the auxiliary classifiers ({names})."
        )
    if network.preprocess:
        facts.append(_preprocessing(network.preprocess, height, width))
    return "\n\n".join(facts)


def _preprocessing(facts: Preprocess, height: int, width: int) -> str:
    """How images are prepared, as a sentence."""
    if facts.resize:
        sized = (
            f"resize the shorter side to {facts.resize} ({facts.interpolation}), crop the centre to {height}x{width}"
        )
    else:
        sized = f"resize to {height}x{width} ({facts.interpolation})"
    order = facts.order.upper()
    mean, std = (", ".join(map(_number, values)) for values in (facts.mean, facts.std))
    return (
        f"Preprocessing: {sized}, scale the values to 0..{facts.scale} in the order {order}, "
        f"subtract the mean ({mean}), divide by the standard deviation ({std})."
    )


def _number(value: float) -> str:
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)
