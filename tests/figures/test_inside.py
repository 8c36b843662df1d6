"""What methods observe of themselves is drawn as it was recorded: diagonals, ellipses, orders, alarms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go
import pytest
from figure_helpers import pieces, pixels, texts, trace, trace_of_texts

from clustlab.figures.arrows import pull, split_copies, three_pulls
from clustlab.figures.counting import counting, dead_clusters
from clustlab.figures.critic import critic_calibration
from clustlab.figures.discriminator import discriminator_logits, landscape
from clustlab.figures.eigenvalues import eigengap, largest_gap, scree
from clustlab.figures.galleries import eigen_images, prior_samples, style_grid
from clustlab.figures.mixture import active_components, mixture
from clustlab.figures.palette import cluster_colour, rgb
from clustlab.figures.pictures import signed_pixels
from clustlab.figures.plane import ellipse, plane_range
from clustlab.figures.reconstructions import Remade, reconstructions
from clustlab.figures.spectrum import correlations, singular_spectrum, spectrum
from clustlab.figures.subspaces import affinity, principal_angles, residuals
from clustlab.figures.variational import divergence_parts, kl_per_dimension, posterior
from clustlab.figures.vital_signs import alarms, vital_signs

N, K = 60, 3


@pytest.fixture
def generator() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def points(generator: np.random.Generator) -> np.ndarray:
    return generator.normal(size=(N, 2))


@pytest.fixture
def labels() -> np.ndarray:
    return (np.arange(N) % K).astype(np.int16)


# ---- spectra ---------------------------------------------------------------------------------------------------------


def test_the_spectrum_is_that_of_the_covariance(generator: np.random.Generator) -> None:
    codes = generator.normal(size=(200, 4)) * [5, 2, 1, 1]
    codes[:, 3] = codes[:, 2]
    expected = np.sqrt(np.linalg.eigvalsh(np.cov(codes.T, bias=True)).clip(min=0))[::-1]
    np.testing.assert_allclose(singular_spectrum(codes), expected, atol=1e-6)
    np.testing.assert_allclose(correlations(codes), np.corrcoef(codes.T), atol=1e-9)
    figure = spectrum(codes)
    np.testing.assert_allclose(figure.data[0].y, expected, atol=1e-6)
    np.testing.assert_allclose(figure.data[1].z, np.corrcoef(codes.T), atol=1e-6)
    assert "1 pairs of coordinates are correlated beyond 0.9" in texts(figure)


def test_coordinates_that_never_change_are_correlated_with_nothing() -> None:
    assert correlations(np.array([[1.0, 2], [1, 3], [1, 4]]))[0].tolist() == [0, 0]
    assert "effective rank 1.0 of 2" in texts(spectrum(np.array([[1.0, 2], [1, 3], [1, 4]])))


def test_a_scree_adds_up() -> None:
    figure = scree(np.array([0.5, 0.25, 0.125], np.float32))
    np.testing.assert_allclose(figure.data[0].y, [0.5, 0.25, 0.125])
    np.testing.assert_allclose(figure.data[1].y, [0.5, 0.75, 0.875])
    assert "3 axes hold 88% of the variance, the first 1 half of it" in texts(figure)


def test_the_eigengap_follows_the_last_small_eigenvalue() -> None:
    values = np.array([0, 0.01, 0.02, 0.5, 0.55])
    assert largest_gap(values) == 3
    figure = eigengap(values, 4)
    np.testing.assert_allclose(trace(figure, "step to the next").y, np.diff(values))
    assert [shape.x0 for shape in figure.layout.shapes] == [4.5]
    assert "which suggests 3 clusters; 4 were asked for" in texts(figure)
    assert "as many as were asked for" in texts(eigengap(values, 3))


# ---- mixtures and posteriors -----------------------------------------------------------------------------------------


def test_an_ellipse_has_the_axes_of_its_covariance(generator: np.random.Generator) -> None:
    factor = generator.normal(size=(2, 2))
    covariance, mean = factor @ factor.T, np.array([3.0, -1])
    outline = ellipse(mean, covariance, 2.0) - mean
    squared = np.einsum("ia,ab,ib->i", outline, np.linalg.inv(covariance), outline)
    np.testing.assert_allclose(squared, 4)  # two standard deviations everywhere
    variances, axes = np.linalg.eigh(covariance)
    reach = np.abs(outline @ axes).max(axis=0)
    np.testing.assert_allclose(reach, 2 * np.sqrt(variances), rtol=2e-3)
    np.testing.assert_array_equal(outline[0].round(9), outline[-1].round(9))


def test_components_are_drawn_where_they_are(points: np.ndarray, labels: np.ndarray) -> None:
    means, spread = points[:K], np.stack([np.diag([1.0 + j, 0.25]) for j in range(K)])
    weights = np.array([0.5, 0.49, 0.01])
    figure = mixture(points, labels, means, spread, weights)
    outlines = [each for each in figure.data if str(each.name).startswith("component ")]
    for j, outline in enumerate(outlines):
        assert f"π = {weights[j]:.3f}" in outline.name
        assert np.ptp(outline.x) == pytest.approx(4 * np.sqrt(1 + j), rel=2e-3)
        assert np.ptp(outline.y) == pytest.approx(2, rel=2e-3)
        assert outline.line.color.startswith(f"rgba({','.join(map(str, rgb(cluster_colour(j))))}")
    assert outlines[2].line.color.endswith("0.4)")  # next to no weight: faint
    np.testing.assert_array_equal(trace(figure, "weights").y, weights)
    assert active_components(weights) == pytest.approx(np.exp(-(weights * np.log(weights)).sum()))
    assert f"{active_components(weights):.1f} of 3" in texts(figure)
    assert active_components(np.array([0.5, 0.5, 0.0])) == pytest.approx(2)


def test_without_weights_there_are_no_bars(points: np.ndarray, labels: np.ndarray) -> None:
    figure = mixture(points, labels, points[:K], np.stack([np.eye(2)] * K))
    assert not [each for each in figure.data if each.type == "bar"]


def test_whiskers_reach_one_standard_deviation(points: np.ndarray, labels: np.ndarray) -> None:
    deviations = np.stack([np.full(N, 0.5), np.full(N, 0.1)], axis=1)
    figure = posterior(points, deviations, labels, prior=np.zeros(2))
    own = np.flatnonzero(labels == 1)
    whiskers = np.stack([figure.data[1].x, figure.data[1].y], axis=1).reshape(-1, 6, 2)
    np.testing.assert_allclose(whiskers[:, 1, 0] - whiskers[:, 0, 0], 1.0)
    np.testing.assert_allclose(whiskers[:, 4, 1] - whiskers[:, 3, 1], 0.2)
    np.testing.assert_allclose(whiskers[:, :2].mean(axis=1), points[own])
    circle = trace(figure, "prior: two standard deviations")
    np.testing.assert_allclose(np.hypot(circle.x, circle.y), 2)


def test_dead_coordinates_are_marked() -> None:
    figure = kl_per_dimension(np.array([1.5, 0.001, 0.5, 0.0]))
    assert list(trace(figure, "in use: 2").x) == [0, 2]
    assert list(trace(figure, "dead: 2").x) == [1, 3]
    assert "2 of 4 coordinates are dead" in texts(figure)


def test_the_parts_of_a_divergence_add_up(generator: np.random.Generator, labels: np.ndarray) -> None:
    parts = generator.normal(size=(N, 3))
    figure = divergence_parts(parts, labels, K)
    bars = [each for each in figure.data if each.type == "bar"]
    by_cluster = np.stack([parts[labels == j].mean(axis=0) for j in range(K)])
    np.testing.assert_allclose(np.stack([bars[i].y for i in (0, 2, 4)], axis=1), by_cluster)
    sums = [each for each in figure.data if each.name == "sum"]
    np.testing.assert_allclose(sums[0].y, by_cluster.sum(axis=1))
    np.testing.assert_allclose(sums[1].y, np.sort(parts.sum(axis=1)))


# ---- centroids that count, arrows ------------------------------------------------------------------------------------


def test_counts_are_drawn_with_their_step_sizes_and_dead_clusters_named() -> None:
    counts, lag = np.array([100.0, 400, 1]), np.array([0.1, 0.3, 0.2])
    figure = counting(counts, lag, np.array([10, 40, 5]))
    np.testing.assert_array_equal(trace(figure, "samples counted").y, counts)
    np.testing.assert_allclose(trace(figure, "step size 1/c").y, 1 / counts)
    assert "Dead clusters: 2." in texts(figure)
    assert "cluster 1 lags most, by 0.3" in texts(figure)
    assert dead_clusters(None, np.array([0, 3])).tolist() == [0]
    assert "No cluster is dead" in texts(counting(None, lag, np.array([1, 1, 1])))


def test_arrows_lead_from_the_codes_to_their_targets(points: np.ndarray, labels: np.ndarray) -> None:
    targets = points + [1.0, 2.0]
    figure = pull(points, targets, labels)
    starts, ends = pieces(trace(figure, "pull, cluster 1"))
    np.testing.assert_allclose(starts, points[labels == 1])
    np.testing.assert_allclose(ends, targets[labels == 1])
    assert trace(figure, "pull, cluster 1").marker.angleref == "previous"


def test_the_selected_sample_has_its_arrow(labels: np.ndarray) -> None:
    many = np.stack([np.arange(1000.0), np.zeros(1000)], axis=1)
    figure = pull(many, many + 1, np.zeros(1000, np.int16), selected=501)
    assert 501 in pieces(trace(figure, "pull, cluster 0"))[0][:, 0]
    assert list(trace(figure, "selected").x) == [501]


def test_copies_and_duals_follow_one_another(points: np.ndarray, labels: np.ndarray) -> None:
    copies, duals = points + 1, np.full((N, 2), 0.25)
    figure = split_copies(points, copies, duals, labels)
    np.testing.assert_allclose(pieces(trace(figure, "z to y, cluster 0"))[1], copies[labels == 0])
    starts, ends = pieces(trace(figure, "u, cluster 0"))
    np.testing.assert_allclose(starts, copies[labels == 0])
    np.testing.assert_allclose(ends - starts, 0.25)
    assert "in this plane: 1.41" in texts(figure)


def test_three_losses_pull_at_the_same_codes(points: np.ndarray, labels: np.ndarray) -> None:
    steps = np.zeros((10, 3, 2))
    steps[:, 0], steps[:, 1], steps[:, 2] = [1, 0], [0, 50], [-0.1, 0]
    figure = three_pulls(points, steps, labels)
    lengths = []
    for loss, direction in (("ABC", [1, 0]), ("Gaussian-KLD", [0, 1]), ("DCAN", [-1, 0])):
        starts, ends = pieces(trace(figure, loss))
        np.testing.assert_allclose(starts, points[:10])
        length = np.linalg.norm(ends - starts, axis=1)
        np.testing.assert_allclose((ends - starts) / length[:, None], np.tile(direction, (10, 1)), atol=1e-9)
        lengths.append(length)
    np.testing.assert_allclose(lengths[0], lengths[2])  # each loss has a scale of its own
    assert "ABC and Gaussian-KLD +0.00, ABC and DCAN -1.00" in texts(figure)


# ---- pictures --------------------------------------------------------------------------------------------------------


def test_axes_with_both_signs_are_blue_and_vermilion() -> None:
    drawn = signed_pixels(np.array([[[1.0, -0.5], [0, 0]]]))
    assert drawn[0, 0, 0].tolist() == [213, 94, 0, 255]
    assert drawn[0, 0, 1].tolist() == [0, 114, 178, 128]
    assert drawn[0, 1, :, 3].tolist() == [0, 0]
    figure = eigen_images(np.array([[[1.0, -0.5], [0, 0]]] * 2), np.array([0.75, 0.25]))
    assert list(trace_of_texts(figure)) == ["75.0%", "25.0%"]


def test_draws_fill_rows_of_eight(generator: np.random.Generator) -> None:
    images = generator.random((10, 4, 4))
    raster = pixels(prior_samples(images))
    cell = raster.shape[1] // 8
    second = raster[raster.shape[0] // 2 :]
    np.testing.assert_array_equal(second[1:5, cell + 1 : cell + 5, 0], np.round(images[9] * 255))
    assert (second[:, 2 * cell :, 3] == 0).all()


def test_styles_have_a_row_a_cluster(generator: np.random.Generator) -> None:
    figure = style_grid(generator.random((3, 5, 4, 4)))
    assert list(figure.layout.yaxis.ticktext) == ["cluster 0", "cluster 1", "cluster 2"]
    assert tuple(pixels(figure)[6, 2]) == (*rgb(cluster_colour(0)), 255)


def test_reconstructions_stand_under_their_samples_the_worst_first(generator: np.random.Generator) -> None:
    errors = np.array([0.1, 0.9, 0.5, 0.2])
    samples = generator.integers(0, 255, (2, 6, 6)).astype(np.uint8)
    decoded = generator.random((2, 6, 6))
    groups = [Remade("The worst.", np.array([1]), samples[:1]), Remade("Others.", np.array([0, 2]), samples, decoded)]
    figure = reconstructions(errors, groups)
    raster = pixels(figure, 1)
    row = raster.shape[0] // 3
    np.testing.assert_array_equal(raster[1:7, 1:7, 0], samples[1])  # sample 2 has the larger error
    np.testing.assert_array_equal(raster[row + 1 : row + 7, 1:7, 0], np.round(decoded[1].astype(np.float32) * 255))
    printed = [text for each in figure.data if each.type == "scatter" and each.mode == "text" for text in each.text]
    assert printed == [".90", ".50", ".10"]
    marks = [each for each in figure.data if each.type == "scatter" and each.customdata is not None]
    assert [list(each.customdata) for each in marks] == [[1], [2, 0] * 3]
    assert [note.text for note in figure.layout.annotations][:2] == ["The worst.", "Others."]
    assert list(figure.layout.yaxis.ticktext) == ["x", "x", "x̂", "x̂ − x"]
    assert np.all(np.diff(figure.layout.yaxis.tickvals) > 0), "one below the other"


# ---- vital signs -----------------------------------------------------------------------------------------------------


def test_vital_signs_are_the_series_with_the_moment_marked() -> None:
    steps = np.arange(0, 50, 10.0)
    series = {
        "effective_rank": (steps, np.linspace(4, 3, 5)),
        "primal_residual": (steps, 10.0 ** -np.arange(5)),
        "own_number": (steps, steps),
    }
    figure = vital_signs(series, step=25, n_clusters=10, width=4)
    np.testing.assert_array_equal(trace(figure, "primal_residual").y, 10.0 ** -np.arange(5))
    axes = [figure.layout.yaxis, figure.layout.yaxis2, figure.layout.yaxis3]
    assert [each.type for each in axes] == [None, "log", None]
    assert axes[0].title.text == "directions"
    said = texts(figure)
    assert "effective rank: <b>3.5</b> of 4" in said
    assert "primal ‖y − z‖: <b>0.01</b>" in said
    assert "own number: <b>20</b>" in said
    assert {shape.x0 for shape in figure.layout.shapes if shape.line.dash is None} == {25}
    assert "No alarm" in said


@pytest.mark.parametrize(
    ("signs", "empty", "says"),
    [
        ({"active_clusters": 4.0}, 0, "Dead clusters: the samples fill about 4.0 of 10"),
        ({"active_clusters": 9.0}, 1, "1 of 10 cluster holds no sample"),
        ({"effective_rank": 1.1}, 0, "Collapse: of 5 directions the codes use about one"),
        ({"jensen_shannon": 0.69}, 0, "nearly always"),
    ],
)
def test_alarms_are_raised_in_words(signs: dict[str, float], empty: int, says: str) -> None:
    (alarm,) = alarms(signs, 10, 5, empty)
    assert says in alarm
    series = {name: (np.array([0.0]), np.array([value])) for name, value in signs.items()}
    figure = vital_signs(series, step=0, n_clusters=10, width=5, empty=empty)
    assert f"⚠ {alarm}" in texts(figure)


def test_a_healthy_run_raises_no_alarm() -> None:
    assert alarms({"active_clusters": 8.0, "effective_rank": 3.0, "jensen_shannon": 0.3}, 10, 5) == []
    assert alarms({"effective_rank": 1.0}, 10, 1) == []  # codes with one coordinate can have no more


# ---- all of them -----------------------------------------------------------------------------------------------------


def all_figures() -> list[Callable[[], go.Figure]]:
    generator = np.random.default_rng(1)
    plane, labels = generator.normal(size=(40, 2)), np.arange(40) % 4
    images, steps = generator.random((9, 4, 4)), np.arange(3.0)
    return [
        lambda: critic_calibration(generator.random((20, 2)) / 2),
        lambda: spectrum(generator.normal(size=(40, 6))),
        lambda: spectrum(generator.normal(size=(20, 70))),
        lambda: scree(np.array([0.6, 0.3])),
        lambda: eigengap(np.array([0.0, 0.1, 0.9]), 2),
        lambda: eigen_images(images - 0.5),
        lambda: eigen_images(generator.normal(size=(3, 6))),
        lambda: prior_samples(generator.random((5, 6))),
        lambda: style_grid(images.reshape(3, 3, 4, 4)),
        lambda: mixture(plane, labels, plane[:4], np.stack([np.eye(2)] * 4), np.full(4, 0.25), selected=3),
        lambda: posterior(plane, np.ones((40, 2)), labels),
        lambda: kl_per_dimension(np.array([1.0, 0.0])),
        lambda: divergence_parts(generator.normal(size=(40, 3)), labels, 4),
        lambda: counting(np.ones(4), None, np.ones(4, int)),
        lambda: pull(plane, plane + 1, labels),
        lambda: split_copies(plane, plane, plane, labels),
        lambda: three_pulls(plane, generator.normal(size=(20, 3, 2)), labels, selected=30),
        lambda: landscape(generator.normal(size=(5, 5)), np.array([-2.0, 2, -2, 2]), plane, labels),
        lambda: discriminator_logits(generator.normal(size=(20, 2))),
        lambda: affinity(generator.random((40, 40)), np.arange(40), labels),
        lambda: residuals(generator.random((20, 2))),
        lambda: principal_angles(generator.random((20, 20)) * 90),
        lambda: vital_signs({"silhouette": (steps, steps)}, step=1, n_clusters=4, width=2, phases=[("a", 0, 2)]),
        lambda: reconstructions(steps, [Remade("Worst.", np.array([0, 1]), images[:2], images[2:4])]),
        lambda: reconstructions(steps, [Remade("Worst.", np.array([0, 1]), plane[:2], plane[2:4])]),
    ]


@pytest.mark.parametrize("build", all_figures())
def test_every_figure_keeps_the_view_and_takes_its_text_colour_from_the_page(build: Callable[[], go.Figure]) -> None:
    figure = build()
    assert len(figure.data) > 0
    assert figure.layout.uirevision == "clustlab"
    assert figure.layout.height >= 100
    assert figure.layout.template.layout.font.size >= 14
    assert figure.layout.font.color is None
    assert all(note.font.color is None and note.font.size >= 14 for note in figure.layout.annotations)
    printed = [each.textfont.size for each in figure.data if each.type == "scatter" and each.mode == "text"]
    assert all(size >= 14 for size in printed)
    titled = [figure.layout[name] for name in figure.to_dict()["layout"] if name.startswith(("xaxis", "yaxis"))]
    assert all(axis.title.font.size in (None, 14) and axis.tickfont.size in (None, 14) for axis in titled)


def test_a_plane_shows_all_that_is_drawn_in_it_at_any_width() -> None:
    """Plotly's own range leaves samples out where it narrows a wide plot to keep units alike."""
    points = np.array([[-6.0, 0.0], [7.0, 1.0], [0.0, -4.0], [1.0, 6.0]])
    figure = three_pulls(points, np.ones((2, 3, 2)), np.zeros(4, dtype=np.int64))
    low, high = figure.layout.xaxis.range
    assert low < -6
    assert high > 7
    low, high = figure.layout.yaxis.range
    assert low < -4
    assert high > 6
    assert plane_range(go.Figure(go.Scatter(x=[3, None], y=[1, 2])), "x") == [2, 4], "a single point has room"
