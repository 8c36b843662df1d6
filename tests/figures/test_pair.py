"""Between two samples: pictures, clusters, borders and guesses stand where the model puts them."""

from __future__ import annotations

import dataclasses

import numpy as np
import plotly.graph_objects as go
import pytest

from clustlab.figures.pair import Way, crossings, pair
from clustlab.figures.palette import cluster_colour

ALPHA = np.linspace(0, 1, 5)
FINE = np.linspace(0, 1, 11)


@pytest.fixture
def way() -> Way:
    generator = np.random.default_rng(0)
    return Way(
        title="step 40 (clustering)",
        pictures=generator.random((5, 8, 8)).astype(np.float32),
        clusters=np.array([2, 2, 2, 0, 0]),
        again=np.array([2, 2, 0, 0, 0]),
        guesses=np.array([0.0, 0.1, 0.2, -0.01, 0.0]),
        fine=FINE,
        fine_clusters=np.where(FINE < 0.66, 2, 0),
        beliefs=np.stack([FINE, np.zeros(11), 1 - FINE], axis=1),
    )


def texts(figure: go.Figure) -> str:
    return " ".join(str(annotation.text) for annotation in figure.layout.annotations)


def printed(figure: go.Figure) -> list[list[str]]:
    return [list(trace.text) for trace in figure.data if trace.type == "scatter" and trace.mode == "text"]


def drawn(way: Way, *earlier: Way) -> go.Figure:
    return pair([*earlier, way], ALPHA, np.zeros((2, 8, 8), np.uint8), heading=["#1 to #2"])


def test_borders_are_half_way_between_two_places() -> None:
    assert crossings(FINE, np.where(FINE < 0.66, 2, 0)) == [(pytest.approx(0.65), 2, 0)]
    assert crossings(FINE, np.zeros(11, np.int64)) == []


def test_pictures_tell_cluster_guess_and_what_encoding_again_says(way: Way) -> None:
    figure = drawn(way)
    hover = next(trace for trace in figure.data if trace.type == "scatter" and trace.mode == "markers").hovertext
    assert hover[2] == (
        "step 40 (clustering)<br>α = 0.50<br>cluster 2<br>encoded again: cluster 0<br>the critic guesses 0.200"
    )
    assert "4 of 5 agree" in texts(figure)
    rows = [row for row in printed(figure) if len(row) == 7]
    assert rows[0][1:4] == ["<b>.00</b>", "<b>.25</b>", "<b>.50</b>"]
    assert rows[1] == ["", ".00", ".10", ".20", "−.01", ".00", ""]


def test_curves_and_borders_stand_under_the_pictures_they_belong_to(way: Way) -> None:
    figure = drawn(way)
    curves = {trace.name: trace for trace in figure.data if trace.name and trace.name.startswith("cluster")}
    assert list(curves) == ["cluster 0", "cluster 2"]  # nobody believes in the other one
    assert curves["cluster 2"].line.color == cluster_colour(2)
    np.testing.assert_allclose(curves["cluster 2"].x, 1 + 4 * FINE)
    (border,) = [shape for shape in figure.layout.shapes if shape.line.dash == "dot"]
    assert border.x0 == pytest.approx(1 + 4 * 0.65)


def test_every_checkpoint_has_a_row_where_there_are_several(way: Way) -> None:
    earlier = dataclasses.replace(way, title="step 8 (autoencoder)")
    assert sum(trace.type == "image" for trace in drawn(way).data) == 1
    figure = drawn(way, earlier)
    assert sum(trace.type == "image" for trace in figure.data) == 3
    assert [row[0] for row in printed(figure) if row[0].startswith("step")] == [
        "step 8 (autoencoder)",
        "step 40 (clustering)",
    ]


def test_without_decoder_and_critic_the_clusters_remain(way: Way) -> None:
    figure = drawn(dataclasses.replace(way, pictures=None, again=None, guesses=None, beliefs=None), way)
    assert sum(trace.type == "image" for trace in figure.data) == 1
    assert "The bar is the cluster of the mixed code." in texts(figure)
    assert "critic" not in texts(figure)


def test_vectors_are_drawn_as_profiles(way: Way) -> None:
    vectors = dataclasses.replace(way, pictures=np.random.default_rng(0).normal(size=(5, 3)))
    figure = pair([vectors], ALPHA, np.zeros((2, 3), np.float32))
    assert figure.data[0].type == "image"
