"""One side of a comparison: a network, or a step with its network, and the costs by path."""

from __future__ import annotations

from dataclasses import dataclass

from inception_search.errors import ConfigError
from inception_search.graph.cost_table import Row, cost_by_place
from inception_search.graph.types import Type
from inception_search.lowering import lower
from inception_search.spec.as_network import MODULE, alone, check_blocks
from inception_search.spec.identity.arch_id import arch_id
from inception_search.spec.network import Network
from inception_search.spec.step import KINDS, AnyStep
from inception_search.spec.step_places import first_place


@dataclass(frozen=True)
class Side:
    """A network, or its ``step`` at ``path``; ``rows`` are the costs by path, empty if no shapes are known."""

    name: str
    network: Network | None
    step: AnyStep | None
    path: str
    rows: dict[str, Row]
    params: int | None
    """Without the auxiliary classifiers."""
    macs: int | None
    """For one image."""

    def type(self, path: str) -> Type | None:
        """The output type at a path."""
        row = self.rows.get(path)
        return row.type if row else None

    def arch_id(self) -> str:
        """The ``arch_id`` of the network, or of a step as a network of its own, so that steps compare too."""
        if self.step is None:
            assert self.network is not None
            return arch_id(self.network)
        return arch_id(alone(self.step, (1, 1, 1), self.network))


def side_of(
    item: Network | AnyStep,
    name: str | None = None,
    network: Network | None = None,
    input_shape: tuple[int, int, int] | None = None,
) -> Side:
    """The side for ``item``; a step comes with its network or with the (C, H, W) shape of its input.

    Raises :class:`ConfigError` for any other object and :class:`ShapeError` where shapes do not fit.
    """
    if isinstance(item, Network):
        graph = lower(item, aux=True)
        cost = graph.cost()
        return Side(name or item.name, item, None, "", cost_by_place(graph), cost.params, cost.macs)
    if not isinstance(item, tuple(KINDS.values())):
        raise ConfigError("only networks and steps can be compared", found=type(item).__name__)
    check_blocks(item, network)
    path, shown = first_place(network, item) if network else None, network
    if input_shape is not None:
        path, shown = MODULE, alone(item, input_shape, network)
    if path is None or shown is None:
        return Side(name or MODULE, network, item, MODULE, {}, None, None)
    rows = cost_by_place(lower(shown, aux=True))
    row = rows.get(path)
    return Side(name or MODULE, network, item, path, rows, row.params if row else 0, row.macs if row else 0)
