"""A data set drawn before anything is trained."""

from __future__ import annotations

import numpy as np
import pytest

from clustlab.figures.palette import NEUTRAL, cluster_colour
from clustlab.figures.samples import class_counts, plane


def test_every_class_has_its_colour_its_bar_and_its_share() -> None:
    figure = class_counts([30, 10], ["cat", "dog"])
    (bars,) = figure.data
    assert list(bars.x) == [30, 10]
    assert list(bars.marker.color) == [cluster_colour(0), cluster_colour(1)]
    assert [row[1] for row in bars.customdata] == pytest.approx([0.75, 0.25])
    assert [text.strip() for text in figure.layout.yaxis.ticktext] == ["cat", "dog"]


def test_samples_stand_in_the_plane_in_the_colours_of_their_classes() -> None:
    points = np.arange(6.0).reshape(3, 2)
    figure = plane(points, np.array([0, 1, 0]), ["cat", "dog"], (0.5, 0.25))
    cats, dogs = figure.data
    assert list(cats.x) == [0, 4]
    assert dogs.marker.color == cluster_colour(1)
    assert "50%" in figure.layout.xaxis.title.text
    (alone,) = plane(points, None, [], (0.5, 0.25)).data
    assert alone.marker.color == NEUTRAL
    assert not alone.showlegend
