"""What passes did to a graph, in numbers."""

from __future__ import annotations

from inception_search.graph.graph import Graph
from inception_search.measures.pass_report import PassReport, Timer, pass_report, size_of
from inception_search.passes.pipeline import run_passes
from tests.graph_checks import parse_graph

GRAPH = parse_graph("""
    %0 input = input(shape=(8, 4, 4)) : 8x4x4
    %1 a.0.conv = conv(%0, width=2, kernel=(1, 1)) : 2x4x4
    %2 a.0.act = act(%1) : 2x4x4
    %3 a.1.conv = conv(%0, width=6, kernel=(1, 1)) : 6x4x4
    %4 a.1.act = act(%3) : 6x4x4
    %5 a.2.0 = pool(%0, mode='avg', kernel=(3, 3), padding=(1, 1)) : 8x4x4
    %6 a.2.1.conv = conv(%5, width=4, kernel=(1, 1)) : 4x4x4
    %7 a.concat = concat(%2, %4, %6) : 12x4x4
    %8 pool = global_pool(%7) : 12x1x1
    %9 flatten = flatten(%8) : 12
    return %9
""")
CHOSEN = ("merge_siblings", "swap_pool")


def report(timer: Timer | None = None) -> PassReport:
    return pass_report(GRAPH, run_passes(GRAPH, "training", only=CHOSEN), CHOSEN, timer=timer)


def test_sizes() -> None:
    size = size_of(GRAPH, batch_size=2, number_bytes=2)
    assert size.ops == 9
    assert size.kernels == {"convolutions": 3, "activations": 2, "pools": 2, "other": 1}  # flatten is a view
    assert size.activation_bytes == 2 * 2 * (16 * (2 + 2 + 6 + 6 + 8 + 4 + 12) + 12)
    assert size.weight_bytes == 2 * 8 * 12


def test_places_and_totals_without_times() -> None:
    found = report()
    merged, swapped = found.rows
    assert [place.path for place in merged.places] == ["a.{0.conv,0.act,1.conv,1.act}"]
    assert (merged.before.size.ops, merged.after.size.ops) == (4, 4)
    assert (sum(merged.before.size.kernels.values()), sum(merged.after.size.kernels.values())) == (4, 2)
    assert [place.path for place in swapped.places] == ["a.2.{0,1.conv}"]
    saved = swapped.before.size.activation_bytes - swapped.after.size.activation_bytes
    assert saved == 4 * 16 * (8 - 4)
    assert found.after.size.kernels["convolutions"] == 2
    assert found.before.milliseconds is None
    assert merged.after.milliseconds is None


def test_times_are_of_the_places_and_of_the_whole() -> None:
    """With the number of kernels instead of a time."""
    measured: list[Graph] = []

    def timer(before: Graph, after: Graph) -> tuple[float, float]:
        measured.extend((before, after))
        one, other = (float(sum(size_of(graph).kernels.values())) for graph in (before, after))
        return one, other

    found = report(timer=timer)
    assert (found.rows[0].before.milliseconds, found.rows[0].after.milliseconds) == (4.0, 2.0)
    assert (found.before.milliseconds, found.after.milliseconds) == (8.0, 6.0)
    assert len(measured) == 2 + 2 * 2
