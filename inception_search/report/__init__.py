"""The report of a search: one self-contained HTML file, with its figures also as separate files."""

from inception_search.report.modules import draw_searched
from inception_search.report.summary import summary
from inception_search.report.write import write_report

__all__ = ["draw_searched", "summary", "write_report"]
