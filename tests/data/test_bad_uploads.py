"""Bad uploads through the real path: each is refused in one short sentence, and nothing of it stays on the disk."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from bad_files import (
    idx,
    noise,
    npz,
    png,
    zipped,
)
from bad_uploads import CASES, Content, X

from clustlab.data import Dataset, load, uploads
from clustlab.data.files import with_options
from clustlab.data.readers import reader_of, table
from clustlab.errors import DataError

MOST_CHARACTERS = 200


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CLUSTLAB_DATA", str(tmp_path))
    return tmp_path


def uploaded(files: Mapping[str, bytes], options: str = "") -> Dataset:
    """Do with files what the form does when they are uploaded."""
    with uploads.keeping({name: io.BytesIO(content) for name, content in files.items()}) as path:
        if not options and reader_of(path) is table.READER:
            names = table.columns(path)
            return load(with_options(path, {"label": table.default_label(names)}))
        return load(f"{path}{options}")


def refused(files: Mapping[str, bytes], options: str = "") -> str:
    """Upload files that must be refused, and return the sentence, which must be one."""
    with pytest.raises(DataError) as caught:
        uploaded(files, options)
    sentence = str(caught.value)
    assert len(sentence) <= MOST_CHARACTERS, sentence
    assert sentence.isprintable(), repr(sentence)
    assert "Traceback" not in sentence
    assert "Error" not in sentence
    return sentence


@pytest.mark.parametrize(("name", "content", "options", "words"), CASES.values(), ids=CASES)
def test_a_bad_upload_is_refused_in_a_sentence_and_leaves_nothing(
    folder: Path, name: str, content: Content, options: str, words: str
) -> None:
    sentence = refused({name: content() if callable(content) else content}, options)
    assert words in sentence
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    assert list((folder / "uploads").iterdir() if (folder / "uploads").exists() else []) == []


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "there are 0"),
        ({f"{number}.csv": b"a\n1\n2\n" for number in range(5)}, "there are 5"),
        ({"a b.csv": b"a\n1\n2\n", "a-b.csv": b"a\n1\n2\n"}, "with different names"),
        ({"page.html": b"<html>"}, "page.html is of no format that can be read"),
        ({"": b"a\n1\n2\n"}, "file is of no format"),
        ({"..": b"a\n1\n2\n"}, "file is of no format"),
        ({"a\x00\n\u202evsc.exe": b""}, "is of no format that can be read"),
        ({"x" * 300 + ".exe": b""}, "is of no format that can be read"),
        (
            {
                "a-images-idx3-ubyte": idx(3, 2, 1, 1, content=b"\0\1"),
                "a-labels-idx1-ubyte": idx(1, 3, content=b"\0\1\2"),
            },
            "a-labels-idx1-ubyte has 2 samples, but 3 classes",
        ),
        (
            {"a-images-idx3-ubyte": idx(3, 2, 1, 1, content=b"\0\1"), "a-labels-idx1-ubyte": b"no labels"},
            "a-labels-idx1-ubyte is not an IDX file",
        ),
    ],
)
def test_uploads_of_wrong_names_and_numbers_are_refused(folder: Path, files: dict[str, bytes], words: str) -> None:
    assert words in refused(files)
    assert [path for path in folder.rglob("*") if path.is_file()] == []


PICTURES = {"a/1.png": png(6), "b/2.png": png(9, "RGB"), "b/3.png": noise(9)}

ODD: dict[str, tuple[str, Content, tuple[int, ...], int]] = {
    "one column": ("t.csv", b"a\n1\n2\n", (1,), 0),
    "a column that never changes": ("t.csv", b"a,b\n1,7\n2,7\n", (2,), 0),
    "names of all the world": ("größe 数据 🦆.csv", "größe,数据,label\n1,2,🦆\n3,4,ö\n".encode(), (2,), 2),
    "negative classes": ("a.npz", lambda: npz(X=X, y=[-1, -1, 5, 5]), (3,), 2),
    "classes as whole fractions": ("a.npz", lambda: npz(X=X, y=[1.0, 2.0, 1.0, 2.0]), (3,), 2),
    "truth values": ("a.npz", lambda: npz(X=X > 5), (3,), 0),
    "the other order of bytes": ("a.npz", lambda: npz(X=X.astype(">f8").copy(order="F")), (3,), 0),
    "images of different sizes": ("p.zip", lambda: zipped(PICTURES), (9, 9, 3), 2),
}


@pytest.mark.parametrize(("name", "content", "shape", "n_classes"), ODD.values(), ids=ODD)
def test_what_is_only_odd_is_read(name: str, content: Content, shape: tuple[int, ...], n_classes: int) -> None:
    data = uploaded({name: content() if callable(content) else content})
    assert (data.shape, data.n_classes) == (shape, n_classes)
    assert np.isfinite(data.x).all()


def test_an_upload_that_was_read_before_outlives_a_wrong_option(folder: Path) -> None:
    """A run may have been trained on it."""
    good = {"t.csv": b"a,b\n1,2\n3,4\n"}
    uploaded(good)
    kept = [path for path in folder.rglob("*") if path.is_file()]
    refused(good, "?label=c")
    assert [path for path in folder.rglob("*") if path.is_file()] == kept != []


def test_the_form_keeps_nothing_that_it_cannot_read(folder: Path) -> None:
    from streamlit.testing.v1 import AppTest

    def script() -> None:
        from clustlab.app.components import own_data

        own_data.choose()

    app = AppTest.from_function(script, default_timeout=60).run()
    assert not app.exception
    app.file_uploader(key="form-data-upload").set_value([("t.csv", b"a,b\n1,2\nx,4\n", "text/csv")]).run()
    assert not app.exception
    assert "column “a” of t.csv does not hold numbers" in app.error[0].value
    assert list((folder / "uploads").iterdir()) == []
