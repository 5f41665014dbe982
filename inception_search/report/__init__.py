"""The report of a search: one HTML file to read, print, send and keep, with its figures as files beside it."""

from inception_search.report.modules import draw_searched
from inception_search.report.summary import summary
from inception_search.report.write import write_report

__all__ = ["draw_searched", "summary", "write_report"]
