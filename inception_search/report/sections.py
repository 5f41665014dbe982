"""The sections of a report, in their order: a new one is one function and one row."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from inception_search.report.baselines import baselines_section
from inception_search.report.blocks import Block
from inception_search.report.decisions import decisions_section
from inception_search.report.failures import failures_section
from inception_search.report.front import front_section
from inception_search.report.leaders import leaders_section
from inception_search.report.material import Material
from inception_search.report.plots import curves_section, history_section
from inception_search.report.recipe import recipe_section
from inception_search.report.setup import configuration_section, environment_section, reproduce_section
from inception_search.report.trials import trials_section


class Section(NamedTuple):
    """A heading, and what makes the blocks below it."""

    heading: str
    make: Callable[[Material], list[Block]]


SECTIONS: tuple[Section, ...] = (
    Section("What was searched, and how", recipe_section),
    Section("Best found and the baselines", baselines_section),
    Section("Leaderboard", leaders_section),
    Section("Pareto front", front_section),
    Section("History", history_section),
    Section("Learning curves", curves_section),
    Section("Which decisions matter", decisions_section),
    Section("Failures and other ends", failures_section),
    Section("All trials", trials_section),
    Section("Environment", environment_section),
    Section("Doing it again", reproduce_section),
    Section("Configuration", configuration_section),
)
