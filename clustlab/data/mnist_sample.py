"""A stratified sample of MNIST that comes with clustlab; ``assets/README.md`` tells where it is from."""

from __future__ import annotations

import dataclasses

from clustlab.data.assets import assets_folder
from clustlab.data.dataset import Dataset, Source
from clustlab.data.files import load_file

__all__ = ["SOURCE", "load_mnist_sample"]


def load_mnist_sample() -> Dataset:
    """Return 5,000 MNIST digits of 28 × 28 pixels, grey values / 255, classes as frequent as in the whole set."""
    content = load_file(assets_folder() / "mnist-sample.npz")
    return dataclasses.replace(content, name=SOURCE.name, title=SOURCE.title)


SOURCE = Source(
    name="mnist-sample",
    title="MNIST, 5,000 digits",
    description="A stratified sample of MNIST, the set on which most deep-clustering papers report their numbers.",
    n=5000,
    shape=(28, 28),
    n_classes=10,
    load=load_mnist_sample,
    order=10,
)
