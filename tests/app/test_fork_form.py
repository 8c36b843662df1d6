"""The fork dialog through Streamlit's own test runner: what it offers, and what it begins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from streamlit.testing.v1 import AppTest

from clustlab.app.components.fork_form import nearest
from clustlab.launch.fork import Crossroads
from clustlab.runs import Run, list_runs, open_run
from clustlab.runs.layout import write_json

PLACES = [
    Crossroads(40, "autoencoder", False),
    Crossroads(50, "autoencoder", True),
    Crossroads(80, "clustering", False),
]
PHASES: list[dict[str, Any]] = [
    {"name": name, "title": title, "stage": stage, "steps": 50, "terms": [], "offers": ["encode", "decode"]}
    for name, title, stage in [("pretrain", "autoencoder", "pretraining"), ("cluster", "clustering", "clustering")]
]


@pytest.fixture
def parent(record: Callable[..., Run]) -> Run:
    """A finished run whose pretraining has ended at step 50."""
    run = record(name="parent")
    write_json(run.folder.about, {**run.about, "phases": PHASES, "n_clusters": 3})
    lines = run.folder.frame_index.read_text().splitlines()
    lines[2] = lines[2].replace('"pretrain"', '"cluster"')
    run.folder.frame_index.write_text("".join(f"{line}\n" for line in lines))
    for path in run.folder.checkpoints.iterdir():
        path.unlink()
    for name in ("000000050.phase.pt", "000000100.phase.pt"):
        (run.folder.checkpoints / name).write_bytes(b"weights")
    return open_run(run.folder.path)


def dialog(run: Run) -> AppTest:
    def script(path):  # type: ignore[no-untyped-def]  # Streamlit runs its text, without the imports above
        from clustlab.app.components import fork_form
        from clustlab.runs import open_run

        fork_form.show(open_run(path))

    return AppTest.from_function(script, kwargs={"path": run.folder.path}, default_timeout=60)


@pytest.mark.parametrize(("shown", "offered"), [(79, 50), (80, 80), (999, 80), (10, 50), (None, 50)])
def test_the_checkpoint_before_the_frame_shown_comes_first_else_the_latest_crossroads(
    shown: int | None, offered: int
) -> None:
    assert nearest(PLACES, shown).step == offered


def test_only_checkpoints_and_methods_that_can_go_on_are_offered(parent: Run) -> None:
    app = dialog(parent).run()
    assert not app.exception
    assert app.selectbox(key="fork-step").options == ["step 50 · end of autoencoder"]
    methods = app.selectbox(key="fork-method").options
    assert methods[0] == "IDEC"
    assert {"DEC", "DCN"} <= set(methods)
    assert "k-means" not in methods
    shown = {str(each.key) for each in (*app.number_input, *app.selectbox)}
    assert "option-fork-training-batch_size" in shown
    assert not shown & {f"option-fork-training-{name}" for name in ("epochs", "learning_rate", "pretraining")}
    assert any("Kept as they are: the data (digits), the seed (0)" in caption.value for caption in app.caption)


def test_a_fork_begins_with_what_was_chosen_and_is_shown(parent: Run, runs: Path) -> None:
    started: list[Path] = []
    app = dialog(parent).run()
    app.number_input(key="option-fork-idec-cluster_weight").set_value(0.3).run()
    with patch.dict("clustlab.launch.submit.ENGINES", {"process": started.append}):
        app.button(key="fork-yes").click().run()
    assert not app.exception
    (child,) = [run for run in list_runs(runs) if run.name != parent.name]
    assert started == [child.folder.path]
    assert child.spec.options == {"cluster_weight": 0.3}
    assert child.spec.parent is not None
    assert (child.spec.parent.run, child.spec.parent.step) == (parent.name, 50)
    assert app.query_params["run"] in (child.name, [child.name])
    assert parent.spec.options == {}


def test_another_method_has_its_own_options(parent: Run, runs: Path) -> None:
    app = dialog(parent).run()
    app.selectbox(key="fork-method").select("dec").run()
    assert not app.exception
    assert "option-fork-idec-cluster_weight" not in [each.key for each in app.number_input]
    with patch.dict("clustlab.launch.submit.ENGINES", {"process": lambda path: None}):
        app.button(key="fork-yes").click().run()
    (child,) = [run for run in list_runs(runs) if run.name != parent.name]
    assert (child.spec.method, child.spec.options) == ("dec", {})


def test_what_the_backend_refuses_is_its_sentence_and_leaves_nothing(parent: Run, runs: Path) -> None:
    app = dialog(parent).run()
    app.selectbox(key="fork-method").select("dec").run()
    app.button_group(key="fork-extensions").set_value(["acai"]).run()
    app.button(key="fork-yes").click().run()
    assert not app.exception
    assert ["would find nothing to join behind step 50" in each.value for each in app.error] == [True]
    assert [run.name for run in list_runs(runs)] == [parent.name]


def test_a_run_without_checkpoints_says_so(record: Callable[..., Run]) -> None:
    app = dialog(record()).run()
    assert not app.exception
    assert "has kept no checkpoint" in app.info[0].value
