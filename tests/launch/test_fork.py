"""Forks: a shared past, bit for bit, and another way from there on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import clustlab
from clustlab import catalog, launch
from clustlab.cli import app
from clustlab.data import load
from clustlab.errors import LaunchError, SpecError
from clustlab.launch.fork import checkpoint_steps, crossroads, settled
from clustlab.runs import Run, open_run
from clustlab.spec import RunSpec, with_settings

SETTINGS = [
    *("training.epochs=3", "training.threads=1", "training.batch_size=100"),
    *("network.hidden=16", "network.latent_dim=3", "recording.budget=1"),
]
PRETRAINED = 18
"""Steps of pretraining: 600 blobs in batches of 100, three times."""


def train(method: str, extensions: tuple[str, ...] = (), runs: Path | None = None) -> Run:
    return clustlab.train(
        method, data="blobs", extensions=extensions, settings=SETTINGS, options=short(method), runs=runs, progress=False
    )


def short(method: str) -> dict[str, int]:
    """Options with which a method ends soon."""
    known = catalog.described()["methods"][method]["options"]
    return {name: least for name, least in {"cluster_epochs": 2, "layout_epochs": 20}.items() if name in known}


@pytest.fixture(scope="module")
def parents(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, ...], Run]:
    folder = tmp_path_factory.mktemp("parents")
    return {extensions: train("ae-kmeans", extensions, folder) for extensions in [(), ("acai",)]}


def forked(parent: Run, method: str, runs: Path, **more: object) -> Run:
    fields = parent.spec.model_dump() | {"method": method, "options": short(method)} | more
    child = launch.fork(parent, RunSpec.parse(fields), step=PRETRAINED, runs=runs)
    launch.ENGINES["inline"](child.folder.path)
    return open_run(child.folder.path)


def alike() -> list[str]:
    """Methods that say they are pretrained just as an autoencoder for k-means is."""
    known = catalog.described()["methods"]
    return [name for name in known if known[name]["pretraining"] == known["ae-kmeans"]["pretraining"]]


@pytest.mark.parametrize("method", [name for name in alike() if name != "ae-kmeans"])
def test_methods_that_are_pretrained_alike_can_share_it_to_the_last_bit(
    runs: Path, parents: dict[tuple[str, ...], Run], method: str
) -> None:
    child, alone = forked(parents[()], method, runs), train(method)
    assert child.state == "finished", child.status
    assert child.folder.result.read_bytes() == alone.folder.result.read_bytes()


def test_the_critic_is_part_of_the_past_too(runs: Path, parents: dict[tuple[str, ...], Run]) -> None:
    child, alone = forked(parents["acai",], "idec", runs), train("idec", ("acai",))
    assert child.folder.result.read_bytes() == alone.folder.result.read_bytes()
    strip = [
        [{key: value for key, value in record.items() if key != "time"} for record in run.scalar_records]
        for run in (child, alone)
    ]
    assert strip[0] == strip[1]


def test_a_fork_can_be_watched_from_the_beginning(runs: Path, parents: dict[tuple[str, ...], Run]) -> None:
    parent = parents[()]
    child = forked(parent, "idec", runs)
    past = [frame for frame in parent.frames if frame.phase == "pretrain"]
    assert len(past) > 1
    for before, after in zip(past, child.frames, strict=False):
        assert before.step == after.step
        assert np.array_equal(before.codes, after.codes)
    assert [frame.number for frame in child.frames] == list(range(len(child.frames)))
    assert child.spec.parent is not None
    assert (child.spec.parent.run, child.spec.parent.step) == (parent.name, PRETRAINED)
    assert [event["text"] for event in child.events if event["kind"] == "forked"] == [parent.name]


def test_a_critic_can_be_added_where_the_road_forks(runs: Path, parents: dict[tuple[str, ...], Run]) -> None:
    child = forked(parents[()], "idec", runs, extensions={"acai": {"schedule": "post"}})
    assert child.state == "finished", child.status
    assert list(dict.fromkeys(frame.phase for frame in child.frames)) == ["pretrain", "critic", "cluster"]


def test_the_parent_stays_as_it_was(runs: Path, parents: dict[tuple[str, ...], Run]) -> None:
    folder = parents[()].folder.path
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    forked(parents[()], "dec", runs)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_what_does_not_fit_is_refused_in_a_sentence(runs: Path, parents: dict[tuple[str, ...], Run]) -> None:
    parent = parents[()]
    with pytest.raises(LaunchError, match=r"no checkpoint of step 5; it has 18"):
        launch.fork(parent, parent.spec, step=5, runs=runs)
    with pytest.raises(SpecError, match="keeps its parent's data, seed.* network would change"):
        launch.fork(parent, with_settings(parent.spec, ["network.latent_dim=4"]), step=PRETRAINED, runs=runs)
    for setting in ("training.epochs=9", "training.learning_rate=0.5", "training.pretraining=stacked denoising"):
        with pytest.raises(
            SpecError, match=rf"training\.\w+ says how pretraining goes, and is settled at step {PRETRAINED}"
        ):
            launch.fork(parent, with_settings(parent.spec, [setting]), step=PRETRAINED, runs=runs)
    with pytest.raises(SpecError, match="vae-kmeans cannot go on from a run of ae-kmeans"):
        launch.fork(parent, parent.spec.model_copy(update={"method": "vae-kmeans"}), runs=runs)
    with pytest.raises(LaunchError, match="no checkpoint at the end of a phase after which anything is trained"):
        launch.fork(parent, parent.spec, runs=runs)
    assert list(runs.iterdir()) == [], "nothing is left behind"


def test_while_pretraining_its_recipe_alone_is_settled(parents: dict[tuple[str, ...], Run]) -> None:
    assert settled(parents[()], PRETRAINED - 1) == ("pretraining",)
    assert set(settled(parents[()], PRETRAINED)) == {"epochs", "learning_rate", "pretraining"}


def test_another_method_shares_the_pretraining_and_nothing_more(runs: Path) -> None:
    """DCN's phases are called like DEC's; what DCN learned while clustering is not DEC's past for all that."""
    parent = train("dcn", runs=runs)
    child = launch.fork(parent, RunSpec.parse(parent.spec.model_dump() | {"method": "dec", "options": {}}), runs=runs)
    assert child.spec.parent is not None
    assert child.spec.parent.step == PRETRAINED
    later = checkpoint_steps(parent)[1]
    with pytest.raises(SpecError, match=f"from step {later}.*ends with the pretraining, at step {PRETRAINED}"):
        launch.fork(
            parent, RunSpec.parse(parent.spec.model_dump() | {"method": "dec", "options": {}}), step=later, runs=runs
        )


def test_new_settings_hold_from_the_fork_on(runs: Path) -> None:
    """In the middle of a phase: the optimiser keeps its memory, and takes the new learning rate."""
    from clustlab.training.loop import Batches, Training
    from clustlab.training.setup import set_up

    spec = RunSpec.parse(
        {"method": "ae-kmeans", "data": "blobs", "extensions": ["acai"], "network": {"hidden": "8", "latent_dim": 2}}
    )
    dataset = load("blobs")
    work = set_up(spec, dataset, torch.device("cpu"))
    training = Training(work.model, Batches(dataset.n, 100, 0))
    training.begin(work.phases[0])
    for optimiser in training.optimisers.values():
        for parameter in optimiser.param_groups[0]["params"]:
            parameter.grad = torch.ones_like(parameter)
        optimiser.step()
    state = training.state()
    changed = with_settings(spec, ["training.learning_rate=0.5"]).model_copy(update={"extensions": {}})
    other = set_up(changed, dataset, torch.device("cpu"))
    forked = Training(other.model, Batches(dataset.n, 100, 0))
    forked.restore(state, fork=True)
    forked.begin(other.phases[0])
    assert list(forked.optimisers) == ["autoencoder"]
    (group,) = forked.optimisers["autoencoder"].param_groups
    assert group["lr"] == 0.5
    assert forked.optimisers["autoencoder"].state[group["params"][0]]["step"] == 1


def test_another_past_is_refused_by_the_worker(runs: Path, parents: dict[tuple[str, ...], Run]) -> None:
    """Stacked pretraining goes through phases that this parent never saw."""
    parent = parents[()]
    child = launch.fork(parent, parent.spec, step=PRETRAINED, runs=runs)
    child.folder.spec.write_text(child.folder.spec.read_text().replace('"end-to-end"', '"stacked denoising"'))
    launch.ENGINES["inline"](child.folder.path)
    assert child.state == "failed"
    assert "had been through pretrain, and this one would have been through" in child.status["error"]


def test_the_command_line_forks_where_the_last_phase_began(runs: Path, parents: dict[tuple[str, ...], Run]) -> None:
    parent = parents[()]
    assert checkpoint_steps(parent)[0] == PRETRAINED
    answer = CliRunner().invoke(app, ["fork", str(parent.folder.path), "--method", "dec", "--set", "cluster_epochs=1"])
    assert answer.exit_code == 0, answer.output
    child = open_run(answer.stdout.strip().splitlines()[-1])
    assert (child.spec.method, child.state) == ("dec", "finished")
    assert child.spec.parent is not None
    assert child.spec.parent.step == PRETRAINED


def test_an_extension_that_would_find_nothing_to_join_is_refused(
    runs: Path, parents: dict[tuple[str, ...], Run]
) -> None:
    spec = RunSpec.parse(parents[()].spec.model_dump() | {"extensions": ["acai"]})
    with pytest.raises(SpecError, match=f"ACAI would find nothing to join behind step {PRETRAINED}"):
        launch.fork(parents[()], spec, step=PRETRAINED, runs=runs)


def test_a_fork_whose_past_is_lost_does_not_begin_anew(runs: Path, parents: dict[tuple[str, ...], Run]) -> None:
    parent = parents[()]
    spec = RunSpec.parse(parent.spec.model_dump() | {"method": "dec", "options": {}})
    child = launch.fork(parent, spec, step=PRETRAINED, runs=runs)
    for path in child.folder.checkpoints.iterdir():
        path.unlink()
    launch.ENGINES["inline"](child.folder.path)
    assert child.state == "failed"
    assert "fork that run again" in child.status["error"]


def test_crossroads_are_the_checkpoints_behind_which_something_can_be_trained(
    runs: Path, parents: dict[tuple[str, ...], Run]
) -> None:
    (place,) = crossroads(parents[()])
    assert (place.step, place.ends) == (PRETRAINED, True)
    assert "ae-kmeans" not in place.methods  # it only reads the codes once more
    assert {"idec", "dec"} <= set(place.methods) < set(alike())
    child = forked(parents[()], "idec", runs)
    assert len(checkpoint_steps(child)) == 2
    (own,) = crossroads(child)
    assert own.methods[0] == "idec"


def test_no_other_method_goes_on_behind_the_pretraining(runs: Path, parents: dict[tuple[str, ...], Run]) -> None:
    child = forked(parents[()], "idec", runs)
    end = max(checkpoint_steps(child))
    for path in child.folder.checkpoints.glob(f"*{end}.phase.pt"):
        path.rename(path.with_name(path.name.replace(".phase", "")))  # as if it were broken off there
    assert crossroads(child)[-1].methods == ("idec",)
