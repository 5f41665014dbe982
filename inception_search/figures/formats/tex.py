"""TeX: the TikZ picture as a document of its own."""

from __future__ import annotations

from inception_search.figures.figure import Figure
from inception_search.figures.formats import tikz

_HEAD = r"""\documentclass[tikz, border=0pt]{standalone}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{helvet}
\usetikzlibrary{arrows.meta}
\begin{document}
"""


def render(figure: Figure) -> bytes:
    """A document that ``pdflatex`` turns into one page of the picture's size."""
    return _HEAD.encode() + tikz.render(figure) + b"\\end{document}\n"
