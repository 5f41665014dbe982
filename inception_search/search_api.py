"""``ins.search``, ``ins.resume`` and ``ins.finalize``: searches from Python, with live progress.

Options are typed keywords: type checkers and editors read :class:`SearchOptions` and :class:`FinalizeOptions`, and
``inspect.signature``, which notebooks complete from, gives every option with its default.
"""

from __future__ import annotations

import inspect

# Signatures name the types of keywords as texts, which are looked up among the names of this module.
from collections.abc import Callable, Mapping, Sequence  # noqa: F401
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Unpack  # noqa: F401

from pydantic import BaseModel

from inception_search.live_progress import watched, watched_finals
from inception_search.options import option_fields
from inception_search.study.config import StudyConfig
from inception_search.study.final.options import FinalOptions
from inception_search.typed_options import FinalizeOptions, SearchOptions

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

    from inception_search.space.space import Space
    from inception_search.study.final.observer import FinalsObserver
    from inception_search.study.final.result import Finals
    from inception_search.study.observer import Observer
    from inception_search.study.study import Study

Call = TypeVar("Call", bound=Callable[..., Any])


def _with_options(options: Any, model: type[BaseModel]) -> Callable[[Call], Call]:
    """Give a function that takes ``**options`` a signature that lists them, with the defaults that ``model`` has."""

    def decorate(function: Call) -> Call:
        signature = inspect.signature(function)
        own = [each for each in signature.parameters.values() if each.kind is not each.VAR_KEYWORD]
        listed = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=option_fields(model)[name].default,
                annotation=kind.__forward_arg__,
            )
            for name, kind in options.__annotations__.items()
        ]
        function.__signature__ = signature.replace(parameters=[*own, *listed])  # type: ignore[attr-defined]
        return function

    return decorate


@_with_options(SearchOptions, StudyConfig)
def search(
    space: Space | str | Path | None = None,
    *,
    progress: bool = True,
    observer: Observer | None = None,
    config: StudyConfig | None = None,
    **options: Unpack[SearchOptions],
) -> Study:
    """Search a space for good networks: train many small ones on images, and keep a record of each.

    The first Ctrl-C stops the search in order: the study is returned, not finished, and :func:`resume` continues it.

    Args:
        space: a shipped space's name, the path of a space document, or a :class:`Space`; without it that of
            ``config``, else ``inception_modules``.
        progress: show live progress: a bar in a terminal, a widget in a notebook, one line per trial elsewhere.
        observer: is called with everything that happens, instead of that display.
        config: options from elsewhere; ``options`` override them.
        options: see :class:`~inception_search.study.config.StudyConfig` and ``docs/search.md``. ``max_macs`` and
            ``min_macs`` count multiply-adds for one image, ``max_latency_ms`` is in milliseconds, ``image_size`` in
            pixels.

    Returns:
        The study: ``study.best`` is the best trial, ``study.records`` has every trial. Its run folder holds the
        records, the weights, a report and pictures.

    Raises:
        ConfigError, DataError, RunFolderError: an option, the data or the run folder cannot be used. Nothing is written
            then.

    >>> quick = {"trials": 1, "epochs": 1, "train_images": 64, "validation_images": 64, "image_size": 8, "width": 0.25}
    >>> study = ins.search("inception_modules", baselines=False, run="runs/first", progress=False, **quick)
    >>> study.finished, len(study.records)
    (True, 1)
    """
    from inception_search.study.search import search as search_it

    with _shown(progress, observer, watched) as watcher:
        chosen = space if space is not None else (config or StudyConfig()).space
        return _reported(search_it(chosen, observer=watcher, config=config, **options), watcher)


def resume(
    run: str | Path,
    *,
    trials: int | None = None,
    space: Space | str | Path | None = None,
    strategy: BaseSampler | None = None,
    progress: bool = True,
    observer: Observer | None = None,
) -> Study:
    """Continue a study that was stopped, or make a finished one longer.

    Args:
        run: the run folder.
        trials: how many distinct architectures the study trains in all, those already trained included.
        space: continue in this space, the study's own with new labels or wider ranges.
        strategy: the sampler that the study was begun with, where it was given in Python and cannot be made from what
            ``study.yaml`` says of it.
        progress: show live progress, as for :func:`search`.
        observer: is called with everything that happens, instead of that display.

    Returns:
        The study, as :func:`search` returns it.

    Raises:
        RunFolderError: the run folder is in use, damaged, or was made with other data.
        ConfigError, DataError: an option or the data cannot be used.

    >>> ins.resume("runs/first", trials=2, progress=False).records.__len__()
    2
    """
    from inception_search.study.search import resume as resume_it

    with _shown(progress, observer, watched) as watcher:
        return _reported(resume_it(run, trials=trials, space=space, strategy=strategy, observer=watcher), watcher)


def open_run(run: str | Path) -> Study:
    """The study in a run folder, for reading, also while its search runs.

    Args:
        run: the run folder.

    Returns:
        The study: its records, ``best``, ``front``, and ``optuna``, a study of Optuna's with every trial.

    Raises:
        RunFolderError: it is no run folder, or is damaged.

    >>> study = ins.open_run("runs/example")
    >>> study.best
    BestTrial(trial 30, complete, 97.77 % after 6 epochs, 2.01 M MACs, 63,738 parameters)
    >>> len(study.optuna.trials) == len(study.records)
    True
    """
    from inception_search.study.progress import progress
    from inception_search.study.study import Study

    study = Study.open(Path(run).expanduser())
    study.finished = progress(study.run, study.config, study.records, wait=lambda seconds: None).finished
    return study


@_with_options(FinalizeOptions, FinalOptions)
def finalize(
    run: str | Path,
    *,
    progress: bool = True,
    observer: FinalsObserver | None = None,
    **options: Unpack[FinalizeOptions],
) -> Finals:
    """Train the best networks of a study and the canonical ones in full, with several seeds, and test each once.

    Called again, it trains what is missing; where nothing is missing, it returns what is stored and reads no image.

    Args:
        run: the run folder of the study.
        progress: show live progress, as for :func:`search`.
        observer: is called with everything that happens, instead of that display.
        options: see :class:`~inception_search.study.final.options.FinalOptions` and ``docs/finalize.md``. ``max_macs``
            counts multiply-adds for one image, ``image_size`` is in pixels.

    Returns:
        The table of the final trainings: ``finals.rows`` has one row for each network, with accuracies from 0 to 1. The
        weights are kept: ``ins.load_model("runs/first:final")`` is the best network with its best seed, both by
        validation; ``finals.rows[0].trainings[0].file`` is the model file of one training.

    Raises:
        ConfigError, DataError: an option or the data cannot be used.
        RunFolderError: it is no run folder, or the study has no complete trial.

    >>> quick = {"epochs": 1, "train_images": 64, "validation_images": 64, "width": 0.25}
    >>> finals = ins.finalize("runs/first", top=1, baselines=0, seeds=1, progress=False, **quick)
    >>> [len(row.trainings) for row in finals.rows]
    [1]
    """
    from inception_search.study.final.finalize import finalize as finalize_it

    with _shown(progress, observer, watched_finals) as watcher:
        return finalize_it(run, observer=watcher, **options)


Watcher = TypeVar("Watcher")


def _shown(
    progress: bool, observer: Watcher | None, display: Callable[[], AbstractContextManager[Watcher]]
) -> AbstractContextManager[Watcher | None]:
    """The caller's observer, the live display, or nothing."""
    return display() if progress and observer is None else nullcontext(observer)


def _reported(study: Study, watcher: Observer | None) -> Study:
    """``study``, with its report written; one that Ctrl-C stopped says how to continue."""
    from inception_search.report.study_report import write_study_report

    if study.records:
        write_study_report(study.run)
    if watcher and not study.finished:
        watcher.note(f"stopped; to continue: ins.resume({str(study.path)!r})")
    return study
