"""Execution of trials on the nodes of a Ray cluster.

The run folder is on the machine of the search alone. Images reach each node once, through Ray's object store; a trial's
training state comes back after each epoch, so that the trial continues on another node if its own is lost.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from inception_search.errors import DocumentError, ProcessStartError, RunFolderError, raw
from inception_search.numbers import counted
from inception_search.runner.executor import BAD_DISK, Ended, Event, Word
from inception_search.runner.gpu_concurrency import Packing
from inception_search.runner.job import Job
from inception_search.runner.ray_cluster import RayCluster
from inception_search.runner.ray_node import Assignment, Content, NodeWorker, Report, Trouble
from inception_search.store.atomic import write_atomic
from inception_search.store.disk import typed_errors
from inception_search.store.jsonl import sealed, unsealed
from inception_search.store.layout import Layout
from inception_search.store.provenance import common_versions, differences

_LOOK = 1.0  # seconds between looks at the nodes of the cluster
_GRACE = 60.0  # seconds after its time limit that a trial's node has to end it
_CLOSE = 15.0  # seconds for the actors to end their trials and remove their folders
_MOST_LOST = 20  # consecutive actors lost before they began, after which the search ends
_KILLED = "worker process has died"  # in Ray's message if the actor ended, but not its node
_TURN = 0.05


@dataclass(eq=False)
class _Worker:
    """An actor; its node is known when it has begun."""

    actor: Any
    gpus: float
    node: str = ""
    node_id: str = ""


@dataclass
class _Running:
    job: Job
    worker: _Worker
    deadline: float


@dataclass
class _Crew:
    """The actors by what they do; the keys are references to the answers that are awaited from them."""

    starting: dict[Any, _Worker] = field(default_factory=dict)
    busy: dict[Any, int] = field(default_factory=dict)
    """The number of the trial."""
    idle: list[_Worker] = field(default_factory=list)
    running: dict[int, _Running] = field(default_factory=dict)

    @property
    def ready(self) -> list[_Worker]:
        """The actors that have begun."""
        return [*self.idle, *(running.worker for running in self.running.values())]

    @property
    def all(self) -> list[_Worker]:
        """All actors."""
        return [*self.ready, *self.starting.values()]


class RayExecutor:
    """Runs trials in actors on the nodes of a cluster.

    ``workers`` limits the number of concurrent trials (None: as many as fit on the nodes). ``threads`` is the number of
    CPUs of a trial on a CPU. On GPUs ``packing`` decides how many trials share one.
    """

    def __init__(
        self,
        cluster: RayCluster,
        folder: Layout,
        *,
        device: str,
        trial_seconds: float,
        workers: int | None = None,
        threads: int | None = None,
        packing: Packing | None = None,
        note: Callable[[str], None] = lambda text: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.cluster, self.ray, self.folder, self.note = cluster, cluster.ray, folder, note
        self.device, self.trial_seconds, self.clock = device, trial_seconds, clock
        self.workers, self.threads, self.packing = workers, threads or 1, packing
        self.crew = _Crew()
        self.queue: deque[tuple[int, Path]] = deque()
        self.images: dict[str, Any] = {}
        self.events: list[Event] = []
        self.lost, self.next_look = 0, 0.0
        self.seen: dict[str, int] = {}
        """The last noted number of actors by node."""

    @property
    def capacity(self) -> int:
        """The number of actors that have begun; at least one, because a trial may wait for the first."""
        self._look_around()
        return max(1, min(len(self.crew.ready), self.workers or len(self.crew.ready)))

    def submit(self, number: int, job_file: Path) -> None:
        """Give a job to an idle actor; it waits if there is none."""
        self.queue.append((number, job_file))
        self._start_queued()

    def wait(self, timeout: float) -> list[Event]:
        """The new events. Raises ConfigError for a node with other versions, ProcessStartError, RunFolderError."""
        self._look_around()
        self._start_queued()
        awaited = [*self.crew.starting, *self.crew.busy]
        if not awaited:
            time.sleep(min(timeout, _TURN))
        else:
            first, _ = self.ray.wait(awaited, timeout=timeout)
            done, _ = self.ray.wait(awaited, num_returns=len(awaited), timeout=0.0) if first else ([], [])
            for reference in done:
                self._received(reference)
        self._end_late()
        events, self.events = self.events, []
        return events

    def answer(self, number: int, word: Word) -> None:
        """Send an instruction; :meth:`wait` detects an actor that has died in the meantime."""
        running = self.crew.running[number]
        self.crew.busy[running.worker.actor.answer.remote(number, word)] = number

    def cancel(self) -> None:
        """End every trial and every actor."""
        ready, everyone = self.crew.ready, self.crew.all
        self.crew, self.queue = _Crew(), deque()
        with suppress(self.ray.exceptions.RayError):
            closing = [worker.actor.close.remote() for worker in ready]
            if closing:
                self.ray.wait(closing, num_returns=len(closing), timeout=_CLOSE)
        for worker in everyone:
            self._kill(worker)

    def _start_queued(self) -> None:
        """Start waiting jobs on idle actors."""
        while self.queue and self.crew.idle:
            number, job_file = self.queue.popleft()
            worker = self.crew.idle.pop(0)
            with typed_errors(job_file):
                text = job_file.read_bytes()
            job = Job.read(job_file)
            images = {name: self._stored(name) for name in (job.data, job.test) if name}
            state = self._content(job.state) if job.state else None
            name = str(job_file.relative_to(self.folder.path))
            reference = worker.actor.run.remote(Assignment(number, name, text, images, state))
            self.crew.busy[reference] = number
            self.crew.running[number] = _Running(job, worker, self.clock() + self.trial_seconds + _GRACE)

    def _stored(self, name: str) -> Any:
        """The reference to a file of images in Ray's object store."""
        if name not in self.images:
            self.images[name] = self.ray.put(self._content(name))
        return self.images[name]

    def _content(self, name: str) -> Content | None:
        path = self.folder.path / name
        with typed_errors(path):
            return np.fromfile(path, np.uint8) if path.is_file() else None

    def _received(self, reference: Any) -> None:
        """Handle an answer of an actor."""
        worker = self.crew.starting.pop(reference, None)
        if worker is not None:
            self._begun(worker, reference)
            return
        number = self.crew.busy.pop(reference)
        running = self.crew.running[number]
        try:
            report = self.ray.get(reference)
        except self.ray.exceptions.RayTaskError as error:
            raise _cannot_run(running.worker.node, str(error)) from None
        except self.ray.exceptions.RayError as error:
            self._gone(number, running, str(error))
            return
        if isinstance(report, Trouble):
            raise RunFolderError(f"node {running.worker.node} cannot run trials: {report.reason}")
        self._report(running, report)

    def _begun(self, worker: _Worker, reference: Any) -> None:
        """Add an actor that has begun, after checking its versions."""
        try:
            facts = self.ray.get(reference)
        except self.ray.exceptions.RayError as error:
            self._kill(worker)
            if _is_refusal(error, self.ray):
                raise _cannot_run("", str(error)) from None
            self.lost += 1
            if self.lost >= _MOST_LOST:
                raise _cannot_run("", str(error)) from None
            return
        self.lost = 0
        worker.node_id = facts["node"]
        worker.node = self._name(worker.node_id)
        for name, here, there in differences(common_versions(), facts["common"]):
            raise RunFolderError(
                f"node {worker.node} has another version of {name} than the search",
                found=raw(there),
                expected=here,
                hint=f"install {name} {here} on the node, then resume; results of different versions are not "
                "comparable",
            )
        if self.packing and facts.get("gpu_bytes"):
            self.packing.memory = min(self.packing.memory, facts["gpu_bytes"])
        self.crew.idle.append(worker)

    def _name(self, node_id: str) -> str:
        """The name of a node."""
        return next((node.name for node in self.cluster.nodes if node.id == node_id), node_id[:8])

    def _report(self, running: _Running, report: Report) -> None:
        """Write the files of a trial, the result last, then pass its event on."""
        job, event = running.job, report.event
        names = {"state": job.state, "checkpoint": job.checkpoint, "result": job.result}
        for kind in ("state", "checkpoint", "result"):
            name, content = names[kind], report.files.get(kind)
            if name and content is not None:
                data = content.tobytes()
                data = _with_node(data, running.worker.node) if kind == "result" else data
                write_atomic(self.folder.path / name, data)
        if isinstance(event, Ended):
            if event.exit_code == BAD_DISK:
                hint = "free some space in its temporary folder, then resume"
                raise RunFolderError(f"node {running.worker.node} cannot write the files of a trial", hint=hint)
            del self.crew.running[job.number]
            self.crew.idle.append(running.worker)
        self.events.append(event)

    def _gone(self, number: int, running: _Running, why: str) -> None:
        """Give back the trial of a lost actor. If its node still exists, the trial itself may be the reason."""
        del self.crew.running[number]
        self._kill(running.worker)
        killed = _KILLED in why
        self.note(f"{'a process on ' if killed else ''}node {running.worker.node} was lost")
        self.events.append(Ended(number, None, handed_back=not killed))

    def _end_late(self) -> None:
        """End the trials whose node did not do so at their time limit."""
        for reference, number in list(self.crew.busy.items()):
            running = self.crew.running[number]
            if self.clock() > running.deadline:
                del self.crew.busy[reference], self.crew.running[number]
                self._kill(running.worker)
                self.note(f"node {running.worker.node} does not respond")
                self.events.append(Ended(number, None, late=True))

    def _kill(self, worker: _Worker) -> None:
        with suppress(self.ray.exceptions.RayError, ValueError):
            self.ray.kill(worker.actor)

    def _look_around(self) -> None:
        """Adapt the actors to the nodes of the cluster, every second or so."""
        if self.clock() < self.next_look:
            return
        self.next_look = self.clock() + _LOOK
        self._drop_dead()
        for worker in [worker for worker in self.crew.idle if worker.gpus != self._gpus()]:
            self.crew.idle.remove(worker)  # another number of trials now shares a GPU
            worker.actor.close.remote()
            self._kill(worker)
        wanted, there = self._wanted(), len(self.crew.all)
        for _ in range(wanted - there):
            self._begin_worker()
        for reference, worker in list(self.crew.starting.items())[: max(0, there - wanted)]:
            del self.crew.starting[reference]
            self._kill(worker)
        self._note_nodes()

    def _drop_dead(self) -> None:
        """Forget idle actors of nodes that have left."""
        there = {node.id for node in self.cluster.nodes}
        for worker in [worker for worker in self.crew.idle if worker.node_id not in there]:
            self.crew.idle.remove(worker)
            self._kill(worker)

    def _wanted(self) -> int:
        """The number of actors: those that fit on the nodes, or ``workers``, of which some may wait for new nodes."""
        if self.workers:
            return self.workers
        share = self._gpus()
        each = (node.gpus / share if share else node.cpus / self.threads for node in self.cluster.nodes)
        return sum(int(number + 1e-6) for number in each)

    def _gpus(self) -> float:
        """The share of a GPU for one trial."""
        return 0.0 if self.device == "cpu" else 1 / (self.packing.capacity if self.packing else 1)

    def _begin_worker(self) -> None:
        share = self._gpus()
        resources = {"num_cpus": 0, "num_gpus": share} if share else {"num_cpus": self.threads}
        kind = self.ray.remote(NodeWorker).options(
            **resources, max_concurrency=2, max_restarts=0, scheduling_strategy="SPREAD"
        )
        actor = kind.remote(self.device, self.trial_seconds)
        self.crew.starting[actor.facts.remote()] = _Worker(actor, share)

    def _note_nodes(self) -> None:
        """Note nodes that come and go, with the number of trials that each runs."""
        now: dict[str, int] = {}
        for worker in self.crew.ready:
            now[worker.node] = now.get(worker.node, 0) + 1
        for name in now.keys() - self.seen.keys():
            self.note(f"node {name} has joined ({counted(len(self.crew.ready), 'trial')} at a time)")
        for name in self.seen.keys() - now.keys():
            self.note(f"node {name} has left ({counted(len(self.crew.ready), 'trial')} at a time)")
        self.seen = now


def _with_node(result: bytes, node: str) -> bytes:
    """A result with the name of the node that made it; a damaged one is left to its reader."""
    try:
        facts = json.loads(unsealed(result.decode()))
        return sealed(json.dumps({**facts, "node": node}, allow_nan=False)).encode()
    except (ValueError, TypeError, DocumentError):
        return result


def _is_refusal(error: Exception, ray: Any) -> bool:
    """Whether an actor did not begin for a reason that another attempt would have too, such as a missing package."""
    return isinstance(error, ray.exceptions.RayTaskError) or getattr(error, "_actor_init_failed", False)


def _cannot_run(node: str, why: str) -> ProcessStartError:
    """The error for a node on which the actor cannot run."""
    where = f"node {node}" if node else "a node of the cluster"
    lines = [line.strip() for line in why.strip().splitlines() if line.strip()]
    hint = "install the same versions of inception-search and torch on every node, then resume"
    return ProcessStartError(f"{where} cannot run trials: {lines[-1] if lines else 'unknown error'}", hint=hint)
