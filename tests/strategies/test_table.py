"""The table of strategies, and what each of them refuses."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import pytest

from inception_search.errors import ConfigError, UnknownNameError
from inception_search.space.space import Space
from inception_search.strategies import cmaes_search, table
from inception_search.strategies.conditionality import why_not_flat
from inception_search.strategies.table import STRATEGIES, check, make_strategy, names
from inception_search.testing.playground import World
from tests.shipped import shipped_space
from tests.space.small import SMALL, points_of, small, space
from tests.study.spaces import TINY

FOLDER = Path(table.__file__).parent


def strategies_in(path: Path) -> set[str]:
    """Classes of a file that are strategies as far as can be seen: they, or what they derive from there, can ask."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef) and not any("Protocol" in ast.dump(part) for part in node.bases):
            methods = {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
            bases = {part.id for part in node.bases if isinstance(part, ast.Name)}
            if {"ask", "tell"} <= methods or bases & found:
                found.add(node.name)
            if "ABC" in bases:
                abstract.add(node.name)
    return found


abstract: set[str] = set()


def test_folder_and_table_agree() -> None:
    in_folder = {f"{path.stem}:{name}" for path in FOLDER.glob("*.py") for name in strategies_in(path)}
    in_folder -= {"table:AddedStrategy"}  # the wrapper of strategies of other packages
    assert {row for row in in_folder if row.partition(":")[2] not in abstract} == set(STRATEGIES.values())


def test_names() -> None:
    assert set(names()) == {"random", "tpe", "evolution", "nsga2", "local", "predictor", "gp", "cmaes", "grid"}
    with pytest.raises(UnknownNameError, match="evolution"):
        check("evolutoin", shipped_space("nas_bench_201"))


def test_conditional_holes_are_named() -> None:
    with pytest.raises(ConfigError, match=r"gp cannot search.*'module\.b0\.width' is there only where.*is 'conv'"):
        check("gp", shipped_space("inception_modules"))
    check("gp", shipped_space("nas_bench_201"), 2)


@pytest.mark.parametrize("label", sorted(SMALL))
def test_a_space_is_flat_where_all_its_points_have_the_same_holes(label: str) -> None:
    alike = len({frozenset(point) for point in points_of(label)}) == 1
    assert (why_not_flat(small(label)) is None) == alike


def test_cmaes_takes_numbers_alone() -> None:
    check("cmaes", Space(TINY))
    with pytest.raises(ConfigError, match=r"hole 'cell.edge_0_1' is a choice"):
        check("cmaes", shipped_space("nas_bench_201"))
    with pytest.raises(ConfigError, match="one objective"):
        check("cmaes", Space(TINY), 2)
    many = space("  stages: {a: [{$many: [1, 3], of: {conv: {kernel: 3x3, width: {$int: [4, 5]}}}}, relu]}\n")
    with pytest.raises(ConfigError, match=r"'a\.0\.1\.width' is there only where 'a\.0' is at least 2"):
        check("cmaes", many)


def test_cmaes_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cmaes_search, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install cmaes, or .* pip install '\.\[cmaes\]'"):
        make_strategy("cmaes", World(Space(TINY)).problem)
    assert importlib.util.find_spec("cmaes")


def test_an_endless_space_has_no_grid() -> None:
    endless = space("  stages: {a: {dropout: {$float: [0.1, 0.4]}}}\n")
    with pytest.raises(ConfigError, match="endless"):
        check("grid", endless)
    world = World(endless)
    for name in ("random", "evolution", "local", "nsga2", "tpe", "cmaes"):
        assert World(endless).go(make_strategy(name, world.problem), 0) == []
        fresh = World(endless)
        assert len(fresh.go(make_strategy(name, fresh.problem), 20)) == 20
