"""Stories of samples: reasons say who moved, and figures show what they were given."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from clustlab.figures.beliefs import belief_curves, membership
from clustlab.figures.flows import flow_counts, flows
from clustlab.figures.p_and_q import Past, contributions, p_and_q
from clustlab.figures.palette import cluster_colour, mixed
from clustlab.figures.pictures import sheet
from clustlab.figures.reasons import Moment, change, changes, reason
from clustlab.figures.story import Neighbours, Path, Turn, story

CENTROIDS = np.array([[0.0, 0.0], [2.0, 0.0]])
CODE = np.array([0.8, 0.0])


def why(code: np.ndarray, centroids: np.ndarray, **more: bool) -> str:
    return reason(Moment(CODE, CENTROIDS), Moment(code, centroids), 0, 1, **more)


def texts(figure: go.Figure) -> str:
    return " ".join(str(annotation.text) for annotation in figure.layout.annotations)


def test_changes_are_where_the_cluster_is_another_one() -> None:
    assert changes(np.array([3, 3, 1, 1, 3])).tolist() == [2, 4]
    assert changes(np.array([3])).tolist() == []


def test_a_centroid_that_comes_nearer_to_a_sample_that_stays_is_the_reason() -> None:
    told = why(CODE + [0.05, 0], np.array([[0.0, 0.0], [1.2, 0.0]]))
    assert told == "The centroid of 1 came nearer (1.2 → 0.35) while the sample stayed (moved 0.05)."


def test_a_centroid_that_goes_away_is_the_reason() -> None:
    assert why(CODE, np.array([[-1.5, 0.0], [2.0, 0.0]])) == (
        "The centroid of 0 went away (0.8 → 2.3) while the sample stayed (moved 0)."
    )


def test_a_sample_that_moves_among_centroids_that_stay_is_the_reason() -> None:
    told = why(np.array([1.9, 0.0]), CENTROIDS + 0.01)
    assert told == "The sample moved (1.1) while the centroids stayed (moved 0.014)."


def test_both_are_named_where_both_have_moved() -> None:
    told = why(np.array([1.0, 0.0]), np.array([[0.0, 0.0], [1.7, 0.0]]))
    assert told == "Both: the sample moved (0.2), and the centroid of 1 came nearer (1.2 → 0.7)."


def test_who_moved_without_effect_is_not_said_to_have_stayed() -> None:
    sideways = np.array([[0.0, 1.5], [2.0, 1.5]])  # both centroids go the same way: neither gains by it
    assert "; that the centroids moved too (1.5) hardly mattered." in why(np.array([1.9, 0.7]), sideways)


def test_the_shares_of_the_three_ways_add_up_to_the_change_of_the_lead() -> None:
    generator = np.random.default_rng(0)
    before = Moment(generator.normal(size=5), generator.normal(size=(4, 5)))
    after = Moment(generator.normal(size=5), generator.normal(size=(4, 5)))
    lead = [each.distance(3) - each.distance(1) for each in (before, after)]
    found = change(before, after, 3, 1)
    assert found.total == pytest.approx(lead[1] - lead[0])
    assert found.joined == (before.distance(1), after.distance(1))


@pytest.mark.parametrize(("p", "told"), [(0.5, "pulled it there"), (0.1, "pulled it elsewhere"), (0.4, "not pulled")])
def test_what_the_target_asked_for_beforehand_is_told(p: float, told: str) -> None:
    before = Moment(CODE, CENTROIDS, np.array([0.6, 0.4]), np.array([1 - p, p]))
    sentence = reason(before, Moment(CODE + [1, 0], CENTROIDS, np.array([0.3, 0.7])), 0, 1)
    assert sentence.startswith("The sample moved")
    assert f"{told} (p {p:.2f}, q 0.40)" in sentence


def test_where_distances_do_not_decide_beliefs_are_told() -> None:
    before, after = (Moment(CODE, CENTROIDS, np.array([1 - q, q])) for q in (0.4, 0.7))
    assert reason(before, after, 0, 1) == "q of 1 went 0.40 → 0.70, q of 0 went 0.60 → 0.30."
    moved = Moment(np.array([1.9, 0.0]), CENTROIDS, after.q)
    assert reason(before, moved, 0, 1, by_distance=False).startswith("q of 1 went")
    assert "do not explain it" in why(CODE, CENTROIDS)


def test_curves_are_q_and_p_in_the_clusters_colours() -> None:
    q = np.array([[np.nan] * 3, [0.4, 0.58, 0.02], [0.1, 0.88, 0.02]])
    figure = go.Figure()
    assert belief_curves(figure, np.array([0, 10, 20]), q, q**2, x="x3", y="y3") == 1.0
    assert [trace.name for trace in figure.data] == ["q of 0", "p of 0", "q of 1", "p of 1"]  # the third is faint
    np.testing.assert_array_equal(figure.data[2].y, q[:, 1])
    assert figure.data[2].line.color == cluster_colour(1)
    assert belief_curves(go.Figure(), np.array([0]), np.array([[0.5, 0.5]]), x="x", y="y") == 0.5


def test_the_line_of_clusters_changes_half_way_between_frames() -> None:
    figure = go.Figure()
    membership(figure, np.array([0, 10, 20]), np.array([4, 4, 2]), -0.1, x="x", y="y")
    assert [(*trace.x, trace.line.color) for trace in figure.data] == [
        (0, 15, cluster_colour(4)),
        (15, 20, cluster_colour(2)),
    ]


def told_story(turns: list[Turn], neighbours: Neighbours | None) -> go.Figure:
    points = np.random.default_rng(0).normal(size=(30, 2)).astype(np.float32)
    labels = np.arange(30) % 3
    path = Path(points, labels, points[:4], labels[:4], np.array([0, 5, 10, 15]), "PCA")
    return story(
        np.zeros((1, 8, 8), np.uint8),
        path,
        np.array([0, 5, 10, 15]),
        labels[:4],
        q=None,
        confidence=np.linspace(0.1, 0.4, 4),
        phases=[("autoencoder", 0, 10), ("clustering", 10, 15)],
        turns=turns,
        earlier_turns=2 * bool(turns),
        neighbours=neighbours,
        heading=["#7 “three”"],
    )


def test_a_story_shows_the_way_the_changes_and_the_neighbours() -> None:
    then, now = np.array([3, 4, 5]), np.array([5, 9, 3])
    pictures = np.zeros((2, 3, 8, 8), np.uint8)
    neighbours = Neighbours("at the end", then, now, pictures, np.zeros((2, 3), np.int64), np.stack([then, now]) + 100)
    figure = told_story([Turn(5, 10, 1, 2, "Because."), Turn(10, 10, 2, 0, "A phase began.")], neighbours)
    said = texts(figure)
    for part in ("#7 “three”", "<b>1 → 2</b>, steps 5–10<br>Because.", "<b>2 → 0</b>, step 10", "2 came before"):
        assert part in said
    assert "2 of 3 remained" in said
    way = next(trace for trace in figure.data if trace.mode == "lines+markers" and trace.xaxis in (None, "x"))
    assert len(way.x) == 4
    assert list(way.marker.color) == [0, 1, 2, 0]
    clicked = next(trace for trace in figure.data if trace.customdata is not None)
    assert clicked.customdata.tolist() == [*then, *now]


def test_a_sample_that_has_never_changed_and_has_no_past_is_told_too() -> None:
    said = texts(told_story([], None))
    assert "It has never changed its cluster." in said
    assert "remained" not in said


def test_p_and_q_shows_contributions_and_how_both_moved() -> None:
    generator = np.random.default_rng(0)
    q, p = (generator.dirichlet(np.ones(4), size=20) for _ in range(2))
    past = Past(np.array([0, 5, 9]), np.stack([q[1], q[2], q[7]]), np.stack([p[1], p[2], p[7]]))
    figure = p_and_q(q, p, selected=7, past=past)
    bars = next(trace for trace in figure.data if trace.name == "contribution")
    np.testing.assert_allclose(bars.y, contributions(p[7], q[7]))
    curve = next(trace for trace in figure.data if trace.name == "p of 2")
    np.testing.assert_array_equal(curve.y, [p[1, 2], p[2, 2], p[7, 2]])
    assert not [trace for trace in p_and_q(q, p, selected=7).data if trace.name == "p of 2"]
    alone = p_and_q(q, selected=7, past=Past(past.steps, past.q, None))
    assert [trace.name for trace in alone.data if trace.type == "scatter"] == [f"q of {j}" for j in range(4)]


def test_flows_count_every_sample_once() -> None:
    before, after = np.array([0, 0, 1, 3]), np.array([0, 1, 1, 1])
    assert flow_counts(before, after).tolist() == [[1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0], [0, 1, 0, 0]]
    figure = flows(before, after, ("then", "now"))
    bands = figure.data[0]
    named = [bands.node.label[at] for at in bands.link.source], [bands.node.label[at] for at in bands.link.target]
    assert named == (["0: 2", "0: 2", "1: 1", "3: 1"], ["0: 1", "1: 3", "1: 3", "1: 3"])
    assert list(bands.link.value) == [1, 1, 1, 1]
    assert list(bands.link.color) == [mixed(cluster_colour(j), 0.45) for j in (0, 0, 1, 3)]
    assert "50.0% of the samples stayed" in texts(figure)
    assert bands.meta is None


def test_bands_and_clusters_of_flows_tell_which_samples_they_are() -> None:
    figure = flows(np.array([0, 0, 1]), np.array([0, 1, 1]), ("then", "now"), (5, 9))
    bands = figure.data[0]
    assert bands.meta == {"selects": ["cluster", "frame", "from", "since"]}
    assert [list(each) for each in bands.link.customdata] == [[0, 9, 0, 5], [1, 9, 0, 5], [1, 9, 1, 5]]
    assert [list(each) for each in bands.node.customdata] == [[0, 5], [1, 5], [0, 9], [1, 9]]


def test_several_bars_stand_one_below_the_other() -> None:
    import base64
    import io

    from PIL import Image

    red, green = (255, 0, 0, 255), (0, 255, 0, 255)
    raster = sheet(np.zeros((1, 1, 20, 20, 4), np.uint8), bars=np.array([[[red, green]]], np.uint8))
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(raster.trace.source.partition(",")[2]))))
    column = pixels[:, 10]
    assert [tuple(row) for row in column if row[3]] == [red, red, green, green]
