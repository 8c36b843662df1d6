"""Checkpoints: tensors and plain containers, so that they load without running anything (``weights_only``)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from clustlab.errors import RunError
from clustlab.runs.layout import RunFolder, write_aside

__all__ = ["load", "load_latest", "save"]

KEPT = 2
"""Latest checkpoints that are kept; the last one of each phase stays besides."""


def save(folder: RunFolder, state: dict[str, Any], *, keep: bool = False) -> None:
    """Write ``checkpoints/<step>.pt`` and drop older ones.

    Parameters
    ----------
    folder : RunFolder
    state : dict
        As :meth:`clustlab.training.loop.Training.state` returns it.
    keep : bool
        Whether it is never dropped: the last one of a phase.
    """
    suffix = ".phase.pt" if keep else ".pt"
    write_aside(folder.checkpoints / f"{state['step']:09d}{suffix}", lambda stream: torch.save(state, stream))
    passing = sorted(path for path in folder.checkpoints.glob("*.pt") if not path.name.endswith(".phase.pt"))
    for path in passing[:-KEPT]:
        path.unlink()


def load(folder: RunFolder, step: int | None = None) -> dict[str, Any]:
    """Return the checkpoint of a step, or the latest.

    Parameters
    ----------
    folder : RunFolder
    step : int, optional
        Training step; where a phase ended there, its last checkpoint.

    Raises
    ------
    RunError
        If the run has no such checkpoint, or it cannot be read.
    """
    found = folder.checkpoint_files()
    if not found:
        raise RunError(f"the run {folder.name} has no checkpoint, so there is no model to ask")
    if step is not None and step not in found:
        steps = ", ".join(str(each) for each in found)
        raise RunError(f"the run {folder.name} has no checkpoint of step {step}; there are those of {steps}")
    return _load(found[max(found) if step is None else step])


def load_latest(folder: RunFolder) -> dict[str, Any] | None:
    """Return the latest checkpoint, or None if the run has none.

    Raises
    ------
    RunError
        If it cannot be read.
    """
    found = sorted(folder.checkpoints.glob("*.pt"))
    if not found:
        return None
    return _load(found[-1])


def _load(path: Path) -> dict[str, Any]:
    try:
        return dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # torch raises what the file's content provokes: zip, pickle, value errors
        raise RunError(f"the checkpoint {path.name} cannot be read; delete it to go on from the one before") from error
