"""The lines of a fork: no stretch is drawn twice."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from inception_search.figures.network.place import Path, Wire
from inception_search.figures.paint.wires import BEND, lines

LENGTHS = (5, 10, 20)


@st.composite
def paths(draw: st.DrawFn) -> Path:
    """A path that goes down and across in turns, from one of two places."""
    x, y = draw(st.sampled_from([(0, 0), (9, 9)]))
    points = [(x, y)]
    for turn in range(draw(st.integers(1, 4))):
        length = draw(st.sampled_from(LENGTHS))
        x, y = (x, y + length) if turn % 2 == 0 else (x + draw(st.sampled_from([-1, 1])) * length, y)
        points.append((x, y))
    return tuple(points)


def pixels(path: Path) -> list[tuple[int, int]]:
    """Every place on a path."""
    found = [path[0]]
    for (x, y), (to_x, to_y) in pairwise(path):
        steps = abs(to_x - x) + abs(to_y - y)
        found += [(x + (to_x - x) * n // steps, y + (to_y - y) * n // steps) for n in range(1, steps + 1)]
    return found


@given(st.lists(paths(), min_size=1, max_size=8))
def test_a_line_begins_a_bend_before_it_leaves_the_others(drawn: list[Path]) -> None:
    distinct = list(dict.fromkeys(drawn))
    found = lines([Wire(path, False) for path in drawn])
    assert len(found) == len(distinct)
    for at, (path, line) in enumerate(zip(distinct, found, strict=True)):
        shared = max((_together(path, other) for other in distinct[:at]), default=0)
        words = line[1:].split("L")[0].split()
        begins = pixels(path).index((int(words[0]), int(words[1])))
        assert max(shared - BEND, 0) <= begins <= shared


def _together(path: Path, other: Path) -> int:
    """How many px two paths go together from where they begin."""
    count = -1
    for a, b in zip(pixels(path), pixels(other), strict=False):
        if a != b:
            break
        count += 1
    return max(count, 0)
