"""A pretrained network that turns images into features, prepared as its own configuration says."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from clustlab.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["NETWORKS", "FeatureNetwork", "open_network"]

NETWORKS = {
    "resnet18": "microsoft/resnet-18",
    "resnet34": "microsoft/resnet-34",
    "resnet50": "microsoft/resnet-50",
    "resnet101": "microsoft/resnet-101",
    "resnet152": "microsoft/resnet-152",
    "convnext-tiny": "facebook/convnext-tiny-224",
    "vit-base": "google/vit-base-patch16-224",
}
"""Networks with a short name, and where on the Hugging Face Hub their weights lie; all have learned ImageNet's labels.

ResNet-50's 2,048 averages of its last maps are what IMSAT and its successors take for CIFAR-10 and STL-10."""

HUB = "huggingface.co"
ANSWER_SECONDS = 15.0

FILES = ("config.json", "preprocessor_config.json", "model.safetensors")
"""What the folder of a checkpoint must hold, as ``save_pretrained`` writes it."""

IMAGENET_CLASSES = (1000, 21_841, 21_842, 21_843)
"""Numbers of classes by which a classifier is known to have learned from the labels of ImageNet, 1k or 21k."""


class FeatureNetwork:
    """A network that is ready to be asked.

    Parameters
    ----------
    name : str
        What a person calls it.
    weights : str
        Where its weights are from, and which ones they are.
    model, processor : objects of transformers
        The network in evaluation mode, and what prepares images for it.
    pools : bool
        Whether the network's own summary of an image can be trusted: all of its weights were in the checkpoint.
    """

    def __init__(self, name: str, weights: str, model: Any, processor: Any, *, pools: bool) -> None:
        self.name, self.weights, self.model, self.processor, self.pools = name, weights, model, processor, pools

    @property
    def kind(self) -> str:
        """What its features must be called: those of a classifier for ImageNet have seen labels."""
        config = self.model.config
        classifies = any("ForImageClassification" in name for name in config.architectures or ())
        supervised = classifies and len(config.id2label or {}) in IMAGENET_CLASSES
        return "supervised ImageNet features" if supervised else "pretrained features"

    def features(self, images: Sequence[Image]) -> np.ndarray:
        """Return the features of images, float32 (b, D).

        They are the network's own summary where it has one: for convolutions the average of each last map, for
        transformers the class token.
        """
        import torch

        pixels = self.processor([image.convert("RGB") for image in images], return_tensors="pt")["pixel_values"]
        with torch.inference_mode():
            seen = self.model(pixel_values=pixels.to(self.model.device))
        hidden = seen.last_hidden_state
        pooled = getattr(seen, "pooler_output", None) if self.pools else None
        if pooled is None:
            pooled = hidden.mean(dim=(2, 3)) if hidden.ndim == 4 else hidden[:, 0]
        return np.asarray(pooled.flatten(1).float().cpu().numpy())


def open_network(name: str = "", checkpoint: str | Path | None = None, device: str = "auto") -> FeatureNetwork:
    """Return a pretrained network.

    Parameters
    ----------
    name : str
        One of :data:`NETWORKS`, or ``owner/name`` on the Hugging Face Hub. What has been fetched before is found
        without a connection.
    checkpoint : path, optional
        Folder with the network instead, as ``save_pretrained`` writes it, or the ``model.safetensors`` in it; ``name``
        then only says what to call it.
    device : {"auto", "cpu", "cuda", "mps"}

    Raises
    ------
    DataError
        If the extra is not installed, the name unknown, the Hub out of reach, or the checkpoint incomplete, of another
        network, or not of a network for images.
    """
    if not name and checkpoint is None:
        raise DataError(
            f"say which network makes the features: --network {next(iter(NETWORKS))}, or --checkpoint FOLDER"
        )
    if checkpoint is None and name not in NETWORKS and "/" not in name:
        raise DataError(
            f"there is no network “{name}”; there are {', '.join(NETWORKS)}, or name one on {HUB} as owner/name, or "
            "give its folder as --checkpoint"
        )
    if importlib.util.find_spec("transformers") is None:
        raise DataError("features need packages that are not installed: pip install 'clustlab[features]'")
    if checkpoint is None:
        folder = _from_hub(NETWORKS.get(name, name))
        weights = f"weights {NETWORKS.get(name, name)}, revision {folder.name}"
    else:
        folder = _folder(Path(checkpoint).expanduser())
        weights = f"weights {folder.name}/{FILES[-1]}, SHA-256 {_digest(folder / FILES[-1])}"
    from clustlab.training.setup import choose_device

    model, processor, pools = _load(folder)
    if name in NETWORKS and not name.startswith(model.config.model_type):
        raise DataError(f"the checkpoint {checkpoint} is not {name} but a {model.config.model_type}")
    return FeatureNetwork(
        name or model.config.model_type, weights, model.to(choose_device(device)).eval(), processor, pools=pools
    )


def _folder(path: Path) -> Path:
    folder = path.parent if path.is_file() else path
    if not path.exists():
        raise DataError(f"there is no checkpoint {path}")
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise DataError(f"the checkpoint {folder} has no {' and no '.join(missing)}; it must hold {', '.join(FILES)}")
    return folder


def _from_hub(place: str) -> Path:
    """Return the folder of a network on the Hub: kept from before, else fetched; its name is the revision."""
    import huggingface_hub as hub

    with suppress(OSError, ValueError):
        return _folder(Path(hub.snapshot_download(place, allow_patterns=list(FILES), local_files_only=True)))
    try:
        # Asked first because it answers at once where there is no connection, and a download tries for minutes.
        revision = hub.model_info(place, timeout=ANSWER_SECONDS).sha
        return _folder(Path(hub.snapshot_download(place, allow_patterns=list(FILES), revision=revision)))
    except DataError:
        raise
    except Exception as error:  # the hub's client passes on whatever goes wrong below it
        raise DataError(
            f"the network {place} is not on this computer and could not be fetched from {HUB} ({_reason(error)}); "
            "connect this computer to the network, or give the folder of its weights as --checkpoint"
        ) from error


def _load(folder: Path) -> tuple[Any, Any, bool]:
    """Return the network in a folder, what prepares images for it, and whether its summary has all of its weights."""
    import transformers
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    safe = {"local_files_only": True, "trust_remote_code": False}
    try:
        processor = transformers.AutoImageProcessor.from_pretrained(str(folder), backend="pil", **safe)
        model, told = transformers.AutoModel.from_pretrained(
            str(folder), use_safetensors=True, output_loading_info=True, **safe
        )
    except Exception as error:  # transformers and safetensors raise whatever they like
        raise DataError(f"the checkpoint {folder} cannot be loaded ({_reason(error)})") from error
    if model.main_input_name != "pixel_values":
        raise DataError(f"{folder} is not a network for images but a {model.config.model_type}")
    missing = set(told["missing_keys"])
    body = sorted(name for name in missing if not name.startswith("pooler."))
    if body:
        raise DataError(f"the weights in {folder} lack {len(body)} of the network's parameters, such as {body[0]}")
    return model, processor, not missing


def _reason(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:200]


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:16]
