"""``inception-search search``: a new study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inception_search.cli.naming import (
    complete_data,
    complete_device,
    complete_objectives,
    complete_optimizer,
    complete_pruner,
    complete_schedule,
    complete_space,
    complete_strategy,
)
from inception_search.cli.numbers import integer, real

Opt = typer.Option


def search(
    config: Annotated[Path | None, typer.Argument(help="A YAML file of options; flags win over it")] = None,
    space: Annotated[
        str | None, Opt(help="A shipped space's name, or a path. [inception_modules]", autocompletion=complete_space)
    ] = None,
    data: Annotated[
        str | None, Opt(help="digits, fashion_mnist, cifar10 or image_folder. [digits]", autocompletion=complete_data)
    ] = None,
    data_root: Annotated[str | None, Opt(help="Folder of the dataset.")] = None,
    image_size: Annotated[int | None, integer(help="Side of the square images, pixels.")] = None,
    train_images: Annotated[int | None, integer(help="Train on at most this many images.")] = None,
    validation_images: Annotated[
        int | None, integer(help="Validate on so many. [the dataset's own; more come from what training leaves over]")
    ] = None,
    curve_images: Annotated[
        int | None, integer(help="Validate on so many after all epochs but the last. [1000]")
    ] = None,
    download: Annotated[bool | None, Opt("--download", help="Allow the dataset to be downloaded.")] = None,
    trials: Annotated[int | None, integer(help="Distinct architectures to train. [40]")] = None,
    max_macs: Annotated[int | None, integer(help="Budget: multiply-adds for one image.")] = None,
    max_params: Annotated[int | None, integer(help="Budget: parameters.")] = None,
    max_activation_bytes: Annotated[int | None, integer(help="Budget: bytes of all op outputs for one image.")] = None,
    max_depth: Annotated[int | None, integer(help="Budget: layers with weights on the longest path.")] = None,
    max_latency_ms: Annotated[float | None, real(help="Budget: ms for one image on the device, over all ops.")] = None,
    min_macs: Annotated[int | None, integer(help="Least multiply-adds for one image.")] = None,
    min_params: Annotated[int | None, integer(help="Least parameters.")] = None,
    min_depth: Annotated[int | None, integer(help="Least depth.")] = None,
    min_receptive_field: Annotated[
        int | None, integer(help="Least pixels that a position of the last map sees.")
    ] = None,
    objectives: Annotated[
        str | None,
        Opt(
            help="accuracy, balanced_accuracy, macro_f1, loss, params, macs, activation_bytes, latency, seconds; "
            "several: a front.",
            autocompletion=complete_objectives,
        ),
    ] = None,
    reference: Annotated[str | None, Opt(help="Of the front's hypervolume: accuracy=0.1,macs=1e7.")] = None,
    baselines: Annotated[bool | None, Opt(help="Train the space's canonical modules first. [yes]")] = None,
    warm_start: Annotated[str | None, Opt(help="Run folders, by commas, whose best networks are trained next.")] = None,
    warm_top: Annotated[int | None, integer(help="How many of each. [5]")] = None,
    repeats: Annotated[int | None, integer(help="Train every architecture with so many seeds. [1]")] = None,
    repeat_top: Annotated[int | None, integer(help="Of the best so many only, when all else is trained. [all]")] = None,
    strategy: Annotated[
        str | None,
        Opt(
            help="random, tpe, evolution, nsga2, local, predictor, gp, cmaes, grid, optuna:NAME or "
            "optunahub:samplers/NAME. [tpe]",
            autocompletion=complete_strategy,
        ),
    ] = None,
    strategy_options: Annotated[
        list[str] | None, Opt("--strategy-option", "--strategy-options", help="NAME=VALUE, once for each option.")
    ] = None,
    warmup_proxy: Annotated[str | None, Opt(help="Zero-cost proxy that chooses the first points.")] = None,
    warmup_points: Annotated[int | None, integer(help="Among how many. [100]")] = None,
    warmup_trials: Annotated[int | None, integer(help="How many it chooses. [10]")] = None,
    proxies: Annotated[str | None, Opt(help="Zero-cost proxies, by commas, that the predictor sees.")] = None,
    pruner: Annotated[
        str | None, Opt(help="median, asha, halving, hyperband or none. [median]", autocompletion=complete_pruner)
    ] = None,
    pruner_options: Annotated[
        list[str] | None, Opt("--pruner-option", "--pruner-options", help="NAME=VALUE, once for each option.")
    ] = None,
    eta: Annotated[int | None, integer(help="One in so many goes on at a rung. [3]")] = None,
    min_epochs: Annotated[int | None, integer(help="Epochs before the first rung. [1]")] = None,
    epochs: Annotated[int | None, integer(help="Epochs per trial. [8]")] = None,
    width: Annotated[float | None, real(help="Train with every width times this. [1]")] = None,
    depth: Annotated[float | None, real(help="Train with every repeat times this. [1]")] = None,
    batch_size: Annotated[int | None, integer(help="Images per step. [32 to 128, by the number of images]")] = None,
    optimizer: Annotated[
        str | None, Opt(help="sgd, rmsprop or adamw. [sgd]", autocompletion=complete_optimizer)
    ] = None,
    schedule: Annotated[
        str | None, Opt(help="one_cycle, cosine, linear, exponential or constant.", autocompletion=complete_schedule)
    ] = None,
    warmup: Annotated[
        float | None,
        real(help="Share of the steps over which the learning rate rises. [0.25; 0.1 with asha and its kin]"),
    ] = None,
    decay: Annotated[
        float | None, real(help="Share of the steps over which it falls, at the end of the constant schedule.")
    ] = None,
    learning_rate: Annotated[float | None, real(help="Peak learning rate.")] = None,
    weight_decay: Annotated[float | None, real(help="Of convolutions and linear layers.")] = None,
    label_smoothing: Annotated[float | None, real(help="0 to 1.")] = None,
    class_weights: Annotated[
        str | None, Opt(help="What classes count in the loss: balanced, none, or ok=1,bad=10 by name. [none]")
    ] = None,
    ema: Annotated[float | None, real(help="Decay per step of an average of the weights; 0: none. [0]")] = None,
    cutout: Annotated[float | None, real(help="Side of the square cut out of images, as a fraction. [0]")] = None,
    augment: Annotated[bool | None, Opt(help="Augment training images as the dataset allows. [yes]")] = None,
    aux: Annotated[bool | None, Opt(help="Train auxiliary classifiers where there are any. [yes]")] = None,
    precision: Annotated[str | None, Opt(help="float32 or bfloat16. [float32]")] = None,
    workers: Annotated[
        int | None, integer(help="Trials at a time. [one per core; on a GPU as measured, up to 8]")
    ] = None,
    threads: Annotated[
        int | None, integer(help="CPU threads of one trial. [1; all cores where one trial runs at a time]")
    ] = None,
    device: Annotated[
        str | None, Opt(help="auto, cpu, cuda or cuda:<number>. [auto]", autocompletion=complete_device)
    ] = None,
    trial_seconds: Annotated[float | None, real(help="Wall-clock limit of one trial, seconds. [3600]")] = None,
    retries: Annotated[int | None, integer(help="So often a trial that loses its process is begun. [3]")] = None,
    storage: Annotated[
        str | None,
        Opt(help="Optuna storage URL of the index; its password is not kept. [a journal in the run folder]"),
    ] = None,
    seed: Annotated[
        int | None, integer(help="Seed of strategy, weights, order and augmentation; --workers 1 repeats exactly. [0]")
    ] = None,
    run: Annotated[str | None, Opt(help="Run folder. [a new one under runs/]")] = None,
) -> None:
    """Search a space: train proxies on real images, canonical modules first; leave a run folder with a report.

    Ctrl-C stops in order; inception-search resume RUN goes on.
    """
    flags = {name: value for name, value in locals().items() if name != "config" and value is not None}
    from inception_search.cli.leaderboard import finish
    from inception_search.live_progress import watched
    from inception_search.study.config import StudyConfig

    options = StudyConfig.read(config, **flags) if config else StudyConfig.of(**flags)

    from inception_search.study.search import search as start

    with watched() as observer:
        study = start(options.space, config=options, observer=observer)
    finish(study)
