"""A worker, which attaches itself to a running study on this or another machine and runs trials for it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from inception_search.errors import Place, RunFolderError, raw
from inception_search.runner.executor import Ended, Epoch, Event
from inception_search.runner.process_executor import ProcessExecutor
from inception_search.runner.remote_executor import ALIVE, DRIVER, EVENTS, ORDERS, Log
from inception_search.store.disk import typed_errors
from inception_search.store.heartbeat import Presence, Watched
from inception_search.store.jsonl import append_line
from inception_search.store.provenance import common_facts, differences
from inception_search.store.run_folder import RunFolder

_PAUSE = 0.02  # seconds between reads of the orders
_LOOK = 0.5  # seconds between searches for a driver


class Worker:
    """Runs one trial at a time, in a separate process."""

    def __init__(
        self,
        run: RunFolder,
        device: str,
        *,
        trial_seconds: float,
        is_done: Callable[[], bool],
        note: Callable[[str], None],
        stop: threading.Event,
    ) -> None:
        self.run, self.device, self.note, self.stop = run, device, note, stop
        self.trial_seconds, self.is_done = trial_seconds, is_done
        self.ended = 0
        self.done = False
        self.dropped = False
        """Whether a search removed this worker's folder: the next one after a kill does so."""
        self.number: int | None = None
        """The number of the running trial, or None."""

    def until_done(self, idle: float) -> int:
        """Serve one driver after another until the study is finished."""
        since = time.monotonic()
        while not self.stop.is_set():
            driver = Watched(self.run.workers_folder / DRIVER)
            session = driver.facts.get("session") if driver.there() else None
            if session:
                self.serve(driver, str(session))
                since = time.monotonic()
            if self.done or (not session and self.is_done()):
                self.note(f"the study in {self.run.path} is done")
                break
            if time.monotonic() - since > idle:
                self.note(
                    f"no search has run in {self.run.path} for {idle:g} s; start one with inception-search resume"
                )
                break
            self.stop.wait(_PAUSE if session else _LOOK)
        return self.ended

    def serve(self, driver: Watched, session: str) -> None:
        """Run the trials of one driver until the driver or this worker ends.

        Raises RunFolderError if this process has another version of the package or of torch than the search, or
        another space, because its results would not be comparable.
        """
        self.check_same(driver)
        name = f"{socket.gethostname()}-{os.getpid()}-{session}"
        folder = self.run.workers_folder / name
        with typed_errors(folder):
            folder.mkdir(exist_ok=True)
        persistent = self.device != "cpu"
        executor = ProcessExecutor(1, self.trial_seconds, persistent=persistent, device=self.device)
        orders = Log(folder / ORDERS)
        self.number, self.dropped = None, False
        leaves = True  # also if an error ends the block below
        try:
            appeared = Presence(folder / ALIVE, {"session": session, "device": self.device})
        except RunFolderError:
            if folder.is_dir():
                raise
            return  # a new search removed the folder, which still looked like that of a dead worker
        with appeared as presence:
            self.note(f"attached to the search in {self.run.path} as {name}")
            try:
                while not (self.stop.is_set() or self.done or self.dropped) and self._same(driver, session):
                    presence.beat()
                    for order in orders.new():
                        self.execute(executor, order)
                    for event in executor.wait(_PAUSE):
                        self.report(folder, event)
                self.done = self.done or any(order["order"] == "leave" for order in orders.new())
                leaves = self.stop.is_set()
            finally:
                executor.cancel()
                if leaves:
                    self.hand_back(folder)
        if self.done or not self._same(driver, session):  # otherwise the driver removes the folder
            shutil.rmtree(folder, ignore_errors=True)

    def check_same(self, driver: Watched) -> None:
        """Raise RunFolderError if the search has other versions or another space."""
        theirs = driver.facts.get("common")
        known = theirs if isinstance(theirs, dict) else {}  # searches of earlier versions have no facts
        for name, has, here in differences(known, common_facts(self.run)):
            what = "reads another space" if name == "space" else f"has another version of {name}"
            hint = "see that both read the same folder" if name == "space" else f"install {name} {has} here"
            raise RunFolderError(
                f"this worker {what} than the search it would work for",
                place=Place(str(self.run.path)),
                found=raw(here),
                expected=has,
                hint=f"{hint}, because results of different versions or spaces are not comparable",
            )

    def execute(self, executor: ProcessExecutor, order: dict[str, Any]) -> None:
        """Execute an order of the driver."""
        if order["order"] == "run":
            self.number = int(order["number"])
            executor.submit(self.number, self.run.job_file(self.number))
        elif order["order"] == "word" and order["number"] in executor.running:
            executor.answer(order["number"], order["word"])
        elif order["order"] == "cancel":
            executor.cancel()
            self.number = None
        elif order["order"] == "leave":
            self.done = True

    def report(self, folder: Path, event: Event) -> None:
        """Report an event of the trial to the driver."""
        if isinstance(event, Epoch):
            message: dict[str, Any] = {"event": "epoch", "metrics": event.metrics}
        else:
            assert isinstance(event, Ended)
            if self.stop.is_set() and event.exit_code != 0:  # the signal that stops this worker also ended its trial
                self.hand_back(folder)
                return
            self.ended, self.number = self.ended + event.began, None
            message = {"event": "ended", "exit_code": event.exit_code, "late": event.late, "began": event.began}
        try:
            append_line(folder / EVENTS, json.dumps({"number": event.number, **message}))
        except RunFolderError:
            if folder.is_dir():
                raise
            self.dropped = True  # the search has already given the trial to another process

    def hand_back(self, folder: Path) -> None:
        """Report the running trial, if any, as unfinished, because this worker leaves."""
        if self.number is None:
            return
        with suppress(RunFolderError):  # the folder is missing: the driver has dropped this worker
            append_line(folder / EVENTS, json.dumps({"number": self.number, "event": "handed_back"}))
        self.number = None

    def _same(self, driver: Watched, session: str) -> bool:
        """Whether the same driver is still alive; a new driver starts the trials again."""
        return driver.there() and driver.facts.get("session") == session
