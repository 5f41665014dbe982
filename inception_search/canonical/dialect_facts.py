"""The differences between dialects, computed from the documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from inception_search.numbers import class_count
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep, Pool, children

COUNTED, NOT_COUNTED = "count the border", "leave the border out"  # words for average pooling in JSON


def facts(network: Network) -> dict[str, Any]:
    """Padding, pooling, norm, bias, head and auxiliary classifiers of ``network``, as plain JSON data."""
    pools, norm, head = list(_pools(network)), network.conv_defaults.norm, network.head
    embedding = head.embedding and {"width": head.embedding.width, "unit_length": head.embedding.unit_length}
    return {
        "same_padding": network.same_padding,
        "strided_pools": _strided(network, pools),
        "averages": _averages(network, pools),
        "norm": norm and {"eps": norm.eps, "momentum": norm.momentum, "gamma": norm.gamma},
        "conv_bias": network.conv_defaults.bias,
        "head": {
            "dropout": head.dropout,
            "embedding": embedding,
            "classifier": head.classifier,
            "classes": None if head.classifier == "none" else head.classes,
        },
        "auxiliary": [aux.after for aux in network.aux.values()],
    }


def in_words(found: Mapping[str, Any]) -> dict[str, str]:
    """The :func:`facts` in words."""
    return {
        "same_padding": "TensorFlow's SAME" if found["same_padding"] == "tf" else "k//2",
        "strided_pools": found["strided_pools"] or "-",
        "averages": {COUNTED: "yes", NOT_COUNTED: "no"}.get(found["averages"], "-"),
        "norm": _norm(found["norm"]),
        "conv_bias": "yes" if found["conv_bias"] else "no",
        "head": _head(found["head"]),
        "auxiliary": ", ".join(found["auxiliary"]) or "-",
    }


def _strided(network: Network, pools: list[Pool]) -> str | None:
    strided = [pool for pool in pools if pool.stride != 1]
    if not strided:
        return None
    if all(pool.padding in ("same", "tf") for pool in strided) and network.same_padding == "tf":
        return "SAME"
    ceil = [network.pool_defaults.ceil if pool.ceil is None else pool.ceil for pool in strided]
    return "rounded up" if any(ceil) else "rounded down"


def _averages(network: Network, pools: list[Pool]) -> str | None:
    """Whether average pooling with padding counts the padding."""
    reaching = [pool for pool in pools if pool.mode == "avg" and pool.padding != "valid"]
    if not reaching:
        return None
    counted = [network.pool_defaults.count_pad if pool.count_pad is None else pool.count_pad for pool in reaching]
    return COUNTED if any(counted) else NOT_COUNTED


def _norm(norm: Mapping[str, Any] | None) -> str:
    if norm is None:
        return "none"
    return f"eps {norm['eps']:g}, momentum {norm['momentum']:g}" + ("" if norm["gamma"] else ", no gamma")


def _head(head: Mapping[str, Any]) -> str:
    words = [f"dropout {head['dropout']:g}"] if head["dropout"] else []
    if embedding := head["embedding"]:
        words.append(f"embedding {embedding['width']}{', L2-normalised' if embedding['unit_length'] else ''}")
    if head["classes"] is not None:
        words.append(f"{class_count(head['classes'])}{' as feature maps' if head['classifier'] == 'maps' else ''}")
    return ", ".join(words)


def _pools(network: Network) -> Iterator[Pool]:
    for step in (*network.stages.values(), *network.blocks.values()):
        yield from _inside(step)


def _inside(step: AnyStep) -> Iterator[Pool]:
    if isinstance(step, Pool):
        yield step
    for _, part in children(step):
        yield from _inside(part)
