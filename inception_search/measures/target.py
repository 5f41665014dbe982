"""The target of a latency measurement: device, threads and batch size, or the table of another machine."""

from __future__ import annotations

import re
from dataclasses import dataclass

from inception_search.errors import CompileError, ConfigError, SpecError
from inception_search.spec.network import Network


def check_network(network: object) -> None:
    """Raise :class:`~inception_search.errors.SpecError` unless ``network`` is a Network."""
    if not isinstance(network, Network):
        hint = 'write measure_network(load("inception_v3"), "macs")'
        raise SpecError("only a network can be measured", found=network, hint=hint)


class TimeUpError(CompileError):
    """A latency was not measured because the time limit had ended."""


MAX_THREADS = 1024  # torch ends the process if the system does not give it the threads


@dataclass(frozen=True)
class Target:
    """The device, CPU threads (None: torch's number) and batch size of a latency measurement.

    With ``table``, the file of a table that another machine made, nothing is measured here.
    """

    device: str = "cpu"
    threads: int | None = None
    batch_size: int = 1
    table: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.device, str) or not re.fullmatch(r"cpu|cuda(:\d+)?", self.device):
            expected = "one of cpu, cuda, cuda:<number>"
            raise ConfigError("unknown device", path="device", found=self.device, expected=expected)
        for name, value in (("threads", self.threads), ("batch_size", self.batch_size)):
            optional = name == "threads" and value is None
            if not optional and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
                expected = "a whole number of 1 or more"
                raise ConfigError("not a usable value", path=name, found=value, expected=expected)
        if self.threads is not None and self.threads > MAX_THREADS:
            expected = f"at most {MAX_THREADS:,}, and no more than the machine has CPU threads"
            raise ConfigError("too many threads", path="threads", found=self.threads, expected=expected)
