"""Engine: train on a Dask cluster, on this machine or on many; Dask's own packages start one on SLURM or Kubernetes.

A run is trained inside a process of the cluster, one at a time in each. Where such a process dies, Dask hands the
folder to another one, which goes on from the last checkpoint; ``worker.lock`` keeps two from training it at once.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib.util
import json
import logging
import os
import secrets
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clustlab.errors import LaunchError
from clustlab.launch.slots import SLOTS, slot_count

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["FOR_EVER", "connected", "dask_setup", "one_run", "require", "start", "train"]

FOR_EVER = -1.0
"""Seconds to wait for a run's lock. Who holds it trains the very run that was asked for, or is about to die."""

CONNECT_SECONDS = 30

_alone = threading.Lock()


def require() -> None:
    """Refuse to go on where Dask is not installed.

    Raises
    ------
    LaunchError
        It says how to install it.
    """
    if importlib.util.find_spec("distributed") is None:
        raise LaunchError("the engine “dask” needs packages that are not installed: pip install 'clustlab[dask]'")


@contextlib.contextmanager
def connected(address: str = "", workers: int = 0) -> Iterator[Client]:
    """Connect to a Dask cluster for the length of a ``with`` block.

    Parameters
    ----------
    address : str
        Of the scheduler (``tcp://host:8786``), or its scheduler file (``….json``). Without it, what Dask's own
        configuration says (``$DASK_SCHEDULER_ADDRESS``); where that says nothing, a cluster on this machine is started,
        and ends with the block.
    workers : int
        Processes of a cluster that is started; as many as there are slots if 0.

    Raises
    ------
    LaunchError
        If Dask is not installed, no scheduler answers, or its file cannot be read.
    """
    require()
    import dask
    from distributed import Client
    from distributed.utils import silence_logging_cmgr

    address = _address(address or dask.config.get("scheduler-address", None) or "")
    with contextlib.ExitStack() as opened:
        # What becomes of runs and workers is said by who asked for them; Dask would print tracebacks between.
        opened.enter_context(silence_logging_cmgr(logging.CRITICAL))
        cluster: Any = address or opened.enter_context(_local_cluster(workers or slot_count()))
        try:
            client = opened.enter_context(Client(cluster, timeout=CONNECT_SECONDS, set_as_default=False))
        except (OSError, ValueError, TimeoutError) as error:
            raise LaunchError(
                f"no Dask scheduler answers at {address or 'this machine'} ({_first_line(error)}); "
                "an address looks like tcp://host:8786, or is the path of a scheduler file that ends in .json"
            ) from error
        yield client


def start(folder: Path) -> None:
    """Hand a run folder to the cluster that Dask's configuration names, or to one on this machine; return at once.

    A cluster on this machine ends with this process, and its runs with it: they can be resumed.

    Raises
    ------
    LaunchError
        As :func:`connected`.
    """
    require()
    from distributed import fire_and_forget

    client = _kept_connection()
    at_once = max(1, len(client.nthreads()))
    fire_and_forget(client.submit(train, str(folder), at_once, key=f"{folder.name}-{secrets.token_hex(4)}"))


def train(path: str, at_once: int) -> str:
    """Train a run folder in a process of the cluster; return the state in which it ended."""
    from clustlab.launch.worker import execute  # loads torch

    with one_run(at_once):
        return execute(Path(path), patience=FOR_EVER)


@contextlib.contextmanager
def one_run(at_once: int) -> Iterator[None]:
    """Let this process train one run at a time, for the length of a ``with`` block.

    Random numbers and threads are a process's own, so that runs in two of its threads would spoil each other's bits.

    Parameters
    ----------
    at_once : int
        Runs that train at once in the whole cluster. Who has started so many workers on a machine has decided that so
        many train there: they need not queue for its slots.
    """
    with _alone:
        os.environ[SLOTS] = str(max(at_once, slot_count()))
        yield


def dask_setup(_: Any) -> None:
    """Prepare a process of a cluster on this machine: low priority, and deaf to Ctrl-C, which is for who started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(5)


def _address(given: str) -> str:
    """Return the address in a scheduler file, or what is given if it is an address."""
    if not given.endswith(".json"):
        return given
    try:
        return str(json.loads(Path(given).expanduser().read_text())["address"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise LaunchError(
            f"{given} is no scheduler file ({_first_line(error)}); `dask scheduler --scheduler-file {given}` writes one"
        ) from error


def _local_cluster(workers: int) -> Any:
    from distributed import LocalCluster

    # Dask calls `dask_setup` in each process, those that it starts later for dead ones included.
    return LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        memory_limit=None,
        dashboard_address="127.0.0.1:0",  # any free port; without an address it insists on 8787, open to all
        silence_logs=logging.CRITICAL,
        preload=[__name__],
    )


@functools.cache
def _kept_connection() -> Client:
    """Return a connection that lasts as long as this process."""
    kept = contextlib.ExitStack()
    atexit.register(kept.close)
    return kept.enter_context(connected())


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
