"""The names of the 1,000 classes of ImageNet-1k in the order of the logits, as torchvision publishes them.

``imagenet_classes.txt`` is the list of ``torchvision.models`` 0.28 (BSD 3-clause licence, in the same folder).
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

IMAGENET = "ImageNet-1k"
BACKGROUND = "background"
_NAMES = Path(__file__).with_name("imagenet_classes.txt")


@lru_cache(maxsize=1)
def class_names() -> tuple[str, ...]:
    """The 1,000 names.

    >>> class_names()[:2]
    ('tench', 'goldfish')
    """
    return tuple(_NAMES.read_text(encoding="utf-8").splitlines())


def names_for(classes: int) -> tuple[str, ...] | None:
    """The names for a network trained on ImageNet-1k: 1,000, or 1,001 with the background first; else None."""
    names = class_names()
    by_number = {len(names): names, len(names) + 1: (BACKGROUND, *names)}
    return by_number.get(classes)
