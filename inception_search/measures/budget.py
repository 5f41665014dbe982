"""Hard limits on the measures of a network, asked in the order of what asking costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from numbers import Real
from typing import Any, NamedTuple

from inception_search.arguments import checked, checked_init
from inception_search.errors import ConfigError
from inception_search.graph.cost import Cost
from inception_search.measures.measure import MEASURES, Number
from inception_search.measures.subject import Subject
from inception_search.measures.target import Target
from inception_search.numbers import number, spelling
from inception_search.spec.network import Network

LARGEST = 10**18  # no network comes near


class Limit(NamedTuple):
    """One limit: ``max_macs`` is (``"max_macs"``, ``"macs"``, a maximum, its value)."""

    name: str
    measure: str
    is_max: bool
    value: Number

    def excess(self, value: Number) -> float:
        """How far outside ``value`` is, relative to the limit; 0 or less within it."""
        return value / self.value - 1.0 if self.is_max else 1.0 - value / self.value

    def words(self, value: Number) -> str:
        """What is wrong with ``value``, which is outside."""
        side = "over the budget" if self.is_max else "under the minimum"
        return f"{_number(value)} {MEASURES[self.measure].words} are {side} of {_number(self.value)}"


@dataclass(frozen=True)
class Budget:
    """Hard limits for one image; None: no limit. Latency is that on ``device``, with ``threads`` CPU threads.

    Units: :func:`inception_search.measure_network`. A limit itself is within the budget.
    """

    max_macs: int | None = None
    max_params: int | None = None
    max_activation_bytes: int | None = None
    max_depth: int | None = None
    max_latency_ms: float | None = None
    min_macs: int | None = None
    min_params: int | None = None
    min_depth: int | None = None
    min_receptive_field: int | None = None
    device: str = "cpu"
    threads: int | None = None

    def __post_init__(self) -> None:
        _ = self.target  # checks device and threads
        for name in LIMITS:
            object.__setattr__(self, name, _checked(name, getattr(self, name)))
        for name in LIMITS:
            low, high = getattr(self, name), getattr(self, name.replace("min_", "max_"), None)
            if name.startswith("min_") and low is not None and high is not None and low > high:
                other = name.replace("min_", "max_")
                mend = f"lower {name} or raise {other}"
                raise ConfigError(
                    f"{name} is above {other}", path=name, found=low, expected=f"at most {high:,}", mend=mend
                )

    @property
    def target(self) -> Target:
        """What latency is that of: one image on the device."""
        return Target(self.device, self.threads)

    def limits(self) -> Iterator[Limit]:
        """The limits there are, those that are cheap to ask first."""
        named = {name: getattr(self, name) for name in LIMITS}
        given = [Limit(name, _measure(name), name.startswith("max_"), v) for name, v in named.items() if v is not None]
        yield from sorted(given, key=lambda limit: MEASURES[limit.measure].price)

    @checked
    def violation(self, network: Network | Cost | Subject) -> tuple[float, str] | None:
        """How far outside (relative to the limit, of the worst) and in which words; None within the budget.

        A dearer measure is asked for only where every cheaper one is within its limit. A cost alone answers for
        what is in it; ConfigError when the budget limits more.
        """
        outside = self.worst(network)
        return None if outside is None else (outside[0].excess(outside[1]), outside[0].words(outside[1]))

    @checked
    def worst(self, network: Network | Cost | Subject) -> tuple[Limit, Number] | None:
        """The limit that is missed by most, among the cheapest that are missed, and the value that misses it."""
        outside: list[tuple[Limit, Number]] = []
        subject = network if isinstance(network, Cost | Subject) else Subject(network)
        for limit in self.limits():
            if outside and MEASURES[limit.measure].price > MEASURES[outside[0][0].measure].price:
                break
            value = _value(limit, subject, self.target)
            if limit.excess(value) > 0.0:
                outside.append((limit, value))
        return max(outside, key=lambda missed: missed[0].excess(missed[1]), default=None)

    @checked
    def excess(self, network: Network | Cost | Subject) -> float:
        """How far outside the limit it is furthest outside of, or nearest to: relative to it, negative within all."""
        subject = network if isinstance(network, Cost | Subject) else Subject(network)
        return max((limit.excess(_value(limit, subject, self.target)) for limit in self.limits()), default=-1.0)

    @checked
    def only(self, *, is_max: bool | None = None, by_width: bool | None = None) -> Budget:
        """The same with maxima or minima alone, of measures that widths change or that they do not."""
        dropped = {
            limit.name: None
            for limit in self.limits()
            if is_max not in (None, limit.is_max) or by_width not in (None, MEASURES[limit.measure].by_width)
        }
        return Budget(**{f.name: getattr(self, f.name) for f in fields(self)} | dropped)


LIMITS = tuple(f.name for f in fields(Budget) if f.name.startswith(("max_", "min_")))
checked_init(Budget, free=LIMITS)  # limits may be written as people do: "10M"


def _measure(limit: str) -> str:
    return limit[len("max_") :].removesuffix("_ms")


def _value(limit: Limit, subject: Cost | Subject, target: Target) -> Number:
    if isinstance(subject, Subject):
        return MEASURES[limit.measure].of(subject, target)
    if limit.measure not in subject.to_dict():
        raise ConfigError(f"a cost does not tell {limit.name}", path=limit.name, mend="ask with the network itself")
    return subject.to_dict()[limit.measure]


def _checked(name: str, value: Any) -> Number | None:
    if value is None:
        return None
    found, value = value, number(value)
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    whole = name != "max_latency_ms"
    if not is_number or not 0 < value <= LARGEST or (whole and value != int(value)):
        kind = "a whole number greater than 0" if whole else "a number of milliseconds greater than 0"
        raise ConfigError("not a usable limit", path=name, found=found, expected=kind, mend=spelling(found))
    return int(value) if whole else float(value)


def _number(value: Number) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"
