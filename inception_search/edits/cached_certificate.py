"""The certificate of a network from cached pieces: parts that an edit does not change are not coded again.

The text is identical to that of :func:`inception_search.spec.identity.arch_id.certificate` (a property test checks
this). The certificate of steps in series is the sequence of their codes, and repeats and uses are unrolled into such a
series, so each step of a series can be coded once and cached.
"""

from __future__ import annotations

import json
from typing import TypeAlias

from inception_search.edits.identity_cache import Memo
from inception_search.spec.identity.arch_id import absorbs, code, second_rule
from inception_search.spec.identity.channel_orders import PINNED
from inception_search.spec.identity.normal_form import normal
from inception_search.spec.network import Aux, Network
from inception_search.spec.step import AnyStep, Chain, Identity, Repeat, Use

Codes: TypeAlias = tuple[tuple[str, ...], bool]  # codes of a series, last first; whether it absorbs its input's order
_CODES: Memo[Codes] = Memo()
_HEADERS: Memo[str] = Memo()


def same_architecture(one: Network, other: Network) -> bool:
    """Whether two networks have the same ``arch_id``; compares their whole certificates."""
    return certificate(one) == certificate(other)


def certificate(network: Network) -> str:
    """The canonical text of the architecture."""
    text = _Coder(network).certificate()
    return second_rule(network) if PINNED in text else text


class _Coder:
    def __init__(self, network: Network) -> None:
        self.net = network
        pools = network.pool_defaults
        self.rules = (pools.count_pad, pools.ceil, network.same_padding)

    def certificate(self) -> str:
        codes: list[str] = []
        net, head = self.net, self.net.head
        absorbed = head.classifier != "none" or bool(head.hidden or head.embedding)
        for name, step in reversed(net.stages.items()):
            taps = [aux for aux in net.aux.values() if aux.after == name]
            codes.extend(sorted(self.tap(aux) for aux in taps))
            absorbed = absorbed and all(self.series(aux.body, True)[1] for aux in taps)
            more, absorbed = self.series(step, absorbed)
            codes.extend(more)
        header = _HEADERS.get(head, self.header, (net.input.channels, net.conv_defaults))
        return header + ";".join(reversed(codes))

    def header(self) -> str:
        net, head = self.net, self.net.head
        header = [net.input.channels, net.conv_defaults.to_dict(), head.to_dict(), head.classes]
        return json.dumps(header, sort_keys=True)

    def tap(self, aux: Aux) -> str:
        codes, _ = self.series(aux.body, True)
        body = ";".join(reversed(codes)) or code(Identity(), True)
        body = f"({body})" if len(codes) > 1 else body
        return f"tap({body}|{aux.pool},{aux.hidden},{aux.dropout})"

    def series(self, step: AnyStep, absorbed: bool) -> Codes:
        """The codes of a step in a series, last first, and whether it absorbs the channel order of its input."""
        if isinstance(step, Use):
            return self.series(self.net.blocks[step.name], absorbed)
        return _CODES.get_in(self.net, step, lambda: self.coded(step, absorbed), (absorbed, *self.rules))

    def coded(self, step: AnyStep, absorbed: bool) -> Codes:
        if isinstance(step, Chain | Repeat):
            parts = step.steps if isinstance(step, Chain) else (step.body,) * step.times
            codes: list[str] = []
            for part in reversed(parts):
                more, absorbed = self.series(part, absorbed)
                codes.extend(more)
            return tuple(codes), absorbed
        net = self.net
        plain = normal(step, net.blocks, net.pool_defaults, net.same_padding)
        steps = plain.steps if isinstance(plain, Chain) else () if isinstance(plain, Identity) else (plain,)
        codes = []
        for one in reversed(steps):
            codes.append(code(one, absorbed))
            absorbed = absorbs(one, absorbed)
        return tuple(codes), absorbed
