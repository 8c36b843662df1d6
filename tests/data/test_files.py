from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clustlab.data import load
from clustlab.data.files import absolute, split_options
from clustlab.errors import DataError

VECTORS = np.arange(12.0).reshape(4, 3)


def saved(folder: Path, **arrays: Any) -> str:
    path = folder / "my data.npz"
    np.savez(path, **arrays)
    return str(path)


def test_vectors_and_classes_are_read(tmp_path: Path) -> None:
    data = load(saved(tmp_path, X=VECTORS, y=np.array([5, 7, 5, 9])))
    assert (data.name, data.kind, data.shape) == ("my data", "vectors", (3,))
    assert np.array_equal(data.x, VECTORS)
    assert data.y is not None
    assert data.y.tolist() == [0, 1, 0, 2]
    assert data.class_names == ("5", "7", "9")


def test_other_names_and_missing_classes_are_fine(tmp_path: Path) -> None:
    data = load(saved(tmp_path, x=VECTORS, something_else=np.zeros(3)))
    assert data.y is None
    assert (data.n_classes, data.class_names) == (0, ())


def test_texts_and_named_classes_keep_their_names(tmp_path: Path) -> None:
    assert load(saved(tmp_path, X=VECTORS, labels=np.array(list("baab")))).class_names == ("a", "b")
    named = load(saved(tmp_path, X=VECTORS, y=np.array([0, 2, 0, 2]), label_names=np.array(["ape", "bee", "cat"])))
    assert named.class_names == ("ape", "cat")
    assert named.y is not None
    assert named.y.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("images", "shape", "largest"),
    [
        (np.linspace(0, 51, 60).reshape(3, 4, 5).astype(np.uint8), (4, 5), 0.2),
        (np.linspace(0, 255, 180).reshape(3, 4, 5, 3).astype(np.uint8), (4, 5, 3), 1.0),
        (np.linspace(0, 0.5, 60).reshape(3, 4, 5, 1), (4, 5), 0.5),
        (np.arange(60).reshape(3, 4, 5), (4, 5), 1.0),
    ],
)
def test_images_lie_between_0_and_1(tmp_path: Path, images: np.ndarray, shape: tuple[int, ...], largest: float) -> None:
    data = load(saved(tmp_path, X=images))
    assert (data.kind, data.shape, data.value_range) == ("images", shape, (0.0, 1.0))
    assert data.x.max() == pytest.approx(largest)
    assert data.x.dtype == np.float32


@pytest.mark.parametrize("path", ["missing.npz", "./digits", "some/folder/data.npy"])
def test_paths_that_lead_nowhere_are_refused(path: str) -> None:
    with pytest.raises(DataError, match="there is no file"):
        load(path)


@pytest.mark.parametrize("path", ["~nosuchuser/x.csv", "~nosuchuser/x.csv?label=a", f"{'long' * 100}.csv"])
def test_paths_that_no_computer_has_are_one_sentence(path: str) -> None:
    with pytest.raises(DataError, match="leads to nothing that can be read") as caught:
        load(path)
    assert "\n" not in str(caught.value)


def test_a_path_through_a_closed_folder_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, **_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(DataError, match=r"leads to nothing that can be read \(Permission denied\)"):
        load(str(tmp_path / "closed" / "my.csv"))


def test_links_in_a_circle_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    with pytest.raises(DataError):
        load(absolute(str(tmp_path / "circle" / "my.csv")))


def test_an_image_that_is_a_link_to_nowhere_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "cat.png").symlink_to(tmp_path / "gone.png")
    with pytest.raises(DataError, match=r"cat\.png cannot be read \(No such file or directory\)"):
        load(str(tmp_path))


def test_options_may_be_longer_than_a_name(tmp_path: Path) -> None:
    path, options = split_options(f"{tmp_path / 'my.csv'}?without={'column,' * 100}")
    assert path == tmp_path / "my.csv"
    assert list(options) == ["without"]
