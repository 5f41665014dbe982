"""Selection of the networks to retrain and test, only by their ranks in the study."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from inception_search.errors import RunFolderError
from inception_search.store import query
from inception_search.store.final_training import id_of
from inception_search.store.record import TrialRecord, trial_name
from inception_search.store.run_folder import RunFolder
from inception_search.study.config import StudyConfig
from inception_search.study.final.options import FinalOptions
from inception_search.study.final.record import FinalRecord

SEEDS_APART = 1000  # offset of the first final seed from the study's seed


@dataclass(frozen=True)
class Entrant:
    """A network of the study to retrain; ``rank`` is its rank in the study, from 1."""

    record: TrialRecord
    rank: int

    @property
    def found(self) -> bool:
        """Whether the search found it; else it is canonical."""
        return self.record.origin != "baseline"

    @property
    def name(self) -> str:
        """Its name for display."""
        return trial_name(self.record)


@dataclass(frozen=True)
class Setting:
    """Everything that determines the test: networks, recipe and seeds.

    ``entrants`` are in the order of their ranks.
    """

    entrants: tuple[Entrant, ...]
    recipe: dict[str, Any]
    seeds: tuple[int, ...]

    @property
    def recipe_id(self) -> str:
        """Trainings with the same id are comparable."""
        return id_of(self.recipe)

    @property
    def trainings(self) -> list[tuple[Entrant, int]]:
        """Every network with every seed, seed by seed, so that a first part contains every network."""
        return [(entrant, seed) for seed in self.seeds for entrant in self.entrants]

    def missing(self, records: Iterable[FinalRecord]) -> list[int]:
        """The indices in ``trainings`` of those without a record or with a lost process."""
        done = {(each.arch_id, each.seed) for each in records if each.recipe == self.recipe_id and each.state != "lost"}
        required = enumerate((str(entrant.record.arch_id), seed) for entrant, seed in self.trainings)
        return [number for number, key in required if key not in done]

    @property
    def quality(self) -> str:
        """The measure of the results: ``accuracy``, ``balanced_accuracy`` or ``macro_f1``."""
        return self.entrants[0].record.quality

    @property
    def id(self) -> str:
        """The id of the whole setting; equal ids give equal tables."""
        networks = sorted(str(entrant.record.arch_id) for entrant in self.entrants)
        return id_of([self.recipe, networks, self.seeds])


def make_setting(run: RunFolder, config: StudyConfig, options: FinalOptions) -> Setting:
    """The best found and the best canonical networks; ``config`` is that of the final trainings.

    Raises RunFolderError if no found network is complete, or no canonical one although ``baselines`` requests some.
    """
    ranked = [Entrant(record, rank) for rank, record in enumerate(_ranked(run), 1)]
    most = options.max_macs or config.budget.max_macs
    within = [each for each in ranked if most is None or each.record.cost.get("macs", 0) <= most]
    found = [each for each in within if each.found][: options.top]
    canonical = [each for each in within if not each.found][: options.baselines]
    bound = "" if most is None else f" of at most {most:,} multiply-adds"
    if not found:
        raise _none(run, ranked, f"no network{bound} that the search found is complete", limited=most is not None)
    if not canonical and options.baselines:
        hint = "test without a comparison (omit --baselines), or let a search train baselines"
        raise RunFolderError(f"no canonical baseline{bound} is complete", path=str(run.path), hint=hint)
    seeds = tuple(config.seed + SEEDS_APART + number for number in range(options.seeds))
    chosen = sorted([*found, *canonical], key=lambda each: each.rank)
    return Setting(tuple(chosen), {**config.fidelity(None), "aux": config.aux}, seeds)


def _ranked(run: RunFolder) -> Sequence[TrialRecord]:
    records = run.records()
    return [record for record in query.leaderboard(records, len(records)) if record.network and record.arch_id]


def _none(run: RunFolder, ranked: Sequence[Entrant], rule: str, *, limited: bool) -> RunFolderError:
    if not ranked:
        hint = f"continue it: inception-search resume {run.path}"
        return RunFolderError("no trial of the study is complete", path=str(run.path), hint=hint)
    more = f"continue the search with more trials: inception-search resume {run.path} --trials N"
    return RunFolderError(rule, path=str(run.path), hint=f"{more}, or raise --max-macs" if limited else more)
