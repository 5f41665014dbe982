"""A self-contained HTML page: no scripts, nothing loaded from anywhere, readable on a light and a dark screen."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence

from inception_search.figures.paint.svg import text

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_STYLE = """
:root { color-scheme: light dark; --ink: #14181d; --faint: #4a545f; --line: #d5dae0; --paper: #ffffff;
  --mark: #fdf3e4; --best: #123c69; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #f0f3f6; --faint: #b4bec8; --line: #333c46; --paper: #12161b; --mark: #2e2415; --best: #7db4ee; }
}
body { font: 16px/1.5 Helvetica, Arial, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 76rem; margin: 2rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.7rem; margin-bottom: .25rem; }
h2 { font-size: 1.2rem; margin: 2.25rem 0 .75rem; padding-top: .75rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.02rem; margin: 1.75rem 0 .5rem; }
nav ol { columns: 15rem; column-gap: 2rem; padding-left: 1.4rem; margin: 0; }
nav a { color: inherit; }
p { max-width: 52rem; }
p.lead { color: var(--faint); margin-top: 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--faint); padding-bottom: .5rem; }
th, td { text-align: left; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.number, th.number { text-align: right; }
th { font-weight: 600; vertical-align: bottom; }
table.dense { font-size: .875rem; line-height: 1.35; }
table.dense th, table.dense td { padding: .2rem .8rem .2rem 0; }
.wide + .wide { margin-top: 1.5rem; }
dl { margin: 0; }
dt code { display: block; padding: .45rem .7rem; background: var(--mark); border-radius: 4px; overflow-wrap: anywhere; }
dd { margin: .15rem 0 .9rem; color: var(--faint); }
code { font-family: ui-monospace, Consolas, monospace; font-size: .9em; }
summary { cursor: pointer; margin: 1rem 0 .5rem; font-weight: 600; }
td.number { white-space: nowrap; }
td.code { font-family: ui-monospace, Consolas, monospace; font-size: .85em; overflow-wrap: anywhere; }
tr.marked td, tr.marked th { background: var(--mark); }
.pictures { --scale: .72; display: flex; flex-wrap: wrap; gap: 1.5rem 2rem; align-items: flex-start; }
figure { margin: 0 0 1rem; max-width: 100%; }
figcaption { color: var(--faint); margin-bottom: .5rem; max-width: 40rem; }
figcaption strong { color: var(--ink); }
figure svg, figure img { max-width: 100%; height: auto; border: 1px solid var(--line); border-radius: 6px; }
figure img { display: block; }
.pictures figure svg { width: calc(var(--width) * var(--scale)); max-width: none; display: block; }
.pictures figure { margin: 0; overflow-x: auto; }
.pictures figcaption { max-width: calc(var(--width) * var(--scale)); min-width: 14rem; font-size: .9rem; }
.pictures .marked svg { border: 3px solid var(--best); }
.pictures + .wide, .wide + figure { margin-top: 1.5rem; }
.pictures.small { --scale: .55; align-items: flex-end; }
.pictures.small figcaption { min-width: 10rem; }
@media (max-width: 44rem) { .pictures { --scale: .5; } body { margin-top: 1rem; } }
@media print {
  @page { margin: 14mm 13mm; }
  :root { --ink: #14181d; --faint: #4a545f; --line: #d5dae0; --paper: #ffffff; --mark: #fdf3e4; --best: #123c69; }
  body { margin: 0; padding: 0; max-width: none; font-size: 10.5pt; }
  figure, tr, dt, dl > div, nav { break-inside: avoid; }
  h2, h3, caption, summary, figcaption, dt { break-after: avoid; }
  .wide { overflow: visible; }
  table { max-width: 100%; font-size: 8.5pt; }
  table.dense { font-size: 7.5pt; }
  th, td { padding-right: .6rem; }
  thead { display: table-header-group; }
  .pictures { --scale: .5; gap: 1rem; }
  tr.marked td { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""


def prose(words: str) -> str:
    """``words`` for HTML: clean, escaped, and what stands between backticks as code.

    >>> prose("try `a < b`")
    'try <code>a &lt; b</code>'
    """
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", text(words))


def page(title: str, lead: str, sections: Iterable[tuple[str, str]]) -> str:
    """An HTML document; ``sections`` are headings and finished HTML, the other texts are plain.

    The headings are listed above the first section, each with a link to it.
    """
    known = [(f"s{place}", head, html) for place, (head, html) in enumerate(sections, start=1)]
    body = "\n".join(f'<section id="{name}">\n<h2>{text(head)}</h2>\n{html}\n</section>' for name, head, html in known)
    contents = "".join(f'<li><a href="#{name}">{text(head)}</a></li>' for name, head, _ in known)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<h1>{text(title)}</h1>\n<p class="lead">{prose(lead)}</p>\n'
        f'<nav aria-label="Contents"><ol>{contents}</ol></nav>\n{body}\n</body>\n</html>\n'
    )


def table(
    caption: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    marked: Sequence[bool] = (),
    dense: bool = False,
) -> str:
    """An HTML table of plain texts. A column whose name ends in ``#`` holds numbers, one in ``$`` code.

    ``marked`` rows stand out; ``dense``: in smaller type, for long tables.
    """
    kinds = [{"#": ' class="number"', "$": ' class="code"'}.get(name[-1:], "") for name in columns]
    heads = "".join(
        f'<th scope="col"{kind if "number" in kind else ""}>{text(name.rstrip("#$"))}</th>'
        for name, kind in zip(columns, kinds, strict=True)
    )
    lines = []
    for index, row in enumerate(rows):
        cells = "".join(
            f"<td{kind}>{text(cell) if 'code' in kind else prose(cell)}</td>"
            for kind, cell in zip(kinds, row, strict=True)
        )
        mark = ' class="marked"' if index < len(marked) and marked[index] else ""
        lines.append(f"<tr{mark}>{cells}</tr>")
    inside = "\n".join(lines)
    small = ' class="dense"' if dense else ""
    return (
        f'<div class="wide"><table{small}>\n<caption>{prose(caption)}</caption>\n<thead><tr>{heads}</tr></thead>\n'
        f"<tbody>\n{inside}\n</tbody>\n</table></div>"
    )


def picture(svg: str, name: str, about: str, *, width: int, marked: bool = False) -> str:
    """An inline SVG of ``width`` px under a caption, of the same scale as all; a ``marked`` one has a frame."""
    mark = ' class="marked"' if marked else ""
    caption = f"<figcaption><strong>{text(name)}</strong> {text(about)}</figcaption>"
    return f'<figure{mark} style="--width: {width}px">\n{caption}\n{svg}</figure>'


def image(svg: str, about: str) -> str:
    """An SVG as an embedded image, its ids and styles inside, over what it shows."""
    data = b64encode(svg.encode()).decode()
    source = f"data:image/svg+xml;base64,{data}"
    return f'<figure><figcaption>{prose(about)}</figcaption><img alt="{text(about)}" src="{source}"></figure>'


def commands(lines: Iterable[tuple[str, str]]) -> str:
    """Command lines, each over what it does."""
    parts = [f"<div><dt><code>{text(line)}</code></dt><dd>{prose(about)}</dd></div>" for line, about in lines]
    return "<dl>\n" + "\n".join(parts) + "\n</dl>"
