"""Asking for something from the page: a run is paused, stopped or resumed by a request that changes it, hence POST."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from clustlab import launch
from clustlab.app.state import is_example
from clustlab.errors import LaunchError
from clustlab.runs import Run

__all__ = ["ACTS", "control"]

ACTS: dict[str, Callable[[Run], None]] = {"pause": launch.pause, "resume": launch.resume, "stop": launch.stop}
"""What can be asked of a run."""

MOST_BYTES = 256
"""A longer request asks for none of them."""


def control(run: Run, body: bytes) -> dict[str, Any]:
    """Do what a request asks of a run.

    Parameters
    ----------
    run : Run
        The run.
    body : bytes
        JSON: ``{"act": "pause"}``, or another of :data:`ACTS`.

    Returns
    -------
    dict
        ``state``: that of the run once it has been asked. A worker obeys at its next step, and its status tells.

    Raises
    ------
    LaunchError
        If the run cannot be asked for that in its state, or is a recorded example.
    ValueError
        If the request asks for none of what is possible.
    """
    act = _asked(body)
    if is_example(run):
        raise LaunchError(f"{run.name} is a recorded example and cannot be changed; train a run of your own")
    ACTS[act](run)
    return {"state": run.state}


def _asked(body: bytes) -> str:
    try:
        content = json.loads(body) if len(body) <= MOST_BYTES else None
    except ValueError:
        content = None
    act = content.get("act") if isinstance(content, dict) else None
    if not isinstance(act, str) or act not in ACTS:
        raise ValueError(f'a run can be asked to {", ".join(ACTS)}, as in {{"act": "pause"}}')
    return act
