"""Features by a tiny network with random weights, saved as a checkpoint is; no test contacts another computer."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from clustlab import cli
from clustlab.data import load
from clustlab.errors import DataError
from clustlab.features import extract, network

transformers = pytest.importorskip("transformers", reason="the extra “features” is not installed")

SIDE = 32
MEAN, SPREAD = [0.4, 0.5, 0.6], [0.2, 0.25, 0.3]


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ResNet of two stages that says it was trained on the 1,000 classes of ImageNet."""
    import torch

    torch.manual_seed(0)
    config = transformers.ResNetConfig(embedding_size=4, hidden_sizes=[4, 6], depths=[1, 1], layer_type="basic")
    config.num_labels = 1000
    folder = tmp_path_factory.mktemp("checkpoints") / "tiny"
    transformers.ResNetForImageClassification(config).save_pretrained(folder)
    prepared = {
        "image_processor_type": "ViTImageProcessor",
        "size": {"height": SIDE, "width": SIDE},
        "image_mean": MEAN,
        "image_std": SPREAD,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(prepared))
    return folder


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Three images of different sizes in two classes."""
    generator = np.random.default_rng(0)
    for name, shape in {"cat/1.png": (40, 30, 3), "cat/2.png": (32, 32), "dog/3.png": (20, 50, 3)}.items():
        path = tmp_path / "pets" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(generator.integers(0, 256, shape).astype(np.uint8)).save(path)
    return tmp_path / "pets"


def by_hand(folder: Path, images: list[Image.Image]) -> np.ndarray:
    """Average the last maps of the network over images that are resized and normalised as its configuration says."""
    import torch

    model = transformers.ResNetModel.from_pretrained(folder).eval()
    resized = [image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR) for image in images]
    x = (np.stack([np.asarray(image) for image in resized]) / 255 - MEAN) / SPREAD
    with torch.inference_mode():
        maps = model(torch.from_numpy(x.transpose(0, 3, 1, 2)).float()).last_hidden_state
    return np.asarray(maps.mean(dim=(2, 3)).numpy())


@pytest.mark.parametrize("batch_size", [2, 64])
def test_features_are_those_of_the_network_for_images_prepared_as_it_says(
    checkpoint: Path, images: Path, tmp_path: Path, batch_size: int
) -> None:
    told: list[tuple[int, int]] = []
    written = extract(
        str(images),
        tmp_path / "pets.npz",
        checkpoint=checkpoint,
        batch_size=batch_size,
        progress=lambda done, total: told.append((done, total)),
    )
    data = load(str(written))
    files = [Image.open(path) for path in sorted(images.rglob("*.png"))]
    assert np.allclose(data.x, by_hand(checkpoint, files), atol=1e-5)
    for file in files:
        file.close()
    assert np.ptp(data.x, axis=0).max() > 1e-3
    assert (data.class_names, data.kind) == (("cat", "dog"), "vectors")
    assert data.y is not None
    assert data.y.tolist() == [0, 0, 1]
    assert told[0] == (0, 3)
    assert told[-1] == (3, 3)


def test_the_file_says_what_made_it(checkpoint: Path, images: Path, tmp_path: Path) -> None:
    data = load(str(extract(str(images), tmp_path / "pets.npz", network="resnet50", checkpoint=checkpoint)))
    assert data.title == "pets · supervised ImageNet features (resnet50)"
    (note,) = data.notes
    assert note.startswith("Features by resnet50, weights tiny/model.safetensors, SHA-256 ")


def test_a_network_that_has_not_learned_the_labels_of_imagenet_is_not_said_to_have(
    checkpoint: Path, images: Path, tmp_path: Path
) -> None:
    folder = changed(checkpoint, tmp_path, "config.json", lambda config: config | {"architectures": ["ResNetModel"]})
    data = load(str(extract(str(images), tmp_path / "pets.npz", checkpoint=folder)))
    assert data.title == "pets · pretrained features (resnet)"


def test_arrays_of_images_are_taken_too_and_vectors_are_refused(checkpoint: Path, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 8, 8)).astype(np.uint8)
    np.savez(tmp_path / "grey.npz", X=pixels, y=list("abab"))
    data = load(str(extract(str(tmp_path / "grey.npz"), tmp_path / "out.npz", checkpoint=checkpoint)))
    assert np.allclose(data.x, by_hand(checkpoint, [Image.fromarray(each) for each in pixels]), atol=1e-5)
    assert data.class_names == ("a", "b")
    with pytest.raises(DataError, match="Three blobs has vectors of 8 features; features are made of images"):
        extract("blobs", tmp_path / "blobs.npz", checkpoint=checkpoint)


def test_what_is_interrupted_leaves_no_file(checkpoint: Path, images: Path, tmp_path: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract(str(images), tmp_path / "pets.npz", checkpoint=checkpoint, batch_size=1, progress=interrupt)
    assert [path.name for path in tmp_path.iterdir()] == ["pets"]


def changed(
    checkpoint: Path, folder: Path, name: str, change: Callable[[dict[str, Any]], dict[str, Any]] | None
) -> Path:
    """Return a copy of a checkpoint in which one JSON file is changed, or one file is missing."""
    copy = folder / "changed"
    copy.mkdir()
    for path in checkpoint.iterdir():
        if path.name != name:
            (copy / path.name).write_bytes(path.read_bytes())
        elif change is not None:
            (copy / name).write_text(json.dumps(change(json.loads(path.read_text()))))
    return copy


@pytest.mark.parametrize("name", network.FILES)
def test_an_incomplete_checkpoint_is_refused_by_name(checkpoint: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=f"has no {name}; it must hold"):
        network.open_network(checkpoint=changed(checkpoint, tmp_path, name, None))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"depths": [2, 1]}, "lack .* of the network's parameters, such as"),
        ({"hidden_sizes": [4, 8]}, "cannot be loaded"),
        ({"model_type": "no-such-network"}, "cannot be loaded"),
    ],
)
def test_weights_that_do_not_fit_the_network_are_refused(
    checkpoint: Path, tmp_path: Path, config: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        network.open_network(checkpoint=changed(checkpoint, tmp_path, "config.json", lambda old: old | config))


def test_nothing_is_unpickled(checkpoint: Path, tmp_path: Path) -> None:
    """Weights that are a pickle are no checkpoint, though transformers would take them."""
    copy = changed(checkpoint, tmp_path, "model.safetensors", None)
    (copy / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")
    with pytest.raises(DataError, match=r"has no model\.safetensors"):
        network.open_network(checkpoint=copy)
    (copy / "model.safetensors").write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")
    with pytest.raises(DataError, match="cannot be loaded"):
        network.open_network(checkpoint=copy)


def test_what_is_asked_for_wrongly_is_one_sentence(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "x.npz")
    (tmp_path / "there.npz").write_bytes(b"")
    for arguments, sentence in [
        (["--out", out], "say which network makes the features"),
        (["--out", out, "--network", "resnet5"], "there is no network “resnet5”; there are resnet18"),
        (["--out", out, "--checkpoint", "/no/where"], "there is no checkpoint /no/where"),
        (["--out", out, "--network", "vit-base", "--checkpoint", str(checkpoint)], "is not vit-base but a resnet"),
        (["--out", str(tmp_path / "there.npz"), "--network", "resnet50"], "exists already"),
        (["--out", str(tmp_path / "x.csv"), "--network", "resnet50"], "must end in .npz"),
        (["--out", str(tmp_path / "no" / "x.npz"), "--network", "resnet50"], "there is no folder"),
    ]:
        monkeypatch.setattr(sys, "argv", ["clustlab", "features", "--data", "digits", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == 1
        (line,) = [line for line in capsys.readouterr().err.splitlines() if line.strip()]
        assert sentence in line


def test_a_hub_that_cannot_be_reached_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import huggingface_hub

    def unreachable(*_: Any, **__: Any) -> None:
        raise ConnectionError("Name or service not known")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", unreachable)
    monkeypatch.setattr(huggingface_hub, "model_info", unreachable)
    with pytest.raises(DataError) as refused:
        network.open_network("resnet50")
    assert str(refused.value) == (
        "the network microsoft/resnet-50 is not on this computer and could not be fetched from huggingface.co (Name or "
        "service not known); connect this computer to the network, or give the folder of its weights as --checkpoint"
    )


def test_what_was_fetched_before_is_found_without_a_connection(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *_, local_files_only, **__: str(checkpoint))
    monkeypatch.setattr(huggingface_hub, "model_info", lambda *_, **__: pytest.fail("the hub was asked"))
    found = network.open_network("resnet50")
    assert (found.name, found.weights) == ("resnet50", "weights microsoft/resnet-50, revision tiny")


def test_without_the_extra_one_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"pip install 'clustlab\[features\]'"):
        network.open_network("resnet50")
