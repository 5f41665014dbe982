"""A self-contained HTML page: no scripts, nothing loaded from anywhere, readable on a light and a dark screen."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence

from inception_search.figures.svg import text

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_STYLE = """
:root { color-scheme: light dark; --ink: #14181d; --faint: #4a545f; --line: #d5dae0; --paper: #ffffff;
  --mark: #fdf3e4; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #f0f3f6; --faint: #b4bec8; --line: #333c46; --paper: #12161b; --mark: #2e2415; }
}
body { font: 16px/1.5 Helvetica, Arial, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 76rem; margin: 2rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.7rem; margin-bottom: .25rem; }
h2 { font-size: 1.2rem; margin: 2.25rem 0 .75rem; padding-top: .75rem; border-top: 1px solid var(--line); }
p.lead { color: var(--faint); margin-top: 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--faint); padding-bottom: .5rem; }
th, td { text-align: left; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.number, th.number { text-align: right; }
td.number { white-space: nowrap; }
td.code { font-family: ui-monospace, Consolas, monospace; font-size: .85em; overflow-wrap: anywhere; }
tr.marked td, tr.marked th { background: var(--mark); }
.pictures { display: flex; flex-wrap: wrap; gap: 1.5rem; align-items: flex-start; }
figure { margin: 0; max-width: 100%; }
figcaption { color: var(--faint); margin-bottom: .5rem; max-width: 40rem; }
figcaption strong { color: var(--ink); }
figure svg, figure img { max-width: 100%; height: auto; border: 1px solid var(--line); border-radius: 6px; }
figure img { background: #ffffff; }
@media print { body { margin: 0; max-width: none; } figure, tr { break-inside: avoid; } }
"""


def page(title: str, lead: str, sections: Iterable[tuple[str, str]]) -> str:
    """An HTML document; ``sections`` are headings and finished HTML, the other texts are plain."""
    body = "\n".join(f"<section>\n<h2>{text(head)}</h2>\n{html}\n</section>" for head, html in sections)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<h1>{text(title)}</h1>\n<p class="lead">{text(lead)}</p>\n{body}\n</body>\n</html>\n'
    )


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, marked: Sequence[bool] = ()) -> str:
    """An HTML table of plain texts. A column whose name ends in ``#`` holds numbers, one in ``$`` code."""
    kinds = [{"#": ' class="number"', "$": ' class="code"'}.get(name[-1:], "") for name in columns]
    heads = "".join(
        f'<th scope="col"{kind if "number" in kind else ""}>{text(name.rstrip("#$"))}</th>'
        for name, kind in zip(columns, kinds, strict=True)
    )
    lines = []
    for index, row in enumerate(rows):
        cells = "".join(f"<td{kind}>{text(cell)}</td>" for kind, cell in zip(kinds, row, strict=True))
        mark = ' class="marked"' if index < len(marked) and marked[index] else ""
        lines.append(f"<tr{mark}>{cells}</tr>")
    inside = "\n".join(lines)
    return (
        f'<div class="wide"><table>\n<caption>{text(caption)}</caption>\n<thead><tr>{heads}</tr></thead>\n'
        f"<tbody>\n{inside}\n</tbody>\n</table></div>"
    )


def picture(svg: str, name: str, about: str) -> str:
    """An inline SVG under a caption."""
    return f"<figure>\n<figcaption><strong>{text(name)}</strong> {text(about)}</figcaption>\n{svg}</figure>"


def image(svg: str, about: str) -> str:
    """An SVG as an embedded image: its ids and styles stay inside."""
    data = b64encode(svg.encode()).decode()
    return f'<figure><img alt="{text(about)}" src="data:image/svg+xml;base64,{data}"></figure>'
