"""Hard limits on the measures of a network, checked in order of increasing cost of measuring."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Self

from pydantic import ModelWrapValidatorHandler, ValidationError, model_validator

from inception_search.arguments import checked
from inception_search.errors import ConfigError
from inception_search.graph.types import Cost
from inception_search.measures.measure import MEASURES, Number
from inception_search.measures.measured_network import MeasuredNetwork
from inception_search.measures.target import Target
from inception_search.options import Options, PathName, Positive, Whole, option_error
from inception_search.spec.network import Network


class Limit(NamedTuple):
    """One limit: ``max_macs`` is (``"max_macs"``, ``"macs"``, True, value)."""

    name: str
    measure: str
    is_max: bool
    value: Number

    def excess(self, value: Number) -> float:
        """The excess of ``value`` relative to the limit; 0 or less if ``value`` is within it."""
        return value / self.value - 1.0 if self.is_max else 1.0 - value / self.value

    def words(self, value: Number) -> str:
        """A description of the violation by ``value``, which is outside the limit."""
        side = "over the budget" if self.is_max else "under the minimum"
        return f"{_number(value)} {MEASURES[self.measure].words} are {side} of {_number(self.value)}"


class Limits(Options):
    """Hard limits on networks, for one image; None: no limit. A value equal to a limit is within it."""

    max_macs: Whole | None = None
    """Maximum multiply-adds (MACs) for one image (default: none)."""
    max_params: Whole | None = None
    """Maximum number of parameters (default: none)."""
    max_activation_bytes: Whole | None = None
    """Maximum bytes of the outputs of all ops for one image, in float32 (default: none)."""
    max_depth: Whole | None = None
    """Maximum number of convolutions and linear layers on the longest path (default: none)."""
    max_latency_ms: Positive | None = None
    """Maximum milliseconds for one image on the search's device, the sum over ops (default: none)."""
    min_macs: Whole | None = None
    """Minimum multiply-adds (MACs) for one image (default: none)."""
    min_params: Whole | None = None
    """Minimum number of parameters (default: none)."""
    min_depth: Whole | None = None
    """Minimum number of convolutions and linear layers on the longest path (default: none)."""
    min_receptive_field: Whole | None = None
    """Minimum receptive field of the last feature map: its side in pixels (default: none)."""

    def on(self, device: str = "cpu", threads: int | None = None, table: str | None = None) -> Budget:
        """These limits as a budget whose latency is measured on ``device`` with ``threads`` CPU threads.

        With ``table``, the file of a table that another machine made, it is the latency of that machine.

        Raises ConfigError for a minimum above its maximum.
        """
        return Budget(**dict(self), device=device, threads=threads, latency_table=table)


LIMITS = tuple(Limits.model_fields)


class Budget(Limits):
    """Hard limits of a search, for one image; None: no limit. A value equal to a limit is within the budget.

    Args:
        max_macs: multiply-adds of convolutions and linear layers.
        max_params: parameters.
        max_activation_bytes: bytes of the outputs of all ops, in float32.
        max_depth: convolutions and linear layers on the longest path.
        max_latency_ms: milliseconds on ``device``, the sum over ops.
        min_macs: minimum multiply-adds.
        min_params: minimum parameters.
        min_depth: minimum number of convolutions and linear layers on the longest path.
        min_receptive_field: minimum receptive field of the last feature map, in pixels.
        device: the device on which latency is measured: ``"cpu"``, ``"cuda"``, ``"cuda:1"``.
        threads: number of CPU threads while latency is measured (default: PyTorch's).
        latency_table: a table of latencies that ``inception-search bench`` made on the machine that networks are for;
            latency is then that of this machine, and nothing is measured here.

    Raises:
        ConfigError: a limit is not a positive number, or a minimum is above its maximum.

    >>> budget = ins.Budget(max_params=10_000_000, min_receptive_field=100)
    >>> budget.violation(ins.load("inception_v1")) is None
    True
    >>> budget.violation(ins.load("inception_v3"))[1]
    '23,834,568 parameters are over the budget of 10,000,000'
    """

    device: str = "cpu"
    """Device that latency is measured on."""
    threads: int | None = None
    """CPU threads that it is measured with (default: all)."""
    latency_table: PathName | None = None
    """The table of another machine, whose latency is limited (default: none)."""

    @model_validator(mode="wrap")
    @classmethod
    def _checked(cls, data: Any, check: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            found = check(data)
        except ValidationError as error:
            raise option_error(error, cls) from None
        _ = found.target  # checks device and threads
        _check_agreement(found)
        return found

    @property
    def target(self) -> Target:
        """The device and the threads with which latency is measured."""
        return Target(self.device, self.threads, table=self.latency_table)

    @property
    def untimed(self) -> Budget:
        """The same budget without the limit on latency."""
        return self.model_copy(update={"max_latency_ms": None})

    def limits(self) -> Iterator[Limit]:
        """The limits that are set, in the order of checking: measures that are fast to compute come first."""
        named = {name: getattr(self, name) for name in LIMITS}
        active = [Limit(name, _measure(name), name.startswith("max_"), v) for name, v in named.items() if v is not None]
        yield from sorted(active, key=lambda limit: MEASURES[limit.measure].price)

    @checked
    def violation(self, network: Network | Cost | MeasuredNetwork) -> tuple[float, str] | None:
        """How far a network is outside the budget, or None if it is within.

        A slow measure, such as latency, is made only if all quicker ones are within their limits.

        Args:
            network: a network, or its cost (from ``lower(network).cost()``).

        Returns:
            The largest excess over a limit, relative to that limit (0.1: 10 % outside), and a text that describes it.
            Only limits on measures of the same cost level (``price``) as the first one outside are compared.

        Raises:
            ConfigError: a cost is given, and the budget limits a measure that it does not contain.
        """
        outside = self.worst(network)
        return None if outside is None else (outside[0].excess(outside[1]), outside[0].words(outside[1]))

    @checked
    def worst(self, network: Network | Cost | MeasuredNetwork) -> tuple[Limit, Number] | None:
        """The limit with the largest relative excess, and the value outside it; None if the network is within all.

        Only limits on measures of the same cost level (``price``) as the first one outside are compared.
        """
        outside: list[tuple[Limit, Number]] = []
        measured = network if isinstance(network, Cost | MeasuredNetwork) else MeasuredNetwork(network)
        for limit in self.limits():
            if outside and MEASURES[limit.measure].price > MEASURES[outside[0][0].measure].price:
                break
            value = _value(limit, measured, self.target)
            if limit.excess(value) > 0.0:
                outside.append((limit, value))
        return max(outside, key=lambda missed: missed[0].excess(missed[1]), default=None)

    @checked
    def excess(self, network: Network | Cost | MeasuredNetwork) -> float:
        """The largest excess over a limit, relative to the limit (0.1: 10 % outside); negative within the budget."""
        measured = network if isinstance(network, Cost | MeasuredNetwork) else MeasuredNetwork(network)
        return max((limit.excess(_value(limit, measured, self.target)) for limit in self.limits()), default=-1.0)

    @checked
    def only(self, *, is_max: bool | None = None, by_width: bool | None = None) -> Budget:
        """The same budget with some of its limits.

        Args:
            is_max: True: only maxima; False: only minima; None: both.
            by_width: True: only limits on measures that depend on the numbers of filters; False: only the others.
        """
        dropped = {
            limit.name: None
            for limit in self.limits()
            if is_max not in (None, limit.is_max) or by_width not in (None, MEASURES[limit.measure].by_width)
        }
        return self.model_copy(update=dropped)


def _check_agreement(limits: Limits) -> None:
    for name in LIMITS:
        other = name.replace("min_", "max_")
        low, high = getattr(limits, name), getattr(limits, other, None)
        if other != name and low is not None and high is not None and low > high:
            hint = f"lower {name} or raise {other}"
            raise ConfigError(f"{name} is above {other}", path=name, found=low, expected=f"at most {high:,}", hint=hint)


def _measure(limit: str) -> str:
    return limit[len("max_") :].removesuffix("_ms")


def _value(limit: Limit, measured: Cost | MeasuredNetwork, target: Target) -> Number:
    if isinstance(measured, MeasuredNetwork):
        return MEASURES[limit.measure].of(measured, target)
    if limit.measure not in measured.to_dict():
        raise ConfigError(f"a Cost cannot be checked for {limit.name}", path=limit.name, hint="give the network itself")
    return measured.to_dict()[limit.measure]


def _number(value: Number) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"
