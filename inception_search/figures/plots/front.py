"""A Pareto front as a picture: the modules of its points stand over the plot, each joined to its point.

Nothing lies above a front, so the lines to the pictures run through empty room and cannot cross.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from inception_search.figures.colours import DARK_PAGE, LIGHT_PAGE
from inception_search.figures.labels import count
from inception_search.figures.paint.svg import text
from inception_search.figures.plots.style import BASELINE, BEST, GRID, SAMPLED, apart
from inception_search.figures.thumbnail import Thumbnail, thumbnail_rules
from inception_search.figures.type_metrics import FAMILY, clipped, room_for
from inception_search.store.record import percent

WIDTH = 920  # px
LEFT, RIGHT = 66, 24  # of the axes, from the edges
PLOT = 300  # height of the axes
FOOT = 76  # below them: labels, the name, the legend
ABOVE = 56  # between pictures and axes, where lines bend
CAPTION = 50  # two lines over each picture
PICTURES = 5  # over the plot; more would be too small to read
BELOW = 18  # in the strip below; a front may have hundreds of points
NUMBERED = 100  # of a larger front only the points with pictures have their numbers in the plot
SPACE = 18  # between two pictures
SIDE = 6  # left and right of the rows of pictures
TALLEST = 190  # px
LEVEL = 9  # between the heights at which lines run across
STRIP = 6  # pictures in a row of the strip below
_DARK = {"sampled": "#7db4ee", "baseline": "#f0ad6b", "front": "#bcd8f7", "grid": "#2b333c"}


@dataclass(frozen=True)
class FrontPoint:
    """A trained network; ``place`` is its number on the front, from 1, or None."""

    cost: float
    accuracy: float
    baseline: bool
    place: int | None


@dataclass(frozen=True)
class Member:
    """A point of the front that has a picture; one that cannot be drawn has its name alone."""

    place: int
    name: str
    cost: float
    accuracy: float
    baseline: bool
    picture: Thumbnail | None


@dataclass(frozen=True)
class _Scales:
    """From costs (logarithmic) and accuracies to px."""

    cost: tuple[float, float]
    accuracy: tuple[float, float]
    top: int

    def x(self, cost: float) -> float:
        low, high = (math.log(value) for value in self.cost)
        return LEFT + (math.log(cost) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def y(self, accuracy: float) -> float:
        low, high = self.accuracy
        return self.top + PLOT - (accuracy - low) / (high - low) * PLOT


def draw_front(points: Sequence[FrontPoint], members: Sequence[Member], cost: str, quality: str = "accuracy") -> str:
    """The SVG of a front; ``members`` are in the order of their cost; ``cost`` and ``quality`` name the axes."""
    over, below = ([members[at] for at in places] for places in pictured(len(members)))
    row = _row_height(over, WIDTH - 2 * SIDE)
    top = CAPTION + row + ABOVE
    scales = _Scales(_range_of_cost(points), _range_of_accuracy(points), top)
    body = [_grid(scales), *_pictures(over, scales, row), _step(points, scales)]
    body += _dots(points if len(members) <= NUMBERED else _named_only(points, [*over, *below]), scales)
    bottom = top + PLOT
    body += [_names(bottom, cost, quality), _legend(bottom + 62, points, scales)]
    strip, height = _strip(below, bottom + FOOT)
    told = [member for member in members if len(members) <= NUMBERED or member in over or member in below]
    return _document([*body, *strip], height, told)


def pictured(number: int) -> tuple[list[int], list[int]]:
    """Indices of the members of a front that get a picture: those above the plot, and those below it."""
    over = _spread(range(number), PICTURES)
    return over, _spread([at for at in range(number) if at not in over], BELOW)


def _spread(places: Sequence[int], most: int) -> list[int]:
    """At most so many as have room: the two ends, and others evenly between."""
    if len(places) <= most:
        return list(places)
    last = len(places) - 1
    return [places[round(index * last / (most - 1))] for index in range(most)]


def _named_only(points: Sequence[FrontPoint], members: Sequence[Member]) -> list[FrontPoint]:
    """The points, those of the front numbered only where ``members`` have them."""
    known = {member.place for member in members}
    return [point if point.place in known else replace(point, place=None) for point in points]


def _slot(number: int, width: int) -> float:
    return (width - SPACE * (number - 1)) / max(number, 1)


def _zoom(members: Sequence[Member], width: int, most: int) -> float:
    """One scale for all pictures of a row, so that modules compare."""
    slot = min(_slot(max(len(members), 1), width), 300)
    drawn = [member.picture for member in members if member.picture is not None]
    return min((min(slot / each.width, most / each.height) for each in drawn), default=1.0)


def _row_height(members: Sequence[Member], width: int) -> int:
    zoom = _zoom(members, width, TALLEST)
    return math.ceil(max((m.picture.height * zoom for m in members if m.picture is not None), default=0))


def _range_of_cost(points: Sequence[FrontPoint]) -> tuple[float, float]:
    low, high = min(point.cost for point in points), max(point.cost for point in points)
    room = max((high / low) ** 0.06, 1.05)
    return low / room, high * room


def _range_of_accuracy(points: Sequence[FrontPoint]) -> tuple[float, float]:
    """All of the front, and of the rest what is not hopelessly below it."""
    values = sorted(point.accuracy for point in points)
    front = [point.accuracy for point in points if point.place]
    low = min(values[len(values) // 10], *front)
    room = max((max(values) - low) * 0.1, 0.005)
    return low - room, max(values) + room


def _grid(scales: _Scales) -> str:
    bottom, right = scales.top + PLOT, WIDTH - RIGHT
    parts = [f'<g class="grid" stroke="{GRID}" stroke-width="1">']
    ys = _ticks(*scales.accuracy)
    xs = _log_ticks(*scales.cost)
    parts += [f'<path d="M{LEFT} {_px(scales.y(y))}H{right}"/>' for y in ys]
    parts += [f'<path d="M{_px(scales.x(x))} {scales.top}V{bottom}"/>' for x in xs]
    parts.append("</g>")
    digits = 0 if all(abs(100 * y - round(100 * y)) < 1e-6 for y in ys) else 1
    parts += [_text(f"{100 * y:.{digits}f} %", LEFT - 8, scales.y(y) + 4, "end") for y in ys]
    parts += [_text(amount, scales.x(x), bottom + 18, "middle") for amount, x in zip(_amounts(xs), xs, strict=True)]
    return "".join(parts)


def _ticks(low: float, high: float, parts: int = 5) -> list[float]:
    raw = (high - low) / parts
    power = 10 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= raw)
    return [step * i for i in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _log_ticks(low: float, high: float) -> list[float]:
    for steps in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 8)):
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        found = [m * 10.0**power for power in powers for m in steps if low <= m * 10.0**power <= high]
        if len(found) >= 3:
            return found
    # So short a part of a logarithmic axis looks straight.
    return next((found for parts in (5, 6, 7) if len(found := _ticks(low, high, parts)) >= 3), _ticks(low, high, 8))


def _amounts(values: Sequence[float]) -> list[str]:
    """Labels of ticks, in full where they are too close to each other for three digits."""
    told = [_amount(value) for value in values]
    return told if len(set(told)) == len(told) else [f"{value:,.10g}" for value in values]


def _amount(value: float) -> str:
    return count(round(value)) if value >= 1000 else f"{value:.3g}"


def _step(points: Sequence[FrontPoint], scales: _Scales) -> str:
    """The edge of what is dominated by accuracy and this cost."""
    front = sorted((point for point in points if point.place), key=lambda point: (point.cost, -point.accuracy))
    best, path = -math.inf, ""
    for point in front:
        if point.accuracy > best:
            x, y = _px(scales.x(point.cost)), _px(scales.y(point.accuracy))
            path += f"H{x}V{y}" if path else f"M{x} {y}"
            best = point.accuracy
    path += f"H{WIDTH - RIGHT}"
    return f'<path class="front" fill="none" stroke="{BEST}" stroke-width="1.6" d="{path}"/>'


def _dots(points: Sequence[FrontPoint], scales: _Scales) -> list[str]:
    out = []
    inside = [point for point in points if point.accuracy >= scales.accuracy[0]]
    behind = [point for point in inside if point.place is None]
    drawn = apart([math.log(point.cost) for point in behind], [point.accuracy for point in behind])
    shown = [*(behind[at] for at in drawn), *(point for point in inside if point.place is not None)]
    for point in sorted(shown, key=lambda point: (point.place is not None, point.cost, point.accuracy)):
        x, y = scales.x(point.cost), scales.y(point.accuracy)
        kind, colour = ("baseline", BASELINE) if point.baseline else ("sampled", SAMPLED)
        if point.place:
            out.append(_disc(point.place, x, y, point.baseline))
        else:
            out.append(_mark(kind, colour, x, y))
    return out


def _mark(kind: str, colour: str, x: float, y: float) -> str:
    """A diamond for a baseline, a dot for what was found."""
    if kind == "baseline":
        return f'<path class="{kind}" fill="{colour}" d="M{_px(x)} {_px(y)}m0 -5.5l5.5 5.5l-5.5 5.5l-5.5 -5.5z"/>'
    return f'<circle class="{kind}" cx="{_px(x)}" cy="{_px(y)}" r="4" fill="{colour}" fill-opacity="0.75"/>'


def _disc(place: int, x: float, y: float, baseline: bool) -> str:
    """The number of a point of the front."""
    kind, colour = ("baseline", BASELINE) if baseline else ("sampled", SAMPLED)
    disc = f'<circle class="{kind}" cx="{_px(x)}" cy="{_px(y)}" r="10" fill="{colour}"/>'
    return disc + _text(str(place), x, y + 4.5, "middle", name="paper", fill="#ffffff", bold=True)


def _pictures(members: Sequence[Member], scales: _Scales, row: int) -> list[str]:
    """The pictures over the plot, and a line from each to its point."""
    room = WIDTH - 2 * SIDE
    zoom, slot, out = _zoom(members, room, TALLEST), _slot(len(members), room), []
    middles = [SIDE + slot / 2 + index * (slot + SPACE) for index in range(len(members))]
    starts = [
        middle + ((member.picture.exit - member.picture.width / 2) * zoom if member.picture else 0.0)
        for member, middle in zip(members, middles, strict=True)
    ]
    ends = [scales.x(member.cost) for member in members]
    levels = _levels(starts, ends)
    for member, middle in zip(members, middles, strict=True):
        out += _captioned(member, middle, 0, row, zoom, slot)
    for member, start, x, level in zip(members, starts, ends, levels, strict=True):
        y, foot = scales.y(member.accuracy), CAPTION + row + 6
        out.append(
            f'<path class="lead" fill="none" stroke="{LIGHT_PAGE.frame}" stroke-width="1.2" stroke-dasharray="3 3" '
            f'd="M{_px(start)} {foot}V{foot + level}H{_px(x)}V{_px(y - 11)}"/>'
        )
    return out


def _levels(middles: Sequence[float], ends: Sequence[float]) -> list[int]:
    """How far below the pictures each line runs across, so that none crosses another.

    Of those that turn left the first turns highest, of those that turn right the last.
    """
    left = [index for index, (middle, end) in enumerate(zip(middles, ends, strict=True)) if end < middle]
    right = [index for index in range(len(middles)) if index not in left]
    order = {index: rank for turned in (left, right[::-1]) for rank, index in enumerate(turned, start=1)}
    return [LEVEL * order[index] for index in range(len(middles))]


def _captioned(member: Member, middle: float, y: int, row: int, zoom: float, slot: float) -> list[str]:
    """Number, name and figures over a picture that stands on the foot of its row; a name too long is cut."""
    name = clipped(member.name, 13, int(slot) - 28, bold=True)
    side = room_for(name, 13, bold=True) / 2
    out = [
        _disc(member.place, middle - side - 4, y + 16, member.baseline),
        _text(name, middle + 12, y + 20, "middle", name="ink", fill=LIGHT_PAGE.ink, bold=True),
        _text(f"{percent(member.accuracy)}, {_amount(member.cost)}", middle, y + 38, "middle"),
    ]
    picture = member.picture
    if picture is None:
        return [*out, _text("not drawn", middle, y + CAPTION + row / 2, "middle")]
    left, top = middle - picture.width * zoom / 2, y + CAPTION + row - picture.height * zoom
    return [*out, f'<g transform="translate({_px(left)} {_px(top)}) scale({zoom:.4f})">{picture.svg}</g>']


def _strip(members: Sequence[Member], top: int) -> tuple[list[str], int]:
    """The points that have no room over the plot, in rows below it; and where they end."""
    out: list[str] = []
    for start in range(0, len(members), STRIP):
        row = members[start : start + STRIP]
        slot = _slot(STRIP, WIDTH - 2 * SIDE)
        zoom = _zoom(row, round(slot * len(row) + SPACE * (len(row) - 1)), TALLEST)
        height = math.ceil(max((m.picture.height * zoom for m in row if m.picture is not None), default=20))
        for index, member in enumerate(row):
            out += _captioned(member, SIDE + slot / 2 + index * (slot + SPACE), top, height, zoom, slot)
        top += CAPTION + height + 24
    return out, top


def _names(bottom: int, cost: str, quality: str) -> str:
    middle = (LEFT + WIDTH - RIGHT) / 2
    below = _text(f"{cost} (logarithmic)", middle, bottom + 38, "middle", name="ink", fill=LIGHT_PAGE.ink)
    beside = _text(f"validation {quality}", 0, 0, "middle", name="ink", fill=LIGHT_PAGE.ink)
    return f'{below}<g transform="translate(16 {bottom - PLOT // 2}) rotate(-90)">{beside}</g>'


def _legend(y: int, points: Sequence[FrontPoint], scales: _Scales) -> str:
    entries = [("sampled", SAMPLED, "found by the search"), ("baseline", BASELINE, "canonical")]
    kinds = {"baseline" if point.baseline else "sampled" for point in points}
    x, out = float(LEFT), []
    for kind, colour, words in entries:
        if kind in kinds:
            out.append(_mark(kind, colour, x + 5, y - 4.5))
            out.append(_text(words, x + 16, y, "start"))
            x += 170
    below = sum(point.accuracy < scales.accuracy[0] for point in points)
    more = f"; {below} more below {percent(scales.accuracy[0])} not shown" if below else ""
    out.append(_text(f"numbered: on the Pareto front{more}", x, y, "start"))
    return "".join(out)


def _text(
    words: str,
    x: float,
    y: float,
    anchor: str,
    *,
    name: str = "faint",
    fill: str = LIGHT_PAGE.faint,
    bold: bool = False,
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text class="{name}" x="{_px(x)}" y="{_px(y)}" font-size="12.5" text-anchor="{anchor}"{weight} '
        f'fill="{fill}">{text(words)}</text>'
    )


def _px(value: float) -> str:
    """A place in tenths of a px: the same digits on every machine."""
    return f"{value:.1f}".removesuffix(".0")


def _document(body: Sequence[str], height: int, members: Sequence[Member]) -> str:
    words = "; ".join(f"{m.place}: {m.name}, {percent(m.accuracy)} at {_amount(m.cost)}" for m in members)
    inside = "\n".join(body)
    name = "p" + hashlib.sha256(f"{height}{words}{inside}".encode()).hexdigest()[:12]
    dark = [thumbnail_rules(name)]
    dark += [f"#{name} .{kind} {{fill:{_DARK[kind]}}}" for kind in ("sampled", "baseline")]
    dark += [f"#{name} .front {{stroke:{_DARK['front']}}}", f"#{name} .grid {{stroke:{_DARK['grid']}}}"]
    dark.append(f"#{name} .lead {{stroke:{DARK_PAGE.frame}}}")
    dark += [f"#{name} .paper {{fill:{DARK_PAGE.paper}}}", f"#{name} .faint {{fill:{DARK_PAGE.faint}}}"]
    rules = "\n".join(dark)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" id="{name}" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="{name}-title {name}-desc" '
        f'font-family="{FAMILY}">\n<title id="{name}-title">Pareto front</title>\n'
        f'<desc id="{name}-desc">{text(words)}</desc>\n'
        f"<style>@media screen and (prefers-color-scheme: dark) {{\n{rules}\n}}</style>\n"
        f'<rect class="paper" width="{WIDTH}" height="{height}" fill="{LIGHT_PAGE.paper}"/>\n{inside}\n</svg>\n'
    )
