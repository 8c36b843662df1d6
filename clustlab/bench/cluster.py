"""The processes of a Dask cluster in place of those of :mod:`~clustlab.bench.pool`: the same questions and answers."""

from __future__ import annotations

import contextlib
import platform
import queue
import secrets
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clustlab.bench.worker import answer, logged
from clustlab.errors import ClustlabError, LaunchError
from clustlab.launch.dask import FOR_EVER, connected, one_run
from clustlab.launch.store import Store, held
from clustlab.runs import Run
from clustlab.runs.layout import RunFolder

if TYPE_CHECKING:
    from distributed import Client, Future

__all__ = ["ClusterPool", "answer_from", "answer_here"]

POLL_SECONDS = 0.3

LOOK_SECONDS = 2.0
"""Time between two looks at what a store says of the runs at work."""

SCORING_SECONDS = 600
"""How long an answer may take to arrive once it is there; a worker that dies just then has it made again."""


def answer_here(path: str, at_once: int) -> dict[str, Any]:
    """Train and score a run folder in this process of a cluster.

    It may be on its way in a process that Dask takes for dead, or has been told to give up: that one is waited for.

    Parameters
    ----------
    path : str
        The run folder.
    at_once : int
        As for :func:`clustlab.launch.dask.one_run`.

    Returns
    -------
    dict
        As :func:`clustlab.bench.worker.answer`.

    Raises
    ------
    LaunchError
        If the folder cannot be seen from here.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise LaunchError(
            f"{platform.node()} does not see the folder {folder}; the runs folder must be one that all machines of the "
            "cluster share, under the same path"
        )
    with one_run(at_once), logged(folder):
        return answer(folder, patience=FOR_EVER)


def answer_from(store: Store, name: str, at_once: int) -> dict[str, Any]:
    """Train and score a run that lies in a store, in a folder of this process of a cluster.

    Parameters
    ----------
    store : Store
    name : str
        Name of the run.
    at_once : int
        As for :func:`clustlab.launch.dask.one_run`.

    Returns
    -------
    dict
        As :func:`clustlab.bench.worker.answer`.

    Raises
    ------
    LaunchError
        If there is no such run, or another worker has taken it over.
    """
    with one_run(at_once), tempfile.TemporaryDirectory(prefix="clustlab-", dir=_place()) as scratch:
        folder = Path(scratch) / name
        with held(store, folder), logged(folder):
            return answer(folder)


class ClusterPool:
    """A Dask cluster and one thread that hands it one run folder for each of its processes.

    Parameters
    ----------
    jobs : int
        Runs that train at once; 0 for as many as the cluster has processes, looked at again and again.
    prepare, done : callable
        As for :class:`clustlab.bench.pool.Pool`; called in the thread.
    address : str
        As for :func:`clustlab.launch.dask.connected`; nothing is connected to, or started, before there is a task.
    store : Store, optional
        Where run folders go and come from, if not by way of a folder that all machines share.
    """

    def __init__(
        self,
        jobs: int,
        prepare: Callable[[Any], Path],
        done: Callable[[Any, dict[str, Any]], None],
        *,
        address: str = "",
        store: Store | None = None,
    ) -> None:
        self._jobs, self._prepare, self._done, self._address = jobs, prepare, done, address
        self._store, self._next_look = store, 0.0
        self._waiting: deque[Any] = deque()
        self._at_work: dict[str, tuple[Any, Path, Future[Any]]] = {}
        self._answered: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._closed, self._ended = threading.Event(), threading.Event()
        self._failure: BaseException | None = None

    def start(self, tasks: list[Any]) -> None:
        """Begin with the tasks, in their order."""
        self._waiting.extend(tasks)
        threading.Thread(target=self._serve, name="tasks for the cluster", daemon=True).start()

    def wait(self, seconds: float) -> bool:
        """Wait for the end at most so long; return whether it is reached.

        Raises
        ------
        LaunchError
            If there is no cluster, or it is gone.
        Exception
            What ``prepare`` or ``done`` raised unexpectedly.
        """
        ended = self._ended.wait(seconds)
        if ended and self._failure is not None:
            raise self._failure
        return ended

    def close(self) -> None:
        """Begin with no further task, and take back those that no process has begun with."""
        self._closed.set()

    def _serve(self) -> None:
        try:
            if self._waiting:
                with connected(self._address, self._jobs) as client:
                    self._hand_out(client)
        except BaseException as error:  # handed to whoever waits
            self._failure = error
            with contextlib.suppress(Exception):  # it may be the telling that has failed
                for task, _, _ in self._at_work.values():
                    self._done(task, _no_answer("lost", str(error)))
        finally:
            self._ended.set()

    def _hand_out(self, client: Client) -> None:
        while self._at_work or (self._waiting and not self._closed.is_set()):
            if self._closed.is_set():
                self._take_back(client)
            elif self._waiting and len(self._at_work) < (room := self._jobs or _processes(client)):
                self._submit(client, self._waiting.popleft(), room)
                continue
            try:
                key = self._answered.get(timeout=POLL_SECONDS)
            except queue.Empty:
                if client.status == "closed":
                    raise _gone(client) from None
                self._pass_on()
                continue
            task, folder, future = self._at_work.pop(key)
            self._done(task, self._brought(folder, self._answer(future)))

    def _submit(self, client: Client, task: Any, room: int) -> None:
        try:
            folder = self._prepare(task)
            if self._store:
                self._store.offer(folder)
        except ClustlabError as refusal:
            self._done(task, _no_answer("failed", str(refusal)))
            return
        key = f"{folder.name}-{secrets.token_hex(4)}"
        if self._store:
            future = client.submit(answer_from, self._store, folder.name, room, key=key, pure=False)
        else:
            future = client.submit(answer_here, str(folder), room, key=key, pure=False)
        self._at_work[key] = task, folder, future
        future.add_done_callback(lambda each: self._answered.put(each.key))

    def _pass_on(self) -> None:
        """Carry requests to the store and the states of runs back, now and then."""
        if self._store is None or time.monotonic() < self._next_look:
            return
        for _, folder, _ in self._at_work.values():
            control = RunFolder(folder).control
            with contextlib.suppress(Exception):  # of whatever kind of storage; there will be another look
                if control.exists():
                    self._store.ask(folder.name, control.read_text())
                    control.unlink()
                self._store.fetch_status(folder)
        self._next_look = time.monotonic() + LOOK_SECONDS

    def _brought(self, folder: Path, found: dict[str, Any]) -> dict[str, Any]:
        """Return an answer when the run that it is about is here."""
        if self._store:
            try:
                self._store.bring(folder)
            except ClustlabError as refusal:
                return _no_answer("lost", str(refusal))
        return found

    def _take_back(self, client: Client) -> None:
        """Cancel what waits for a process. What one has begun with is asked to stop through its run folder.

        That request also lies in the folders of what is cancelled, for a process that begins just now.
        """
        handed = {key for keys in client.processing().values() for key in keys}
        for key, (_, folder, future) in self._at_work.items():
            if key not in handed and not future.done() and Run(folder).status.get("pid") is None:
                future.cancel()

    def _answer(self, future: Future[Any]) -> dict[str, Any]:
        from distributed.scheduler import KilledWorker

        try:
            return dict(future.result(timeout=SCORING_SECONDS))
        except KilledWorker as error:
            return _no_answer("lost", f"{error.allowed_failures + 1} workers of the cluster died on it")
        except CancelledError as error:
            if self._closed.is_set():
                return _no_answer("waiting", "")
            return _no_answer("lost", f"the cluster has given it up: {error}")
        except ClustlabError as refusal:
            return _no_answer("failed", str(refusal))
        except Exception as error:  # such as workers that have no clustlab
            return _no_answer("failed", f"the cluster could not train it ({type(error).__name__}: {error})")


def _place() -> str | None:
    """Return the folder that Dask gives this process, and clears away when it has died; None outside of a cluster."""
    from distributed import get_worker

    try:
        return str(get_worker().local_directory)
    except ValueError:
        return None


def _no_answer(state: str, error: str) -> dict[str, Any]:
    return {"state": state, "error": error, "scores": {}}


def _processes(client: Client) -> int:
    """Return how many processes the cluster has now; one that is still to come is counted where there is none."""
    try:
        return max(1, len(client.nthreads()))
    except (OSError, TimeoutError) as error:
        raise _gone(client) from error


def _gone(client: Client) -> LaunchError:
    where = client.scheduler.address if client.scheduler else "this machine"
    return LaunchError(f"the Dask scheduler at {where} is gone; the same command goes on when there is one again")
