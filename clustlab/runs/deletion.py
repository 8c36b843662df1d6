"""Deleting runs, with a way back: the run deleted last lies aside for a day, and those before it are gone."""

from __future__ import annotations

import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from clustlab.errors import RunError
from clustlab.runs.reader import Run

__all__ = ["bring_back", "delete_run", "last_deleted", "remove_old"]

ASIDE = ".deleted-"
"""How the names of folders begin in which deleted runs lie; listings pass over them."""

KEPT_SECONDS = 24 * 3600.0


def delete_run(run: Run) -> None:
    """Move a run aside, from where :func:`bring_back` returns it; what was deleted before it is removed for good.

    Raises
    ------
    RunError
        While a worker is at work on it, or if the folder cannot be moved.
    """
    if run.lives:
        raise RunError(f"the run {run.name} is {run.state}; stop it before deleting it")
    runs = run.folder.path.parent
    earlier = _aside(runs)
    try:
        aside = Path(tempfile.mkdtemp(dir=runs, prefix=ASIDE))
        try:
            run.folder.path.rename(aside / run.name)
        except OSError:
            aside.rmdir()
            raise
    except OSError as error:
        raise RunError(f"the run {run.name} cannot be deleted ({error.strerror or error})") from error
    for folder in earlier:
        shutil.rmtree(folder, ignore_errors=True)


def last_deleted(runs: Path) -> Run | None:
    """Return the run that was deleted last, where it lies aside; None if there is none."""
    for folder in reversed(_aside(runs)):
        for path in folder.iterdir():
            with suppress(RunError):
                return Run(path)
    return None


def bring_back(deleted: Run) -> Run:
    """Return a deleted run to its place among the runs.

    Raises
    ------
    RunError
        If another run has its name by now, or the folder is gone or cannot be moved.
    """
    aside = deleted.folder.path
    place = aside.parents[1] / deleted.name
    if (place / "spec.json").exists():
        raise RunError(f"the run {deleted.name} cannot be brought back: another one has its name by now")
    shutil.rmtree(place / "cache", ignore_errors=True)  # a projector that was still at work has made it anew
    try:
        aside.rename(place)
        aside.parent.rmdir()
    except OSError as error:
        raise RunError(f"the run {deleted.name} cannot be brought back ({error.strerror or error})") from error
    return Run(place)


def remove_old(runs: Path) -> None:
    """Remove what was deleted more than a day ago."""
    for folder in _aside(runs):
        with suppress(OSError):  # somebody else removes it at the same time
            if time.time() - folder.stat().st_mtime > KEPT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def _aside(runs: Path) -> list[Path]:
    """Return the folders in which deleted runs lie, the latest last."""
    found = []
    for folder in runs.glob(f"{ASIDE}*"):
        with suppress(OSError):
            found.append((folder.stat().st_mtime_ns, folder))
    return [folder for _, folder in sorted(found)]
