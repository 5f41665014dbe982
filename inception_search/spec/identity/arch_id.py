"""An exact certificate of a network's architecture; ``arch_id`` is its hash.

The spelling of steps does not count (they are in normal form), nor does the order of a dag's nodes. The order of concat
branches does not count either where weights can follow the permutation of channels. Input height and width, names and
the loss weights of auxiliary classifiers are not part of the architecture.

Two rules decide where weights can follow. The first looks downstream only: a dense convolution or linear layer absorbs
the permutation in its weights; pools, norms and activations pass it on; grouped convolutions, LRN and sums pin the
order, unless the body of the sum can follow. Where the first rule pins an order, the second looks at the whole network
(:mod:`inception_search.spec.identity.channel_orders`): the filters of the other summands can follow, too. Ids that
need the second rule begin with ``a2-``. All others begin with ``a1-``, and have not changed since the second rule.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from inception_search.errors import SpecError
from inception_search.spec.base_model import SpecModel
from inception_search.spec.identity.channel_orders import FREED, NONE, PINNED, Freed, Place, free_concats, order_mark
from inception_search.spec.identity.dag_certificate import dag_code, free_orders
from inception_search.spec.identity.normal_form import normal, normal_trunk
from inception_search.spec.network import Aux, Head, Network
from inception_search.spec.step import AnyStep, Block, Chain, Concat, Conv, Dag, Depthwise, Identity, Lrn, Narrow, Zero


def arch_id(network: Network) -> str:
    """The identity of an architecture: equal for two networks that differ only in the way they are written.

    Names, the size of the input and the way of writing a step do not count. The order of branches does not count where
    weights can follow it (docs/compare.md has the exact rules). Widths, kernels and connections count.

    Args:
        network: the network.

    Returns:
        ``"a1-"`` or ``"a2-"`` (the version of the rules that are needed), and 16 hexadecimal digits of a hash.

    Raises:
        SpecError: ``network`` is not a network.

    >>> ins.arch_id("inception_v3")
    'a1-4e091892a544992b'
    >>> ins.arch_id(ins.set_classes("inception_v3", 10)) == ins.arch_id("inception_v3")
    False
    """
    if not isinstance(network, Network):
        raise SpecError("arch_id takes a network", found=network, hint="write arch_id(load(...))")
    return _id(certificate(network))


def known_ids(network: Network) -> tuple[str, ...]:
    """Every id that this or an earlier version of the package gives ``network``, the current one first."""
    return tuple(dict.fromkeys((arch_id(network), _id(_text(network, NONE)))))


def may_have_another_id(document: Any) -> bool:
    """Whether the second rule may change the id of a network, because its long-form ``document`` has a sum."""
    if isinstance(document, dict):
        kind = document.get("kind")
        if kind == "dag" or (kind == "block" and document.get("skip") == "add" and document.get("project") != "linear"):
            return True
        return any(map(may_have_another_id, document.values()))
    return isinstance(document, list) and any(map(may_have_another_id, document))


def _id(text: str) -> str:
    rule = "a2" if FREED in text else "a1"
    return f"{rule}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def certificate(network: Network) -> str:
    """The canonical text of the architecture."""
    text = _text(network, NONE)
    return second_rule(network) if PINNED in text else text


def second_rule(network: Network) -> str:
    """The certificate of a network in which the first rule pins some concats."""
    taps = {name: _normal_body(network, aux) for name, aux in network.aux.items()}
    return _text(network, free_concats(network, normal_trunk(network), taps))


def _text(network: Network, freed: Freed) -> str:
    """The canonical text by the first rule; the concats at the places ``freed`` may be in any order, too."""
    header = [network.input.channels, network.conv_defaults.to_dict(), network.head.to_dict(), network.head.classes]
    return json.dumps(header, sort_keys=True) + _trunk_code(network, freed)


def _trunk_code(network: Network, freed: Freed) -> str:
    """The text of the stages, visited from last to first, each followed by the auxiliary classifiers that read it."""
    codes: list[str] = []
    head = network.head
    # The classifier, a hidden layer or an embedding mixes every channel; without them the order is the output's.
    absorbed = head.classifier != "none" or bool(head.hidden or head.embedding)
    for name, step in reversed(normal_trunk(network).items()):
        taps = [(_normal_body(network, a), a, at) for at, a in network.aux.items() if a.after == name]
        codes.extend(sorted(f"tap({code(body, True, ('aux', at), freed)}{_head_code(aux)})" for body, aux, at in taps))
        absorbed = absorbed and all(absorbs(body, True) for body, _, _ in taps)
        codes.extend(reversed(_chain_codes(step, absorbed, (name,), freed)))
        absorbed = absorbs(step, absorbed)
    return ";".join(reversed(codes))


def _normal_body(network: Network, aux: Aux) -> AnyStep:
    return normal(aux.body, network.blocks, network.pool_defaults, network.same_padding)


def _head_code(head: Head | Aux) -> str:
    return f"|{head.pool},{head.hidden},{head.dropout}"


def code(step: AnyStep, absorbed: bool, place: Place = (), freed: Freed = NONE) -> str:
    """The canonical text of a step in normal form; ``absorbed``: its output's channel order does not matter.

    ``place`` is its place in the network; at the places ``freed``, branches of a concat may always be in any order.
    """
    rule = CODES.get(type(step))
    if rule is not None:
        return rule(step, absorbed, place, freed)
    return json.dumps(step.to_dict(), sort_keys=True, separators=(",", ":"))


def _chain_code(step: Chain, absorbed: bool, place: Place, freed: Freed) -> str:
    return "(" + ";".join(_chain_codes(step, absorbed, place, freed)) + ")"


def _concat_code(step: Concat, absorbed: bool, place: Place, freed: Freed) -> str:
    codes = [code(branch, absorbed, (*place, index), freed) for index, branch in enumerate(step.branches)]
    mark = order_mark(absorbed, place, freed)
    return "[" + "|".join(codes if mark == PINNED else sorted(codes)) + "]" + mark


def _block_code(step: Block, absorbed: bool, place: Place, freed: Freed) -> str:
    body = code(step.body, _body_absorbed(step, absorbed), (*place, 0), freed)
    stride = f",{step.stride}" if step.skip == "project" else ""  # only here, so that older ids do not change
    return f"{{{step.skip},{step.project},{step.scale!r},{step.act},{body}{stride}}}"


# Rules for steps in normal form; the text of other kinds is all their fields.
CODES: dict[type[SpecModel], Callable[[Any, bool, Place, Freed], str]] = {
    Chain: _chain_code,
    Concat: _concat_code,
    Block: _block_code,
    Dag: lambda step, absorbed, place, freed: dag_code(step, absorbed, place, freed, code, absorbs),
}


def _chain_codes(step: AnyStep, absorbed: bool, place: Place, freed: Freed) -> list[str]:
    if not isinstance(step, Chain):
        return [] if isinstance(step, Identity) else [code(step, absorbed, place, freed)]
    codes = []
    for index, part in reversed(list(enumerate(step.steps))):
        codes.append(code(part, absorbed, (*place, index), freed))
        absorbed = absorbs(part, absorbed)
    return codes[::-1]


def _body_absorbed(block: Block, absorbed: bool) -> bool:
    if block.project != "none":
        return True  # the dense 1x1 after the body
    return block.skip != "add" and absorbed  # the filters of a projected skip follow any order


def absorbs(step: AnyStep, absorbed: bool) -> bool:
    """Whether permuted input channels leave the function unchanged once weights are permuted to match.

    ``absorbed`` is the same fact about the channels of the step's output.
    """
    rule = ABSORBS.get(type(step))
    return rule(step, absorbed) if rule else absorbed


def _chain_absorbs(step: Chain, absorbed: bool) -> bool:
    for part in reversed(step.steps):
        absorbed = absorbs(part, absorbed)
    return absorbed


def _block_absorbs(step: Block, absorbed: bool) -> bool:
    if step.skip != "add":
        return absorbs(step.body, _body_absorbed(step, absorbed))
    follows = step.project != "none" or _can_permute(step.body)
    return absorbed and follows and absorbs(step.body, True)


# Other kinds pass on the answer for their output: pools, norms, activations, dropout, depthwise convolutions.
ABSORBS: dict[type[SpecModel], Callable[[Any, bool], bool]] = {
    Conv: lambda step, absorbed: step.groups == 1,
    Lrn: lambda step, absorbed: False,  # it reads neighbouring channels
    Narrow: lambda step, absorbed: False,  # it selects channels by position
    Zero: lambda step, absorbed: True,  # the output does not depend on the input
    Chain: _chain_absorbs,
    Concat: lambda step, absorbed: all(absorbs(branch, absorbed) for branch in step.branches),
    Block: _block_absorbs,
    Dag: lambda step, absorbed: free_orders(step, absorbed, absorbs).values[0],
}


def _can_permute(step: AnyStep) -> bool:
    """Whether some weights can put a step's output channels into any order, its input held fixed."""
    rule = PERMUTES.get(type(step))
    return rule is not None and rule(step)


def _chain_permutes(step: Chain) -> bool:
    for part in reversed(step.steps):
        if _can_permute(part):
            return True
        if isinstance(part, Concat | Lrn | Block | Dag | Conv | Depthwise):
            return False
    return False


# Other kinds cannot.
PERMUTES: dict[type[SpecModel], Callable[[Any], bool]] = {
    Conv: lambda step: step.groups == 1,
    Chain: _chain_permutes,
    Block: lambda step: step.skip != "add" and (step.project != "none" or _can_permute(step.body)),
    Dag: lambda step: _can_permute(step.nodes[-1].then),
}
