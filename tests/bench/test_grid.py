"""Cells of a grid, and when two specs mean the same run."""

from __future__ import annotations

from pathlib import Path

import pytest

from clustlab.bench.grid import Grid, beginning, cells, extension_sets, meaning, seeds
from clustlab.errors import ClustlabError
from clustlab.spec import RunSpec, with_settings


def test_everything_is_crossed_with_everything() -> None:
    grid = Grid(("idec", "dec"), ("digits", "blobs"), ((), ("acai",), ("acai", "mixing-consistency")), (0, 3))
    found = cells(grid)
    assert len(found) == len({(cell.method, cell.data, cell.extensions, cell.seed) for cell in found}) == 24
    for cell in found:
        assert cell.spec is not None
        assert (cell.spec.method, cell.spec.data, cell.spec.seed) == (cell.method, cell.data, cell.seed)
        assert tuple(cell.spec.extensions) == cell.extensions
        assert cell.spec.training.threads == 1


def test_a_file_is_one_data_set_however_its_path_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.csv").write_text("a,kind of it\n1,x\n2,y\n3,x\n")
    monkeypatch.chdir(tmp_path)
    files = ("mine.csv?label=kind of it", "./mine.csv?label=kind%20of%20it", f"{tmp_path}/mine.csv?label=kind+of+it")
    assert [cell.data for cell in cells(Grid(("kmeans",), files))] == [f"{tmp_path}/mine.csv?label=kind%20of%20it"]
    two = ("mine.csv?label=kind of it", "mine.csv?label=kind of it&features=a")
    assert len(cells(Grid(("kmeans",), two))) == 2


def test_what_cannot_be_has_a_reason_instead_of_a_spec() -> None:
    alone, joined = cells(Grid(("kmeans",), extension_sets=((), ("acai",))))
    assert alone.spec is not None
    assert joined.spec is None
    assert "nothing for an extension to join" in joined.reason
    late = Grid(("dec",), extension_sets=(("acai",),), settings=("extensions.acai.schedule=post",))
    assert "there is one while pretraining" in cells(late)[0].reason


def test_settings_go_where_they_concern() -> None:
    settings = ("cluster_weight=0.3", "training.epochs=2", "dec.learning_rate=0.5", "extensions.acai.critic_weight=2")
    found = cells(Grid(("kmeans", "dec", "idec"), extension_sets=((), ("acai",)), settings=settings))
    specs = {(cell.method, cell.extensions): cell.spec for cell in found if cell.spec}
    assert specs["kmeans", ()] == RunSpec.parse({"method": "kmeans", "training": {"threads": 1}})
    assert specs["dec", ()].options == {"learning_rate": 0.5}
    assert specs["idec", ()].options == {"cluster_weight": 0.3}
    assert specs["idec", ("acai",)].extensions == {"acai": {"critic_weight": 2}}
    assert specs["idec", ("acai",)].training.epochs == 2


@pytest.mark.parametrize(
    ("grid", "sentence"),
    [
        (Grid(("idek",)), "there is no method “idek”"),
        (Grid(("idec",), extension_sets=(("critic",),)), "there is no extension “critic”"),
        (Grid(("idec",), data=("digts",)), "there is no data source “digts”"),
        (Grid(("idec",), settings=("gamma=1",)), "“gamma=1” concerns no cell"),
        (Grid(("idec",), settings=("extensions.acai.critic_weight=1",)), "concerns no cell"),
        (Grid(("kmeans",), settings=("training.epochs=1",)), "concerns no cell"),
        (Grid(("idec",), settings=("cluster_weight",)), "write name=value"),
        (Grid(("idec",), settings=("trainning.epochs=1",)), "dotted names begin with"),
        (Grid(("idec",), settings=("cluster_weight=-1",)), "it must be at least 0"),
        (Grid(("idec",), data=("lines",)), "Lines has no classes to count"),
    ],
)
def test_what_is_wrong_for_all_cells_is_refused_before_any_is_trained(grid: Grid, sentence: str) -> None:
    with pytest.raises(ClustlabError, match=sentence):
        cells(grid)


def test_a_spec_means_what_it_leaves_out() -> None:
    bare = RunSpec.parse({"method": "idec", "extensions": ["acai"]})
    said = RunSpec.parse(
        {
            "method": "idec",
            "n_clusters": 10,
            "options": {"cluster_weight": 0.1},
            "extensions": {"acai": {"schedule": "both"}},
            "recording": {"budget": 0.5},
        }
    )
    assert meaning(bare) == meaning(said)


@pytest.mark.parametrize(
    "setting", ["seed", "n_clusters", "cluster_weight", "extensions.acai.critic_weight", "training.threads"]
)
def test_specs_that_learn_something_else_mean_something_else(setting: str) -> None:
    bare = RunSpec.parse({"method": "idec", "extensions": ["acai"], "training": {"threads": 1}})
    if setting in ("seed", "n_clusters"):
        other = bare.model_copy(update={setting: 7})
    else:
        other = with_settings(bare, [f"{setting}=7"])
    assert meaning(bare) != meaning(other)


def test_methods_begin_alike_unless_an_option_was_changed() -> None:
    idec, dec = (RunSpec.parse({"method": method}) for method in ("idec", "dec"))
    assert beginning(idec) == beginning(dec) is not None
    assert beginning(idec) != beginning(with_settings(idec, ["cluster_weight=0.2"]))
    assert beginning(idec) != beginning(with_settings(dec, ["training.epochs=3"]))
    assert beginning(RunSpec(method="kmeans")) is None


def test_extensions_mean_another_run_in_another_order() -> None:
    """They draw from the same random numbers one after the other."""
    one, other = ({"method": "idec", "extensions": names} for names in (["acai", "mixing-consistency"],) * 2)
    other["extensions"] = ["mixing-consistency", "acai"]
    assert meaning(RunSpec.parse(one)) != meaning(RunSpec.parse(other))


def test_seeds_are_a_number_or_a_list() -> None:
    assert seeds("3") == (0, 1, 2)
    assert seeds("0,3, 7") == (0, 3, 7)
    assert seeds("7,") == (7,)


@pytest.mark.parametrize("text", ["", "0", "many", "1,-2", "1;2", "-1"])
def test_no_seeds_are_refused(text: str) -> None:
    with pytest.raises(ClustlabError, match="asks for no seeds"):
        seeds(text)


def test_sets_of_extensions_are_joined_by_plus() -> None:
    assert extension_sets("none,acai, acai+mixing-consistency,acai") == ((), ("acai",), ("acai", "mixing-consistency"))
