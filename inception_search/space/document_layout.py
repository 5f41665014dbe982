"""The layout of a network's document: everything besides its architecture.

A space searches architectures. A network from elsewhere also has a name, a source, preprocessing, and other names for
stages, blocks and auxiliary classifiers. These are not decisions, but the *layout* of the network. Every network can
serve as a layout for another network of a space.
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
    """The point of a network: a ``dict`` from holes to values.

    ``layout`` is the network if it is written differently from the template, else None. It is not part of the point:
    points are equal if their decisions are, and copies (``dict(point)``, ``{**point, ...}``) have no layout.

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
    """``network`` with the description of ``layout``, and its stages, blocks and classifiers cut and named like there.

    If the number of steps does not allow these cuts, the stages stay unchanged.
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
    """The trunk and the auxiliary classifiers, without the names of stages and blocks."""
    trunk = trunk_of(network)
    heads = [
        (trunk.ends[head.after], head.model_copy(update={"after": "", "body": unrolled(head.body, network.blocks, {})}))
        for head in network.aux.values()
    ]
    return trunk.steps, heads


class _Cut:
    """Cuts a trunk into the stages and blocks of ``layout``; LookupError or ValueError if its length does not fit.

    Steps are counted, not compared. The result may be another network, if a repeat or a block of the layout replaces
    parts of the trunk that differ.
    """

    def __init__(self, layout: Network, trunk: Trunk) -> None:
        self.layout = layout
        self.trunk = trunk
        self.blocks: dict[str, AnyStep] = {}
        self.sizes: dict[str, int] = {}

    def sections(self, heads: Mapping[str, Aux]) -> dict[str, Any]:
        """The sections ``blocks``, ``stages`` and ``aux`` of the document."""
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
        """The part of the trunk from ``at`` with the form of ``like``, and the index after its end."""
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
