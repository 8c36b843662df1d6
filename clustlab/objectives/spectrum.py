r"""Spectra of graphs: the smallest eigenpairs of the normalised Laplacian.

:math:`L = I - D^{-1/2} W D^{-1/2}` has the eigenvalue 0 once for each connected component of the graph, and the more
nearly another group of samples is a component of its own, the smaller is the eigenvalue that stands for it.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import eigh
from scipy.sparse import csr_matrix, diags
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh
from sklearn.neighbors import kneighbors_graph

from clustlab.errors import DataError

__all__ = ["neighbour_graph", "smallest_eigenpairs"]

DENSE = 2000
"""Nodes up to which eigenvectors are computed exactly, from the whole matrix."""

RESTARTS = 5000
"""Restarts that ARPACK may take."""


def neighbour_graph(x: np.ndarray, n_neighbours: int, most_components: int) -> tuple[csr_matrix, np.ndarray, int]:
    """Return the symmetrised graph of nearest neighbours, the component of each node, and the neighbours asked for.

    An edge weighs 1 between two samples that are each among the other's neighbours, and ½ where only one is.

    Parameters
    ----------
    x : ndarray (n, D)
    n_neighbours : int
        Neighbours of a sample, itself not counted.
    most_components : int
        While the graph falls into more connected components than this, the number of neighbours is doubled.

    Returns
    -------
    csr_matrix (n, n), ndarray of int (n,), int
    """
    most = len(x) - 1
    n_neighbours = min(n_neighbours, most)
    while True:
        directed = kneighbors_graph(x, n_neighbours, mode="connectivity", include_self=False)
        graph = csr_matrix((directed + directed.T) / 2)
        count, component = connected_components(graph, directed=False)
        if count <= most_components or n_neighbours == most:
            return graph, component, n_neighbours
        n_neighbours = min(2 * n_neighbours, most)


def smallest_eigenpairs(
    graph: csr_matrix, component: np.ndarray, count: int, *, tolerance: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the smallest eigenvalues (r,), rising, of a graph's normalised Laplacian, and its eigenvectors (n, r).

    Parameters
    ----------
    graph : csr_matrix (n, n)
        Symmetric weights; every node has an edge.
    component : ndarray of int (n,)
        Connected component of each node, at most ``count`` of them.
    count : int
        Eigenpairs r, at most n.
    tolerance : float
        Relative accuracy of the eigenvalues where ARPACK computes them, above 2,000 nodes; 0 is machine precision.
    seed : int
        Of the vector that ARPACK starts from.

    Raises
    ------
    DataError
        If ARPACK does not converge.
    """
    degree = np.asarray(graph.sum(axis=1)).ravel()
    half = diags(1 / np.sqrt(degree))
    similarity = csr_matrix(half @ graph @ half)
    if len(degree) <= DENSE or count > len(degree) // 4:
        laplacian = np.eye(len(degree)) - similarity.toarray()
        values, vectors = eigh(laplacian, subset_by_index=[0, count - 1])
        return np.maximum(values, 0), vectors
    zero = _zero_vectors(degree, component)
    values, vectors = _largest(similarity, zero, count - zero.shape[1], tolerance, seed)
    return np.concatenate([np.zeros(zero.shape[1]), np.maximum(1 - values, 0)]), np.hstack([zero, vectors])


def _zero_vectors(degree: np.ndarray, component: np.ndarray) -> np.ndarray:
    """Return the eigenvectors of eigenvalue 0, (n, c): the roots of the degrees, on one component each.

    They are known; an iteration from a single vector, on the other hand, sees a repeated eigenvalue only once.
    """
    vectors = np.sqrt(degree)[:, None] * (component[:, None] == np.arange(component.max() + 1))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=0))


def _largest(
    similarity: csr_matrix, zero: np.ndarray, count: int, tolerance: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest eigenvalues of ``similarity``, falling, and eigenvectors, those in ``zero`` left out."""
    n = len(zero)
    if not count:
        return np.empty(0), np.empty((n, 0))

    def multiply(vector: np.ndarray) -> np.ndarray:
        return np.asarray(similarity @ vector - zero @ (zero.T @ vector))

    operator = LinearOperator((n, n), matvec=multiply, dtype=np.float64)
    start = np.random.default_rng(seed).normal(size=n)
    try:
        values, vectors = eigsh(
            operator, count, which="LA", v0=start, tol=tolerance, ncv=min(n - 1, 4 * count + 20), maxiter=RESTARTS
        )
    except ArpackNoConvergence as error:
        raise DataError(
            f"the eigenvectors of the neighbour graph did not converge to a tolerance of {tolerance:g}; "
            "allow a larger one, or give each sample more neighbours"
        ) from error
    falling = np.argsort(-values)
    return values[falling], vectors[:, falling]
