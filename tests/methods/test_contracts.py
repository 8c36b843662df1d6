"""What every method must keep, alone and with every extension that fits; discovered, not listed."""

from __future__ import annotations

import contextlib
import io
import re
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
import torch
from another_device import another_device
from training_helpers import Listener, small_spec, trained

import clustlab
from clustlab import extensions, methods
from clustlab.catalog import check, described, used
from clustlab.data import Dataset
from clustlab.methods.base import Phase
from clustlab.runs import Run
from clustlab.spec import RunSpec
from clustlab.training.loop import Batches, Training, run_phases
from clustlab.training.probe import Clusters, choose_probe, frame_arrays, read_out_all
from clustlab.training.setup import Work, set_up

METHODS = methods.discover()
EXTENSIONS = extensions.discover()


def cells() -> list[tuple[str, tuple[str, ...]]]:
    """Every method alone, and with each extension that it can take."""
    alone: list[tuple[str, tuple[str, ...]]] = [(name, ()) for name in METHODS]
    joined = [
        (name, (extension,)) for name, method in METHODS.items() if "network" in method.uses for extension in EXTENSIONS
    ]
    return alone + joined


def over(chosen: list[tuple[str, tuple[str, ...]]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("method", "joined"), chosen, ids=lambda part: part if isinstance(part, str) else "+".join(part) or "alone"
    )


CELLS = over(cells())


def short(method: str) -> dict[str, int]:
    """Options that keep a method's clustering or layout phase short, where it has one."""
    lengths = {"cluster_epochs": 2, "layout_epochs": 20}
    return {name: epochs for name, epochs in lengths.items() if name in METHODS[method].Options.model_fields}


def documented_arrays() -> dict[str, str]:
    """Name and dtype of every array of a frame, as the format promises them."""
    text = (resources.files("clustlab.runs") / "FORMAT.md").read_text(encoding="utf-8")
    section = text.split("## `frames/*.npz`")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| `(\w+)` \| \(.*?\) \| (\w+) ", section, re.MULTILINE))


def run_of(method: str, joined: tuple[str, ...], **more: object) -> Run:
    settings = ["training.threads=1", "recording.budget=1"]
    if "training" in METHODS[method].uses:
        settings += ["training.epochs=2", "training.batch_size=100"]
    if "network" in METHODS[method].uses:
        settings += ["network.hidden=16", "network.latent_dim=3"]
    settings += [f"{name}={value}" for name, value in short(method).items()]
    return clustlab.train(method, data="blobs", extensions=joined, settings=settings, **more)  # type: ignore[arg-type]


@CELLS
def test_the_same_seed_gives_the_same_bits_which_are_what_the_format_promises(
    runs: Path, method: str, joined: tuple[str, ...]
) -> None:
    run, again = run_of(method, joined, seed=3), run_of(method, joined, seed=3)
    assert run.state == "finished"
    assert run.folder.result.read_bytes() == again.folder.result.read_bytes()
    assert _without_times(run) == _without_times(again)
    sample, result = run.sample, run.result
    n, n_clusters = len(sample["index"]), 3
    assert result["labels"].dtype == np.int64
    assert len(result["codes"]) == len(result["labels"]) == 600
    shapes = {
        "labels": (n,),
        "confidence": (n,),
        "sizes": (n_clusters,),
        "model_cluster": (n_clusters,),
        "q": (n, n_clusters),
        "p": (n, n_clusters),
        "sample_loss": (n,),
        "strip_labels": (len(sample["pairs"]), len(sample["alpha"])),
        "critic_guess": (len(sample["pairs"]), len(sample["alpha"])),
    }
    described = documented_arrays()
    for frame in run.frames:
        assert set(frame.array_names) <= set(described), "an array that runs/FORMAT.md does not explain"
        assert frame.codes.shape[0] == n
        assert frame.centroids.shape == (n_clusters, frame.codes.shape[1])
        assert sorted(frame.model_cluster.tolist()) == list(range(n_clusters))
        assert np.bincount(frame.labels, minlength=n_clusters).tolist() == frame.sizes.tolist()
        for name in frame.array_names:
            assert np.isfinite(frame.arrays[name]).all(), name
            assert frame.arrays[name].dtype == described[name], name
            assert name not in shapes or frame.arrays[name].shape == shapes[name], name
    assert {"acc", "nmi", "ari"} <= set(run.metrics)


@CELLS
def test_a_run_resumes_bit_for_bit_from_any_phase(method: str, joined: tuple[str, ...], blobs: Dataset) -> None:
    spec = small_spec(method, extensions=list(joined), n_clusters=3, data="blobs", options=short(method))
    _, whole, _ = trained(spec, blobs)
    for phase in range(whole.phase_index):
        work, training = interrupted(spec, blobs, phase)
        stored = io.BytesIO()
        torch.save(training.state(), stored)
        stored.seek(0)
        work = set_up(spec, blobs, torch.device("cpu"))
        resumed = Training(work.model, Batches(blobs.n, spec.training.batch_size, spec.seed))
        torch.manual_seed(99)  # whatever happened in between
        resumed.restore(torch.load(stored, weights_only=True))
        run_phases(resumed, work.phases, work.samples, Listener())
        assert resumed.step == whole.step
        for name, value in whole.model.state_dict().items():
            assert torch.equal(value, resumed.model.state_dict()[name]), f"{name} differs, resumed in phase {phase}"


def _without_times(run: Run) -> list[dict[str, object]]:
    return [{key: value for key, value in record.items() if key != "time"} for record in run.scalar_records]


def interrupted(spec: RunSpec, dataset: Dataset, phase_index: int) -> tuple[Work, Training]:
    """Train until the first step of a phase is done."""

    class Interruption(Exception):
        pass

    class Interrupter(Listener):
        def after_step(self, training: Training, phase: Phase, terms: dict[str, torch.Tensor]) -> None:
            if training.phase_index == phase_index:
                raise Interruption

    work = set_up(spec, dataset, torch.device("cpu"))
    training = Training(work.model, Batches(dataset.n, spec.training.batch_size, spec.seed))
    with contextlib.suppress(Interruption):
        run_phases(training, work.phases, work.samples, Interrupter())
    return work, training


@CELLS
def test_labels_reach_neither_training_nor_stopping(
    runs: Path, method: str, joined: tuple[str, ...], blobs: Dataset
) -> None:
    """Other labels, and none at all, give the same codes to the last bit."""
    assert blobs.y is not None
    spec = small_spec(method, extensions=list(joined), n_clusters=3, data="blobs", options=short(method))
    shuffled = np.random.default_rng(0).permutation(blobs.y)
    codes = []
    for y in (blobs.y, shuffled, None):
        names = blobs.class_names if y is not None else ()
        data = Dataset("blobs", "Blobs", blobs.x, y, names, blobs.kind)
        work, training, _ = trained(spec, data)
        found = read_out_all(work.phases[-1], work.samples)
        codes.append((torch.from_numpy(found["codes"]), torch.from_numpy(found["labels"]), training.step))
    for other, labels, steps in codes[1:]:
        assert torch.equal(codes[0][0], other)
        assert torch.equal(codes[0][1], labels)
        assert codes[0][2] == steps


@pytest.mark.slow
@over([(method, joined) for method, joined in cells() if not joined or method == "idec"])
def test_on_another_device_no_tensor_is_left_behind(method: str, joined: tuple[str, ...], blobs: Dataset) -> None:
    spec = small_spec(method, extensions=list(joined), n_clusters=3, data="blobs", options=short(method))
    few = Dataset("few", "Few", blobs.x[::5], None, (), blobs.kind)
    _, _, here = trained(spec, few)
    with another_device() as device:
        work, _, there = trained(spec, few, device)
        probe, _ = choose_probe(few, work.samples, 100, seed=0)
        frames = [frame_arrays(phase, probe, 3, 0, few, Clusters())[0] for phase in work.phases]
        found = read_out_all(work.phases[-1], work.samples)
    assert there.terms[0] == pytest.approx(here.terms[0], rel=1e-3, abs=1e-6)
    for array in (*found.values(), *(array for frame in frames for array in frame.values())):
        assert isinstance(array, np.ndarray)
        assert np.isfinite(array).all()


def test_another_device_refuses_what_a_graphics_card_refuses() -> None:
    with another_device() as device:
        there = torch.ones(2, 3).to(device)
        assert there.device == device
        assert (there @ torch.ones(3, device=device)).tolist() == [3, 3]
        with pytest.raises(RuntimeError, match="two devices"):
            there + torch.ones(3)
        with pytest.raises(RuntimeError, match="generator of the CPU"):
            torch.randn(3, generator=torch.Generator(), device=device)
        with pytest.raises(RuntimeError, match="numpy"):
            there.numpy()
        assert there.cpu().numpy().sum() == 6


IN_LAYERS = [name for name in METHODS if "precision" in used(described()["methods"][name], "training")]
"""Methods whose networks are made of layers that can multiply in fewer bits."""


@pytest.mark.parametrize("method", IN_LAYERS)
def test_half_precision_is_in_the_products_alone(method: str, blobs: Dataset) -> None:
    spec = small_spec(method, n_clusters=3, data="blobs", options=short(method))
    halved = spec.model_copy(update={"training": spec.training.model_copy(update={"precision": "bfloat16"})})
    (_, exact, _), (work, rounded, listener) = trained(spec, blobs), trained(halved, blobs)
    assert all(np.isfinite(list(terms.values())).all() for terms in listener.terms)
    for name, value in rounded.model.state_dict().items():
        assert value.dtype == exact.model.state_dict()[name].dtype, name
    assert any(
        not torch.equal(value, exact.model.state_dict()[name]) for name, value in rounded.model.state_dict().items()
    )
    assert read_out_all(work.phases[-1], work.samples)["codes"].dtype == np.float32


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_three_separated_blobs_are_found(runs: Path, method: str) -> None:
    settings = ["training.epochs=60"] if "training" in METHODS[method].uses else []
    run = clustlab.train(method, data="blobs", settings=[*settings, "training.threads=1"])
    assert run.metrics["acc"] >= 0.95


@pytest.mark.parametrize("method", METHODS)
def test_the_card_explains_every_method(method: str) -> None:
    card = METHODS[method].card
    assert all([card.title, card.paper, card.idea, card.objective, card.symbols, card.look_for])
    for name, field in METHODS[method].Options.model_fields.items():
        assert field.description, f"{method}.{name} has no help"


@pytest.mark.parametrize("method", [name for name in METHODS if METHODS[name].card.paper_settings])
def test_the_settings_of_the_paper_can_be_asked_for_and_are_not_the_defaults(method: str) -> None:
    settings = METHODS[method].card.paper_settings
    spec, usual = RunSpec.parse({"method": method, **settings}), RunSpec.parse({"method": method})
    check(spec)
    defaults = {**usual.model_dump(), "options": METHODS[method].Options().model_dump()}
    for part, values in settings.items():
        for name, value in values.items():
            assert value != defaults[part][name], f"{part}.{name}"


@pytest.mark.parametrize(("method", "extension"), [cell for cell in cells() if cell[1]])
def test_an_extension_joins_exactly_the_phases_that_offer_what_it_needs(
    method: str, extension: tuple[str, ...], digits_small: Dataset
) -> None:
    plain = set_up(small_spec(method), digits_small, torch.device("cpu"))
    joined = set_up(small_spec(method, extensions=list(extension)), digits_small, torch.device("cpu"))
    needs = EXTENSIONS[extension[0]].needs
    for before, after in zip(plain.phases, joined.phases, strict=True):
        terms = [len([term for player in phase.players for term in player.terms]) for phase in (before, after)]
        assert (terms[1] > terms[0]) == (needs <= before.offers)
        if not needs <= before.offers and any(player.parameters for player in before.players):
            assert any(before.title in note for note in joined.notes)
