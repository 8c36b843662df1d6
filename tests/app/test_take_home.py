"""What one takes home: code, link, and files that are made when they are asked for."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from clustlab.app.components import take_home
from clustlab.runs import Run
from clustlab.sharing.snippet import python_of

GOLDEN = Path(__file__).parents[1] / "golden" / "idec-acai-digits"


@pytest.fixture
def golden(runs: Path) -> Run:
    shutil.copytree(GOLDEN, runs / "golden")
    return Run(runs / "golden")


def shown(name: str) -> AppTest:
    def script(name: str) -> None:
        from clustlab.app.access import find_run
        from clustlab.app.components import take_home

        take_home.show(find_run(name))

    app = AppTest.from_function(script, default_timeout=60, args=(name,)).run()
    assert not app.exception
    return app


def test_code_and_link_stand_ready_to_be_copied(golden: Run) -> None:
    python, command, link = (block.value for block in shown("golden").code)
    assert python == python_of(golden.spec).rstrip("\n")
    assert command.startswith("clustlab train idec --data digits --seed 0 --extension acai")
    assert link.endswith("?run=golden")


def test_a_fork_whose_parent_is_gone_is_told_in_python_only(golden: Run) -> None:
    spec = json.loads(golden.folder.spec.read_text())
    spec["parent"] = {"run": "idec-digits-7f3a", "step": 280, "alike": False}
    golden.folder.spec.write_text(json.dumps(spec))
    app = shown("golden")
    python, link = (block.value for block in app.code)
    assert "launch.fork(parent, spec, step=280)" in python
    assert "?run=golden" in link
    assert any("not here" in caption.value for caption in app.caption)


def test_a_run_without_frames_offers_no_replay(record: Callable[..., Run], golden: Run) -> None:
    def replay(app: AppTest) -> bool:
        return bool(
            next(each for each in app.get("download_button") if each.proto.label == "Make the replay").proto.disabled
        )

    assert not replay(shown("golden"))
    run = record()
    run.folder.frame_index.write_text("")
    assert replay(shown(run.name))


def test_the_files_are_made_on_demand_and_a_refusal_is_a_page_that_says_why(golden: Run) -> None:
    replay = take_home.replay_of(golden, panels=False)()
    assert b"Content-Security-Policy" in replay
    with zipfile.ZipFile(io.BytesIO(take_home.archive_of(golden)())) as archive:
        assert "golden/spec.json" in archive.namelist()
    about = golden.about
    golden.folder.about.write_text(json.dumps(about | {"title": "<b>bold</b>"}))
    golden.folder.frame_index.write_text("")
    page = take_home.replay_of(Run(golden.folder.path), panels=False)().decode()
    assert "There is no replay in this file: the run golden has recorded no frame yet" in page
    assert "<b>bold</b>" not in page
