"""What decoders make of samples: the worst of all asked of the models that a run has kept, others as recorded."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from clustlab.errors import ClustlabError
from clustlab.figures.reconstructions import Remade, reconstructions
from clustlab.views.kept import kept_steps, remade, too_early
from clustlab.views.moment import View
from clustlab.views.panel import Panel

__all__ = ["RECONSTRUCTIONS"]

WORST = 10
"""Samples of a group that are shown: those with the largest errors."""


def draw_reconstructions(view: View) -> go.Figure:
    """Draw the samples with the largest errors, and those whose reconstruction was recorded."""
    errors = view.arrays["sample_loss"]
    worst = np.argsort(-errors, kind="stable")[:WORST]
    return reconstructions(errors, [_worst(view, worst), *_recorded(view)], names=view.rows)


def _worst(view: View, worst: np.ndarray) -> Remade:
    samples, which = view.samples(worst), "The worst of all"
    steps = kept_steps(view)
    if not steps:
        return Remade(f"{which}. {too_early(view)}: their x̂ cannot be asked for.", worst, samples)
    try:
        decoded, title, exact = remade(view, worst)
    except ClustlabError as error:
        return Remade(f"{which}. Their x̂ cannot be asked for: {error}.", worst, samples)
    late = f", kept before step {view.frame.step:,}" if steps[-1] < view.frame.step and not exact else ""
    old = ", whose decoder is that of the phase before" if view.decoder_rests else ""
    heading = f"{which}; under them squared errors, blue where x̂ < x. x̂ by the model of {title}{late}{old}."
    return Remade(heading, worst, samples, decoded)


def _recorded(view: View) -> list[Remade]:
    """Return the samples at the ends of the fixed strips, where a frame has those."""
    strips, pairs = view.arrays.get("strips"), view.run.sample.get("pairs")
    if strips is None or pairs is None:
        return []
    ends = pairs.ravel()
    worst = np.argsort(-view.arrays["sample_loss"][ends], kind="stable")[:WORST]
    decoded = strips[:, [0, -1]].reshape(-1, *strips.shape[2:])[worst]
    heading = "The worst ends of the fixed strips, x̂ as the frame has it."
    return [Remade(heading, ends[worst], view.samples(ends[worst]), decoded)]


RECONSTRUCTIONS = Panel(
    name="reconstructions",
    title="Reconstructions",
    question="What does the decoder make of the samples?",
    aid="A code that forgets what a sample looks like cannot be told from its neighbours by it either.",
    help=r"$\hat{x} = g(f(x))$, worst first. The number is $\tfrac{1}{D} \lVert x - \hat{x} \rVert^2$ at the moment "
    r"shown, as networks see the data, whose mean square is 1: an error of 0.1 means that a tenth of it is missing. "
    r"Frames hold the errors of the whole probe, but $\hat{x}$ of a few samples only: that of the worst is asked of "
    r"the latest checkpoint up to the moment. Where the decoder has not been trained since, it decodes the recorded "
    r"codes; elsewhere the model encodes the samples itself, and its own errors may be others.",
    needs=("sample_loss", "sample.thumbnails or sample.x"),
    draw=draw_reconstructions,
)
"""The panel of reconstructions."""
