"""How the document of a network is written, beside what it decides.

A space searches architectures. A network found elsewhere has a name, a source, facts of preprocessing, and stages,
blocks and auxiliary heads by other names. None of that is a decision: it is the *layout* of the network. Any network
is a layout: another network of a space can be written as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inception_search.errors import SpecError
from inception_search.space.flatten import Trunk, series_of, trunk_of, unrolled
from inception_search.space.holes import Params, Value
from inception_search.space.match import DESCRIPTIVE
from inception_search.spec.network import Aux, Network
from inception_search.spec.step import AnyStep, Chain, Identity, Repeat, Use, chain
from inception_search.spec.transform import remake


class Encoded(dict[str, Value]):
    """The point of a network: its decisions, hole to value, as any other ``dict`` has them.

    ``layout`` is that network, where it is not written as the space writes it, else None. It is no part of the point:
    two points are equal when their decisions are, and a copy or a changed copy (``dict(point)``, ``{**point, ...}``)
    has none.

    >>> import inception_search as ins
    >>> space = ins.load_space("inception")
    >>> point = space.encode(ins.load("inception_v4"))
    >>> space.decode(point).name, space.decode(dict(point)).name
    ('inception_v4', 'inception')
    """

    def __init__(self, params: Params, layout: Network | None = None) -> None:
        super().__init__(params)
        self.layout = layout


def written_as(network: Network, layout: Network) -> Network:
    """``network`` with what ``layout`` says of itself, and its stages, blocks and heads cut and named as there.

    Where they cannot be cut so, as there are more or fewer steps, they stay as they are.
    """
    described = remake(network, **{name: getattr(layout, name) for name in DESCRIPTIVE})
    own = _architecture(network)
    if own == _architecture(layout):
        return remake(described, blocks=layout.blocks, stages=layout.stages, aux=layout.aux)
    try:
        found = remake(described, **_Cut(layout, trunk_of(network)).sections(network.aux))
    except (LookupError, ValueError, SpecError):
        return described
    return found if _architecture(found) == own else described


def _architecture(network: Network) -> Any:
    """The trunk and the auxiliary heads without the names of stages and blocks."""
    trunk = trunk_of(network)
    heads = [
        (trunk.ends[head.after], head.model_copy(update={"after": "", "body": unrolled(head.body, network.blocks, {})}))
        for head in network.aux.values()
    ]
    return trunk.steps, heads


class _Cut:
    """Cuts a trunk into the stages and blocks of ``layout``; a LookupError or ValueError where it is too short or long.

    Steps are counted, not compared: the result may be another network, where a repeat or a block stands for parts of
    the trunk that differ.
    """

    def __init__(self, layout: Network, trunk: Trunk) -> None:
        self.layout = layout
        self.trunk = trunk
        self.blocks: dict[str, AnyStep] = {}
        self.sizes: dict[str, int] = {}

    def sections(self, heads: Mapping[str, Aux]) -> dict[str, Any]:
        """The sections of a document."""
        at = 0
        stages: dict[str, AnyStep] = {}
        ends: dict[int, str] = {}
        for name, stage in self.layout.stages.items():
            stages[name], at = self.part(stage, at)
            ends[at] = name
        if at != len(self.trunk.steps):
            raise ValueError(f"the layout has {at} steps, the network {len(self.trunk.steps)}")
        pairs = zip(self.layout.aux, heads.values(), strict=True)
        aux = {name: remake(head, after=ends[self.trunk.ends[head.after]]) for name, head in pairs}
        blocks = {name: self.blocks.get(name, block) for name, block in self.layout.blocks.items()}
        return {"blocks": blocks, "stages": stages, "aux": aux}

    def part(self, like: AnyStep, at: int) -> tuple[AnyStep, int]:
        """The part of the trunk from ``at`` that is written as ``like`` is, and where it ends."""
        if isinstance(like, Use):
            if like.name not in self.blocks:
                self.blocks[like.name], end = self.part(self.layout.blocks[like.name], at)
                self.sizes[like.name] = end - at
            return like, at + self.sizes[like.name]
        if isinstance(like, Repeat):
            body, end = self.part(like.body, at)
            return Repeat(times=like.times, body=body), at + (end - at) * like.times
        if isinstance(like, Chain | Identity):
            steps = []
            for each in series_of(like):
                step, at = self.part(each, at)
                steps.append(step)
            return chain(*steps), at
        return self.trunk.steps[at], at + 1
