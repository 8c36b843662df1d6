"""A rebuilt model says of the training data what the run has recorded, and answers for samples it has never seen."""

from __future__ import annotations

import dataclasses
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

import clustlab
from clustlab import methods
from clustlab.data import Dataset, load
from clustlab.errors import ClustlabError, DataError, RunError
from clustlab.inspection import Inspection, answers_of, open_model
from clustlab.inspection import model as rebuilding
from clustlab.methods.base import Phase
from clustlab.runs import Run
from clustlab.training import checkpoints

METHODS = methods.discover()
METHOD = pytest.mark.parametrize("method", METHODS)


def settings_of(method: str) -> list[str]:
    settings = ["training.threads=1", "recording.budget=0.001", "recording.probe=60"]
    if "training" in METHODS[method].uses:
        settings += ["training.epochs=2", "training.batch_size=32"]
    if "network" in METHODS[method].uses:
        settings += ["network.hidden=8", "network.latent_dim=3"]
    return settings + ["cluster_epochs=2"] * ("cluster_epochs" in METHODS[method].Options.model_fields)


class Trained:
    """One small run of each method, trained when it is first asked for, and what was trained on."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.runs = folder, dict[str, Run]()
        whole = load("blobs")
        self.data = Dataset("few", "90 blobs", whole.x[:90] * 3, None, (), "vectors")
        np.savez(folder / "few.npz", X=self.data.x)

    def __getitem__(self, method: str) -> Run:
        if method not in self.runs:
            self.runs[method] = clustlab.train(
                method,
                data=str(self.folder / "few.npz"),
                n_clusters=3,
                settings=settings_of(method),
                runs=self.folder / "runs",
                progress=False,
            )
        return self.runs[method]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return Trained(tmp_path_factory.mktemp("trained"))


@pytest.fixture(scope="module")
def with_critic(tmp_path_factory: pytest.TempPathFactory) -> Run:
    settings = [*settings_of("idec"), "training.epochs=3"]
    folder = tmp_path_factory.mktemp("critic")
    return clustlab.train("idec", extensions=["acai"], settings=settings, runs=folder, progress=False)


@METHOD
def test_the_training_data_get_the_codes_and_clusters_of_the_result(trained: Trained, method: str) -> None:
    run = trained[method]
    model, result, x = open_model(run), run.result, trained.data.x
    if "encode" in model.answers:
        np.testing.assert_allclose(model.encode(x), result["codes"], atol=1e-6)
    if "assign" in model.answers:
        np.testing.assert_array_equal(model.assign(x), result["labels"])
        np.testing.assert_array_equal(model.assign_codes(result["codes"]), result["labels"])
    if "soft_assign" in model.answers:
        np.testing.assert_allclose(model.soft_assign(x), result["q"], atol=1e-6)


@METHOD
def test_what_a_model_will_answer_is_known_before_it_is_trained(trained: Trained, method: str) -> None:
    assert answers_of(trained[method].spec) == open_model(trained[method]).answers


@METHOD
def test_a_pickled_model_answers_where_run_and_data_are_gone(
    trained: Trained, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, x = open_model(trained[method]), trained.data.x[:40]
    if "assign" not in model.answers:
        with pytest.raises(ClustlabError, match="for the samples it was trained on only"):
            model.assign(x)
        return
    before = model.assign(x)
    monkeypatch.setattr(rebuilding, "load", lambda name: pytest.fail("the training data are gone"))
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.assign(x), before)


def test_asking_leaves_the_random_numbers_alone(trained: Trained) -> None:
    run = trained["ae-kmeans"]  # trained at the first call
    state = torch.get_rng_state()
    open_model(run).encode(trained.data.x)
    assert torch.equal(state, torch.get_rng_state())


def test_other_data_are_scaled_by_the_training_data(trained: Trained) -> None:
    """A single sample has another mean square than the data set, and must get the same code all the same."""
    model, x = open_model(trained["dec"]), trained.data.x
    np.testing.assert_allclose(model.encode(x[7:8]), model.encode(x)[7:8], rtol=1e-5, atol=1e-6)


def test_decoding_returns_to_the_data_s_own_units(trained: Trained) -> None:
    model, x = open_model(trained["kmeans"]), trained.data.x
    np.testing.assert_allclose(model.decode(model.encode(x)), x, rtol=1e-6)


def test_interpolation_goes_from_the_first_sample_to_the_second(with_critic: Run) -> None:
    model, x = open_model(with_critic), load("digits").x
    strips = model.interpolate(x[:4], x[4:8], [0.0, 0.25, 1.0])
    assert strips.shape == (4, 3, 8, 8)
    assert strips.dtype == np.float32
    np.testing.assert_allclose(strips[:, 0], model.decode(model.encode(x[:4])), atol=1e-6)
    np.testing.assert_allclose(strips[:, 2], model.decode(model.encode(x[4:8])), atol=1e-6)
    mixed = 0.75 * model.encode(x[:4]) + 0.25 * model.encode(x[4:8])
    np.testing.assert_allclose(strips[:, 1], model.decode(mixed), atol=1e-6)
    assert strips.min() >= 0
    assert strips.max() <= 1


def test_the_recorded_strips_are_found_again(with_critic: Run) -> None:
    """The same images that the last frame recorded, but for its half precision; so is the critic's guess."""
    model, sample, last = open_model(with_critic), with_critic.sample, with_critic.frames[-1]
    x = load("digits").x[sample["index"]]
    strips = model.interpolate(x[sample["pairs"][:, 0]], x[sample["pairs"][:, 1]], sample["alpha"])
    np.testing.assert_allclose(strips, last.strips, atol=1e-3)
    guesses = model.critic(strips.reshape(-1, 8, 8))
    assert guesses.shape == (strips.shape[0] * strips.shape[1],)
    assert np.isfinite(guesses).all()


def test_an_earlier_checkpoint_is_asked_as_it_was_then(with_critic: Run) -> None:
    pretrained = next(record for record in with_critic.events if record["kind"] == "checkpoint")["step"]
    model, x = open_model(with_critic, step=pretrained), load("digits").x
    assert {"encode", "decode"} <= model.answers
    assert "assign" not in model.answers
    assert np.abs(model.encode(x) - open_model(with_critic).encode(x)).max() > 1e-3
    with pytest.raises(ClustlabError, match="idec looks for no clusters in its phase “autoencoder”"):
        model.assign(x)
    with pytest.raises(RunError, match=f"no checkpoint of step 1; there are those of {pretrained}, "):
        open_model(with_critic, step=1)


def test_a_run_without_checkpoint_has_no_model(trained: Trained, tmp_path: Path) -> None:
    run = clustlab.train("kmeans", data=str(trained.folder / "few.npz"), n_clusters=2, runs=tmp_path, progress=False)
    for path in run.folder.checkpoints.iterdir():
        path.unlink()
    with pytest.raises(RunError, match="has no checkpoint"):
        open_model(run)
    run.folder.about.unlink()
    with pytest.raises(RunError, match="has not described its data"):
        open_model(run)


def test_what_cannot_be_answered_is_refused_in_one_sentence(trained: Trained) -> None:
    model, x = open_model(trained["kmeans"]), trained.data.x
    with pytest.raises(ClustlabError, match="kmeans was trained without a critic"):
        model.critic(x)
    with pytest.raises(ClustlabError, match="kmeans does not assign softly"):
        model.soft_assign(x)
    with pytest.raises(DataError, match=r"trained on few and takes \(n, "):
        model.encode(x[:, :-1])
    with pytest.raises(DataError, match="missing, infinite"):
        model.assign(x * np.nan)
    with pytest.raises(DataError, match="no samples"):
        model.assign(x[:0])
    with pytest.raises(DataError, match=r"the codes have the shape \(90, 1\)"):
        model.decode(x[:, :1])
    with pytest.raises(DataError, match="in pairs"):
        model.interpolate(x[:2], x[:3], [0.5])


def changed(model: Inspection, monkeypatch: pytest.MonkeyPatch, **offered: object) -> None:
    """Let the last phase offer something else."""
    assemble = rebuilding.assemble

    def altered(*arguments: object) -> object:
        built = assemble(*arguments)  # type: ignore[arg-type]
        phases: list[Phase] = [*built.phases[:-1], dataclasses.replace(built.phases[-1], **offered)]  # type: ignore[arg-type]
        return built._replace(phases=phases)

    monkeypatch.setattr(rebuilding, "assemble", altered)
    model.__dict__.pop("_model", None)


def test_transductive_methods_refuse_new_samples(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    model, x = open_model(trained["kmeans"]), trained.data.x
    with monkeypatch.context() as patch:
        changed(model, patch, codes=lambda index: torch.zeros(len(index), 2))
        assert model.answers == {"decode"}
        with pytest.raises(ClustlabError, match="codes for the samples it was trained on only"):
            model.encode(x)
    with monkeypatch.context() as patch:
        changed(model, patch, labels=lambda index: index)
        assert model.answers == {"encode", "decode"}
        with pytest.raises(ClustlabError, match="clusters for the samples it was trained on only"):
            model.assign(x)


def test_training_data_are_loaded_only_for_methods_that_ask(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    model, x = open_model(trained["kmeans"]), trained.data.x
    monkeypatch.setattr(rebuilding, "load", lambda name: pytest.fail("nothing asks for the training data"))
    model.assign(x)

    run = trained["kmeans"]
    model = open_model(run, trained.data)
    changed(model, monkeypatch, encode=lambda seen: seen + 0 * model._samples.x.sum())
    np.testing.assert_array_equal(model.assign(x), run.result["labels"])
    copy = pickle.loads(pickle.dumps(model))  # without `load`: the samples that were asked for have come along
    np.testing.assert_array_equal(copy._samples.x.numpy(), trained.data.scaled())

    wrong = open_model(run, dataclasses.replace(trained.data, x=x[:5]))
    with pytest.raises(DataError, match="trained on 90 samples"):
        wrong._samples.x  # noqa: B018


def test_checkpoints_are_found_by_step_and_the_latest_without(trained: Trained) -> None:
    folder = trained["dec"].folder
    steps = sorted({int(path.name.split(".")[0]) for path in folder.checkpoints.glob("*.pt")})
    assert [checkpoints.load(folder, step)["step"] for step in steps] == steps
    assert checkpoints.load(folder)["step"] == steps[-1]


@METHOD
def test_the_result_says_which_labels_are_scored(trained: Trained, method: str) -> None:
    said = trained[method].summary()["protocol"]
    assert said.endswith("all samples")
    assert said == str(trained[method].result["protocol"])


def test_protocols_follow_from_what_a_phase_offers(trained: Trained) -> None:
    assert trained["kmeans"].protocol == (
        "k-means on the codes: 20 k-means++ starts, lowest inertia, not whitened, all samples"
    )
    assert trained["idec"].protocol == "argmax of the soft assignments, all samples"
    assert Phase("a", "a", 1, ()).protocol == "nearest centroid, all samples"
    assert "own labels" in Phase("a", "a", 1, (), labels=lambda index: index).protocol
