"""The cheapest pairing of two sets of branches, in any order."""

from __future__ import annotations

from collections.abc import Sequence


def assigned(pairs: Sequence[Sequence[int]], without: Sequence[int], extra: Sequence[int]) -> list[int | None]:
    """For every row its column, or None where it is dropped, so that the total cost is minimal.

    ``pairs[r][c]`` is the cost of assigning column ``c`` to row ``r``, ``without[r]`` the cost of dropping row ``r``,
    ``extra[c]`` the cost of leaving column ``c`` unassigned. The Hungarian method by shortest augmenting paths
    (Jonker & Volgenant 1987): every row has one additional column of its own, and taking it drops the row.
    """
    rows, columns = len(without), len(extra)
    wide = columns + rows
    never = sum(map(sum, pairs)) + sum(without) + sum(extra) + 1
    costs = [
        [pairs[r][c] - extra[c] for c in range(columns)] + [without[r] if c == r else never for c in range(rows)]
        for r in range(rows)
    ]
    row_price, column_price = [0] * (rows + 1), [0] * (wide + 1)
    owner = [0] * (wide + 1)  # the row of every column, both counted from 1; column 0 holds the row to place
    for row in range(1, rows + 1):
        owner[0] = row
        _place(costs, row_price, column_price, owner)
    found: list[int | None] = [None] * rows
    for column in range(1, columns + 1):
        if owner[column]:
            found[owner[column] - 1] = column - 1
    return found


def _place(costs: Sequence[Sequence[int]], row_price: list[int], column_price: list[int], owner: list[int]) -> None:
    """Give the row in ``owner[0]`` a column by the cheapest chain of reassignments."""
    wide = len(owner) - 1
    least: list[int | None] = [None] * (wide + 1)
    before, done = [0] * (wide + 1), [False] * (wide + 1)
    at = 0
    while owner[at]:
        done[at] = True
        row, following, step = owner[at], 0, None
        for column in range(1, wide + 1):
            if done[column]:
                continue
            cost = costs[row - 1][column - 1] - row_price[row] - column_price[column]
            known = least[column]
            if known is None or cost < known:
                least[column], before[column], known = cost, at, cost
            if step is None or known < step:
                step, following = known, column
        assert step is not None
        for column in range(wide + 1):
            if done[column]:
                row_price[owner[column]] += step
                column_price[column] -= step
            else:
                known = least[column]
                least[column] = None if known is None else known - step
        at = following
    while at:
        owner[at] = owner[before[at]]
        at = before[at]
