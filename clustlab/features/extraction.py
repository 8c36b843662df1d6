"""From images to a file of features."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from clustlab.data import load
from clustlab.data.checking import check_room, classes
from clustlab.data.files import is_path, split_options
from clustlab.data.mapped import pieces
from clustlab.data.readers import image_folder
from clustlab.errors import DataError
from clustlab.features.network import open_network
from clustlab.runs.layout import write_aside

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["extract"]


@dataclass(frozen=True)
class Images:
    """Images one after the other, and what goes with them."""

    title: str
    n: int
    each: Iterable[Image]
    y: np.ndarray | None
    class_names: tuple[str, ...]


def extract(
    data: str,
    out: str | Path,
    *,
    network: str = "",
    checkpoint: str | Path | None = None,
    batch_size: int = 64,
    device: str = "auto",
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write the features of all images of a data set to an ``.npz`` file, and return its path.

    The file appears when it is whole. It holds ``X`` (n, D) float32, ``y`` and ``label_names`` where there are classes,
    and the texts ``title``, ``network`` and ``weights``, which say what made it.

    Parameters
    ----------
    data : str
        Name of a data source with images, or path of a file, folder or zip of images; images of a folder or zip are
        given to the network in their own size.
    out : path
        The file to write; it must not exist yet.
    network, checkpoint, device
        As in :func:`~clustlab.features.network.open_network`.
    batch_size : int
        Images that the network sees at once.
    progress : callable, optional
        Told after each batch how many images are done, and of how many.

    Raises
    ------
    DataError
        If the data are not images or cannot be read, the network cannot be had, or the file cannot be written.
    """
    out = Path(out).expanduser()
    if out.suffix != ".npz":
        raise DataError(f"{out.name} must end in .npz")
    if out.exists():
        raise DataError(f"{out} exists already; choose another name")
    if not out.parent.is_dir():
        raise DataError(f"there is no folder {out.parent} to write to")
    with _images(data) as images:
        asked = open_network(network, checkpoint, device)
        x = _all_features(asked.features, images, max(1, batch_size), progress or (lambda done, total: None))
    arrays = {
        "X": x,
        "title": np.array(f"{images.title} · {asked.kind} ({asked.name})"),
        "network": np.array(asked.name),
        "weights": np.array(asked.weights),
    }
    if images.y is not None:
        arrays |= {"y": images.y, "label_names": np.array(images.class_names)}
    write_aside(out, lambda stream: np.savez_compressed(stream, allow_pickle=False, **arrays))
    return out


def _all_features(
    ask: Callable[[list[Image]], np.ndarray],
    images: Images,
    batch_size: int,
    progress: Callable[[int, int], None],
) -> np.ndarray:
    each, found = iter(images.each), np.empty((0, 0), np.float32)
    done = 0
    progress(done, images.n)
    while batch := list(itertools.islice(each, batch_size)):
        some = ask(batch)
        if not done:
            check_room("the file of features", (images.n, some.shape[1]))
            found = np.empty((images.n, some.shape[1]), np.float32)
        found[done : done + len(some)] = some
        done += len(some)
        progress(done, images.n)
    return found


@contextmanager
def _images(data: str) -> Iterator[Images]:
    """Offer the images of a source or path for the length of a ``with`` block."""
    path = split_options(data)[0] if is_path(data) else None
    if path is not None and path.exists() and (path.is_dir() or path.suffix.lower() == ".zip"):
        with image_folder.image_files(path) as files:
            labels = [file.class_name for file in files if file.class_name is not None]
            y, names = classes(path.name, np.array(labels), len(files)) if labels else (None, ())
            yield Images(path.stem, len(files), (image_folder.opened(path.name, file) for file in files), y, names)
        return
    dataset = load(data)
    if dataset.kind != "images":
        raise DataError(f"{dataset.title} has vectors of {dataset.shape[0]} features; features are made of images")
    from PIL import Image

    pictures = (Image.fromarray(np.round(one * 255).astype(np.uint8)) for piece in pieces(dataset.x) for one in piece)
    yield Images(dataset.title, dataset.n, pictures, dataset.y, dataset.class_names)
