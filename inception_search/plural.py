"""Numbers with the words for what they count."""

from __future__ import annotations


def counted(number: int, thing: str) -> str:
    """``1 trial``, ``2 trials``, ``1,024 trials``: ``thing`` is what is counted, in the singular.

    >>> counted(1, "epoch"), counted(20, "epoch")
    ('1 epoch', '20 epochs')
    """
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def class_count(number: int) -> str:
    """How many classes, without commas.

    >>> class_count(1), class_count(1000)
    ('1 class', '1000 classes')
    """
    return f"{number} class" if number == 1 else f"{number} classes"
