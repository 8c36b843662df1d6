r"""How well an autoencoder interpolates: the lines benchmark of the ACAI paper (Berthelot et al., ICLR 2019).

Two lines are encoded, their codes mixed in 16 steps, the mixes decoded. A good mix is a line (small *distance*), and
from step to step it turns by the same angle (small *smoothness*). No labels, no clusters: only pictures of lines.

Cosines are taken of images in −1 … 1, the range in which the authors' networks work. The black ground then makes all
images similar and distances small: fading one line out and another in scores 0.003. That the published distances are
of this range is inferred from the range of the networks; it fits their size.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from clustlab.data import load
from clustlab.data.lines import SOURCE, draw_lines
from clustlab.errors import RunError
from clustlab.runs import Run

__all__ = ["LineScores", "evaluate", "measure", "pairs"]

TRUE_LINES = 10_000
"""Evenly spaced lines with which a decoded image is compared."""

STEPS, PAIRS = 16, 256
"""Images of an interpolation, ends included, and interpolations of an evaluation."""

TURN = 1e-4
"""An interpolation whose ends are turned by less (radians) has no smoothness: nothing to divide by."""

CHUNK = 512
"""Images compared with all true lines at once."""


class LineScores(NamedTuple):
    r"""What the benchmark says of a set of interpolations.

    Attributes
    ----------
    distance : float
        Mean cosine distance of a decoded image to the nearest true line.
    smoothness : float
        Mean of :math:`\max_n |\Delta\theta_n| / |\theta_{16} - \theta_1| - \tfrac{1}{15}` over the interpolations, with
        the unwrapped angles θ of the nearest true lines: 0 if every step turns alike. NaN if it is defined for none.
    undefined : float
        Share of interpolations without smoothness, since their ends are turned by less than 10⁻⁴. The authors' code
        leaves them out of the sum and yet divides by the number of all, so that each counts as a perfect 0; here the
        mean is over the others.
    """

    distance: float
    smoothness: float
    undefined: float


def measure(images: np.ndarray) -> LineScores:
    """Return the scores of interpolations.

    Parameters
    ----------
    images : ndarray (m, s, 32, 32)
        Decoded mixes in 0 … 1, s ≥ 2 steps each.
    """
    m, steps = images.shape[:2]
    nearest, distance = _nearest_lines(images.reshape(m * steps, *images.shape[2:]))
    angles = np.unwrap(nearest.reshape(m, steps) * (2 * np.pi / TRUE_LINES), axis=1)
    turned = np.abs(angles[:, -1] - angles[:, 0])
    defined = turned >= TURN
    largest = np.abs(np.diff(angles[defined], axis=1)).max(axis=1)
    smoothness = largest / turned[defined] - 1 / (steps - 1)
    mean = float(smoothness.mean()) if defined.any() else float("nan")
    return LineScores(float(distance.mean()), mean, float(1 - defined.mean()))


def pairs(n: int, seed: int = 0) -> np.ndarray:
    """Return rows of the samples between which is interpolated: (256, 2), the two of a pair being different."""
    generator = np.random.default_rng(seed)
    first = generator.integers(n, size=PAIRS)
    return np.stack([first, (first + generator.integers(1, n, size=PAIRS)) % n], axis=1)


def evaluate(run: Run) -> LineScores:
    """Return the scores of a run's autoencoder, as its last checkpoint has it; loads torch.

    The same 256 pairs for every run. The paper reports the median over the last 20 evaluations of a training, this is
    one.

    Raises
    ------
    RunError
        If the run was not trained on lines.
    ClustlabError
        If its method cannot encode or decode, or it has no checkpoint.
    """
    if run.spec.data != SOURCE.name:
        raise RunError(f"the run {run.name} was trained on {run.spec.data}; this benchmark takes runs on {SOURCE.name}")
    from clustlab.inspection import open_model

    x = load(SOURCE.name).x
    first, second = pairs(len(x)).T
    mixes = open_model(run).interpolate(x[first], x[second], np.linspace(0, 1, STEPS))
    return measure(mixes)


@functools.cache
def _true_lines() -> np.ndarray:
    """Return the evenly spaced lines in 0 … 1, (1024, 10000)."""
    drawn = draw_lines(np.arange(TRUE_LINES) * (2 * np.pi / TRUE_LINES))
    return np.ascontiguousarray(drawn.reshape(TRUE_LINES, -1).T)


def _nearest_lines(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return index of the nearest true line and cosine distance to it for each image: (n, 32, 32) → (n,), (n,).

    For images x, y of D pixels in 0 … 1 the product of 2x − 1 and 2y − 1 is 4xy − 2Σx − 2Σy + D. Only xy is computed in
    single precision: beside the D of the ground it would lose the small differences that decide which line is nearest.
    """
    lines = _true_lines()
    inked, lengths = _ink_and_length(lines.T)
    index, distance = np.empty(len(images), np.int64), np.empty(len(images))
    for start in range(0, len(images), CHUNK):
        here = slice(start, start + CHUNK)
        some = images[here].reshape(-1, len(lines)).astype(np.float32)
        ink, length = _ink_and_length(some)
        product = 4.0 * (some @ lines).astype(np.float64) - 2 * ink[:, None] - 2 * inked + len(lines)
        similarity = product / np.maximum(length[:, None] * lengths, np.finfo(float).tiny)
        index[here], distance[here] = similarity.argmax(axis=1), 1 - similarity.max(axis=1)
    return index, distance


def _ink_and_length(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return Σx and ‖2x − 1‖ of images x as vectors, (n, D) → (n,), (n,)."""
    ink = images.sum(axis=1, dtype=np.float64)
    squares = np.einsum("nd,nd->n", images, images, dtype=np.float64)
    return ink, np.sqrt(4 * squares - 4 * ink + images.shape[1])
