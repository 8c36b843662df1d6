from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse.csgraph import laplacian

from clustlab.data import Dataset
from clustlab.errors import DataError
from clustlab.objectives import spectrum
from clustlab.objectives.spectrum import neighbour_graph, smallest_eigenpairs


def test_edges_weigh_one_between_mutual_neighbours_and_half_otherwise() -> None:
    graph, component, used = neighbour_graph(np.array([[0.0], [1.0], [3.0]]), 1, most_components=3)
    assert graph.toarray().tolist() == [[0, 1, 0], [1, 0, 0.5], [0, 0.5, 0]]
    assert component.tolist() == [0, 0, 0]
    assert used == 1


@pytest.mark.parametrize("dense", [2000, 10])
def test_eigenpairs_are_those_of_the_laplacian_in_one_piece_or_several(
    blobs: Dataset, digits_small: Dataset, dense: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The blobs' graph falls into three pieces, so that the eigenvalue 0 comes three times."""
    monkeypatch.setattr(spectrum, "DENSE", dense)
    for x, pieces in ((blobs.x, 3), (digits_small.x.reshape(200, -1), 1)):
        graph, component, _ = neighbour_graph(x, 10, most_components=3)
        assert component.max() + 1 == pieces
        reference = laplacian(graph, normed=True).toarray()
        values, vectors = smallest_eigenpairs(graph, component, 8, tolerance=0, seed=0)
        np.testing.assert_allclose(values, np.linalg.eigvalsh(reference)[:8], atol=1e-8)
        np.testing.assert_allclose(reference @ vectors, vectors * values, atol=1e-6)
        np.testing.assert_allclose(vectors.T @ vectors, np.eye(8), atol=1e-6)


def test_neighbours_are_doubled_until_the_graph_hangs_together() -> None:
    x = np.concatenate([np.arange(4.0), 100 + np.arange(4.0)])[:, None]
    assert neighbour_graph(x, 2, most_components=2)[2] == 2
    graph, component, used = neighbour_graph(x, 2, most_components=1)
    assert used == 4
    assert component.max() == 0


def test_a_spectrum_that_does_not_converge_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """The eigenvalues of a long chain lie so close together that one restart does not tell them apart."""
    monkeypatch.setattr(spectrum, "DENSE", 10)
    monkeypatch.setattr(spectrum, "RESTARTS", 1)
    graph, component, _ = neighbour_graph(np.arange(500.0)[:, None], 2, most_components=1)
    with pytest.raises(DataError, match="did not converge to a tolerance of 0"):
        smallest_eigenpairs(graph, component, 5, tolerance=0, seed=0)
