"""One cluster, one colour: the same on the map, in every panel and in every frame.

The first seven are the colours of Okabe and Ito (2008) with the yellow darkened for white paper and without black,
which a dark page swallows. Five more were chosen so that all twelve stay apart for people with protanopia and
deuteranopia as well as those seven do. The rest, up to 64, follow Glasbey's rule (each the farthest from all before,
in a perceptual colour space) with a lightness that shows on white and on black; beyond 64 the colours repeat.
"""

from __future__ import annotations

from typing import Any

__all__ = ["CLUSTER_COLOURS", "NEUTRAL", "SAFE", "cluster_colour", "colour_scale", "mixed", "rgb"]

CLUSTER_COLOURS: tuple[str, ...] = (
    *("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#DCCB1E", "#3C2DFF"),
    *("#2DE1B4", "#963C3C", "#8778FF", "#B42D87", "#FF00FF", "#FFB4F0", "#006900", "#9600E1"),
    *("#3CC300", "#FF0F69", "#877800", "#A5B496", "#876996", "#FF78F0", "#FF8778", "#4B695A"),
    *("#C34BE1", "#F0C3A5", "#A5D2F0", "#D2001E", "#B4A5FF", "#5A4BB4", "#96A52D", "#0078FF"),
    *("#F00FB4", "#6996A5", "#87E13C", "#B48769", "#3C8700", "#B45A69", "#784BFF", "#D2A5C3"),
    *("#0096E1", "#FF5AA5", "#964BB4", "#FF2D00", "#00C387", "#A55A0F", "#9687C3", "#A5D287"),
    *("#C378FF", "#695A00", "#4B5A87", "#0FB4B4", "#6969D2", "#00D2E1", "#2DA500", "#0F8796"),
    *("#005AD2", "#E16969", "#FF6900", "#B4004B", "#788769", "#784B69", "#B400B4", "#D24B96"),
)
"""Colour of cluster *j* at position *j*."""

SAFE = 12
"""So many of them stay apart for colour-blind eyes."""

NEUTRAL = "#8A8F98"
"""For what belongs to no cluster; a contrast of 3:1 against white and 6:1 against black."""


def cluster_colour(cluster: int) -> str:
    """Return the colour of a cluster as ``#RRGGBB``; neutral for -1 (no cluster)."""
    return CLUSTER_COLOURS[cluster % len(CLUSTER_COLOURS)] if cluster >= 0 else NEUTRAL


def colour_scale(n_clusters: int) -> dict[str, Any]:
    """Return ``colorscale``, ``cmin`` and ``cmax`` that turn a cluster's number into its colour.

    Thousands of markers coloured by numbers are checked and sent in a tenth of the time of as many colour names.
    """
    n_clusters = max(n_clusters, 1)
    stops = [((j + side) / n_clusters, cluster_colour(j)) for j in range(n_clusters) for side in (0, 1)]
    return {"colorscale": stops, "cmin": -0.5, "cmax": n_clusters - 0.5}


def rgb(colour: str) -> tuple[int, int, int]:
    """Return the parts of ``#RRGGBB``, each 0 … 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def mixed(colour: str, share: float) -> str:
    """Return a colour at some opacity (0 … 1) as ``rgba(…)``, so that it works on light and dark alike."""
    return f"rgba({','.join(map(str, rgb(colour)))},{share:.3g})"
