"""Starting and resuming a search."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from inception_search.options import flat
from inception_search.optuna_bridge.live_study import LiveStudy
from inception_search.optuna_bridge.storage import NAME, check_storage, new_name
from inception_search.optuna_bridge.storage_url import password_in, unlocked
from inception_search.proxies.table import known as check_proxies
from inception_search.runner.executor import Executor
from inception_search.runner.fork_server import start_server
from inception_search.runner.gpu_concurrency import Packing
from inception_search.runner.remote_executor import CompositeExecutor, RemoteExecutor
from inception_search.runner.signals import stop_on_signals
from inception_search.space.load_space import load_space
from inception_search.space.space import Space
from inception_search.store.atomic import write_atomic
from inception_search.store.objectives import OBJECTIVES, losses, numbers
from inception_search.store.provenance import note_environment
from inception_search.store.record import TRAINED, TrialRecord
from inception_search.store.run_folder import RunFolder
from inception_search.strategies.protocol import Problem
from inception_search.strategies.table import check as check_strategy
from inception_search.strategies.table import make_strategy
from inception_search.study.config import VERSION, StudyConfig, facts_of, optuna_name, placed, version_of
from inception_search.study.context import Plan, StudyContext, check_same, given_again, make_plan, table_of
from inception_search.study.feasibility import Screen, Seen, check_feasible, make_excess
from inception_search.study.ledger import Ledger
from inception_search.study.loop import Driver
from inception_search.study.migrate_space import begin_growth, finish_growth
from inception_search.study.observer import Observer
from inception_search.study.places import make_executor, make_packing, place_of, threads_of
from inception_search.study.progress import note_exhausted, progress
from inception_search.study.pruners import make_scheduler
from inception_search.study.queue import Proposer, baselines, make_scorer, warm_points, warm_up
from inception_search.study.recovery import lost_proposals, unfinished_trials
from inception_search.study.reference_point import reference_point
from inception_search.study.study import Study
from inception_search.study.trial import Trial
from inception_search.study.warnings import (
    about_baselines,
    about_data,
    about_latency,
    about_sampler,
    recipe_change,
    without_effect,
)

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

    from inception_search.runner.ray_cluster import RayCluster


def search(
    space: Space | str | Path, *, observer: Observer | None = None, config: StudyConfig | None = None, **options: Any
) -> Study:
    """Start a new study of ``space`` in its own run folder and run it to its end (or to Ctrl-C).

    Options are the fields of :class:`StudyConfig`; they override ``config``. Raises ConfigError, DataError,
    RunFolderError ... before anything is written.
    """
    loaded = space if isinstance(space, Space) else load_space(space)
    given = config.options() if config else {}
    config = StudyConfig.of(**{**given, **flat(StudyConfig, options), "space": _named(space, loaded)})
    observer = observer or Observer()
    config = _with_password(config, observer)
    if config.data_root:  # the study may be resumed from elsewhere
        config = config.model_copy(update={"data_root": str(Path(config.data_root).expanduser().absolute())})
    check_strategy(config.strategy, loaded, len(config.objectives), config.strategy_options)
    if names := {*config.proxies, config.warmup_proxy} - {None}:
        check_proxies(str(name) for name in names)
    warm_points(loaded, config)  # raises for a bad earlier study before anything is written
    if config.executor == "local":
        start_server()
    plan = make_plan(config, loaded)
    with place_of(plan) as (plan, cluster):
        return _begin(plan, loaded, cluster, observer)


def _begin(plan: Plan, loaded: Space, cluster: RayCluster | None, observer: Observer) -> Study:
    """Create the run folder of a new study, and run it."""
    config = plan.config.model_copy(update={"threads": threads_of(plan.config, plan.device)})
    budget = config.budget.on(plan.device, config.threads, plan.table_file)
    check_feasible(loaded, budget, plan.dataset.shape, len(plan.dataset.classes), baselines=config.baselines)
    path = Path(config.run).expanduser() if config.run else _new_run(loaded.name)
    reference = reference_point(config, loaded, plan.dataset.shape, len(plan.dataset.classes))
    chosen, config = config, config.resolved(len(plan.dataset.train), plan.dataset.shape[1])
    config = config.model_copy(update={"run": str(path), "reference": reference})
    plan = replace(plan, config=config)
    images = (plan.dataset.shape, len(plan.dataset.classes))
    notes = [*about_data(plan.dataset, config), *about_sampler(config, loaded), *without_effect(chosen, reference)]
    notes += about_latency(plan.latency_table, loaded, *images)
    facts = {**plan.facts(), **({"notes": notes} if notes else {})}
    if config.storage:
        check_storage(config.storage)
        facts["index"] = new_name(path, uuid4().hex)
    for sentence in notes:
        observer.note(sentence)
    table = None if plan.latency_table is None else plan.latency_table.text
    run = RunFolder.create(path, study_text=plan.config.text(facts), space_text=loaded.text, table_text=table)
    plan = replace(plan, latency_table=table_of(config, run))
    with run.hold():
        return _run(run, plan, cluster, observer)


def resume(
    path: str | Path,
    *,
    observer: Observer | None = None,
    trials: int | None = None,
    space: Space | str | Path | None = None,
    strategy: BaseSampler | None = None,
    executor: str | None = None,
    address: str | None = None,
) -> Study:
    """Resume the study in a run folder; ``trials`` changes its total number of trials.

    ``executor``, ``address``: where its trials run from now on (default: as before).

    ``strategy``: the study's original sampler, if it was passed from Python. ``space``: continue in this extension of
    the study's space (new labels, wider ranges); its trials are converted to it.
    """
    run = RunFolder.open(Path(path).expanduser())
    loaded = space if isinstance(space, Space) or space is None else load_space(space)
    observer = observer or Observer()
    with run.hold():
        finish_growth(run)
        if version_of(run.study_file) < VERSION:
            write_atomic(run.journal_file, "")  # an Optuna study of version 1 is recreated from the records
        before = given_again(_with_password(StudyConfig.read(run.study_file), observer), strategy)
        config = before if trials is None else StudyConfig.of(**{**before.options(), "trials": trials})
        config = placed(config, executor, address)
        if config.executor == "local":
            start_server()
        facts = facts_of(run.study_file)
        if loaded is None:
            plan = make_plan(config, Space(run.space_text(), str(run.space_file)), run)
            check_same(run, plan, facts)
        else:
            plan = make_plan(config.model_copy(update={"space": _named(space or loaded, loaded)}), loaded, run)
            config, facts = plan.config, {**facts, "space": plan.facts()["space"]}
            check_same(run, plan, facts)
            if sentence := begin_growth(run, loaded, config.text(facts), config.baselines):
                observer.note(sentence)
        config = config.model_copy(update={"threads": threads_of(config, plan.device)})  # missing in older studies
        plan = replace(plan, config=config)
        so_far = progress(run, config, run.records())
        if so_far.finished and config.repeats == 1:
            observer.note(
                f"the study is finished, trials trained: {so_far.done}; increase the number of trials to extend it"
            )
        if taken_out := password_in(run.study_text()):
            observer.note(f"{run.study_file}: {taken_out}")
        if taken_out or config != before or version_of(run.study_file) < VERSION:
            write_atomic(run.study_file, config.text(facts))
        with place_of(plan) as (plan, cluster):
            return _run(run, plan, cluster, observer)


def _with_password(config: StudyConfig, observer: Observer) -> StudyConfig:
    """The configuration with the storage's password; raises ConfigError if it is unknown."""
    return config.model_copy(update={"storage": unlocked(config.storage, observer.ask_secret)})


def _run(run: RunFolder, plan: Plan, cluster: RayCluster | None, observer: Observer) -> Study:
    config = plan.config
    with stop_on_signals() as stop, plan.opened(run) as context:
        packing = make_packing(config, plan.device, cluster)
        seconds = config.trial_seconds
        own = make_executor(plan, cluster, run, observer.note, trial_seconds=seconds, packing=packing)
        attached = RemoteExecutor(run, observer.note)
        finished = False
        try:
            _note_environment(run, plan)
            driver = make_driver(run, context, CompositeExecutor(own, attached), observer, stop, packing)
            finished = driver.loop()
            if finished and driver.exhausted:
                note_exhausted(run)
        finally:
            attached.close(finished)
        return Study(run, finished)


def _note_environment(run: RunFolder, plan: Plan) -> None:
    """Record the environment of the coming trials, if there are any."""
    records = run.records()
    if plan.config.repeats > 1 or not progress(run, plan.config, records).finished:
        note_environment(
            run, plan.device, plan.config.threads, 1 + max((record.number for record in records), default=-1)
        )


def make_driver(
    run: RunFolder,
    context: StudyContext,
    executor: Executor,
    observer: Observer,
    stop: threading.Event | None = None,
    packing: Packing | None = None,
) -> Driver:
    """The driver of a locked run folder, after recovery from an earlier one."""
    config = context.config
    history = run.history()  # first, so that an unreadable record raises before anything is written
    name = optuna_name(run.study_file) if config.storage else NAME  # a journal has one study
    live = LiveStudy(run, context.space, config.objectives, config.storage, name, observer.note)
    ledger = Ledger(run, live, context, observer, history)
    if warning := recipe_change(config, ledger.records.values()):
        observer.note(warning)
    unfinished = unfinished_trials(run, ledger.records.values(), context, live.under_way())
    proposer = make_proposer(context, ledger, unfinished, observer)
    scheduler = make_scheduler(
        config.pruning,
        epochs=config.training.epochs,
        rungs=config.rungs,
        beforehand=tuple(OBJECTIVES[name].beforehand for name in config.objectives),
    )
    driver = Driver(ledger, proposer, scheduler, executor, unfinished, stop, packing)
    live.sync()
    train_lost_again(driver)
    replay(history, driver)
    return driver


def train_lost_again(driver: Driver) -> None:
    """Queue the networks of trials whose records are lost, before all others."""
    trained = {*driver.ledger.seen.numbers, *(trial.arch_id for trial in driver.unfinished)}
    lost = lost_proposals(driver.live.lost, driver.context, trained)
    if lost:
        driver.observer.note(f"{driver.ledger.run.trials_file} has lost the record of {_again(lost)}")
    sampled = [proposal for proposal in lost.values() if proposal.origin == "sampled"]
    driver.proposer.queue.extendleft(reversed(sampled))


def make_proposer(context: StudyContext, ledger: Ledger, under_way: Sequence[Trial], observer: Observer) -> Proposer:
    """The source of trials: canonical networks first, then the best of earlier studies, then the strategy."""
    config, space = context.config, context.space
    scorer = make_scorer(context.data_file, config.seed)
    scores = (lambda network: scorer(network, config.proxies)) if config.proxies else None
    budget = context.budget
    screen = Screen(context, budget, ledger.seen, scores)
    # If cost is an objective too, small networks are as useful as those that use the whole budget.
    learned = all(OBJECTIVES[name].learned for name in config.objectives)
    excess = make_excess(space, budget, context.shape, context.classes) if learned else None
    problem = Problem(space, screen, len(config.objectives), config.trials, config.seed, excess)
    begun: list[TrialRecord | Trial] = [*ledger.records.values(), *under_way]
    first = Screen(context, budget, Seen())  # the same draws in every session
    draws = Problem(space, first, trials=config.trials, seed=config.seed, excess=excess)
    warm_up_done = sum("warm_up" in each.facts for each in begun)
    proposer = Proposer(
        context,
        budget,
        screen,
        make_strategy(config.strategy, problem, **config.strategy_options),
        warmup=warm_up(draws, config, scorer, warm_up_done),
    )
    labels = [each.label for each in begun]
    canonical = baselines(space, config, labels)
    proposer.queue.extend([*canonical, *warm_points(space, config, labels)])
    if not begun and (warning := about_baselines(config, canonical, screen)):
        observer.note(warning)
    return proposer


def _again(numbers: Collection[int]) -> str:
    """Trials by number, with the sentence that they are retrained."""
    listed = ", ".join(map(str, numbers))
    if len(numbers) == 1:
        return f"trial {listed}; its network is trained again, as a new trial"
    return f"trials {listed}; their networks are trained again, as new trials"


def replay(records: list[TrialRecord], driver: Driver) -> None:
    """Report the records of earlier sessions to strategy and pruner, in order."""
    config, under_way = driver.context.config, {trial.number for trial in driver.unfinished}
    for record in records:
        if record.state not in TRAINED or record.repeat_of is not None:
            continue
        costs = {name: float(value) for name, value in record.measures.items()}
        seconds = 0.0
        for epoch in record.curve:
            seconds += epoch.seconds
            if epoch.epoch < config.training.epochs:
                values = losses(config.objectives, numbers(epoch.model_dump(), costs, seconds))
                driver.scheduler.report(record.number, epoch.epoch, values, spared=record.origin == "baseline")
        if record.number in under_way:
            driver.scheduler.promote(record.number)
        elif record.state == "paused":
            driver.scheduler.hold(record.number)
        elif record.state == "failed":
            driver.scheduler.drop(record.number)
        driver.proposer.tell(driver.context.observed(record, driver.mean_losses(record)))


def _named(space: Space | str | Path, loaded: Space) -> str:
    """The space's name in the configuration: a name or file, if it has one."""
    if isinstance(space, Space):
        return space.file or space.name
    return loaded.name if "\n" in str(space) else str(space)


def _new_run(space: str) -> Path:
    """``runs/<space>-<date>-<time>``, a path that does not exist yet."""
    stem = f"{space}-{datetime.now():%Y%m%d-%H%M%S}"
    path, more = Path("runs") / stem, 1
    while path.exists():
        more += 1
        path = Path("runs") / f"{stem}-{more}"
    return path
