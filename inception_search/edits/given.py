"""What callers give: checked before anything is done with it, each mistake told with its mend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from inception_search.errors import ConfigError, SpecError
from inception_search.spec.network import Network

if TYPE_CHECKING:
    from inception_search.space.space import Space


def check_network(value: Any, verb: str, how: str) -> None:
    """:class:`SpecError` unless ``value`` is a network; ``how``: the call as it should be written."""
    if not isinstance(value, Network):
        raise SpecError(f"{verb} takes a network", found=value, mend=f"write {how}")


def check_space(space: Space | None) -> None:
    """:class:`ConfigError` unless ``space`` is a space, or None."""
    if space is None:
        return
    from inception_search.space.space import Space

    if not isinstance(space, Space):
        mend = f"write space=load_space({space!r})" if isinstance(space, str) else "write space=load_space(...)"
        raise ConfigError("space is not a search space", found=space, mend=mend)
