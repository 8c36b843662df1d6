"""What a figure shows equals the arrays that it was given."""

from __future__ import annotations

import base64
import io
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go
import pytest

from clustlab.figures.centroids import centroids, nearest_samples
from clustlab.figures.confidence import confidence
from clustlab.figures.confusion import confusion, matching
from clustlab.figures.curves import curves
from clustlab.figures.interpolation import interpolation, smaller_share
from clustlab.figures.latent import latent
from clustlab.figures.p_and_q import contributions, least_certain, p_and_q, p_and_q_all
from clustlab.figures.palette import CLUSTER_COLOURS, cluster_colour, rgb
from clustlab.figures.pictures import as_pixels, cluster_pixels, sheet
from clustlab.figures.strip_history import strip_history


@pytest.fixture
def generator() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def q(generator: np.random.Generator) -> np.ndarray:
    return generator.dirichlet(np.full(4, 0.5), size=300).astype(np.float16)


@pytest.fixture
def p(q: np.ndarray) -> np.ndarray:
    weight = q.astype(np.float64) ** 2 / q.astype(np.float64).sum(axis=0)
    return (weight / weight.sum(axis=1, keepdims=True)).astype(np.float16)


def texts(figure: go.Figure) -> str:
    return " ".join(str(annotation.text) for annotation in figure.layout.annotations)


def written(figure: go.Figure) -> list[str]:
    """Return what is printed by traces, not by annotations."""
    return [text for trace in figure.data if "mode" in trace and trace.mode == "text" for text in trace.text]


def pixels(figure: go.Figure) -> np.ndarray:
    from PIL import Image

    source = next(trace.source for trace in figure.data if trace.type == "image")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))))


def test_figures_load_neither_torch_nor_streamlit_nor_runs() -> None:
    code = (
        "import sys, pkgutil, importlib, clustlab.figures as f\n"
        "for m in pkgutil.iter_modules(f.__path__): importlib.import_module(f'clustlab.figures.{m.name}')\n"
        "print({'torch', 'streamlit', 'umap', 'clustlab.runs'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"


def test_the_bars_are_q_and_p(q: np.ndarray, p: np.ndarray) -> None:
    figure = p_and_q(q, p, selected=7)
    bars = {trace.name: trace for trace in figure.data if trace.type == "bar"}
    np.testing.assert_array_equal(bars["Q"].y, q[7])
    np.testing.assert_array_equal(bars["P"].y, p[7])
    assert list(bars["P"].marker.color) == [cluster_colour(j) for j in range(4)]
    expected = p[7].astype(np.float64) * np.log(p[7].astype(np.float64) / q[7].astype(np.float64))
    np.testing.assert_allclose(bars["P"].customdata, expected, rtol=1e-9)
    assert f"KL(P‖Q) = {expected.sum():.3g} nats" in texts(figure)


def test_contributions_are_zero_where_the_target_is() -> None:
    assert contributions(np.array([0.0, 1.0]), np.array([0.5, 0.5])) == pytest.approx([0, np.log(2)])


def test_without_a_selection_the_least_certain_sample_is_shown(q: np.ndarray, p: np.ndarray) -> None:
    q[123] = [0.5, 0.5, 0, 0]
    assert least_certain(q) == 123
    assert "sample #123 (the least certain one)" in texts(p_and_q(q, p))
    assert least_certain(q[:, :1]) == 0


def test_the_scatter_shows_pairs_that_are_there(q: np.ndarray, p: np.ndarray) -> None:
    cloud = next(trace for trace in p_and_q(q, p).data if trace.name == "all entries")
    there = set(zip(q.astype(np.float32).ravel().tolist(), p.astype(np.float32).ravel().tolist(), strict=True))
    assert set(zip(np.asarray(cloud.x).tolist(), np.asarray(cloud.y).tolist(), strict=True)) <= there
    assert 500 <= len(cloud.x) <= 2000


def test_without_a_target_q_stands_alone_and_the_figure_says_so(q: np.ndarray) -> None:
    labels = q.argmax(axis=1)
    for figure in (p_and_q(q), p_and_q_all(q, labels)):
        assert "no target P" in texts(figure)
    assert [trace.name for trace in p_and_q(q).data] == ["Q"]
    assert sum(trace.type == "heatmap" for trace in p_and_q_all(q, labels).data) == 1


def test_heatmaps_hold_the_samples_they_name(q: np.ndarray, p: np.ndarray) -> None:
    labels = q.argmax(axis=1)
    figure = p_and_q_all(q, labels, p)
    maps = [trace for trace in figure.data if trace.type == "heatmap"]
    rows = np.asarray(maps[0].customdata)[:, 0]
    assert len(rows) <= 200
    np.testing.assert_array_equal(maps[0].z, q[rows].astype(np.float32))
    np.testing.assert_array_equal(maps[1].z, p[rows].astype(np.float32))
    np.testing.assert_allclose(maps[2].z, p[rows].astype(np.float32) - q[rows].astype(np.float32))
    assert (np.diff(labels[rows]) >= 0).all()
    assert all(each.meta == {"rows": rows.tolist()} for each in maps), "so that a page can put samples forward"
    bars = next(trace for trace in figure.data if trace.type == "bar")
    np.testing.assert_allclose(bars.y, q.astype(np.float64).mean(axis=0), rtol=1e-6)


def test_heatmaps_name_samples_by_their_rows_in_the_data(q: np.ndarray, p: np.ndarray) -> None:
    called = 1000 + 3 * np.arange(len(q))
    figure = p_and_q_all(q, q.argmax(axis=1), p, rows=called)
    for each in (trace for trace in figure.data if trace.type == "heatmap"):
        positions = each.meta["rows"]
        np.testing.assert_array_equal(np.asarray(each.customdata)[:, 0], called[positions])
        assert each.hovertemplate.startswith("sample #%{customdata}")


def test_confidence_counts_every_sample_once(generator: np.random.Generator) -> None:
    values, labels = generator.random(500), generator.integers(0, 3, 500)
    figure = confidence(values, labels, 3, soft=True)
    assert [int(sum(trace.y)) for trace in figure.data] == np.bincount(labels).tolist()
    assert [trace.marker.color for trace in figure.data] == list(CLUSTER_COLOURS[:3])


def test_confusion_puts_the_best_matching_on_the_diagonal() -> None:
    y = np.repeat([0, 1, 2], 10)
    labels = np.repeat([2, 0, 1], 10)
    labels[0] = 0
    figure = confusion(labels, y, 4, ["a", "b", "c"])
    table = figure.data[0]
    assert list(table.y) == ["cluster 2", "cluster 0", "cluster 1", "cluster 3"]
    assert list(table.x) == ["a", "b", "c"]
    np.testing.assert_array_equal(table.z, [[9, 0, 0], [1, 10, 0], [0, 0, 10], [0, 0, 0]])
    assert "96.7%" in texts(figure)
    assert table.meta["selects"] == ["cluster", "class"]
    assert [table.customdata[0, 2].tolist(), table.customdata[3, 0].tolist()] == [[2, 2], [3, 0]]
    assert sorted(matching(np.array([[1, 5, 2], [4, 0, 0]]))) == [0, 1]


def test_latent_draws_every_sample_in_its_colour(generator: np.random.Generator) -> None:
    points, labels = generator.normal(size=(90, 2)), np.arange(90) % 3
    trails = generator.normal(size=(5, 3, 2))
    figure = latent(points, points[:3], labels, trails=trails, selected=4)
    for cluster in range(3):
        trace = next(trace for trace in figure.data if trace.name == f"cluster {cluster}")
        np.testing.assert_array_equal(trace.x, points[labels == cluster, 0])
        assert trace.marker.color == cluster_colour(cluster)
    marks = next(trace for trace in figure.data if trace.name == "centroids")
    np.testing.assert_array_equal(marks.y, points[:3, 1])
    assert sum(trace.mode == "lines" for trace in figure.data) == 9
    graded = latent(points, points[:3], labels, colour="confidence", values=points[:, 0])
    np.testing.assert_array_equal(graded.data[0].marker.color, points[:, 0])


def test_strips_are_the_decoded_images(generator: np.random.Generator) -> None:
    strips = generator.random((2, 5, 8, 8)).astype(np.float16)
    labels = np.array([[0, 0, 1, 1, 1], [2, 2, 2, 3, 3]], np.int16)
    guess = generator.random((2, 5)).astype(np.float16)
    ends = generator.integers(0, 255, (2, 2, 8, 8)).astype(np.uint8)
    alpha = np.linspace(0, 1, 5).astype(np.float32)
    figure = interpolation(strips, alpha, strip_labels=labels, critic_guess=guess, ends=ends)
    raster = pixels(figure)
    cell = raster.shape[1] // 7
    np.testing.assert_array_equal(raster[1:9, 1:9, 0], ends[0, 0])
    expected = np.round(strips[0, 2].astype(np.float32) * 255)
    np.testing.assert_array_equal(raster[1:9, 3 * cell + 1 : 3 * cell + 9, 0], expected)
    assert tuple(raster[9, 3 * cell + 4]) == (*rgb(cluster_colour(1)), 255)
    assert raster[9, 4, 3] == 0  # a real sample has no bar
    printed = written(figure)
    assert f"{float(guess[1, 4]):.2f}" in printed
    assert printed.count("real") == 2
    np.testing.assert_allclose(smaller_share(alpha), [0, 0.25, 0.5, 0.25, 0])


def test_guesses_below_zero_are_as_wide_as_others() -> None:
    guess = np.array([[-0.001, -0.214, 0.214]])
    figure = interpolation(np.zeros((1, 3, 8, 8)), np.array([0.0, 0.5, 1]), critic_guess=guess)
    assert written(figure)[:3] == ["0.00", "−.21", "0.21"]


def test_the_history_has_a_row_for_each_moment(generator: np.random.Generator) -> None:
    figure = strip_history(generator.random((3, 4, 8, 8)), [0, 50, 1200], np.linspace(0, 1, 4))
    assert list(figure.layout.yaxis.ticktext) == ["step 0", "step 50", "step 1,200"]
    height, width = pixels(figure).shape[:2]
    assert np.diff(figure.layout.yaxis.tickvals) == pytest.approx(height / 3 / (width / 4))


def test_centroids_stand_beside_their_nearest_samples(generator: np.random.Generator) -> None:
    codes = generator.normal(size=(50, 3))
    near = nearest_samples(codes, codes[[4, 9, 30]])
    assert near[:, 0].tolist() == [4, 9, 30]
    pictures = generator.integers(0, 255, (50, 8, 8)).astype(np.uint8)
    figure = centroids(generator.random((3, 8, 8)), np.array([20, 20, 10]), pictures[near], near)
    raster = pixels(figure)
    assert tuple(raster[0, 0]) == (*rgb(cluster_colour(0)), 255)
    np.testing.assert_array_equal(raster[1:9, 11:19, 0], pictures[4])
    assert written(figure) == ["cluster 0: 20 (40%)", "cluster 1: 20 (40%)", "cluster 2: 10 (20%)"]


def test_curves_are_the_series_and_the_line_is_the_step() -> None:
    steps = np.arange(0, 100, 10.0)
    figure = curves(
        {"reconstruction": (steps, steps / 100)},
        {"acc": (steps, steps / 200)},
        [("autoencoder", 0, 60), ("clustering", 60, 90)],
        step=40,
        logarithmic=True,
    )
    np.testing.assert_array_equal(figure.data[0].y, steps / 100)
    np.testing.assert_array_equal(figure.data[1].y, steps / 200)
    assert figure.data[1].name == "ACC"
    assert figure.layout.yaxis.type == "log"
    assert figure.layout.yaxis2.tickformat is None, "0.843 in the head of the page is 0.843 here"
    assert "0 … 1" in figure.layout.yaxis2.title.text
    assert figure.data[1].hovertemplate == "%{y:.3f}"
    assert {shape.x0 for shape in figure.layout.shapes if shape.type == "line"} == {40}
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes if shape.type == "rect"] == [(0, 60), (60, 90)]
    assert "autoencoder" in texts(figure)


def test_long_curves_are_thinned_but_keep_their_ends() -> None:
    steps = np.arange(50_000.0)
    line = curves({"loss": (steps, steps)}, {}).data[0]
    assert len(line.x) <= 600
    assert (line.x[0], line.x[-1]) == (0, 49_999)


def test_vectors_are_drawn_on_one_scale() -> None:
    drawn = as_pixels(np.array([[1.0, -1, 0.5], [0, 0, 0.25]]))
    blue = (drawn[..., 2] == 178) & (drawn[..., 3] == 255)
    assert blue[0, :, 0].sum() == 2 * blue[0, :, -1].sum()
    assert blue[0, :, -1].sum() == 2 * blue[1, :, -1].sum()


def test_values_beyond_the_range_and_not_numbers_are_drawn_in_range() -> None:
    drawn = as_pixels(np.array([[[2.0, -1.0], [np.nan, 0.5]]]))
    assert drawn[0, ..., 0].tolist() == [[255, 0], [0, 128]]
    assert as_pixels(np.zeros((1, 4, 4, 3), np.float32)).shape == (1, 4, 4, 4)


def test_a_sheet_places_pictures_where_it_says(generator: np.random.Generator) -> None:
    made = sheet(as_pixels(generator.random((6, 10, 10))).reshape(2, 3, 10, 10, 4), below=0.5)
    assert made.trace.x0 - made.trace.dx / 2 == pytest.approx(-0.5)
    assert made.pitch > 1.4
    assert cluster_pixels(np.array([-1, 0]))[:, 3].tolist() == [0, 255]


def all_figures() -> list[Callable[[], go.Figure]]:
    generator = np.random.default_rng(1)
    soft, labels = generator.dirichlet(np.ones(5), size=40), np.arange(40) % 5
    strips, alpha = generator.random((3, 7, 6)), np.linspace(0, 1, 7)
    return [
        lambda: latent(generator.normal(size=(40, 2)), np.zeros((5, 2)), labels, remark="A sentence."),
        lambda: p_and_q(soft, soft),
        lambda: p_and_q(soft),
        lambda: p_and_q_all(soft, labels, soft),
        lambda: interpolation(strips, alpha),
        lambda: strip_history(strips, [1, 2, 3], alpha),
        lambda: centroids(strips[0], np.ones(7, int), strips[:1].repeat(7, axis=0), np.zeros((7, 7), int)),
        lambda: curves({"loss": (np.arange(3.0), np.arange(3.0))}, {}),
        lambda: confidence(soft.max(axis=1), labels, 5, soft=False),
        lambda: confusion(labels, labels, 5),
    ]


@pytest.mark.parametrize("build", all_figures())
def test_every_figure_keeps_the_view_and_takes_its_text_colour_from_the_page(build: Callable[[], go.Figure]) -> None:
    figure = build()
    assert figure.layout.uirevision == "clustlab"
    assert figure.layout.height >= 100
    assert figure.layout.template.layout.font.size >= 14
    assert figure.layout.template.layout.paper_bgcolor == "rgba(0,0,0,0)"
    assert figure.layout.font.color is None
    assert all(note.font.color is None and note.font.size >= 14 for note in figure.layout.annotations)
    assert len(figure.to_json()) < 400_000
