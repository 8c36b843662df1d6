"""Reuters-10k: 10,000 news stories as weights of 2,000 words, from RCV1, in the two subsets that papers use.

DEC (Xie, Girshick and Farhadi 2016, §4.1) keeps the stories with exactly one of four root topics, weighs the 2,000 most
frequent words, permutes, and takes the first 10,000. The Keras port of the line of IDEC takes the first 10,000 in the
order of the files instead: earlier stories with other shares of the topics. Papers rarely say which one they have.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Literal

import numpy as np

from clustlab.data.dataset import Dataset, Download, Source
from clustlab.data.fetching import fetched_file, load_fetched
from clustlab.data.readers.npz import read_arrays

__all__ = ["FIRST", "SOURCE", "fetch_reuters", "load_reuters10k", "select"]

TOPICS = ("CCAT", "GCAT", "MCAT", "ECAT")
TERMS, DOCUMENTS = 2000, 10_000

TRAINING = 23_149
"""Stories of the training part, with which RCV1 begins in scikit-learn; DEC reads the test part first."""

SEED = 1234
"""That of DEC's script."""


def fetch_reuters(folder: Path) -> dict[str, np.ndarray]:
    """Return the arrays to keep, from scikit-learn's RCV1: both subsets, unscaled, in compressed rows.

    Deviation: scikit-learn has finished weights instead of counts, so that the words are chosen by the number of
    stories that they occur in, and the weights are those of RCV1 (logarithmic tf-idf), normalised anew.
    """
    from sklearn import datasets

    found = datasets.fetch_rcv1(data_home=str(folder), subset="all", n_retries=1)
    names = [str(name) for name in found.target_names]
    topics = found.target[:, [names.index(topic) for topic in TOPICS]]
    return select(found.data, topics, TRAINING, TERMS, DOCUMENTS)


def select(x: Any, topics: Any, n_training: int, n_terms: int, n_documents: int) -> dict[str, np.ndarray]:
    """Return the rows of both subsets, and which rows are whose.

    Parameters
    ----------
    x : sparse array, shape (n, words)
        Weights, training part first.
    topics : sparse array, shape (n, K)
        1 where a story has a topic.
    n_training, n_terms, n_documents : int
        Stories of the training part; words and stories to keep.

    Returns
    -------
    dict
        ``data``, ``indices``, ``indptr``, ``shape`` of the rows, each of norm 1; ``y``; ``label_names``; ``random`` and
        ``first``, the rows of DEC's subset and of its Keras port's.
    """
    from sklearn.preprocessing import normalize

    topics = np.asarray(topics.todense())
    order = np.roll(np.arange(x.shape[0]), -n_training)  # the test part comes first in DEC's files
    order = order[topics[order].sum(axis=1) == 1]
    x, y = x[order].tocsr(), topics[order].argmax(axis=1).astype(np.int64)
    frequency = np.bincount(x.indices, minlength=x.shape[1])
    words = np.sort(np.argsort(-frequency, kind="stable")[:n_terms])
    x = x[:, words].tocsr()
    filled = np.flatnonzero(np.diff(x.indptr))
    first = filled[:n_documents]
    drawn = np.random.RandomState(SEED).permutation(filled)[:n_documents]
    both = np.union1d(first, drawn)
    rows = normalize(x[both]).astype(np.float32)
    return {
        "data": rows.data,
        "indices": rows.indices.astype(np.int32),
        "indptr": rows.indptr.astype(np.int64),
        "shape": np.array(rows.shape),
        "y": y[both],
        "label_names": np.array(TOPICS),
        "random": np.searchsorted(both, drawn),
        "first": np.searchsorted(both, first),
    }


def load_reuters10k(variant: Literal["random", "first"] = "random") -> Dataset:
    r"""Return 10,000 stories as vectors of 2,000 weights; each has the length :math:`\sqrt{2000}`, as in DEC.

    Parameters
    ----------
    variant : {"random", "first"}
        10,000 stories drawn at random, as in DEC, or the first ones in the order of the files, as in its Keras port.

    Raises
    ------
    DataError
        If the data have not been fetched.
    """
    whole = load_fetched(DOWNLOAD)
    chosen = read_arrays(fetched_file(DOWNLOAD), (variant,))[variant]
    source = {"random": SOURCE, "first": FIRST}[variant]
    y = whole.y[chosen] if whole.y is not None else np.zeros(0, np.int64)
    shares = np.bincount(y, minlength=len(TOPICS)) / len(y)
    told = ", ".join(f"{name} {share:.0%}" for name, share in zip(whole.class_names, shares, strict=True))
    x = whole.x[chosen] * np.float32(np.sqrt(whole.x.shape[1]))
    return dataclasses.replace(whole, name=source.name, title=source.title, x=x, y=y, notes=(f"Topics: {told}.",))


def load_first() -> Dataset:
    """Return the first 10,000 stories in the order of the files."""
    return load_reuters10k("first")


DOWNLOAD = Download(
    name="reuters10k",
    title="Reuters-10k",
    origin="figshare.com (RCV1 from scikit-learn)",
    megabytes=656,
    build=fetch_reuters,
)

SOURCE = Source(
    name="reuters10k",
    title="Reuters-10k",
    description="News stories by their 2,000 most frequent words and four topics, drawn at random from RCV1 as in DEC.",
    n=DOCUMENTS,
    shape=(TERMS,),
    n_classes=len(TOPICS),
    load=load_reuters10k,
    order=90,
    download=DOWNLOAD,
)

FIRST = Source(
    name="reuters10k-first",
    title="Reuters-10k, first stories",
    description="The first stories in the order of the files instead of random ones: the subset of DEC's Keras port.",
    n=DOCUMENTS,
    shape=(TERMS,),
    n_classes=len(TOPICS),
    load=load_first,
    order=91,
    download=DOWNLOAD,
)
