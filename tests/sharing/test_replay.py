"""A replay carries what the page would show, fits into the size asked for, and cannot be turned against anybody."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import shutil
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clustlab.errors import RunError
from clustlab.runs import Run
from clustlab.sharing import drawings, moments
from clustlab.sharing.document import code_of
from clustlab.sharing.moments import spread
from clustlab.sharing.replay import Replay, export_replay
from clustlab.views import payload

WITHOUT_UMAP = "UMAP is not among its maps, as it had not been computed for all of these frames."

GOLDEN = Path(__file__).parents[1] / "golden" / "idec-acai-digits"


class Page(HTMLParser):
    """A replay as a browser reads it: its scripts, its texts and what it would fetch."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.scripts: list[dict[str, str | None]] = []
        self.pieces: dict[str, bytes] = {}
        self.fetched: list[str] = []
        self.meta: dict[str, str] = {}
        self.text = ""
        self._inside: dict[str, str | None] | None = None
        self.feed(content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.fetched += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "action")]
        if tag == "meta":
            self.meta[given.get("http-equiv") or given.get("name") or "charset"] = given.get("content") or ""
        if tag == "script":
            self.scripts.append(given)
            self._inside = given

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._inside = None

    def handle_data(self, data: str) -> None:
        if self._inside is None:
            self.text += data
        elif name := self._inside.get("data-name"):
            self.pieces[name] = gzip.decompress(base64.b64decode(data))

    def json(self, name: str) -> Any:
        return json.loads(self.pieces[name])


def exported(run: Run, **options: Any) -> tuple[Page, Replay]:
    stream = io.BytesIO()
    replay = export_replay(run, stream, **options)
    assert len(stream.getvalue()) == replay.bytes
    return Page(stream.getvalue()), replay


@pytest.fixture
def golden(runs: Path) -> Run:
    """A copy that may be changed."""
    shutil.copytree(GOLDEN, runs / "golden")
    return Run(runs / "golden")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Run, Page, Replay]]:
    """The golden run as a replay with its figures, each drawn at three moments."""
    folder = tmp_path_factory.mktemp("runs") / "golden"
    shutil.copytree(GOLDEN, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawings, "MOMENTS", 3)
        yield Run(folder), *exported(Run(folder))


def test_the_map_is_that_of_the_page(whole: tuple[Run, Page, Replay]) -> None:
    run, page, replay = whole
    assert (replay.moments, replay.of) == (len(run.frames), len(run.frames))
    assert page.pieces["points/pca"] == payload.pack_frames(run, "pca", list(run.frames))
    assert page.pieces["thumbnails"] == payload.thumbnails(run)
    manifest = page.json("manifest")
    assert manifest["about"]["records"] == run.frames.records()
    assert manifest["sample"] == payload.describe_sample(run)
    assert [each["name"] for each in manifest["about"]["projections"]] == ["pca"]


@pytest.mark.parametrize("name", ["q", "p"])
def test_beliefs_are_carried_to_five_digits(whole: tuple[Run, Page, Replay], name: str) -> None:
    run, page, _ = whole
    values = np.frombuffer(page.pieces[name], "<u2") / 65_535
    places = page.json("manifest")["beliefs"][name]
    assert [place is None for place in places] == [name not in frame for frame in run.frames]
    for frame, place in zip(run.frames, places, strict=True):
        if place is not None:
            recorded = getattr(frame, name)
            carried = values[place["at"] :][: recorded.size].reshape(-1, place["k"])
            assert np.allclose(carried, recorded, atol=1e-5)


def test_panels_are_drawn_at_some_moments_and_curves_once_with_a_line_to_move(whole: tuple[Run, Page, Replay]) -> None:
    run, page, replay = whole
    panels = {panel["name"]: panel for panel in page.json("manifest")["panels"]}
    assert set(replay.panels) == set(panels) >= {"curves", "confusion", "interpolation", "centroids", "p-and-q-all"}
    assert not {"latent", "p-and-q"} & set(panels), "the browser draws these itself"
    for name, panel in panels.items():
        figures = [json.loads(line) for line in page.pieces[f"figures/{name}"].decode().split("\n")]
        assert len(figures) == len(panel["drawn"]) <= 3
        assert all(figure["data"] for figure in figures)
        assert set(panel["drawn"]) <= set(panel["there"])
    curves = json.loads(page.pieces["figures/curves"])
    (place,) = panels["curves"]["drawn"]
    lines = [curves["layout"]["shapes"][at] for at in panels["curves"]["cursor"]]
    assert lines
    assert {line["x0"] for line in lines} == {run.frames[place].step}
    assert panels["p-and-q-all"]["there"] == [frame.number for frame in run.frames if "q" in frame]
    assert "Nothing of it at this moment" in panels["p-and-q-all"]["absent"]


def test_the_file_asks_nobody_and_only_its_own_script_may_run(whole: tuple[Run, Page, Replay]) -> None:
    _, page, _ = whole
    policy = page.meta["Content-Security-Policy"]
    nonce = re.search(r"script-src 'nonce-([\w-]+)' blob:;", policy)
    assert nonce is not None
    assert policy.startswith("default-src 'none'")
    assert "connect-src" not in policy, "so that the default, nobody, holds"
    assert page.fetched == []
    running = [script for script in page.scripts if script.get("type") != "text/plain"]
    assert [script.get("nonce") for script in running] == [nonce[1]]


def test_how_it_was_made_can_be_read_without_scripts(whole: tuple[Run, Page, Replay]) -> None:
    run, page, _ = whole
    for words in ("IDEC + ACAI", "Digits 8×8: 1,797 samples", "cluster_epochs = 40", "torch 2.13.0", "cl.train("):
        assert words in page.text
    assert f"ACC {run.metrics['acc']:.4f}" in page.text
    assert run.protocol in page.text
    assert page.meta["generator"].startswith("clustlab ")


def test_names_cannot_break_out(golden: Run) -> None:
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(1)>'\"&"
    about = golden.about
    about["title"] = evil
    about["dataset"]["title"] = evil
    about["dataset"]["class_names"] = [evil] * 10
    about["notes"] = [evil]
    golden.folder.about.write_text(json.dumps(about))
    page, _ = exported(golden, panels=False)
    assert page.fetched == []
    assert sum(script.get("type") != "text/plain" for script in page.scripts) == 1
    assert page.text.count(evil) == 4  # the tab, the head, the data, the note
    assert page.json("manifest")["sample"]["class_names"] == [evil] * 10


def test_what_does_not_fit_is_left_out_evenly_and_said(
    golden: Run, whole: tuple[Run, Page, Replay], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawings, "MOMENTS", 3)
    full = exported(golden, panels=False)[1]
    assert full.notes == (WITHOUT_UMAP,)
    room = whole[2].bytes - 80_000
    page, replay = exported(golden, megabytes=room / 1e6)
    assert replay.bytes <= room
    assert any(note.startswith("Left out to keep the file small: ") for note in replay.notes)
    assert all(note in page.text for note in replay.notes)
    monkeypatch.setattr("clustlab.sharing.replay.MOST_MOMENTS", 8)
    page, fewer = exported(golden, panels=False)
    assert (fewer.moments, fewer.of) == (8, 21)
    assert "It carries 8 of 21 recorded frames, evenly spread." in page.text
    numbers = page.json("manifest")["moments"]["numbers"]
    records = golden.frames.records()
    assert [each["step"] for each in page.json("manifest")["about"]["records"]] == [
        records[at]["step"] for at in numbers
    ]
    assert {0, 20} <= set(numbers)


def test_a_run_that_is_too_large_is_refused_and_nothing_is_left(golden: Run, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    with pytest.raises(RunError, match=r"takes 2\.\d MB even with 6 frames; allow at least 3 MB"):
        export_replay(golden, tmp_path / "replay.html", megabytes=1.5)
    with pytest.raises(RunError, match="allow at least 1 MB"):
        export_replay(golden, tmp_path / "replay.html", megabytes=0.5)
    with pytest.raises(RunError, match="cannot be written"):
        export_replay(golden, tmp_path / "nowhere" / "replay.html", panels=False)
    assert sorted(tmp_path.iterdir()) == before


def test_a_run_without_frames_has_nothing_to_replay(golden: Run, tmp_path: Path) -> None:
    golden.folder.frame_index.write_text("")
    with pytest.raises(RunError, match="has recorded no frame yet"):
        export_replay(Run(golden.folder.path), tmp_path / "replay.html")


def test_a_map_that_was_never_computed_is_laid_out(record: Callable[..., Run]) -> None:
    run = record()
    page, _ = exported(run, panels=False)
    assert page.pieces["points/plane"] == payload.pack_frames(run, "plane", list(run.frames))


def test_nobody_learns_where_a_run_was_trained_and_a_live_one_stands_still(record: Callable[..., Run]) -> None:
    run = record("running")
    spec = run.spec.model_copy(update={"data": "/home/ada/secret/iris.csv?label=species"})
    run.folder.spec.write_text(spec.to_json())
    page, _ = exported(Run(run.folder.path), panels=False)
    manifest = page.json("manifest")
    assert manifest["about"]["status"]["state"] == "stopped"
    assert not {"host", "pid", "heartbeat"} & set(manifest["about"]["status"])
    assert "still being trained" in page.text
    assert "iris.csv?label=species" in page.text
    assert "secret" not in page.text + json.dumps(manifest)


def test_large_pictures_are_made_smaller(golden: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = golden.sample | {"thumbnails": np.full((60, 17, 16, 3), 200, np.uint8)}
    np.savez(golden.folder.sample, **arrays)
    monkeypatch.setattr(moments, "MOST_PICTURE_BYTES", 60 * 17 * 16)
    page, replay = exported(Run(golden.folder.path), panels=False)
    assert page.json("manifest")["sample"]["thumbnails"] == [60, 8, 8, 3]
    assert page.pieces["thumbnails"] == bytes([200]) * 60 * 8 * 8 * 3
    assert "The pictures of the samples are 2 times smaller on each side." in replay.notes


def test_every_module_finds_what_it_imports() -> None:
    code = code_of()
    assert {"replay.js", "bus.js", "latent_canvas.js", "timeline.js", "equation.js"} <= set(code["modules"])
    assert {"base", "latent_canvas", "timeline", "figure_holder"} <= set(code["styles"])
    for name, source in code["modules"].items():
        wanted = set(re.findall(r'^(?:import|export)[^"\n]*"([^"]+)"', source, re.MULTILINE))
        assert {each.removeprefix("clustlab/") for each in wanted} <= set(code["modules"]), name


@pytest.mark.parametrize(
    ("phases", "most", "kept"),
    [
        ("aab", 5, [0, 1, 2]),
        ("aaaaaaaaab", 4, [0, 3, 8, 9]),
        ("aaaaaaaaaa", 4, [0, 3, 6, 9]),
        ("abababab", 3, [0, 4, 7]),
        ("", 3, []),
    ],
)
def test_moments_are_spread_and_the_ends_of_phases_kept(phases: str, most: int, kept: list[int]) -> None:
    assert spread(phases, most) == kept
