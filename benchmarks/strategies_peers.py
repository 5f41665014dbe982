"""What strategies are compared with on a table of cells: Optuna as people use it, and published evolution settings.

Every function yields cells (tuples of operation numbers) until it is closed; it is sent the accuracy of each.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Generator

Cell = tuple[int, ...]
Search = Generator[Cell, float, None]


def optuna_sampler(name: str, seed: int, edges: int, ops: int) -> Search:
    """``study.ask``/``tell`` with one categorical for each edge, Optuna's defaults."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    make = {
        "optuna_tpe": lambda: optuna.samplers.TPESampler(seed=seed),
        "optuna_nsga2": lambda: optuna.samplers.NSGAIISampler(seed=seed, population_size=20),
    }
    study = optuna.create_study(direction="maximize", sampler=make[name]())
    while True:
        trial = study.ask()
        cell = tuple(trial.suggest_categorical(f"edge{edge}", list(range(ops))) for edge in range(edges))
        study.tell(trial, (yield cell))


def regularized_evolution(population: int, sample: int, seed: int, edges: int, ops: int) -> Search:
    """Real et al., "Regularized Evolution for Image Classifier Architecture Search", AAAI 2019, algorithm 1."""
    rng = random.Random(seed)
    alive: deque[tuple[float, Cell]] = deque()
    while len(alive) < population:
        cell = tuple(rng.randrange(ops) for _ in range(edges))
        alive.append(((yield cell), cell))
    while True:
        parent = max(rng.sample(list(alive), sample))[1]
        edge = rng.randrange(edges)
        other = rng.choice([op for op in range(ops) if op != parent[edge]])
        child = (*parent[:edge], other, *parent[edge + 1 :])
        alive.append(((yield child), child))
        alive.popleft()


def make_peer(name: str, seed: int, edges: int, ops: int) -> Search:
    """A peer by name."""
    settings = {"evolution_p10_s3": (10, 3), "evolution_p30_s10": (30, 10)}
    if name in settings:
        return regularized_evolution(*settings[name], seed, edges, ops)
    return optuna_sampler(name, seed, edges, ops)


PEERS = ("optuna_tpe", "optuna_nsga2", "evolution_p10_s3", "evolution_p30_s10")
