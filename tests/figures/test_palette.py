from __future__ import annotations

import numpy as np

from clustlab.figures.palette import CLUSTER_COLOURS, NEUTRAL, SAFE, cluster_colour, colour_scale, rgb

DEFICIENCIES = {  # Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB
    "none": np.eye(3),
    "protanopia": np.array([[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]]),
    "deuteranopia": np.array([[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]]),
}
OKABE_ITO = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7", "#000000")


def linear(colours: tuple[str, ...]) -> np.ndarray:
    values = np.array([rgb(colour) for colour in colours]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def smallest_difference(colours: tuple[str, ...], deficiency: np.ndarray) -> float:
    """Smallest distance of two colours in Oklab, as somebody with the deficiency sees them."""
    cones = np.array([[0.412, 0.536, 0.051], [0.212, 0.681, 0.107], [0.088, 0.282, 0.630]])
    lab = np.array([[0.210, 0.794, -0.004], [1.978, -2.429, 0.451], [0.026, 0.783, -0.809]])
    seen = np.cbrt(np.clip(linear(colours) @ deficiency.T, 0, 1) @ cones.T) @ lab.T
    distances = np.linalg.norm(seen[:, None] - seen[None], axis=2)
    return float(distances[~np.eye(len(colours), dtype=bool)].min())


def test_the_first_twelve_stay_apart_for_all_eyes() -> None:
    for deficiency in DEFICIENCIES.values():
        measured = smallest_difference(CLUSTER_COLOURS[:SAFE], deficiency)
        assert measured > 0.07
    worst = smallest_difference(CLUSTER_COLOURS[:SAFE], DEFICIENCIES["deuteranopia"])
    assert worst >= 0.99 * smallest_difference(OKABE_ITO, DEFICIENCIES["deuteranopia"])


def test_all_colours_are_distinct_and_show_on_white_and_on_black() -> None:
    assert len(set(CLUSTER_COLOURS)) == 64
    assert smallest_difference(CLUSTER_COLOURS, np.eye(3)) > 0.05
    luminance = linear((*CLUSTER_COLOURS, NEUTRAL)) @ [0.2126, 0.7152, 0.0722]
    assert (1.05 / (luminance + 0.05)).min() > 1.5
    assert ((luminance + 0.05) / 0.05).min() > 2


def test_a_cluster_keeps_its_colour() -> None:
    assert cluster_colour(3) == CLUSTER_COLOURS[3] == cluster_colour(64 + 3)
    assert cluster_colour(-1) == NEUTRAL
    scale = colour_scale(5)
    low, high = scale["cmin"], scale["cmax"]
    for j in range(5):
        place = (j - low) / (high - low)
        assert [colour for stop, colour in scale["colorscale"] if stop <= place][-1] == cluster_colour(j)
