"""DAC's curriculum: thresholds close, pairs are counted, runs go on in the middle of it."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest
import torch
from training_helpers import Listener, small_spec, trained

from clustlab.data import Dataset
from clustlab.errors import SpecError
from clustlab.methods.base import Pass, Phase, ProbePass
from clustlab.methods.dac import DAC
from clustlab.objectives.pairs import closing_thresholds
from clustlab.training.loop import Batches, Training, run_phases
from clustlab.training.setup import set_up

SHORT = {"hidden": "8"}


@pytest.fixture(scope="module")
def few() -> Dataset:
    """Three blobs of 32 samples."""
    generator = np.random.default_rng(0)
    y = np.arange(96) % 3
    x = (8 * np.eye(3, 4)[y] + generator.normal(size=(96, 4))).astype(np.float32)
    return Dataset("few", "Few", x, y.astype(np.int64), ("a", "b", "c"), "vectors")


def steps_of(listener: Listener) -> list[dict[str, float]]:
    return [values for name, values in listener.values_seen if name == "step"]


def test_the_phase_ends_when_the_thresholds_meet(few: Dataset) -> None:
    spec = small_spec("dac", options=SHORT, training={"batch_size": 48, "threads": 1, "device": "cpu"})
    _, training, listener = trained(spec, few)
    assert training.step == 46 * 2  # two batches an epoch, an epoch an outer step
    outer = steps_of(listener)
    assert len(outer) == 46
    for number, values in enumerate(outer, start=1):
        assert (values["upper_threshold"], values["lower_threshold"]) == closing_thresholds(number)
        shares = [values[f"{kind}_pairs"] for kind in ("positive", "negative", "ignored")]
        assert sum(shares) == pytest.approx(1)
    assert outer[-1]["upper_threshold"] == outer[-1]["lower_threshold"] == pytest.approx(0.5)


def test_epochs_end_it_earlier_and_outer_steps_can_be_longer(few: Dataset) -> None:
    options = {**SHORT, "cluster_epochs": 7, "outer_epochs": 2}
    spec = small_spec("dac", options=options, training={"batch_size": 48, "threads": 1, "device": "cpu"})
    _, training, listener = trained(spec, few)
    assert training.step == 14
    assert len(steps_of(listener)) == 3


def test_the_single_threshold_falls_over_the_whole_phase(few: Dataset) -> None:
    options = {**SHORT, "cluster_epochs": 5}
    spec = small_spec("dac-star", options=options, training={"batch_size": 48, "threads": 1, "device": "cpu"})
    _, _, listener = trained(spec, few)
    entered = next(values for name, values in listener.values_seen if name == "enter")
    found = [values["upper_threshold"] for values in (entered, *steps_of(listener))]
    assert found == pytest.approx([0.9, 0.8, 0.7, 0.6, 0.5, 0.5])  # the last is of a step that does not come
    assert all(values["ignored_pairs"] == 0 for values in steps_of(listener))


def test_shares_of_pairs_are_known_before_the_first_step(few: Dataset) -> None:
    _, _, listener = trained(small_spec("dac", options={**SHORT, "cluster_epochs": 1}), few)
    name, values = listener.values_seen[0]
    assert name == "enter"
    assert 0 < values["positive_pairs"] < 1


def test_the_squared_error_of_the_released_script_can_be_had(few: Dataset) -> None:
    terms = []
    for loss in ("cross-entropy", "squared error"):
        spec = small_spec("dac-star", options={**SHORT, "cluster_epochs": 1, "loss": loss})
        terms.append(trained(spec, few)[2].terms[0]["pairs"])
    assert terms[1] < terms[0]
    assert terms[1] <= 1


@pytest.mark.parametrize("steps", [5, 6, 7])
def test_a_run_goes_on_in_the_middle_of_the_schedule(few: Dataset, steps: int) -> None:
    """Interrupted inside an outer step, at its end and after it: the same weights, thresholds and shares."""
    options = {**SHORT, "cluster_epochs": 6, "outer_epochs": 1}
    spec = small_spec("dac", options=options, training={"batch_size": 32, "threads": 1, "device": "cpu"})
    _, whole, heard = trained(spec, few)

    class Interruption(Exception):
        pass

    class Interrupter(Listener):
        def after_step(self, training: Training, phase: Phase, terms: dict[str, torch.Tensor]) -> None:
            if training.step == steps:
                raise Interruption

    work = set_up(spec, few, torch.device("cpu"))
    training = Training(work.model, Batches(few.n, 32, spec.seed))
    with contextlib.suppress(Interruption):
        run_phases(training, work.phases, work.samples, Interrupter())
    stored = io.BytesIO()
    torch.save(training.state(), stored)
    stored.seek(0)
    work = set_up(spec, few, torch.device("cpu"))
    resumed, listener = Training(work.model, Batches(few.n, 32, spec.seed)), Listener()
    torch.manual_seed(99)
    resumed.restore(torch.load(stored, weights_only=True))
    run_phases(resumed, work.phases, work.samples, listener)
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name
    assert steps_of(listener) == steps_of(heard)[-len(steps_of(listener)) :]


def test_augmentation_changes_what_is_trained_on_and_not_what_is_shown(digits_small: Dataset) -> None:
    work = set_up(small_spec("dac", options={"augment": True}), digits_small, torch.device("cpu"))
    (phase,) = work.phases
    x, index = work.samples.x[:20], torch.arange(20)
    work.model.eval()
    shown = ProbePass(phase, x, index, torch.zeros(1, 2, dtype=torch.int64), torch.zeros(1)).z
    assert torch.equal(shown, phase.represent(x, index))
    first, second = (Pass(phase, x, index).z for _ in range(2))
    assert not torch.equal(first, second)


def test_vectors_cannot_be_augmented(few: Dataset) -> None:
    with pytest.raises(SpecError, match="augment = true turns and moves images; this data has vectors"):
        set_up(small_spec("dac", options={"augment": True}), few, torch.device("cpu"))


def test_frames_hold_the_similarities_of_the_same_samples_and_the_thresholds(few: Dataset) -> None:
    work = set_up(small_spec("dac", options=SHORT), few, torch.device("cpu"))
    (phase,) = work.phases
    work.model.eval()
    view = ProbePass(phase, work.samples.x, torch.arange(96), torch.zeros(1, 2, dtype=torch.int64), torch.zeros(1))
    shown = {name: observation.value(view) for name, observation in phase.observe.items()}
    assert shown["pair_rows"].tolist() == list(range(96))
    assert shown["pair_thresholds"].tolist() == pytest.approx([0.95, 0.455])
    g, p = shown["pair_similarities"], view.q
    expected = (p @ p.T) / (p.norm(dim=1)[:, None] * p.norm(dim=1))
    torch.testing.assert_close(g, expected)


def test_the_card_names_both_thresholds_and_the_loop_of_the_paper() -> None:
    assert {r"u(\lambda)", r"l(\lambda)"} <= set(DAC.card.symbols)
    assert any("46 outer steps" in step for step in DAC.card.algorithm)


def test_digits_with_augmentation_train(digits_small: Dataset) -> None:
    spec = small_spec("dac", options={"augment": True, "cluster_epochs": 2, "channels": 4})
    work, _, listener = trained(spec, digits_small)
    assert all(np.isfinite(terms["pairs"]) for terms in listener.terms)
    assert isinstance(work.phases[0], Phase)
