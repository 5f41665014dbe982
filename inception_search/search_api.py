"""``ins.search``, ``ins.resume`` and ``ins.finalize``: searches from Python, with live progress.

Options are typed keywords: type checkers and editors read :class:`SearchOptions` and :class:`FinalizeOptions`, and
``inspect.signature``, which notebooks complete from, gives every option with its default.
"""

from __future__ import annotations

import inspect

# The generated signatures have text annotations, which are resolved among the names of this module.
from collections.abc import Callable, Mapping, Sequence  # noqa: F401
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Unpack

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
    """Search a space for good networks: train many small networks on images, and record each of them.

    The first Ctrl-C stops the search cleanly and returns the unfinished study; :func:`resume` continues it. A second
    Ctrl-C raises ``KeyboardInterrupt``; :func:`resume` continues then, too.

    Args:
        space: a shipped space's name, the path of a space document, or a :class:`Space` (default: ``config.space``,
            else ``inception_modules``).
        progress: show live progress: a bar in a terminal, a widget in a notebook, one line per trial elsewhere.
        observer: an object whose methods receive the progress events; it replaces the progress display.
        config: a :class:`~inception_search.study.config.StudyConfig`; other keywords override it.
        options: any other keyword is an option of the search. The most used ones are below; ``docs/search.md`` has the
            table of all options with their values and defaults.

    Options:
        - data: ``data="cifar10"``, ``data_root`` (its folder), ``image_size`` (pixels), ``train_images``
        - length: ``trials`` (number of architectures), ``epochs`` (of each trial), ``seed``
        - small networks: ``width`` and ``depth`` (factors on filters and repeats)
        - search: ``strategy="evolution"``, ``objectives=["accuracy", "macs"]``, ``pruner``,
          ``baselines`` (train canonical modules first)
        - budget, for one image: ``max_macs`` and ``min_macs`` (multiply-adds), ``max_params``, ``max_depth``,
          ``max_latency_ms`` (milliseconds), ``min_receptive_field`` (pixels)
        - processes: ``workers`` (trials at the same time), ``device``
        - files: ``run`` (the run folder)

    Returns:
        The study: ``study.best`` is the best trial, ``study.records`` has every trial. Its run folder holds the
        records, the weights, a report and figures.

    Raises:
        ConfigError, DataError, RunFolderError: an option, the data or the run folder cannot be used. No file is
            written in this case.

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
    executor: Literal["local", "ray"] | None = None,
    address: str | None = None,
    progress: bool = True,
    observer: Observer | None = None,
) -> Study:
    """Continue a study that was stopped, or extend a finished one.

    Args:
        run: the run folder.
        trials: the total number of distinct architectures, including those already trained (default: the study's).
        space: continue in this space: the study's own space with new labels or wider ranges (default: the study's).
        strategy: needed only if the study was started with a sampler object that ``study.yaml`` cannot describe.
        executor: where trials run from now on: ``"local"`` (this machine) or ``"ray"`` (a cluster; default: as before).
        address: the address of another Ray cluster, for example ``"auto"`` (default: as before).
        progress: show live progress, as for :func:`search`.
        observer: an object whose methods receive the progress events; it replaces the progress display.

    Returns:
        The study, as :func:`search` returns it.

    Raises:
        RunFolderError: the run folder is in use, damaged, or was made with other data.
        ConfigError, DataError: an option or the data cannot be used.

    >>> len(ins.resume("runs/first", trials=2, progress=False).records)
    2
    """
    from inception_search.study.search import resume as resume_it

    place: dict[str, Any] = {"executor": executor, "address": address}
    with _shown(progress, observer, watched) as watcher:
        study = resume_it(run, trials=trials, space=space, strategy=strategy, observer=watcher, **place)
        return _reported(study, watcher)


def open_run(run: str | Path) -> Study:
    """Open the study in a run folder for reading, also while its search is running.

    Args:
        run: the run folder.

    Returns:
        The study: ``study.records`` has every trial, ``study.best`` the best one, ``study.front`` the Pareto front, and
        ``study.optuna`` is an ``optuna.Study`` with every trial. :class:`Study` lists all attributes.

    Raises:
        RunFolderError: the folder is not a run folder, or is damaged.

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
    """Retrain the best networks of a study and the canonical baselines with several seeds, and test each once.

    Another call trains only what is missing. If nothing is missing, it returns the stored results and reads no image.

    Args:
        run: the run folder of the study.
        progress: show live progress, as for :func:`search`.
        observer: an object whose methods receive the progress events; it replaces the progress display.
        options: any other keyword is an option. The most used ones are below; ``docs/finalize.md`` has the table of all
            options with their values and defaults.

    Options:
        - networks: ``top`` (number of best networks found), ``baselines`` (number of canonical networks), ``max_macs``
          (networks with more multiply-adds for one image are omitted)
        - training: ``seeds`` (trainings of each network), ``epochs``, ``train_images``, ``image_size`` (pixels)
        - size: ``width`` and ``depth`` (factors on filters and repeats; 1 is the full network)
        - processes: ``workers`` (trainings at the same time), ``device``

    Returns:
        The results: ``finals.rows`` has one row for each network, with accuracies from 0 to 1. The weights are kept:
        ``ins.load_model("runs/first:final")`` is the best network with its best seed, both selected on the validation
        images; ``finals.rows[0].trainings[0].file`` is the model file of one training.

    Raises:
        ConfigError, DataError: an option or the data cannot be used.
        RunFolderError: the folder is not a run folder, or the study has no complete trial.

    >>> finals = ins.finalize(
    ...     "runs/first", top=1, baselines=0, seeds=1, epochs=1, train_images=64, validation_images=64, width=0.25,
    ...     progress=False,
    ... )
    >>> [len(row.trainings) for row in finals.rows]  # one network, one seed
    [1]
    """
    from inception_search.study.final.finalize import finalize as finalize_it

    with _shown(progress, observer, watched_finals) as watcher:
        return finalize_it(run, observer=watcher, **options)


Watcher = TypeVar("Watcher")


def _shown(
    progress: bool, observer: Watcher | None, display: Callable[[], AbstractContextManager[Watcher]]
) -> AbstractContextManager[Watcher | None]:
    """The observer to use: the caller's, the live display, or None."""
    return display() if progress and observer is None else nullcontext(observer)


def _reported(study: Study, watcher: Observer | None) -> Study:
    """``study``, with its report written; a note shows how to continue one that Ctrl-C stopped."""
    from inception_search.report.study_report import write_study_report

    if study.records:
        write_study_report(study.run)
    if watcher and not study.finished:
        watcher.note(f"stopped; to continue: ins.resume({str(study.path)!r})")
    return study
