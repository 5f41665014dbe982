"""The smallest input size that works for a network whose feature maps are too small, for its error message."""

from __future__ import annotations

from collections.abc import Callable

from inception_search.errors import InceptionSearchError, MapTooSmallError
from inception_search.graph.types import FeatureMap
from inception_search.spec.limits import MAX_IMAGE_SIDE
from inception_search.spec.network import Network
from inception_search.spec.transform import remake

_BEYOND = 64  # further sizes to try if the feature maps are large enough, but something else does not fit
_OTHERWISE = "use a smaller kernel or stride, or same padding"


def larger_image(network: Network, aux: bool, lower: Callable[..., object]) -> str:
    """Advice on the smallest images for ``network``, with its auxiliary classifiers if ``aux``, and other fixes.

    ``lower`` makes the graph of a network, or raises.
    """

    def least(with_aux: bool) -> FeatureMap | None:
        def lowered(size: FeatureMap) -> object:
            image = remake(network.input, height=size.height, width=size.width)
            return lower(remake(network, input=image), aux=with_aux)

        return _least(FeatureMap(*network.input.shape), lowered)

    whole, trunk = least(aux), least(False) if aux and network.aux else None
    advice = [f"use images of at least {_pixels(whole)}"] if whole else []
    if trunk is not None and trunk != whole:
        enough = trunk == FeatureMap(*network.input.shape)
        needed = "" if enough else f" (then {_pixels(trunk)} are enough)"
        advice.append(f"leave the auxiliary classifiers out with aux=False{needed}")
    return ", or ".join([*advice, _OTHERWISE])


def _least(given: FeatureMap, lowered: Callable[[FeatureMap], object]) -> FeatureMap | None:
    """The smallest size that can be ``lowered``, with no side below ``given``; None if there is none.

    Bisection finds where the feature maps are large enough, since they mostly grow with the input. From there, every
    size is tried until everything else fits, too.
    """

    def at(side: int) -> FeatureMap:
        return given._replace(height=max(given.height, side), width=max(given.width, side))

    low, high = 0, min(given.height, given.width)
    while not _large_enough(at(high), lowered):
        if high >= MAX_IMAGE_SIDE:
            return None
        low, high = high, min(2 * high, MAX_IMAGE_SIDE)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _large_enough(at(middle), lowered) else (middle, high)
    sides = range(high, min(high + _BEYOND, MAX_IMAGE_SIDE + 1))
    return next((at(side) for side in sides if _works(at(side), lowered)), None)


def _large_enough(size: FeatureMap, lowered: Callable[[FeatureMap], object]) -> bool:
    try:
        lowered(size)
    except MapTooSmallError:
        return False
    except InceptionSearchError:
        return True
    return True


def _works(size: FeatureMap, lowered: Callable[[FeatureMap], object]) -> bool:
    try:
        lowered(size)
    except InceptionSearchError:
        return False
    return True


def _pixels(size: FeatureMap) -> str:
    return f"{size.height}x{size.width} pixels"
