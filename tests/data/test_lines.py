from __future__ import annotations

import numpy as np
import pytest

from clustlab.data.lines import LENGTH, SIDE, draw_lines

ANGLES = np.linspace(0, 2 * np.pi, 13)[:-1]
ROWS, COLUMNS = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2


@pytest.mark.parametrize("angle", ANGLES)
def test_a_line_runs_from_the_centre_at_its_angle(angle: float) -> None:
    (image,) = draw_lines(np.array([angle]))
    ink = image.sum()
    x, y = (image * COLUMNS).sum() / ink, -(image * ROWS).sum() / ink
    assert np.hypot(x, y) == pytest.approx(LENGTH / 2, abs=0.5)  # centre of mass: half-way along
    assert np.angle((x + 1j * y) / np.exp(1j * angle)) == pytest.approx(0, abs=0.02)


def test_lines_of_all_angles_are_drawn_with_about_as_much_ink() -> None:
    ink = draw_lines(np.linspace(0, 2 * np.pi, 100)).sum(axis=(1, 2))
    assert np.ptp(ink) / ink.mean() < 0.15


def test_a_line_moves_smoothly_with_its_angle() -> None:
    """Anti-aliased: a turn of a hundredth of a degree changes the picture, by little."""
    before, after = draw_lines(np.array([0.7, 0.7 + np.pi / 18000]))
    assert 0 < np.abs(after - before).max() < 0.01
