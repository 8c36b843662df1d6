"""How many runs train at once on a machine: locks that the operating system frees when a process dies."""

from __future__ import annotations

import getpass
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from clustlab.errors import LaunchError

__all__ = ["SLOTS", "Slot", "slot_count", "take_slot"]

SLOTS = "CLUSTLAB_SLOTS"
"""Environment variable with the number of runs that may train at once, for this process and those it starts."""

POLL_SECONDS = 0.2

CLOCK_SECONDS = 2.0
"""By how much the times of a process and of its ticket may disagree."""


def slot_count() -> int:
    """Return the runs that may train at once: ``$CLUSTLAB_SLOTS``, else half the cores."""
    wish = os.environ.get(SLOTS, "").strip()
    if wish and not wish.isdecimal():
        raise LaunchError(f"{SLOTS} = “{wish}” is not a number of runs; it must be a whole number, such as 2")
    return max(1, int(wish or 0) or (os.cpu_count() or 2) // 2)


class Slot:
    """The right to train; given back while a run is paused.

    Parameters
    ----------
    waiting : callable
        Called with the number of runs ahead, again and again while the run queues; may raise to give up.
    """

    def __init__(self, waiting: Callable[[int], None]) -> None:
        self.waiting = waiting
        self._lock: FileLock | None = None

    def acquire(self) -> None:
        """Wait for a free slot, first come first served."""
        folder = _folder()
        ticket = folder / f"{time.time_ns():020d}-{os.getpid()}.ticket"
        ticket.touch()
        try:
            while not self._try(folder, ahead := _ahead(folder, ticket)):
                self.waiting(ahead)
                time.sleep(POLL_SECONDS)
        finally:
            ticket.unlink(missing_ok=True)

    def release(self) -> None:
        """Give the slot to whoever waits."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _try(self, folder: Path, ahead: int) -> bool:
        if ahead:
            return False
        for number in range(slot_count()):
            lock = FileLock(folder / f"slot-{number}.lock")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                continue
            self._lock = lock
            return True
        return False


@contextmanager
def take_slot(waiting: Callable[[int], None]) -> Iterator[Slot]:
    """Hold a slot for the length of a ``with`` block."""
    slot = Slot(waiting)
    slot.acquire()
    try:
        yield slot
    finally:
        slot.release()


def _folder() -> Path:
    folder = Path(os.environ.get("CLUSTLAB_SLOT_FOLDER") or Path(tempfile.gettempdir()) / f"clustlab-{_user()}")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # in a container whose user has a number and no name
        return str(os.getuid())


def _ahead(folder: Path, ticket: Path) -> int:
    """Return how many living processes drew a ticket before this one; tickets of dead ones are thrown away."""
    ahead = 0
    for other in folder.glob("*.ticket"):
        if other.name < ticket.name:
            if _lives(other):
                ahead += 1
            else:
                other.unlink(missing_ok=True)
    return ahead


def _lives(ticket: Path) -> bool:
    """Whether the process that drew a ticket is still there; another may have got its number meanwhile."""
    drawn, _, process = ticket.stem.partition("-")
    try:
        return psutil.Process(int(process)).create_time() <= int(drawn) / 1e9 + CLOCK_SECONDS
    except (psutil.NoSuchProcess, ValueError):
        return False
