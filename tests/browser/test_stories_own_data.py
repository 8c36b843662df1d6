"""Stories of somebody's own data: whatever format they come in, they are uploaded, trained on and looked at."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from bad_files import idx
from browser.laboratory import Laboratory, settled
from browser.serving import Server
from PIL import Image
from playwright.sync_api import FilePayload, Page, expect
from sklearn.datasets import load_digits, load_wine

from clustlab.runs import Run, open_run

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("workers_end")]

SAMPLES = 120

Files = dict[str, bytes]


def arrays(images: np.ndarray, classes: np.ndarray) -> Files:
    content = io.BytesIO()
    np.savez(content, X=images, y=classes)
    return {"mine.npz": content.getvalue()}


def idx_files(images: np.ndarray, classes: np.ndarray) -> Files:
    return {
        "mine-images-idx3-ubyte": idx(3, *images.shape, content=images.tobytes()),
        "mine-labels-idx1-ubyte": idx(1, len(classes), content=classes.tobytes()),
    }


def pictures(images: np.ndarray, classes: np.ndarray) -> Files:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for number, (image, label) in enumerate(zip(images, classes, strict=True)):
            file = io.BytesIO()
            Image.fromarray(image).save(file, "png")
            archive.writestr(f"{label}/{number}.png", file.getvalue())
    return {"mine.zip": content.getvalue()}


def table(write: Callable[[pd.DataFrame], bytes], name: str) -> Files:
    wine = load_wine(as_frame=True)
    frame = wine.data.head(SAMPLES).assign(species=wine.target.head(SAMPLES).map({0: "rot", 1: "weiß", 2: "rosé"}))
    return {name: write(frame)}


def own(format_name: str) -> Files:
    """Return 120 samples in a format, as files."""
    digits = load_digits()
    images, classes = (16 * digits.images[:SAMPLES]).clip(0, 255).astype(np.uint8), digits.target[:SAMPLES]
    match format_name:
        case "arrays":
            return arrays(images, classes)
        case "IDX":
            return idx_files(images, classes.astype(np.uint8))
        case "pictures":
            return pictures(images, classes)
        case "CSV":
            return table(lambda frame: frame.to_csv(index=False).encode(), "mine.csv")
        case "TSV":
            return table(lambda frame: frame.to_csv(index=False, sep="\t").encode(), "mine.tsv")
        case _:
            return table(lambda frame: frame.to_parquet(index=False), "mine.parquet")


@pytest.mark.parametrize("format_name", ["arrays", "IDX", "pictures", "CSV", "TSV", "Parquet"])
def test_own_data_are_uploaded_trained_on_and_looked_at(server: Server, page: Page, format_name: str) -> None:
    laboratory = Laboratory(page)
    laboratory.visit(server.url)
    laboratory.choose("form-data", "A file of my own …")
    files: list[FilePayload] = [
        {"name": name, "mimeType": "application/octet-stream", "buffer": content}
        for name, content in own(format_name).items()
    ]
    sidebar = page.get_by_test_id("stSidebar")
    sidebar.locator("input[type=file]").set_input_files(files)
    if format_name in ("CSV", "TSV", "Parquet"):
        sidebar.get_by_role("combobox", name="Column of the classes").click()
        page.get_by_role("option", name="species", exact=True).click()
        settled(page)
    classes = 10 if format_name in ("arrays", "IDX", "pictures") else 2
    expect(sidebar).to_contain_text(re.compile(rf"{SAMPLES} samples .* {classes} classes"))
    laboratory.choose("form-method", "k-means")
    before = laboratory.run
    laboratory.train()
    name = laboratory.wait_for_link(other_than=before)
    laboratory.wait_for_state("finished")
    run: Run = open_run(server.runs / name)
    laboratory.wait_for_points(name)
    last = laboratory.wait_for_frame(len(run.frames) - 1)
    laboratory.explain("Confusion")
    laboratory.wait_for_figure("confusion", last)
    assert len(run.sample["index"]) == SAMPLES
    assert len(np.unique(run.sample["y"])) == classes
    assert run.metrics["acc"] > 1.5 / classes if classes > 2 else run.metrics["acc"] > 0.6
