"""What state a run is in. Written by the worker, *derived* by readers: a worker that died cannot say so itself."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import psutil

__all__ = ["LIVE", "derived_state", "now", "process_identity"]

LIVE = frozenset({"queued", "starting", "running", "paused"})
"""States in which a worker process must exist."""

HEARTBEAT_SECONDS = 60.0
"""A heartbeat older than this, from another computer, means that the worker is gone."""


def now() -> str:
    """Return the present moment as written in a run folder: UTC, ISO 8601, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def process_identity() -> dict[str, Any]:
    """Return ``host``, ``pid`` and ``pid_started`` of this process; the start time tells a reused pid apart."""
    return {"host": platform.node(), "pid": os.getpid(), "pid_started": psutil.Process().create_time()}


def derived_state(status: Mapping[str, Any]) -> str:
    """Return the state a person should see: the one written, or ``lost`` if its worker cannot be alive."""
    state = str(status.get("state", "queued"))
    if state not in LIVE or _worker_lives(status):
        return state
    return "lost"


def _worker_lives(status: Mapping[str, Any]) -> bool:
    age = (datetime.now(UTC) - datetime.fromisoformat(status["heartbeat"])).total_seconds()
    if status.get("pid") is None or status.get("host") != platform.node():
        return age < HEARTBEAT_SECONDS
    try:
        process = psutil.Process(status["pid"])
        return abs(process.create_time() - status["pid_started"]) < 2 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
