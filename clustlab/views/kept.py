"""The models that a run has kept up to a moment: which there are, and what they make of samples of the probe."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clustlab.views.moment import View

if TYPE_CHECKING:
    from clustlab.inspection import Inspection

__all__ = ["encoded", "frame_near", "is_of", "kept_steps", "phase_of", "remade", "titled", "too_early"]


def kept_steps(view: View) -> list[int]:
    """Return the steps of the checkpoints up to the moment shown, rising."""
    return [step for step in view.run.folder.checkpoint_files() if step <= view.frame.step]


def too_early(view: View) -> str:
    """Return why there is no model at the moment shown."""
    kept = list(view.run.folder.checkpoint_files())
    if not kept and not view.run.lives:
        return "This run came without its models"
    if not kept:
        return "This run has kept no model yet; the first is kept where its first phase ends"
    return f"No model was kept before step {kept[0]:,}"


def phase_of(view: View, model: Inspection) -> str:
    """Return the name of the phase that a model is of."""
    phases = view.run.about.get("phases") or ()
    return str(phases[min(model.phase_index, len(phases) - 1)]["name"]) if phases else view.frame.phase


def titled(view: View, model: Inspection, step: int) -> str:
    """Return what a person calls a checkpoint: its step and its phase."""
    phase = phase_of(view, model)
    return f"step {step:,} ({view.phase_titles.get(phase, phase)})"


def frame_near(view: View, step: int, phase: str) -> int:
    """Return the number of the last frame of a phase up to a step; of any phase, where it has none yet."""
    until = [record for record in view.run.frames.records() if record["step"] <= step]
    there = [record for record in until if record["phase"] == phase] or until
    return int(there[-1]["frame"]) if there else 0


def is_of(view: View, number: int, step: int, phase: str) -> bool:
    """Return whether a frame was recorded at the very step and phase of a checkpoint."""
    frame = view.run.frames[number]
    return frame.step == step and frame.phase == phase


def encoded(view: View, model: Inspection, positions: np.ndarray) -> np.ndarray:
    """Return codes of samples of the probe, from its vectors or its pictures with their 256 shades."""
    shown = view.samples(positions)
    return model.encode(shown.astype(np.float32) / 255 if shown.dtype == np.uint8 else shown)


def remade(view: View, positions: np.ndarray) -> tuple[np.ndarray, str, bool]:
    """Return x̂ of samples by the latest model up to the moment shown, what that is called, and whether it is exact.

    It is exact where the model is that of the moment, or where the decoder has not been trained since: then the
    recorded codes are decoded. Elsewhere the model encodes the samples itself.

    Parameters
    ----------
    view : View
        A moment with a model: see :func:`kept_steps`.
    positions : ndarray of int, shape (m,)
        Samples of the probe.

    Returns
    -------
    decoded : ndarray, shape (m, …)
        In the data's own units.
    title : str
        Step and phase of the checkpoint.
    exact : bool

    Raises
    ------
    ClustlabError
        If the model cannot encode or decode, or has just been removed.
    """
    from clustlab.inspection import opened  # loads torch: nobody else here needs it

    step = kept_steps(view)[-1]
    model = opened(view.run, step)
    exact = view.decoder_rests or is_of(view, view.index, step, phase_of(view, model))
    codes = view.arrays["codes"][positions] if exact else encoded(view, model, positions)
    return model.decode(codes), titled(view, model, step), exact
