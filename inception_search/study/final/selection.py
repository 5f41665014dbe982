"""Which networks of a study are trained to be tested: by their ranks in the study, and nothing else."""

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

SEEDS_APART = 1000  # from the study's seed to the first of the final ones


@dataclass(frozen=True)
class Entrant:
    """A network of the study that is trained in full; ``rank`` among all of the study, from 1."""

    record: TrialRecord
    rank: int

    @property
    def found(self) -> bool:
        """Whether the search found it; else it is canonical."""
        return self.record.origin != "baseline"

    @property
    def name(self) -> str:
        """What people call it."""
        return trial_name(self.record)


@dataclass(frozen=True)
class Setting:
    """All that decides what is tested: which networks, with which recipe, with which seeds.

    ``entrants`` are in the order of their ranks.
    """

    entrants: tuple[Entrant, ...]
    recipe: dict[str, Any]
    seeds: tuple[int, ...]

    @property
    def recipe_id(self) -> str:
        """Trainings with the same one can stand beside each other."""
        return id_of(self.recipe)

    @property
    def trainings(self) -> list[tuple[Entrant, int]]:
        """Every network with every seed; seed by seed, so that a part of them has something of every network."""
        return [(entrant, seed) for seed in self.seeds for entrant in self.entrants]

    def missing(self, records: Iterable[FinalRecord]) -> list[int]:
        """The places in ``trainings`` of those that have no record, or were lost."""
        done = {(each.arch_id, each.seed) for each in records if each.recipe == self.recipe_id and each.state != "lost"}
        wanted = enumerate((str(entrant.record.arch_id), seed) for entrant, seed in self.trainings)
        return [number for number, key in wanted if key not in done]

    @property
    def quality(self) -> str:
        """What the study ranks by: ``accuracy``, ``balanced_accuracy`` or ``macro_f1``."""
        return self.entrants[0].record.quality

    @property
    def id(self) -> str:
        """Of the whole setting: the same one gives the same table."""
        networks = sorted(str(entrant.record.arch_id) for entrant in self.entrants)
        return id_of([self.recipe, networks, self.seeds])


def make_setting(run: RunFolder, config: StudyConfig, options: FinalOptions) -> Setting:
    """The best found and the best canonical networks; ``config`` is that of the final trainings.

    Raises RunFolderError when the study has none that was found, or no canonical one where a number of them is given.
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
        hint = "test without a comparison (leave out --baselines), or let a search train baselines"
        raise RunFolderError(f"no canonical baseline{bound} is complete", path=str(run.path), hint=hint)
    seeds = tuple(config.seed + SEEDS_APART + number for number in range(options.seeds))
    chosen = sorted([*found, *canonical], key=lambda each: each.rank)
    return Setting(tuple(chosen), {**config.fidelity(None), "aux": config.aux}, seeds)


def _ranked(run: RunFolder) -> Sequence[TrialRecord]:
    records = run.records()
    return [record for record in query.leaderboard(records, len(records)) if record.network and record.arch_id]


def _none(run: RunFolder, ranked: Sequence[Entrant], rule: str, *, limited: bool) -> RunFolderError:
    if not ranked:
        hint = f"go on with it: inception-search resume {run.path}"
        return RunFolderError("no trial of the study is complete", path=str(run.path), hint=hint)
    more = f"let the search go on with more trials: inception-search resume {run.path} --trials N"
    return RunFolderError(rule, path=str(run.path), hint=f"{more}, or raise --max-macs" if limited else more)
