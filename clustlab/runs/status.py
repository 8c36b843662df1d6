"""What state a run is in. Written by the worker, *derived* by readers: a worker that died cannot say so itself."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import psutil

__all__ = ["LIVE", "derived_state", "now", "process_identity", "unsound"]

LIVE = frozenset({"queued", "starting", "running", "paused"})
"""States in which a worker process must exist."""

HEARTBEAT_SECONDS = 60.0
"""A heartbeat older than this, from another computer, means that the worker is gone."""


TEXTS = ("state", "title", "phase", "message", "error", "heartbeat", "started", "host")
NUMBERS = ("step", "wall_s", "pid", "pid_started")
"""Entries of ``status.json`` that readers count on, by what they hold."""


def now() -> str:
    """Return the present moment as written in a run folder: UTC, ISO 8601, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def process_identity() -> dict[str, Any]:
    """Return ``host``, ``pid`` and ``pid_started`` of this process; the start time tells a reused pid apart."""
    return {"host": platform.node(), "pid": os.getpid(), "pid_started": psutil.Process().create_time()}


def unsound(status: Mapping[str, Any]) -> list[str]:
    """Return the names of the entries of a status that hold something else than a worker writes."""
    found = [name for name in TEXTS if not isinstance(status.get(name, ""), str)]
    for name in NUMBERS:
        value = status.get(name, 0)
        # the comparison also fails for not-a-number, which JSON as Python reads it may hold
        if isinstance(value, bool) or not (isinstance(value, int | float) and 0 <= value < float("inf")):
            found.append(name)
    if "heartbeat" in status and "heartbeat" not in found and _moment(status["heartbeat"]) is None:
        found.append("heartbeat")
    return found


def derived_state(status: Mapping[str, Any]) -> str:
    """Return the state a person should see: the one written, or ``lost`` if its worker cannot be alive."""
    state = str(status.get("state", "queued"))
    if state not in LIVE or _worker_lives(status):
        return state
    return "lost"


def _worker_lives(status: Mapping[str, Any]) -> bool:
    beat = _moment(status.get("heartbeat", ""))
    if beat is None:
        return False
    if "pid" not in status or "pid_started" not in status or status.get("host") != platform.node():
        return (datetime.now(UTC) - beat).total_seconds() < HEARTBEAT_SECONDS
    try:
        process = psutil.Process(status["pid"])
        return abs(process.create_time() - status["pid_started"]) < 2 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _moment(text: str) -> datetime | None:
    """Return the moment that :func:`now` has written, None if a text is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
