"""The lines benchmark, on pictures whose scores one knows."""

from __future__ import annotations

import numpy as np
import pytest

from clustlab.bench.lines import PAIRS, STEPS, evaluate, measure, pairs
from clustlab.data.lines import draw_lines
from clustlab.errors import RunError
from clustlab.runs import Run


def turned(first: float, last: float) -> np.ndarray:
    return draw_lines(np.linspace(first, last, STEPS))


def test_true_lines_at_equal_steps_are_perfect() -> None:
    scores = measure(np.stack([turned(0.3, 2.1), turned(6.0, 7.5), turned(1.0, -2.0)]))
    assert scores.distance == pytest.approx(0, abs=1e-6)
    assert scores.smoothness == pytest.approx(0, abs=1e-3)  # angles are known to 2π / 10,000
    assert scores.undefined == 0


def test_one_jump_among_still_pictures_is_as_rough_as_can_be() -> None:
    images = np.concatenate([np.repeat(draw_lines(np.array([angle])), STEPS // 2, axis=0) for angle in (0.2, 1.2)])
    assert measure(images[None]).smoothness == pytest.approx(1 - 1 / (STEPS - 1), abs=1e-9)


def test_pictures_that_never_turn_have_no_smoothness_and_count_for_nothing() -> None:
    still = np.repeat(draw_lines(np.array([0.5])), STEPS, axis=0)
    alone = measure(still[None])
    assert np.isnan(alone.smoothness)
    assert alone.undefined == 1
    jump = np.concatenate([still[: STEPS // 2], draw_lines(np.full(STEPS // 2, 1.5))])
    both = measure(np.stack([still, jump]))
    assert both.undefined == 0.5
    assert both.smoothness == measure(jump[None]).smoothness


def test_fading_from_one_line_to_another_is_told_from_turning() -> None:
    first, last = draw_lines(np.array([0.3, 2.1]))
    alpha = np.linspace(0, 1, STEPS)[:, None, None]
    faded = measure(((1 - alpha) * first + alpha * last)[None])
    assert faded.distance > 1e-3
    assert faded.smoothness > 0.8


def test_the_nearest_line_is_the_one_of_the_largest_cosine_in_double_precision() -> None:
    """Images in −1 … 1 are nearly alike; what decides lies beyond the sixth digit."""
    image = 0.6 * draw_lines(np.array([0.4])) + 0.2 * draw_lines(np.array([0.5]))
    lines = 2 * draw_lines(np.arange(10_000) * (2 * np.pi / 10_000)).reshape(10_000, -1).astype(float) - 1
    x = 2 * image.reshape(-1).astype(float) - 1
    cosines = lines @ x / np.linalg.norm(lines, axis=1) / np.linalg.norm(x)
    # The sum of some twenty products of pixels is right to about 1e-6 in single precision, in whatever order a machine
    # adds them up; of it 4 / 1024 remain.
    assert measure(np.stack([image[0], image[0]])[None]).distance == pytest.approx(1 - cosines.max(), abs=1e-8)


def test_pairs_are_of_two_samples_and_the_same_every_time() -> None:
    chosen = pairs(50)
    assert chosen.shape == (PAIRS, 2)
    assert (chosen[:, 0] != chosen[:, 1]).all()
    assert 0 <= chosen.min() < chosen.max() < 50
    assert np.array_equal(chosen, pairs(50))


def test_runs_on_other_data_are_refused(record: object) -> None:
    run: Run = record()  # type: ignore[operator]
    with pytest.raises(RunError, match="was trained on digits; this benchmark takes runs on lines"):
        evaluate(run)
