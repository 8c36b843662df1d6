"""Asking a running worker for something, and bringing a run back that has none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from clustlab.errors import LaunchError
from clustlab.launch import process
from clustlab.runs.reader import Run

__all__ = ["pause", "resume", "stop"]


def pause(run: Run) -> None:
    """Ask the worker to pause; it writes a frame and a checkpoint first.

    Raises
    ------
    LaunchError
        If the run is not running.
    """
    _require(run, {"running"}, "paused")
    _ask(run, "pause")


def stop(run: Run) -> None:
    """Ask the worker to stop; it writes a frame and a checkpoint first, and can be resumed.

    Raises
    ------
    LaunchError
        If no worker is at work on the run.
    """
    _require(run, {"queued", "starting", "running", "paused"}, "stopped")
    _ask(run, "stop")


def resume(run: Run, start: Callable[[Path], None] = process.start) -> None:
    """Let a paused run go on, or start a new worker for one that was stopped, failed or lost, or lost its result.

    Raises
    ------
    LaunchError
        If the run is running, or finished with a result that can be read.
    """
    if run.state == "paused":
        _ask(run, "resume")
        return
    if run.state != "finished" or run.has_result:
        _require(run, {"stopped", "failed", "lost"}, "resumed")
    run.folder.control.unlink(missing_ok=True)
    start(run.folder.path)


def _require(run: Run, states: set[str], wish: str) -> None:
    if run.state not in states:
        raise LaunchError(f"the run {run.name} is {run.state} and cannot be {wish}; only {_either(states)} runs can")


def _either(states: set[str]) -> str:
    *rest, last = sorted(states)
    return f"{', '.join(rest)} or {last}" if rest else last


def _ask(run: Run, word: str) -> None:
    try:
        run.folder.ask(word)
    except OSError as error:
        raise LaunchError(f"{run.name} cannot be asked to {word} ({error.strerror})") from error
