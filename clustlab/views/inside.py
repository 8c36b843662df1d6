"""Panels of what methods observe of their codes: spectra, mixtures, posteriors, centroids that count, copies."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from clustlab.figures.arrows import pull, split_copies
from clustlab.figures.counting import counting
from clustlab.figures.eigenvalues import eigengap, scree
from clustlab.figures.galleries import eigen_images, prior_samples, style_grid
from clustlab.figures.mixture import mixture
from clustlab.figures.spectrum import spectrum
from clustlab.figures.subspaces import affinity
from clustlab.figures.variational import divergence_parts, kl_per_dimension, posterior
from clustlab.views.moment import View
from clustlab.views.panel import Panel
from clustlab.views.plane import plane_of

__all__ = ["INSIDE"]


def _draw_spectrum(view: View) -> go.Figure:
    return spectrum(view.arrays["codes"])


def _draw_scree(view: View) -> go.Figure:
    return scree(view.arrays["explained_variance"])


def _draw_eigen_images(view: View) -> go.Figure:
    return eigen_images(view.arrays["eigen_images"], view.arrays.get("explained_variance"))


def _draw_eigengap(view: View) -> go.Figure:
    return eigengap(view.arrays["laplacian_eigenvalues"], view.n_clusters)


def _draw_affinity(view: View) -> go.Figure:
    arrays = view.arrays
    return affinity(arrays["affinity"], arrays["affinity_rows"], arrays["labels"], view.rows)


def _draw_mixture(view: View) -> go.Figure:
    arrays, plane = view.arrays, plane_of(view)
    spread = arrays["component_covariances" if "component_covariances" in arrays else "component_variances"]
    return mixture(
        plane.points(arrays["codes"]),
        arrays["labels"],
        plane.points(arrays["centroids"]),
        plane.covariances(spread),
        arrays.get("component_weights"),
        titles=plane.titles,
        names=view.rows,
        selected=view.selected,
    )


def _draw_posterior(view: View) -> go.Figure:
    arrays, plane = view.arrays, plane_of(view)
    # Where the prior is a mixture, its components are drawn by a panel of their own.
    standard = "kl_per_dimension" in arrays and "component_variances" not in arrays
    return posterior(
        plane.points(arrays["codes"]),
        plane.deviations(arrays["posterior_variances"]),
        arrays["labels"],
        prior=plane.points(np.zeros(arrays["codes"].shape[1])) if standard else None,
        titles=plane.titles,
        names=view.rows,
        selected=view.selected,
    )


def _draw_kl(view: View) -> go.Figure:
    return kl_per_dimension(view.arrays["kl_per_dimension"], mixture="component_variances" in view.arrays)


def _draw_divergence_parts(view: View) -> go.Figure:
    return divergence_parts(view.arrays["kld_parts"], view.arrays["labels"], view.n_clusters)


def _draw_prior_samples(view: View) -> go.Figure:
    return view.remarked(prior_samples(view.arrays["prior_samples"]))


def _draw_style_grid(view: View) -> go.Figure:
    return view.remarked(style_grid(view.arrays["style_grid"]))


def _draw_counting(view: View) -> go.Figure:
    arrays = view.arrays
    sizes = np.bincount(arrays["labels"].astype(np.int64), minlength=view.n_clusters)
    return counting(arrays.get("counts"), arrays.get("staleness"), sizes)


def _draw_pull(view: View) -> go.Figure:
    arrays, plane = view.arrays, plane_of(view)
    return pull(
        plane.points(arrays["codes"]),
        plane.points(arrays["pull"]),
        arrays["labels"],
        titles=plane.titles,
        names=view.rows,
        selected=view.selected,
    )


def _draw_copies(view: View) -> go.Figure:
    arrays, plane = view.arrays, plane_of(view)
    return split_copies(
        plane.points(arrays["codes"]),
        plane.points(arrays["auxiliary"]),
        plane.steps(arrays["dual"]),
        arrays["labels"],
        titles=plane.titles,
        names=view.rows,
        selected=view.selected,
    )


INSIDE: tuple[Panel, ...] = (
    Panel(
        name="spectrum",
        title="Codes",
        question="Are the codes rich or collapsed?",
        aid="Few tall bars: the codes lie along few directions. Strong colours off the diagonal: coordinates repeat.",
        help=r"Singular values of the centred codes over $\sqrt{n}$, which are standard deviations along the principal "
        r"axes. The effective rank is $\exp H(\sigma^2 / \sum \sigma^2)$ (Roy and Vetterli, 2007). Below, the "
        r"correlation of every two coordinates. k-means takes long directions for important ones: whitening the codes "
        r"makes all as long.",
        needs=("codes",),
        draw=_draw_spectrum,
        inside=True,
    ),
    Panel(
        name="scree",
        title="Scree",
        question="How many directions matter?",
        aid="Where the bars stop falling, the rest is mostly noise.",
        help=r"Eigenvalues $\lambda_j$ of the covariance (of the centred kernel matrix in kernel PCA) as shares "
        r"$\lambda_j / \sum \lambda$. The plot is Cattell's (1966).",
        needs=("explained_variance",),
        draw=_draw_scree,
        inside=True,
    ),
    Panel(
        name="eigen-images",
        title="Eigen-images",
        question="What do the directions look like?",
        aid="Going along an axis adds this picture to a sample, or takes it away.",
        help=r"Each sample is $x \approx \bar{x} + \sum_j z_j v_j$ with the axes $v_j$, eigenvectors of the "
        r"covariance. Turk and Pentland (1991) called those of faces *eigenfaces*.",
        needs=("eigen_images",),
        draw=_draw_eigen_images,
        inside=True,
    ),
    Panel(
        name="eigengap",
        title="Eigengap",
        question="How many clusters does the graph have?",
        aid="As many eigenvalues near zero as there are parts that hardly touch; then a step.",
        help=r"Smallest eigenvalues of $L = I - D^{-1/2} W D^{-1/2}$ with affinities $W$ and degrees $D$, each in 0 … "
        r"2. A graph of $k$ separate parts has exactly $k$ zeros; the step after them is the eigengap. Von Luxburg "
        r"(2007), [arXiv:0711.0189](https://arxiv.org/abs/0711.0189).",
        needs=("laplacian_eigenvalues",),
        draw=_draw_eigengap,
        inside=True,
    ),
    Panel(
        name="affinity",
        title="Affinity",
        question="Do clusters hang together?",
        aid="Blocks on the diagonal are clusters whose samples know one another; colours at the edge name them.",
        help=r"Symmetric affinities between some samples, sorted by cluster. In subspace clustering $\tfrac12 "
        r"(|\Theta| + |\Theta^\top|)$ with $Z \approx Z \Theta$, each code written as a combination of others; in "
        r"spectral clustering the similarity from which the graph is made. The scale ends at the 99th percentile.",
        needs=("affinity", "affinity_rows", "labels"),
        draw=_draw_affinity,
        inside=True,
    ),
    Panel(
        name="mixture",
        title="Mixture",
        question="Where does each component lie, and how wide is it?",
        aid="Ellipses that share their samples are components that cannot be told apart there.",
        help=r"$p(z) = \sum_k \pi_k \mathcal{N}(z; \mu_k, \Sigma_k)$. An ellipse is the component's marginal in the "
        r"plane: all points at two standard deviations, $B^\top \Sigma_k B$ for a plane with basis $B$. Components in "
        r"use: $\exp H(\pi)$. Weights of zero are components that have died.",
        needs=("codes", "centroids", "labels", "component_variances or component_covariances"),
        draw=_draw_mixture,
        inside=True,
    ),
    Panel(
        name="posterior",
        title="Posterior",
        question="How sure is the encoder of a code?",
        aid="Long whiskers: the decoder sees this code blurred, and neighbours must look alike.",
        help=r"$q(z \mid x) = \mathcal{N}(\tilde\mu(x), \mathrm{diag}\, \tilde\sigma^2(x))$: dots are the means, "
        r"whiskers one $\tilde\sigma$ along the plane's axes. Kingma and Welling (2014), "
        r"[arXiv:1312.6114](https://arxiv.org/abs/1312.6114).",
        needs=("codes", "centroids", "labels", "posterior_variances"),
        draw=_draw_posterior,
        inside=True,
    ),
    Panel(
        name="kl-per-dimension",
        title="KL by coordinate",
        question="Which coordinates carry information?",
        aid="A coordinate marked ✕ tells nothing of a sample that the prior does not say already.",
        help=r"$\mathrm{KL}(q(z_j \mid x) \Vert \mathcal{N}(0, 1)) = \tfrac12 (\tilde\sigma_j^2 + \tilde\mu_j^2 - 1 - "
        r"\log \tilde\sigma_j^2)$ in nats, mean over the probe; where the prior is a mixture, the divergence from its "
        r"components, weighted by γ. Where it is 0 the posterior has collapsed onto the prior.",
        needs=("kl_per_dimension",),
        draw=_draw_kl,
        inside=True,
    ),
    Panel(
        name="divergence",
        title="Divergence",
        question="What makes a code differ from its component?",
        aid="Blue counts distance; orange and green count how much wider or narrower the two are.",
        help=r"$\mathrm{KL}(\mathcal{N}(\tilde\mu, \tilde\sigma^2) \Vert \mathcal{N}(\mu_k, \sigma_k^2)) = \tfrac12 "
        r"\sum_j [(\tilde\mu_j - \mu_{kj})^2 / \sigma_{kj}^2] + \tfrac12 \sum_j [\tilde\sigma_j^2 / \sigma_{kj}^2 - 1] "
        r"+ \tfrac12 \sum_j \log (\sigma_{kj}^2 / \tilde\sigma_j^2)$. With unit variances only the first part is left: "
        r"half the squared distance to the centroid. Lim, Jiang and Yi (2020).",
        needs=("kld_parts", "labels"),
        draw=_draw_divergence_parts,
        inside=True,
    ),
    Panel(
        name="prior-samples",
        title="From the prior",
        question="What does the decoder make of codes nobody has encoded?",
        aid="Pictures that look like data mean that the codes fill the prior.",
        help=r"$g(z)$ for $z$ drawn from the prior. Draws that look like nothing come from where no sample was "
        r"encoded.",
        needs=("prior_samples",),
        draw=_draw_prior_samples,
        inside=True,
    ),
    Panel(
        name="style-grid",
        title="Styles",
        question="Is what a cluster is apart from how it looks?",
        aid="Along a row the cluster should stay and the style change; down a column the other way round.",
        help=r"$g(y, s)$ for every cluster $y$ and some styles $s$ drawn from the prior. Makhzani, Shlens, Jaitly, "
        r"Goodfellow and Frey (2015), [arXiv:1511.05644](https://arxiv.org/abs/1511.05644).",
        needs=("style_grid",),
        draw=_draw_style_grid,
        inside=True,
    ),
    Panel(
        name="counting",
        title="Counts",
        question="How fast can each centroid still move?",
        aid="A centroid with a high count takes small steps: codes that drift leave it behind.",
        help=r"Each sample moves its centroid by $\mu_k \leftarrow \mu_k - \tfrac{1}{c_k} (\mu_k - z)$ after $c_k "
        r"\leftarrow c_k + 1$, the running mean. The lag is $\lVert \mu_k - \bar{z}_k \rVert$ with the mean "
        r"$\bar{z}_k$ of its samples, over the standard deviation of the codes. Yang, Fu, Sidiropoulos and Hong "
        r"(2017), [arXiv:1610.04794](https://arxiv.org/abs/1610.04794).",
        needs=("labels", "centroids", "counts or staleness"),
        draw=_draw_counting,
        inside=True,
    ),
    Panel(
        name="pull",
        title="Pull",
        question="Where does the clustering term draw each code?",
        aid="Each arrow leads from a code to the point that the term would move it to.",
        help=r"For a term $\tfrac12 \lVert z - t \rVert^2$ the arrow ends at $t$, which is the centroid in k-means and "
        r"ABC and $y + u$ in ADMM. Reconstruction holds against it.",
        needs=("codes", "centroids", "labels", "pull"),
        draw=_draw_pull,
        inside=True,
    ),
    Panel(
        name="copies",
        title="z, y and u",
        question="Do the copies agree with the codes?",
        aid="The code z is a dot, its copy y a diamond; the dotted arrow is the dual u, the memory of disagreement.",
        help=r"ADMM minimises $L(f) + \lambda L_c(Y)$ subject to $Y = f(X)$ through $\tfrac{\rho}{2} \lVert y - z + u "
        r"\rVert^2$: clustering works on the copy $y$, the network is drawn to $y + u$, and $u \leftarrow u + y - z$. "
        r"Tian, Zhou and Guan (2017).",
        needs=("codes", "centroids", "labels", "auxiliary", "dual"),
        draw=_draw_copies,
        inside=True,
    ),
)
"""What a method observes of its codes, centroids and components."""
