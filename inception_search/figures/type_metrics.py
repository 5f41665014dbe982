"""Text widths without a font, from a table of advance widths.

A viewer without Helvetica, Arial or Liberation Sans falls back to a wider font. :func:`room_for` uses DejaVu Sans, the
widest common one, so that a label in a box of that width always fits.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

FAMILY = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"

# Advances of the characters U+0020 to U+007E, then of those in _OTHERS, in thousandths of the type size.
_OTHERS = "×·–−…→"
_DEJAVU = """
318 401 460 838 637 951 780 275 391 391 500 838 318 361 318 337 637 637 637 637 637 637 637 637 637 637
337 337 838 838 838 531 1015 685 687 699 771 667 611 778 752 295 500 667 558 863 749 788 667 788 722 667
611 732 685 989 686 667 686 391 337 391 838 556 500 613 635 550 635 616 353 635 634 278 278 580 278 975
634 612 635 635 412 521 393 634 592 818 592 592 525 637 337 637 838 838 318 556 838 1000 1000
"""
_DEJAVU_BOLD = """
349 457 521 838 696 1002 873 307 458 458 523 838 380 416 380 366 696 696 696 696 696 696 696 696 696 696
400 400 838 838 838 611 1000 774 763 734 831 684 684 821 837 373 556 775 638 996 837 851 733 851 771 721
683 813 774 1104 771 725 726 458 366 458 838 556 500 675 716 593 716 679 436 716 712 343 343 666 343 1042
712 688 716 716 494 596 479 712 652 924 646 652 583 712 366 712 838 838 380 556 838 1000 1000
"""
UNKNOWN = 1050


def _table(advances: str) -> dict[str, int]:
    characters = [chr(code) for code in range(32, 127)] + list(_OTHERS)
    return dict(zip(characters, map(int, advances.split()), strict=True))


_ADVANCES = {False: _table(_DEJAVU), True: _table(_DEJAVU_BOLD)}


@lru_cache(maxsize=4096)
def room_for(text: str, size: int, *, bold: bool = False) -> int:
    """The width in px that fits ``text`` at ``size`` px, even in a wider fallback font."""
    advances = _ADVANCES[bold]
    total = sum(0 if unicodedata.combining(c) else advances.get(c, UNKNOWN) for c in text)
    return -(-total * size // 1000)


def clipped(text: str, size: int, width: int, *, bold: bool = False) -> str:
    """``text``, shortened with an ellipsis if it is wider than ``width`` px."""
    if room_for(text, size, bold=bold) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if room_for(text[:middle].rstrip() + "…", size, bold=bold) <= width:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + "…"


def wrapped(
    text: str, size: int, width: int, *, bold: bool = False, limit: int = 3, cut: bool = True
) -> tuple[str, ...]:
    """``text`` in at most ``limit`` lines of ``width`` px, broken between words; ``cut`` shortens longer lines."""
    lines: list[str] = []
    words = text.split()
    while words and len(lines) < limit:
        line = words.pop(0)
        while words and room_for(f"{line} {words[0]}", size, bold=bold) <= width:
            line = f"{line} {words.pop(0)}"
        lines.append(line)
    if words:
        lines[-1] = f"{lines[-1]} {' '.join(words)}"
    return tuple(lines) if not cut else tuple(clipped(line, size, width, bold=bold) for line in lines)
