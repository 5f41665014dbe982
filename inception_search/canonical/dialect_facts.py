"""What tells dialects apart, in a few words each: read from the documents, not typed."""

from __future__ import annotations

from collections.abc import Iterator

from inception_search.spec.network import Head, Network
from inception_search.spec.step import AnyStep, Pool, children


def facts(network: Network) -> dict[str, str]:
    """Padding, pooling, norm, bias, head and auxiliary heads of ``network``, by column."""
    pools = list(_pools(network))
    return {
        "input": "x".join(map(str, network.input.shape)),
        "same padding": "TensorFlow's" if network.same_padding == "tf" else "k//2 on every side",
        "strided pools": _strided(network, pools),
        "averages": _averages(network, pools),
        "norm": _norm(network),
        "conv bias": "yes" if network.conv_defaults.bias else "no",
        "head": _head(network.head),
        "auxiliary": ", ".join(f"after {aux.after}" for aux in network.aux.values()) or "none",
    }


def _strided(network: Network, pools: list[Pool]) -> str:
    strided = [pool for pool in pools if pool.stride != 1]
    if not strided:
        return "none"
    if all(pool.padding in ("same", "tf") for pool in strided) and network.same_padding == "tf":
        return "SAME"
    ceil = [network.pool_defaults.ceil if pool.ceil is None else pool.ceil for pool in strided]
    return "rounded up" if any(ceil) else "rounded down"


def _averages(network: Network, pools: list[Pool]) -> str:
    """Whether averages that reach over the border count it."""
    reaching = [pool for pool in pools if pool.mode == "avg" and pool.padding != "valid"]
    if not reaching:
        return "-"
    counted = [network.pool_defaults.count_pad if pool.count_pad is None else pool.count_pad for pool in reaching]
    return "count the border" if any(counted) else "leave the border out"


def _norm(network: Network) -> str:
    norm = network.conv_defaults.norm
    if norm is None:
        return "none"
    return f"eps {norm.eps:g}, momentum {norm.momentum:g}" + ("" if norm.gamma else ", no gamma")


def _head(head: Head) -> str:
    words = [f"dropout {head.dropout:g}"] if head.dropout else []
    if head.embedding:
        length = " of unit length" if head.embedding.unit_length else ""
        words.append(f"embedding {head.embedding.width}{length}")
    if head.classifier != "none":
        words.append(f"{head.classes} classes" + (" as maps" if head.classifier == "maps" else ""))
    return ", ".join(words)


def _pools(network: Network) -> Iterator[Pool]:
    for step in (*network.stages.values(), *network.blocks.values()):
        yield from _inside(step)


def _inside(step: AnyStep) -> Iterator[Pool]:
    if isinstance(step, Pool):
        yield step
    for _, part in children(step):
        yield from _inside(part)
