"""A file of one's own: a path on this computer or an upload, how it is to be read, and a look at what is in it."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import streamlit as st
from streamlit import config

from clustlab.app.components import data_strip
from clustlab.app.state import Form
from clustlab.data import Source, load, uploads
from clustlab.data.files import absolute, is_there, split_options, with_options
from clustlab.data.readers import image_folder, reader_of, table
from clustlab.errors import ClustlabError
from clustlab.figures.thumbnail import sample_strip

__all__ = ["choose", "only_this_computer"]

LOCAL = ("localhost", "127.0.0.1", "::1")
"""Addresses of a server that only this computer reaches."""

READABLE = (
    "Can be read: .npz (X, and y for classes; or sparse rows), .npy, .csv, .tsv, .parquet, IDX files, and folders or "
    "zips of images with a sub-folder for each class. Nothing in them is executed."
)

NO_CLASSES = "no column"


class Look(NamedTuple):
    """What a form shows of a data set, which itself is not kept."""

    title: str
    n: int
    shape: tuple[int, ...]
    n_classes: int
    notes: tuple[str, ...]
    picture: str


def choose() -> Source | None:
    """Let the person name or upload a file and say how to read it; return what is in it, or None without one."""
    try:
        with ExitStack() as reading:
            path, options = _where(reading)
            if path is None:
                st.caption(READABLE)
                return None
            text = with_options(path, options or _reading(path))
            with st.spinner("Reading …"):
                look = _look(text, _stamp(path))
    except ClustlabError as error:
        st.error(str(error), icon=":material/error:")
        return None
    data_strip.draw(look.picture, look.title)
    return Source(
        name=text,
        title=look.title,
        description=" ".join(look.notes),
        n=look.n,
        shape=look.shape,
        n_classes=look.n_classes,
        load=lambda: load(text),
    )


def only_this_computer() -> bool:
    """Whether nobody reaches the server from elsewhere: then whoever is here may name files that the server reads."""
    return str(config.get_option("server.address") or "").lower() in LOCAL


def _where(reading: ExitStack) -> tuple[Path | None, dict[str, str]]:
    """Return the path that was typed or uploaded, if any, and the options that were typed behind it.

    An upload is kept on the disk if it can be read while ``reading`` is open.
    """
    typed = ""
    if only_this_computer():
        typed = st.text_input(
            "Path of a file or folder",
            placeholder="~/pictures or ~/iris.csv",
            key=Form.DATA_PATH,
            help="Read where it lies, by this computer; options may follow, as in iris.csv?label=species.",
        )
    uploaded = st.file_uploader(
        "Or upload it",
        accept_multiple_files=True,
        key=Form.DATA_UPLOAD,
        help="Kept on this computer, so that the run can be resumed. IDX: images and classes together.",
    )
    if typed.strip():
        return split_options(absolute(typed.strip().strip("\"'")))
    if uploaded:
        return reading.enter_context(uploads.keeping({file.name: file for file in uploaded})), {}
    return None, {}


def _reading(path: Path) -> dict[str, str]:
    """Let the person say how a file is to be read, where there is a choice; return the options of its reader."""
    if not is_there(path):
        return {}
    reader = reader_of(path)
    if reader is table.READER:
        return _columns(path)
    if reader is image_folder.READER:
        side = st.number_input(
            "Pixels of a side",
            4,
            image_folder.MOST_SIDE,
            value=None,
            step=4,
            placeholder="as most images have",
            key=Form.DATA_SIDE,
            help="Images of another size are scaled and cropped at the centre.",
        )
        return {"size": str(side)} if side else {}
    return {}


def _columns(path: Path) -> dict[str, str]:
    names = table.columns(path)
    label = table.default_label(names)
    chosen = st.selectbox(
        "Column of the classes",
        [NO_CLASSES, *names],
        index=1 + names.index(label) if label else 0,
        key=f"{Form.DATA_LABEL}-{path}",
        help="For scores and colours only.",
    )
    doubtful = table.default_without(names, chosen)
    without = st.multiselect(
        "Leave out",
        [name for name in names if name != chosen],
        default=list(doubtful),
        key=f"{Form.DATA_WITHOUT}-{path}-{chosen}",
    )
    kept = [name for name in names if name not in {chosen, *without}]
    one_hot = st.multiselect(
        "A feature for each value of",
        kept,
        key=f"{Form.DATA_ONE_HOT}-{path}-{chosen}",
        help="For columns of texts or of numbers that only name something.",
    )
    options = {"label": "" if chosen == NO_CLASSES else chosen}
    lists = {
        "with": [name for name in doubtful if name not in without],
        "without": [name for name in without if name not in doubtful],
        "one-hot": [name for name in one_hot if name in kept],
    }
    return options | {name: table.join_names(values) for name, values in lists.items() if values}


def _stamp(path: Path) -> tuple[int, ...]:
    """Return numbers that change when the content of a path does: those of a folder and the folders in it."""
    try:
        folders = sorted(each for each in path.iterdir() if each.is_dir()) if path.is_dir() else []
        return tuple(number for each in (path, *folders) for number in (each.stat().st_mtime_ns, each.stat().st_size))
    except OSError:  # its reader says what is wrong, and a refusal is not kept
        return ()


@st.cache_data(show_spinner=False, max_entries=32)
def _look(text: str, changed: tuple[int, ...]) -> Look:
    data = load(text)
    return Look(data.title, data.n, data.shape, data.n_classes, data.notes, sample_strip(data.x, data.y))
