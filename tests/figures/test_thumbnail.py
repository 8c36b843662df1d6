"""Stamps: dots where the points are, samples as they are."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
import pytest

from clustlab.figures.palette import CLUSTER_COLOURS, NEUTRAL, rgb
from clustlab.figures.thumbnail import map_thumbnail, sample_rows, sample_strip


def pixels(source: str) -> np.ndarray:
    """The picture in a data URI as written by ``style.png``: RGBA, no filters."""
    content = base64.b64decode(source.removeprefix("data:image/png;base64,"))
    width, height = struct.unpack(">II", content[16:24])
    start = content.index(b"IDAT") + 4
    length = struct.unpack(">I", content[start - 8 : start - 4])[0]
    rows = np.frombuffer(zlib.decompress(content[start : start + length]), np.uint8).reshape(height, 1 + 4 * width)
    return rows[:, 1:].reshape(height, width, 4)


def colours(picture: np.ndarray) -> set[tuple[int, ...]]:
    return {tuple(map(int, colour)) for colour in picture[picture[..., 3] > 0][:, :3]}


def test_points_are_dots_in_the_colours_of_their_clusters() -> None:
    points = np.array([[0.0, 0.0], [2.0, 1.0], [1.0, 0.5], [np.nan, 0.0]])
    picture = pixels(map_thumbnail(points, np.array([0, 1, -1, 2]), width=60, height=40))
    assert picture.shape == (40, 60, 4)
    assert colours(picture) == {rgb(CLUSTER_COLOURS[0]), rgb(CLUSTER_COLOURS[1]), rgb(NEUTRAL)}
    rows, columns = np.nonzero((picture[..., :3] == rgb(CLUSTER_COLOURS[0])).all(axis=2) & (picture[..., 3] > 0))
    assert rows.min() > 20  # y grows upwards
    assert columns.max() < 30


@pytest.mark.parametrize("count", [0, 1])
def test_a_map_of_almost_nothing_can_be_drawn(count: int) -> None:
    picture = pixels(map_thumbnail(np.zeros((count, 2)), np.zeros(count, int)))
    assert (picture[..., 3] > 0).any() == bool(count)


def test_the_strip_has_one_sample_of_each_class_first() -> None:
    x = np.linspace(0, 1, 30)[:, None, None] * np.ones((1, 4, 4))
    y = np.arange(30) // 10
    picture = pixels(sample_strip(x, y, count=4))
    shown = [int(picture[0, 5 * column, 0]) for column in range(4)]
    assert shown == [round(float(x[row, 0, 0]) * 255) for row in (0, 10, 20, 1)]


@pytest.mark.parametrize("shape", [(50, 2), (50, 1), (50, 7)])
def test_vectors_are_a_small_scatter(shape: tuple[int, int]) -> None:
    picture = pixels(sample_strip(np.random.default_rng(0).normal(size=shape)))
    assert colours(picture) == {rgb(NEUTRAL)}


def test_each_class_has_a_row_of_its_own() -> None:
    x = np.stack([np.full((4, 4), value) for value in (0.2, 1.0, 0.2, 1.0, 1.0)])
    picture = pixels(sample_rows(x, np.array([0, 1, 0, 1, 1]), count=3))
    assert picture.shape[:2] == (4 + 1 + 4, 3 * 5 - 1)
    assert (picture[0, :4, 0] == 51).all()
    assert (picture[5, :4, 0] == 255).all()
    assert (picture[0, 10:, 3] == 0).all(), "there are two samples of the first class"


def test_without_classes_the_first_samples_stand_in_rows() -> None:
    picture = pixels(sample_rows(np.random.default_rng(0).random((7, 4, 4)), count=2))
    assert picture.shape[:2] == (3 * 4 + 2, 2 * 5 - 1)
