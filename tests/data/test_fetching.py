"""What is fetched: in a process of its own, whole or not at all, and checked. No test contacts another computer."""

from __future__ import annotations

import hashlib
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from clustlab import data, launch
from clustlab.data import Download, Report, Source, cifar10, fetching, known, load, openml, reuters10k, sources, usps
from clustlab.errors import DataError, SpecError
from clustlab.launch.worker import execute
from clustlab.spec import RunSpec

REMOTE = [source for source in sources() if source.download]

ARFF = (
    "@RELATION tiny\n@ATTRIBUTE a NUMERIC\n@ATTRIBUTE b NUMERIC\n@ATTRIBUTE class {1,2}\n@DATA\n0,255,1\n3,4,2\n9,9,2\n"
)


class GivenUp(Exception):
    """What a worker raises when it is told to stop."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of what is fetched: empty, and not the person's own."""
    monkeypatch.setenv("CLUSTLAB_DATA", str(tmp_path / "kept"))
    return tmp_path / "kept" / "fetched"


def tiny(build: Callable[[Path], dict[str, np.ndarray]] = lambda folder: {}) -> Download:
    return Download("tiny", "Tiny", "example.org", 1, build)


def command(script: str) -> tuple[str, ...]:
    """A process that is given a folder as ``sys.argv[1]``."""
    return (sys.executable, "-c", f"import sys, time, pathlib\nfolder = pathlib.Path(sys.argv[1])\n{script}")


WRITES = command(
    "import numpy\n(folder / 'raw').write_bytes(bytes(3_000_000))\n"
    "numpy.savez(folder / 'tiny.npz', X=numpy.arange(6.0).reshape(3, 2), y=[0, 1, 1])\ntime.sleep(0.2)"
)


def test_what_has_been_fetched_is_kept_and_nothing_else(folder: Path) -> None:
    told: list[str] = []
    fetching.ensure(tiny(), told.append, WRITES)
    assert [path.name for path in folder.iterdir() if not path.name.endswith(".lock")] == ["tiny.npz"]
    assert told[0].startswith("fetching Tiny from example.org: ")
    assert "of about 1 MB" in told[0]
    loaded = fetching.load_fetched(tiny())
    assert (loaded.name, loaded.title, loaded.n, loaded.n_classes) == ("tiny", "Tiny", 3, 2)
    fetching.ensure(tiny(), told.append, command("sys.exit('fetched twice')"))


def test_what_is_reported_can_call_a_download_off_and_nothing_stays(folder: Path) -> None:
    def give_up(message: str) -> None:
        if "2 of about" in message:
            raise GivenUp

    with pytest.raises(GivenUp):
        fetching.ensure(tiny(), give_up, command("(folder / 'half').write_bytes(bytes(2_000_000))\ntime.sleep(60)"))
    assert [path.name for path in folder.iterdir()] in ([], [".tiny.lock"])
    fetching.ensure(tiny(), lambda _: None, WRITES)


def test_a_download_that_fails_is_one_sentence_and_leaves_nothing(folder: Path) -> None:
    failing = command("(folder / 'half').write_bytes(bytes(9))\nsys.exit('Name or service not known')")
    with pytest.raises(DataError) as refused:
        fetching.ensure(tiny(), lambda _: None, failing)
    assert str(refused.value) == (
        "Tiny could not be fetched from example.org (Name or service not known); connect this computer to the network "
        "and try again, or give a file of your own, such as ./tiny.npz"
    )
    assert [path.name for path in folder.iterdir()] in ([], [".tiny.lock"])


def test_what_a_killed_process_left_is_swept_up(folder: Path) -> None:
    (folder / ".tiny-abc").mkdir(parents=True)
    (folder / ".tiny-abc" / "half").write_text("half")
    fetching.ensure(tiny(), lambda _: None, WRITES)
    assert not (folder / ".tiny-abc").exists()


def test_of_two_processes_one_fetches_and_the_other_waits(folder: Path) -> None:
    told: list[str] = []
    slow = command("import numpy\ntime.sleep(0.6)\nnumpy.savez(folder / 'tiny.npz', X=numpy.ones((3, 2)))")
    first = threading.Thread(target=fetching.ensure, args=(tiny(), lambda _: None, slow))
    first.start()
    while not list(folder.glob(".tiny-*")):
        time.sleep(0.02)
    fetching.ensure(tiny(), told.append, command("sys.exit('fetched twice')"))
    first.join()
    assert set(told) <= {"waiting for another process that fetches Tiny"}


def test_the_child_keeps_what_is_built_and_says_in_one_line_what_went_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "_end_with_parent", lambda: None)
    monkeypatch.setattr("socket.setdefaulttimeout", lambda seconds: None)
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.mkdir()
    bad.mkdir()
    assert fetching.serve(tiny(lambda folder: {"X": np.ones((2, 2))}), good) == 0
    assert (good / "tiny.npz").is_file()

    def broken(folder: Path) -> dict[str, np.ndarray]:
        raise DataError("what came\nis something else")

    assert fetching.serve(tiny(broken), bad) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "what came is something else"
    assert not (bad / "tiny.npz").exists()


@pytest.mark.parametrize("source", REMOTE, ids=lambda source: source.name)
def test_what_must_be_fetched_says_so_and_never_fetches_by_itself(source: Source) -> None:
    assert source.download is not None
    assert source.download.megabytes > 0
    with pytest.raises(DataError, match="is not on this computer yet; clustlab data"):
        source.load()
    assert known(source.name) is source
    assert source.kind == ("images" if len(source.shape) > 1 else "vectors")


def test_sources_that_come_along_are_known_whole() -> None:
    assert isinstance(known("blobs"), data.Dataset)


def test_a_run_is_submitted_without_fetching_and_its_worker_can_be_stopped_while_it_does(
    runs: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = launch.submit(RunSpec.parse({"method": "kmeans", "data": "usps"}))
    assert run.title == "k-means on USPS · seed 0"
    assert not folder.exists()
    fetch, said = fetching.ensure, []

    def fetching_for_ever(download: Download, report: Report) -> None:
        def listen(message: str) -> None:
            report(message)
            said.append(run.status["message"])
            run.folder.ask("stop")

        fetch(download, listen, command("time.sleep(60)"))

    monkeypatch.setattr(fetching, "ensure", fetching_for_ever)
    assert execute(run.folder.path) == "stopped"
    assert said[0] == "fetching USPS from openml.org: 0 of about 5 MB, 0 s"


def test_more_clusters_than_samples_are_refused_before_anything_is_fetched() -> None:
    spec = RunSpec.parse({"method": "kmeans", "data": "usps", "n_clusters": 1000, "recording": {"probe": 999}})
    with pytest.raises(SpecError, match="probe = 999 is too small"):
        launch.submit(spec)


@pytest.fixture
def openml_server() -> Iterator[str]:
    """A stand-in for OpenML with one data set of three samples, number 1."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = f"http://127.0.0.1:{self.server.server_port}/data/v1/download/9"  # type: ignore[attr-defined]
            features = [
                {"index": str(place), "name": name, "data_type": kind, "is_target": str(name == "class").lower(),
                 "is_ignore": "false", "is_row_identifier": "false", "number_of_missing_values": "0"}
                for place, (name, kind) in enumerate([("a", "numeric"), ("b", "numeric"), ("class", "nominal")])
            ]  # fmt: skip
            about = {"id": "1", "name": "tiny", "version": "1", "format": "ARFF", "status": "active", "file_id": "9",
                     "url": address, "md5_checksum": hashlib.md5(ARFF.encode()).hexdigest(),
                     "default_target_attribute": "class", "description": "tiny"}  # fmt: skip
            answers = {
                "/api/v1/json/data/1": json.dumps({"data_set_description": about}),
                "/api/v1/json/data/features/1": json.dumps({"data_features": {"feature": features}}),
                "/api/v1/json/data/qualities/1": json.dumps({"data_qualities": {"quality": []}}),
                "/data/v1/download/9": ARFF,
            }
            content = answers.get(self.path)
            self.send_response(200 if content else 404)
            self.end_headers()
            self.wfile.write((content or "").encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_samples_come_from_openml(openml_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, path in {"_DATA_INFO": "", "_DATA_FEATURES": "features/", "_DATA_QUALITIES": "qualities/"}.items():
        monkeypatch.setattr(f"sklearn.datasets._openml.{name}", f"{openml_server}/api/v1/json/data/{path}{{}}")
    x, labels = openml.fetch(1, tmp_path)
    assert np.array_equal(x, [[0, 255], [3, 4], [9, 9]])
    assert np.array_equal(openml.classes_from_zero("Tiny", labels, [1, 2]), [0, 1, 1])
    assert openml.grey_bytes("Tiny", x, (1, 2)).shape == (3, 1, 2)


@pytest.mark.parametrize("x", [[[0.0, 254.0]], [[0.5, 255.0]], [[-1.0, 255.0]], [[0.0, 1.0, 255.0]]])
def test_pixels_that_are_no_bytes_are_refused(x: list[list[float]]) -> None:
    with pytest.raises(DataError, match="is not pixels of the form"):
        openml.grey_bytes("Tiny", np.array(x), (1, 2))


@pytest.mark.parametrize("labels", [["0", "1", "1"], [1, 2, 2], [2.0, 1.0, 1.0]])
def test_classes_are_counted_from_zero_however_they_come(labels: list[Any]) -> None:
    """2 for the class 0 is how some count ten for the digit 0; the sizes of the classes tell."""
    assert np.array_equal(openml.classes_from_zero("Tiny", np.array(labels), [1, 2]), [0, 1, 1])


@pytest.mark.parametrize("labels", [[0, 0, 0], [0.5, 1, 1], [-1, 0, 0], [0, 1, 2]])
def test_classes_of_other_sizes_are_refused(labels: list[Any]) -> None:
    with pytest.raises(DataError, match="not as frequent as"):
        openml.classes_from_zero("Tiny", np.array(labels), [1, 2])


@pytest.mark.parametrize(("low", "high"), usps.RANGES)
def test_usps_is_brought_to_grey_values_from_any_of_its_ranges(low: float, high: float) -> None:
    grey = np.linspace(0, 1, 512).reshape(2, 256)
    assert np.allclose(usps.grey_values(low + (high - low) * grey).reshape(2, 256), grey)


def test_usps_in_another_range_is_refused() -> None:
    with pytest.raises(DataError, match="16 × 16 grey values"):
        usps.grey_values(np.linspace(0, 255, 512).reshape(2, 256))


@pytest.mark.parametrize("channels_first", [True, False])
def test_cifar_images_are_read_in_the_order_that_gives_its_colours(channels_first: bool) -> None:
    generator = np.random.default_rng(0)
    noise = generator.integers(-20, 20, (50, 32, 32, 3)) + np.linspace(-30, 30, 32)[:, None, None]
    images = (noise - noise.mean(axis=(0, 1, 2)) + cifar10.MEANS).astype(np.uint8)
    rows = images.transpose(0, 3, 1, 2) if channels_first else images
    assert np.array_equal(cifar10.colour_images(rows.reshape(50, -1)), images)


def test_cifar_of_other_colours_is_refused() -> None:
    with pytest.raises(DataError, match="does not have its colours"):
        cifar10.colour_images(np.full((3, 3072), 7, np.uint8))


def corpus() -> SimpleNamespace:
    """Forty stories of 12 words, the first five for training; each third one has two topics, word 3 is in none."""
    generator = np.random.default_rng(0)
    x = generator.random((40, 12)) * (generator.random((40, 12)) < np.linspace(0.1, 0.9, 12))
    x[:, 3], x[7] = 0, 0
    topics = np.eye(5, dtype=np.uint8)[np.arange(40) % 4]
    topics[::3, :4] |= np.eye(4, dtype=np.uint8)[(np.arange(0, 40, 3) + 1) % 4]
    topics = topics[:, [4, 0, 1, 2, 3]]
    names = np.array(["C11", "CCAT", "GCAT", "MCAT", "ECAT"], dtype=object)
    return SimpleNamespace(data=sparse.csr_array(x), target=sparse.csr_array(topics), target_names=names)


def test_reuters_keeps_stories_of_one_topic_and_the_most_frequent_words(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = corpus()
    for name, value in {"TRAINING": 5, "TERMS": 6, "DOCUMENTS": 10}.items():
        monkeypatch.setattr(reuters10k, name, value)
    monkeypatch.setattr("sklearn.datasets.fetch_rcv1", lambda **_: found)
    arrays = reuters10k.fetch_reuters(folder)
    folder.mkdir(parents=True)
    np.savez(fetching.fetched_file(reuters10k.DOWNLOAD), **arrays)

    words = np.sort(np.argsort(-(found.data.todense() > 0).sum(axis=0), kind="stable")[:6])
    assert 3 not in words
    once = [story for story in [*range(5, 40), *range(5)] if story % 3 and story != 7]
    first = load("reuters10k-first")
    expected = np.asarray(found.data.todense())[once[:10]][:, words]
    expected *= np.sqrt(6) / np.linalg.norm(expected, axis=1, keepdims=True)
    assert np.allclose(first.x, expected, atol=1e-6)
    assert first.y is not None
    assert first.y.tolist() == [story % 4 for story in once[:10]]
    assert first.class_names == ("CCAT", "GCAT", "MCAT", "ECAT")

    drawn = load("reuters10k")
    assert (drawn.n, drawn.title) == (10, "Reuters-10k")
    assert np.allclose(np.linalg.norm(drawn.x, axis=1), np.sqrt(6))
    assert not np.array_equal(drawn.x, first.x)
    assert "CCAT" in drawn.notes[0]
    assert "%" in drawn.notes[0]
