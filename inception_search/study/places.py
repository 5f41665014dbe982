"""The place where the trials of a study run: this machine, or a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from inception_search.errors import ConfigError
from inception_search.runner.executor import Executor
from inception_search.runner.gpu_concurrency import Packing
from inception_search.runner.process_executor import ProcessExecutor
from inception_search.runner.ray_cluster import RayCluster, connected
from inception_search.runner.ray_executor import RayExecutor
from inception_search.store.layout import Layout
from inception_search.store.provenance import cores
from inception_search.study.config import StudyConfig
from inception_search.study.context import Plan

MOST_ON_A_GPU = 8  # default limit of concurrent trials


@contextmanager
def place_of(plan: Plan) -> Iterator[tuple[Plan, RayCluster | None]]:
    """The plan with the device of its trials, and the cluster if they run on one, which is connected meanwhile.

    Raises MissingRequirementError without the package ray, and ConfigError for a cluster that cannot be used.
    """
    config = plan.config
    if config.executor == "local":
        yield plan, None
        return
    images = sum(split.images.nbytes for split in plan.dataset.splits.values())
    with connected(config.address, threads=config.threads, images=images) as cluster:
        device = cluster.device(config.device)
        _check_latency(plan, device)
        yield replace(plan, device=device), cluster


def make_packing(config: StudyConfig, device: str, cluster: RayCluster | None = None) -> Packing | None:
    """The number of trials that share a GPU is measured, up to ``workers``; None on a CPU, where it is fixed."""
    if device == "cpu":
        return None
    if cluster is not None:
        return Packing(MOST_ON_A_GPU, float("inf"))  # the nodes report the memory of their GPUs
    import torch

    return Packing(config.workers or MOST_ON_A_GPU, float(torch.cuda.get_device_properties(device).total_memory))


def make_executor(
    plan: Plan,
    cluster: RayCluster | None,
    folder: Layout,
    note: Callable[[str], None],
    *,
    trial_seconds: float,
    packing: Packing | None = None,
) -> Executor:
    """The executor of trials with files in ``folder``."""
    config = plan.config
    if cluster is None:
        workers = capacity_of(config, plan.device)
        return ProcessExecutor(workers, trial_seconds, persistent=plan.device != "cpu", packing=packing)
    return RayExecutor(
        cluster,
        folder,
        device=plan.device,
        trial_seconds=trial_seconds,
        workers=config.workers,
        threads=config.threads,
        packing=packing,
        note=note,
    )


def capacity_of(config: StudyConfig, device: str) -> int:
    """The number of concurrent trials: as many as fit the cores of a CPU, or MOST_ON_A_GPU on a GPU."""
    return config.workers or (max(1, cores() // (config.threads or 1)) if device == "cpu" else MOST_ON_A_GPU)


def threads_of(config: StudyConfig, device: str) -> int | None:
    """CPU threads of one trial; None on a GPU (torch's default), where results do not depend on it."""
    if config.threads is not None or device != "cpu":
        return config.threads
    return 1 if config.executor == "ray" or capacity_of(config, device) > 1 else cores()


def _check_latency(plan: Plan, device: str) -> None:
    """Raise ConfigError if a latency would be measured on a GPU that only the nodes have."""
    config = plan.config
    timed = "latency" in config.objectives or config.budget.max_latency_ms
    if not timed or device == "cpu" or plan.latency_table is not None:
        return
    import torch

    if not torch.cuda.is_available():
        hint = "make a table of latencies on a node with `inception-search bench`"
        rule = "the latency on a GPU of the cluster cannot be measured here"
        raise ConfigError(rule, path="latency_table", expected="a table of latencies", hint=hint)
