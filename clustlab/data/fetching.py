"""Fetching data that do not come with clustlab, once: in a process of its own, which one can watch and call off.

Only this file starts a download. What is fetched is written beside its place and renamed when it is whole, so that a
download that was interrupted leaves nothing behind.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import platformdirs
from filelock import FileLock, Timeout

from clustlab.data.dataset import Dataset, Download, Report
from clustlab.data.files import load_file
from clustlab.errors import DataError

__all__ = ["ensure", "fetched_file", "is_here", "kept_folder", "load_fetched", "serve"]

POLL_SECONDS = 0.4

SILENCE_SECONDS = 60.0
"""A server that says nothing for so long has gone away."""

PARENT_SECONDS = 1.0


def kept_folder(name: str) -> Path:
    """Return the folder, named ``name``, where clustlab keeps data: in ``$CLUSTLAB_DATA``, else in the user's own."""
    given = os.environ.get("CLUSTLAB_DATA")
    return (Path(given).expanduser() if given else platformdirs.user_data_path("clustlab")) / name


def fetched_file(download: Download) -> Path:
    """Return where the arrays of a download are kept."""
    return kept_folder("fetched") / f"{download.name}.npz"


def is_here(download: Download) -> bool:
    """Whether the data have been fetched before."""
    return fetched_file(download).is_file()


def load_fetched(download: Download) -> Dataset:
    """Return the data set that was fetched; contacts no other computer.

    Raises
    ------
    DataError
        If it has not been fetched, or its file is damaged.
    """
    if not is_here(download):
        raise DataError(
            f"{download.title} is not on this computer yet; clustlab data {download.name} fetches it from "
            f"{download.origin}"
        )
    return dataclasses.replace(load_file(fetched_file(download)), name=download.name, title=download.title)


def ensure(download: Download, report: Report, command: Sequence[str] = ()) -> None:
    """Fetch data that are not here yet; another process that fetches the same is waited for.

    Parameters
    ----------
    download : Download
    report : callable
        Told how far it is, twice a second; what it raises ends the download and is passed on.
    command : sequence of str
        The process that fetches, given a folder as its last argument; by default :func:`serve` in a fresh interpreter.

    Raises
    ------
    DataError
        If the data cannot be fetched or are not what they should be: says what was tried and what to do instead.
    """
    if is_here(download):
        return
    command = command or (sys.executable, "-m", "clustlab.data", download.name)
    folder = fetched_file(download).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{download.title} cannot be kept in {folder} ({error.strerror}); set CLUSTLAB_DATA") from error
    lock = FileLock(folder / f".{download.name}.lock")
    while not _locked(lock):
        report(f"waiting for another process that fetches {download.title}")
    try:
        if not is_here(download):
            _fetch(download, report, command, folder)
    finally:
        lock.release()


def _locked(lock: FileLock) -> bool:
    try:
        lock.acquire(timeout=POLL_SECONDS)
    except Timeout:
        return False
    return True


def _fetch(download: Download, report: Report, command: Sequence[str], folder: Path) -> None:
    for left in folder.glob(f".{download.name}-*"):  # of a process that was killed; the lock says that it is gone
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=f".{download.name}-", ignore_cleanup_errors=True) as aside:
        errors = Path(aside) / "errors.txt"
        with errors.open("wb") as stream:
            process = subprocess.Popen(
                [*command, aside], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stream
            )
        began = time.monotonic()
        try:
            while process.poll() is None:
                report(
                    f"fetching {download.title} from {download.origin}: {_megabytes(Path(aside)):,.0f} of about "
                    f"{download.megabytes:,} MB, {time.monotonic() - began:.0f} s"
                )
                time.sleep(POLL_SECONDS)
        finally:
            process.kill()
            process.wait()
        if process.returncode:
            told = errors.read_text(errors="replace").strip().splitlines() or ["the process that fetched it ended"]
            raise DataError(
                f"{download.title} could not be fetched from {download.origin} ({told[-1][:300]}); connect this "
                f"computer to the network and try again, or give a file of your own, such as ./{download.name}.npz"
            )
        os.replace(Path(aside) / f"{download.name}.npz", fetched_file(download))


def _megabytes(folder: Path) -> float:
    total = 0
    for file in folder.rglob("*"):
        with suppress(FileNotFoundError):  # the other process renames and removes
            total += file.stat().st_size if file.is_file() else 0
    return total / 1e6


def serve(download: Download, folder: Path) -> int:
    """Fetch in this process, for :func:`ensure`; return the exit status, and say on standard error what went wrong."""
    _end_with_parent()
    socket.setdefaulttimeout(SILENCE_SECONDS)
    raw = folder / "raw"
    raw.mkdir()
    try:
        arrays = download.build(raw)
        np.savez_compressed(folder / f"{download.name}.npz", allow_pickle=False, **arrays)
    except (OSError, ValueError, KeyError, EOFError, MemoryError) as error:
        reason = getattr(error, "reason", "") or getattr(error, "strerror", "") or str(error) or type(error).__name__
        sys.stderr.write(f"\n{' '.join(str(reason).split())}\n")
        return 1
    return 0


def _end_with_parent() -> None:
    """End this process when the one that started it is gone: nobody would take what it fetches."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
