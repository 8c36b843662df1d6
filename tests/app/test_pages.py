"""Pages through Streamlit's own test runner: what they say in every state, what a button leaves on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest
from streamlit.testing.v1 import AppTest

import clustlab.app
from clustlab import catalog
from clustlab.app.presets import FIRST, PRESETS
from clustlab.data import sources
from clustlab.runs import Run, list_runs
from clustlab.spec import RunSpec

SECONDS = 60


def laboratory() -> AppTest:
    def script() -> None:
        from clustlab.app.pages import laboratory

        laboratory.page()

    return AppTest.from_function(script, default_timeout=SECONDS)


def runs_page() -> AppTest:
    def script() -> None:
        from clustlab.app.pages import runs

        runs.page()

    return AppTest.from_function(script, default_timeout=SECONDS)


def methods_page(method: str) -> AppTest:
    def script() -> None:
        from clustlab.app.pages import methods

        methods.page()

    app = AppTest.from_function(script, default_timeout=SECONDS)
    app.query_params["method"] = method
    return app


def benchmarks_page() -> AppTest:
    def script() -> None:
        from clustlab.app.pages import benchmarks

        benchmarks.page()

    return AppTest.from_function(script, default_timeout=SECONDS)


def data_page(name: str = "") -> AppTest:
    def script() -> None:
        from clustlab.app.pages import data

        data.page()

    app = AppTest.from_function(script, default_timeout=SECONDS)
    if name:
        app.query_params["data"] = name
    return app


def button(app: AppTest, label: str) -> object:
    return next(each for each in app.button if each.label == label)


def test_no_folder_of_pages_lies_beside_the_script() -> None:
    """Streamlit would take its files for pages, and show an empty one to whoever opens /runs first."""
    source = (Path(__file__).parents[2] / "app.py").read_text()
    assert 'parent / "pages" / "main.py"' in source
    script = Path(clustlab.app.__file__).parent / "pages" / "main.py"
    assert script.is_file()
    assert not (script.parent / "pages").exists()


def test_the_form_follows_from_the_declaration_of_the_options(runs: Path) -> None:
    app = laboratory().run()
    assert not app.exception
    gamma = app.number_input(key="option-idec-cluster_weight")
    assert gamma.label == r"$\gamma$  cluster weight"
    assert (gamma.min, gamma.max, gamma.value) == (0, 100, 0.1)
    assert "Default: 0.1" in gamma.help
    app.selectbox(key="form-method").select("kmeans").run()
    assert not app.exception
    assert "option-idec-cluster_weight" not in [each.key for each in app.number_input]
    assert any("nothing for an extension to join" in caption.value for caption in app.caption)


def test_train_launches_the_spec_that_the_form_shows(runs: Path) -> None:
    started: list[Path] = []
    app = laboratory().run()
    app.number_input(key="option-idec-cluster_weight").set_value(0.3)
    app.number_input(key="option-training-epochs").set_value(7)
    app.number_input(key="form-seed").set_value(11)
    with patch.dict("clustlab.launch.submit.ENGINES", {"process": started.append}):
        button(app, "Train").click().run()  # type: ignore[attr-defined]
    assert not app.exception
    (run,) = list_runs(runs)
    assert started == [run.folder.path]
    assert app.query_params["run"] in (run.name, [run.name])
    assert run.spec == RunSpec.parse(
        {
            "method": "idec",
            "data": "digits",
            "extensions": ["acai"],
            "seed": 11,
            "options": {"cluster_weight": 0.3},
            "training": {"epochs": 7},
        }
    )


def test_the_form_offers_what_can_join_on_schedules_that_are_possible(runs: Path) -> None:
    app = laboratory().run()
    assert app.selectbox(key="option-acai-schedule").options == ["both", "pre", "post"]
    app.selectbox(key="option-acai-schedule").select("post").run()
    app.selectbox(key="form-method").select("dec").run()
    assert not app.exception
    assert app.selectbox(key="option-acai-schedule").options == ["both", "pre"]
    assert app.selectbox(key="option-acai-schedule").value == "both"
    app.selectbox(key="form-method").select("kmeans").run()
    app.selectbox(key="form-method").select("idec").run()
    assert not app.exception


def test_data_without_classes_ask_for_the_number_of_clusters(runs: Path) -> None:
    started: list[Path] = []
    app = laboratory().run()
    app.selectbox(key="form-data").select("lines").run()
    assert not app.exception
    assert button(app, "Train").disabled  # type: ignore[attr-defined]
    assert any("no classes" in caption.value for caption in app.caption)
    app.number_input(key="form-clusters").set_value(4).run()
    assert not button(app, "Train").disabled  # type: ignore[attr-defined]
    with patch.dict("clustlab.launch.submit.ENGINES", {"process": started.append}):
        button(app, "Train").click().run()  # type: ignore[attr-defined]
    assert not app.exception
    (run,) = list_runs(runs)
    assert (run.spec.data, run.spec.n_clusters) == ("lines", 4)


def test_a_first_visitor_begins_with_one_button(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clustlab.app.state.example_runs", lambda: runs / "no examples")
    started: list[Path] = []
    app = laboratory().run()
    assert [title.value for title in app.title] == ["Watch a latent space organise itself"]
    with patch.dict("clustlab.launch.submit.ENGINES", {"process": started.append}):
        button(app, "Train IDEC with the critic on digits").click().run()  # type: ignore[attr-defined]
    assert not app.exception
    (run,) = list_runs(runs)
    assert started == [run.folder.path]
    assert (run.spec.method, run.spec.data, list(run.spec.extensions)) == ("idec", "digits", ["acai"])
    assert app.query_params["run"] in (run.name, [run.name])


def test_every_preset_can_run_and_says_which_network_it_has() -> None:
    for preset in PRESETS.values():
        catalog.check(preset.spec)
        network = preset.spec.network
        if "network" not in catalog.described()["methods"][preset.spec.method]["uses"]:
            assert preset.promise.startswith("No network")
        elif network.kind == "mlp":
            assert f"-{network.hidden}-{network.latent_dim}" in preset.promise
        else:
            assert preset.promise.startswith("Convolutions")
    assert FIRST in PRESETS


def test_the_settings_of_the_paper_are_one_click_away(runs: Path) -> None:
    app = laboratory().run()
    app.selectbox(key="form-method").select("dec").run()
    button(app, "Settings of the paper").click().run()  # type: ignore[attr-defined]
    assert not app.exception
    assert app.text_input(key="option-network-hidden").value == "500-500-2000"
    assert app.selectbox(key="option-training-pretraining").value == "stacked denoising"
    (toast,) = app.toast
    assert "hidden = 500-500-2000" in toast.value
    app.selectbox(key="form-method").select("kmeans").run()
    assert "Settings of the paper" not in [each.label for each in app.button]


def test_the_convolutions_of_a_paper_are_not_offered_for_vectors(runs: Path) -> None:
    app = laboratory().run()
    app.selectbox(key="form-method").select("vae-kmeans").run()
    assert not app.button(key="paper-settings").disabled
    app.selectbox(key="form-data").select("blobs").run()
    assert app.button(key="paper-settings").disabled
    assert "needs images" in app.button(key="paper-settings").help


def test_what_a_preset_promises_is_said_as_long_as_it_holds(runs: Path) -> None:
    preset = PRESETS[FIRST]
    app = laboratory().run()
    app.selectbox(key="form-preset").select(FIRST).run()
    assert preset.promise in [each.value for each in app.caption]
    app.selectbox(key="form-data").select("stripes").run()
    assert preset.promise not in [each.value for each in app.caption]


def test_the_form_shows_samples_of_the_data(runs: Path) -> None:
    app = laboratory().run()
    (strip,) = [each.proto.body for each in app.get("html") if "clustlab-strip" in each.proto.body]
    assert "data:image/png;base64," in strip
    app.selectbox(key="form-data").select("stripes").run()
    (other,) = [each.proto.body for each in app.get("html") if "clustlab-strip" in each.proto.body]
    assert other != strip


def test_a_spec_that_cannot_run_is_one_sentence_on_the_page(runs: Path) -> None:
    app = laboratory().run()
    app.selectbox(key="form-data").select("blobs").run()
    app.number_input(key="form-clusters").set_value(999)
    button(app, "Train").click().run()  # type: ignore[attr-defined]
    assert not app.exception
    assert len(app.error) == 1
    assert "there cannot be more clusters than samples" in app.error[0].value
    assert list(runs.iterdir()) == []


def test_a_runs_folder_that_cannot_be_written_is_one_sentence_on_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CLUSTLAB_RUNS", str(tmp_path / "file"))
    app = laboratory().run()
    button(app, "Train").click().run()  # type: ignore[attr-defined]
    assert not app.exception
    assert ["cannot be written" in each.value for each in app.error] == [True]


def test_a_preset_fills_the_form(runs: Path) -> None:
    app = laboratory().run()
    app.selectbox(key="form-preset").select("A latent space that is a plane").run()
    assert not app.exception
    assert app.number_input(key="option-network-latent_dim").value == 2


@pytest.mark.parametrize("link", ["nobody", "../etc", "a/b"])
def test_a_link_to_a_run_that_is_not_there_is_one_sentence(runs: Path, link: str) -> None:
    app = laboratory()
    app.query_params["run"] = link
    app.run()
    assert not app.exception
    assert ["cannot be shown" in each.value for each in app.error] == [True]


def test_the_runs_page_lists_and_filters_and_asks_before_deleting(record: Callable[..., Run]) -> None:
    record(name="keep")
    gone = record(name="gone")
    app = runs_page().run()
    assert not app.exception
    assert {each.label for each in app.button} >= {"Open", "Delete"}
    app.button(key=f"delete-{gone.name}").click().run()
    assert any("will be gone for good" in each.value for each in app.markdown)
    assert gone.folder.path.exists()
    app.text_input(key="runs-filter").set_value("no such run").run()
    assert any("No run matches" in each.value for each in app.caption)


def test_of_many_runs_the_latest_are_drawn_and_the_others_are_a_button_away(
    record: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clustlab.app.pages.runs.PORTION", 2)
    names = [record(name=f"run-{number}").name for number in range(5)]
    app = runs_page().run()
    drawn = [each.key.removeprefix("open-") for each in app.button if each.key and each.key.startswith("open-")]
    assert drawn == names[:-3:-1]
    assert any("2 of 5 runs" in each.value for each in app.caption)
    button(app, "Show 2 more").click().run()  # type: ignore[attr-defined]
    button(app, "Show 1 more").click().run()  # type: ignore[attr-defined]
    assert not app.exception
    assert {f"open-{name}" for name in names} <= {each.key for each in app.button}
    assert not [each.label for each in app.button if "more" in each.label]


def test_a_tick_outlives_a_filter_that_hides_its_run(record: Callable[..., Run]) -> None:
    first, second = record(name="first"), record(name="second")
    app = runs_page().run()
    for run in (first, second):
        app.text_input(key="runs-filter").set_value(run.name).run()
        app.checkbox(key=f"compared-tick-{run.name}").check().run()
    assert not app.button(key="compare-ticked").disabled
    app.text_input(key="runs-filter").set_value("").run()
    assert [app.checkbox(key=f"compared-tick-{run.name}").value for run in (first, second)] == [True, True]
    button(app, "Untick all").click().run()  # type: ignore[attr-defined]
    assert [app.checkbox(key=f"compared-tick-{run.name}").value for run in (first, second)] == [False, False]
    assert app.button(key="compare-ticked").disabled


def test_names_in_a_row_are_texts_and_never_markup(record: Callable[..., Run]) -> None:
    run = record()
    about = run.folder.about
    about.write_text(about.read_text().replace("IDEC on digits", "<b>bold</b> & brave"))
    app = runs_page().run()
    rows = "".join(each.proto.body for each in app.get("html"))
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; brave" in rows
    assert "<b>" not in rows


@pytest.mark.parametrize("lost", ["result.npz", "frames.jsonl"])
def test_the_runs_page_lists_a_damaged_run_among_the_others(record: Callable[..., Run], lost: str) -> None:
    whole, damaged = record(), record()
    (damaged.folder.path / lost).write_bytes(b"\0\n")
    app = runs_page().run()
    assert not app.exception
    assert not app.error
    rows = [each.proto.body for each in app.get("html")]
    (of_whole,) = [row for row in rows if f"{whole.name} ·" in row]
    (of_damaged,) = [row for row in rows if f"{damaged.name} ·" in row]
    assert ">finished<" in of_whole
    assert ">damaged<" in of_damaged
    assert f'title="the file {damaged.name}/{lost} is damaged' in of_damaged
    app.button(key=f"delete-{damaged.name}").click().run()
    assert not app.exception
    assert any("will be gone for good" in each.value for each in app.markdown)


@pytest.mark.parametrize("lost", ["result.npz", "frames.jsonl", "scalars.jsonl", "events.jsonl", "sample.npz"])
def test_a_damaged_run_is_a_sentence_on_its_page(record: Callable[..., Run], lost: str) -> None:
    damaged = record()
    (damaged.folder.path / lost).write_bytes(b"\0\n")
    app = laboratory()
    app.query_params["run"] = damaged.name
    app.run()
    assert not app.exception
    assert all(f"{damaged.name}/{lost} is damaged" in each.value for each in app.error)
    assert len(app.error) == (lost in ("frames.jsonl", "scalars.jsonl", "sample.npz"))


def test_the_runs_page_says_what_to_do_when_there_is_nothing(runs: Path) -> None:
    app = runs_page().run()
    assert not app.exception
    assert "Train one in the laboratory" in app.info[0].value


@pytest.mark.parametrize("name", [*catalog.described()["methods"], *catalog.described()["extensions"]])
def test_every_method_and_extension_has_a_page(runs: Path, name: str) -> None:
    known = catalog.described()
    entry = {**known["methods"], **known["extensions"]}[name]
    app = methods_page(name).run()
    assert not app.exception
    assert app.subheader[0].value == entry["card"]["title"]
    assert app.latex[0].value.strip().strip("$").strip() == entry["card"]["objective"]
    text = "\n".join(each.value for each in app.markdown)
    written = [symbol.replace(r"\|", r"\Vert ").replace("|", r"\vert ") for symbol in entry["card"]["symbols"]]
    assert all(f"| ${symbol}$ |" in text for symbol in written)
    tables = [each.value for each in app.markdown if each.value.startswith("| ")]
    assert all(len({row.count("|") for row in table.split("\n")}) == 1 for table in tables), "a bar ends a cell"
    assert all(sentence in text for part in ("algorithm", "pitfalls", "deviations") for sentence in entry["card"][part])
    assert all(f"`{option}`" in text for option in entry["options"])


def test_the_form_opens_with_the_method_of_the_card(runs: Path) -> None:
    def script() -> None:
        import streamlit as st

        from clustlab.app.pages import laboratory
        from clustlab.app.state import show_in_form

        if "shown" not in st.session_state:
            st.session_state["shown"] = True
            show_in_form("dec")
        laboratory.page()

    app = AppTest.from_function(script, default_timeout=SECONDS).run()
    assert not app.exception
    assert app.selectbox(key="form-method").value == "dec"


def test_the_benchmarks_page_draws_what_was_measured_and_tells_how(runs: Path) -> None:
    app = benchmarks_page().run()
    assert not app.exception
    assert [each.value for each in app.subheader] == ["Who finds the classes?", "What does it change?", "The table"]
    assert len(app.get("plotly_chart")) == 2
    assert any("seeds 0–4" in each.value for each in app.caption)
    assert any("labels" in each.value and "for scoring only" in each.value for each in app.markdown)
    before = app.dataframe[0].value
    assert len(before) > 40
    assert (before["ACC"].str.contains("±")).all()


def test_the_benchmarks_page_follows_what_is_chosen(runs: Path) -> None:
    app = benchmarks_page().run()
    app.segmented_control(key="bench-data").set_value("stripes").run()
    app.segmented_control(key="bench-read-out").set_value("gmm_").run()
    assert not app.exception
    assert app.dataframe[0].value.iloc[0]["method"] == "Spectral clustering", "which leads on stripes, not on digits"


def test_what_papers_report_stands_beside_what_was_measured_on_the_same_data(runs: Path) -> None:
    app = benchmarks_page().run()
    assert "published ACC" not in app.dataframe[0].value  # digits: no paper reports them
    app.segmented_control(key="bench-data").set_value("usps").run()
    table = app.dataframe[0].value.set_index(["method", "joined by"])["published ACC"]
    assert table["DCN", "alone"] == "0.688 to 0.699"
    assert table["DCN", "with ACAI"] == table["RIM", "alone"] == "–"


@pytest.mark.parametrize("name", ["digits", "blobs", "lines"])
def test_data_are_shown_before_anything_is_trained(runs: Path, name: str) -> None:
    app = data_page(name).run()
    assert not app.exception
    assert not app.error
    known = {source.name: source for source in sources()}[name]
    assert app.subheader[0].value == known.title
    assert len(app.get("plotly_chart")) == (2 if known.n_classes else 1)
    assert any(f"{known.n:,}".replace(",", "\u202f") in each.value for each in app.caption)
    assert ("no classes" in " ".join(each.value for each in app.caption)) == (not known.n_classes)


def test_data_that_are_not_here_are_offered_and_not_fetched(runs: Path) -> None:
    app = data_page("fashion-mnist").run()
    assert not app.exception
    assert any("Not on this computer yet" in each.value for each in app.caption)
    assert not app.get("plotly_chart")


def test_the_form_opens_with_the_data_of_the_card(runs: Path) -> None:
    app = data_page("blobs").run()
    button(app, "Train on it").click()  # type: ignore[attr-defined]
    with patch("streamlit.switch_page") as opened:
        app.session_state["session-laboratory"] = "laboratory"
        app.run()
    assert opened.call_args.args == ("laboratory",)
    assert app.session_state["form-data"] == "blobs"


def test_k_means_on_the_data_is_an_ordinary_run(runs: Path) -> None:
    app = data_page("blobs").run()
    app.session_state["session-laboratory"] = "laboratory"
    button(app, "Run k-means and watch").click()  # type: ignore[attr-defined]
    with patch("streamlit.switch_page") as opened, patch("clustlab.launch.process.start"):
        app.run()
    (run,) = list_runs(runs)
    assert (run.spec.method, run.spec.data) == ("kmeans", "blobs")
    assert opened.call_args.kwargs["query_params"] == {"run": run.name}
