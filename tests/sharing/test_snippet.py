"""The snippet makes the very run again: what Python and the command line make of it is the spec that it came from."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import clustlab
from clustlab import cli, launch
from clustlab.errors import ClustlabError
from clustlab.sharing.snippet import arguments_of, command_of, python_of, without_folders
from clustlab.spec import RunSpec, Training

GOLDEN = RunSpec.parse((Path(__file__).parents[1] / "golden" / "idec-acai-digits" / "spec.json").read_text())

SPECS = {
    "golden": GOLDEN,
    "defaults": RunSpec(method="idec"),
    "options of an extension": RunSpec.parse(
        {"method": "ae-kmeans", "extensions": {"acai": {"critic_weight": 0.25}, "mixing-consistency": {}}, "seed": 7}
    ),
    "data of one's own": RunSpec.parse(
        {"method": "kmeans", "data": "/home/ada/my files/ir'is.csv?label=%22species%22&without=a%20b", "n_clusters": 3}
    ),
    "texts that look like numbers": RunSpec.parse(
        {"method": "dec", "options": {"text": "64", "flag": True, "none": None, "small": 1e-12, "word": "true"}}
    ),
    "every part": RunSpec.parse(
        {
            "method": "idec",
            "network": {"hidden": "64", "latent_dim": 2},
            "training": {"epochs": 3, "pretraining": "stacked denoising", "threads": 5, "device": "cpu"},
            "recording": {"probe": 60, "budget": 0.5},
        }
    ),
}


class Submitted(Exception):
    """Raised in the place of training, with the spec that would be trained."""

    def __init__(self, spec: RunSpec, **more: Any) -> None:
        self.spec, self.more = spec, more


def submitted(spec: RunSpec, *_: Any) -> None:
    raise Submitted(spec)


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_python_makes_the_same_spec(spec: RunSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clustlab.python.submit", submitted)
    with pytest.raises(Submitted) as caught:
        exec(python_of(spec), {})
    assert caught.value.spec == spec
    with pytest.raises(Submitted) as again:
        clustlab.train(**arguments_of(spec))
    assert again.value.spec == spec


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_the_command_line_makes_the_same_spec(spec: RunSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "submit", submitted)
    monkeypatch.setattr(sys, "argv", shlex.split(command_of(spec)))
    with pytest.raises(Submitted) as caught:
        cli.main()
    assert caught.value.spec == spec


def test_only_what_is_not_the_default_is_told() -> None:
    spec = RunSpec.parse({"method": "idec", "options": {"cluster_weight": 0.2}, "extensions": ["acai"]})
    threads = Training().threads
    assert python_of(spec) == (
        "import clustlab as cl\n\n"
        "run = cl.train(\n"
        '    "idec",\n'
        '    data="digits",\n'
        "    seed=0,\n"
        '    extensions=["acai"],\n'
        '    options={"cluster_weight": 0.2},\n'
        f'    settings=["training.threads={threads}"],\n'
        ")\n"
    )
    assert command_of(spec) == (
        "clustlab train idec --data digits --seed 0 --extension acai "
        f"--set cluster_weight=0.2 --set training.threads={threads}"
    )


PARENT = RunSpec.parse({"method": "dec", "extensions": {"acai": {"critic_weight": 0.25}}, "training": {"epochs": 9}})


def fork_of(parent: RunSpec, *, alike: bool = False, **changes: Any) -> RunSpec:
    fields = parent.model_dump() | {"parent": {"run": "dec-digits-7f3a", "step": 63, "alike": alike}} | changes
    return RunSpec.parse(fields)


FORKS = {
    "another weight": fork_of(GOLDEN, options={"cluster_epochs": 40, "cluster_weight": 0.5}),
    "another method": fork_of(PARENT, method="idec", options={"cluster_weight": 0.5}),
    "without the extension": fork_of(PARENT, extensions={}),
    "with one more": fork_of(PARENT, extensions=PARENT.extensions | {"mixing-consistency": {"schedule": "post"}}),
}


@pytest.mark.parametrize("spec", FORKS.values(), ids=FORKS)
def test_a_fork_says_from_where_it_goes_on(
    spec: RunSpec, monkeypatch: pytest.MonkeyPatch, record: Callable[..., Any]
) -> None:
    run = record()

    def forked(parent: Any, given: RunSpec, *, step: int, **_: Any) -> None:
        raise Submitted(given, step=step)

    monkeypatch.setattr(launch, "fork", forked)
    monkeypatch.setattr(clustlab, "open_run", lambda path: path, raising=False)
    wanted = RunSpec.parse(spec.model_dump(exclude={"parent"}))
    with pytest.raises(Submitted) as caught:
        exec(python_of(spec), {})
    assert (caught.value.spec, caught.value.more) == (wanted, {"step": 63})

    parent = GOLDEN if spec.method == "idec" and "cluster_epochs" in spec.options else PARENT
    command = command_of(spec, parent)
    (run.folder.path / "spec.json").write_text(parent.to_json())
    monkeypatch.setattr(sys, "argv", shlex.split(command.replace("dec-digits-7f3a", run.name)))
    with pytest.raises(Submitted) as told:
        cli.main()
    assert (told.value.spec, told.value.more) == (wanted, {"step": 63})


def test_a_fork_with_the_same_past_is_trained_anew_and_one_of_an_unknown_parent_has_no_command() -> None:
    assert "cl.train(" in python_of(fork_of(GOLDEN, alike=True))
    assert command_of(FORKS["another weight"]) == ""
    lacking = fork_of(GOLDEN, options={})
    assert command_of(lacking, GOLDEN) == "", "a setting cannot be taken away on the command line"


def test_what_others_see_names_no_folder_of_this_computer() -> None:
    spec = SPECS["data of one's own"]
    assert without_folders(spec).data == "ir'is.csv?label=%22species%22&without=a%20b"
    assert without_folders(GOLDEN) == GOLDEN
    windows = spec.model_copy(update={"data": r"C:\Users\ada\iris.csv?label=a/b"})
    assert without_folders(windows).data == "iris.csv?label=a/b"


def test_refusals_are_those_of_train(runs: Path) -> None:
    with pytest.raises(ClustlabError, match="there is no method"):
        exec(python_of(RunSpec(method="idek")), {})
