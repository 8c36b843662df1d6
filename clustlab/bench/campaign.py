"""Filling a table: each cell is found among the runs or submitted, trained, scored, and written down at once."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from clustlab.bench.grid import Cell, Grid, beginning, cells, dataset, meaning
from clustlab.bench.pool import Pool
from clustlab.bench.table import HEADER, Row, check_replaceable, read_scores, write_protocol, write_table
from clustlab.data.files import is_path
from clustlab.errors import ClustlabError, RunError
from clustlab.launch import control
from clustlab.launch.fork import checkpoint_steps, fork, pretraining_steps
from clustlab.launch.submit import submit
from clustlab.launch.unchanged import unchanged
from clustlab.runs import Run, list_runs, open_run
from clustlab.spec import RunSpec

__all__ = ["Workers", "fill"]

POLL_SECONDS = 0.3

OVER = frozenset({"stopped", "failed", "lost"})
"""States of runs that nobody works on though they are not finished."""


def fill(
    grid: Grid,
    runs: Path,
    table: Path,
    jobs: int,
    progress: Callable[[Sequence[Row], float, int], None],
    workers: Callable[..., Workers] = Pool,
) -> list[Row]:
    """Train what is missing of a grid and return its rows; the table is written anew after every cell.

    Runs that are there already are found by what their specs mean: finished ones are only read out, others go on from
    their checkpoints. An interrupt (Ctrl-C) stops the running cells in good order, writes the table and is raised.

    Parameters
    ----------
    grid : Grid
    runs : Path
        Folder of the runs.
    table : Path
        CSV or Parquet file to write; its protocol is written beside it.
    jobs : int
        Runs that train at once; 0 leaves it to the workers.
    progress : callable
        Called several times a second with the rows at work, how many cells are done (a fraction for those half done)
        and how many there are to do.
    workers : callable
        Given how many runs there are to train at once, what to train (:meth:`_Campaign.prepare`) and whom to tell of
        it (:meth:`_Campaign.done`), returns who trains: processes of this machine, or of a cluster.

    Raises
    ------
    SpecError, DataError
        As :func:`clustlab.bench.grid.cells`, or if something else lies where the table should be.
    LaunchError
        If there are no workers, or no longer.
    """
    rows = [_row(cell) for cell in cells(grid)]
    check_replaceable(table, HEADER, (row.cell.data for row in rows))
    known = _runs_by_meaning(rows, runs)
    _take_over(rows, known, read_scores(table))
    campaign = _Campaign(rows, known, runs, table)
    campaign.write()
    write_protocol(table, grid, jobs, rows)
    # Seed by seed, so that a table which is not finished says something of every method.
    tasks = sorted((row for row in rows if row.state == "waiting"), key=lambda row: grid.seeds.index(row.cell.seed))
    pool = workers(min(jobs, len(tasks)), campaign.prepare, campaign.done)
    try:
        pool.start(tasks)
        while not pool.wait(POLL_SECONDS):
            progress(*campaign.so_far(), len(tasks))
    except KeyboardInterrupt:
        pool.close()
        campaign.stop()
        while not pool.wait(POLL_SECONDS):
            campaign.stop()  # a run that was about to begin could not be asked before
        raise
    finally:
        pool.close()
        campaign.write()
        write_protocol(table, grid, jobs, rows, _trained_with(rows, runs))
    return rows


class Workers(Protocol):
    """Processes that train: :class:`clustlab.bench.pool.Pool` says what each function does."""

    def start(self, tasks: list[Any]) -> None: ...
    def wait(self, seconds: float) -> bool: ...
    def close(self) -> None: ...


class _Campaign:
    """The rows and who works on them; its methods are called from several threads."""

    def __init__(self, rows: Sequence[Row], known: dict[int, Run], runs: Path, table: Path) -> None:
        self._rows, self._known, self._runs, self._table = rows, known, runs, table
        self._working: dict[int, tuple[Row, Run]] = {}
        self._done = 0
        self._lock = threading.Lock()

    def prepare(self, row: Row) -> Path:
        """Return the folder of the row's run, a new one if there is none."""
        assert row.cell.spec is not None
        run = self._known.get(id(row))
        if run is None:
            run = self._begun(row.cell.spec) or submit(row.cell.spec, self._runs)
        elif run.state in OVER:
            control.resume(run, start=lambda _: None)  # whoever asks the pool starts it
        elif run.status.get("pid") is None:
            run.folder.control.unlink(missing_ok=True)  # of an interrupt before anybody had begun with it
        with self._lock:
            row.run, row.state = run.name, "running"
            self._working[id(row)] = row, run
        return run.folder.path

    def _begun(self, spec: RunSpec) -> Run | None:
        """Return a fork of a run that has done the same pretraining already, if there is one."""
        wanted = beginning(spec)
        if wanted is None:
            return None
        with self._lock:
            names = [row.run for row in self._rows if row.run and row.cell.spec and beginning(row.cell.spec) == wanted]
        for name in names:
            with contextlib.suppress(ClustlabError):  # it may have been deleted meanwhile; then the past is trained
                parent = open_run(self._runs / name)
                pretraining = pretraining_steps(parent)
                if pretraining and pretraining in checkpoint_steps(parent):
                    return fork(parent, spec, step=pretraining, runs=self._runs, alike=True)
        return None

    def done(self, row: Row, answer: dict[str, Any]) -> None:
        """Note what became of a row's run."""
        with self._lock:
            _, run = self._working.pop(id(row), (row, None))
            _note(row, run, answer["state"], answer["scores"], answer["error"])
            self._done += 1
            write_table(self._table, self._rows)

    def so_far(self) -> tuple[list[Row], float]:
        """Return the rows at work and the number of cells done, half-done ones counted as far as they are."""
        with self._lock:
            working, done = list(self._working.values()), self._done
        return [row for row, _ in working], done + sum(_share(run) for _, run in working)

    def stop(self) -> None:
        """Ask the runs at work to stop; each writes a checkpoint first."""
        with self._lock:
            working = [run for _, run in self._working.values()]
        for run in working:
            try:
                control.stop(run)
            except ClustlabError:
                continue  # it has just ended

    def write(self) -> None:
        """Write the table as it is."""
        with self._lock:
            write_table(self._table, self._rows)


def _row(cell: Cell) -> Row:
    return Row(cell, "waiting") if cell.spec else Row(cell, "impossible", cell.reason)


def _note(row: Row, run: Run | None, state: str, scores: dict[str, float], note: str) -> None:
    row.state, row.scores, row.note = state, scores, note
    if run:
        status = run.status
        row.run, row.steps = run.name, int(status.get("step", 0))
        row.wall_s = float(status.get("wall_s", 0.0)) + _past_seconds(run)


def _take_over(rows: Sequence[Row], known: dict[int, Run], scored: dict[str, dict[str, float]]) -> None:
    """Take over what an earlier table says of the very runs that are still there, finished."""
    for row in rows:
        run = known.get(id(row))
        if run and run.name in scored and run.state == "finished":
            _note(row, run, "finished", scored[run.name], "")


def _runs_by_meaning(rows: Sequence[Row], folder: Path) -> dict[int, Run]:
    """Return the run of each row that has one, by the row's identity: a finished one if there is, else the latest.

    A run on a file that has changed since is none.
    """
    data = {row.cell.spec.data for row in rows if row.cell.spec}
    there: list[tuple[Any, Run]] = []
    for run in list_runs(folder):
        if run.spec.data in data and _has_own_past(run):
            try:
                if not is_path(run.spec.data) or unchanged(run, dataset(run.spec.data)):
                    there.append((meaning(run.spec), run))
            except ClustlabError:
                continue  # of a method that is not here
    there.sort(key=lambda pair: pair[1].state != "finished")
    found: dict[int, Run] = {}
    for row in rows:
        if row.cell.spec:
            wanted = meaning(row.cell.spec)
            match = next((run for known, run in there if known == wanted), None)
            if match:
                found[id(row)] = match
    return found


def _has_own_past(run: Run) -> bool:
    """Whether a run has come about as its spec says: it is no fork, or one that shares an equal pretraining only."""
    return run.spec.parent is None or run.spec.parent.alike


def _past_seconds(run: Run) -> float:
    """Return the time that the copied past of a fork took, as far as its records tell."""
    origin = run.spec.parent
    if origin is None:
        return 0.0
    times: list[str] = []
    with contextlib.suppress(RunError):  # curves that are damaged tell nothing; the cell is scored all the same
        times = [record["time"] for record in run.scalar_records if record["step"] <= origin.step]
    if not times:
        return 0.0
    return (datetime.fromisoformat(times[-1]) - datetime.fromisoformat(times[0])).total_seconds()


def _trained_with(rows: Sequence[Row], runs: Path) -> list[dict[str, str]]:
    """Return the versions and machines that the finished runs of a table name, each combination once."""
    found: dict[tuple[Any, ...], dict[str, str]] = {}
    for row in rows:
        if row.state == "finished":
            with contextlib.suppress(ClustlabError):  # deleted meanwhile
                versions = open_run(runs / row.run).status.get("versions", {})
                found.setdefault(tuple(sorted(versions.items())), versions)
    return [versions for versions in found.values() if versions]


def _share(run: Run) -> float:
    status = run.status
    return min(1.0, status.get("step", 0) / status["total_steps"]) if status.get("total_steps") else 0.0
