"""What goes over the wire: a run described as JSON, and the points of frames packed into one binary message."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from clustlab.errors import RunError
from clustlab.figures.palette import cluster_colour
from clustlab.runs import Frame, Run
from clustlab.runs.arrays import opened_arrays
from clustlab.views.description import dataset_of, n_clusters_of

__all__ = [
    "absence",
    "beliefs",
    "describe",
    "describe_sample",
    "log_tail",
    "pack_frames",
    "plain",
    "projections_of",
    "thumbnails",
]

MAX_SCALARS = 600
"""Scalar records sent at once; a curve on a screen shows no more."""

TITLES = {"umap": "UMAP", "pca": "PCA", "plane": "Plane"}


def describe(run: Run) -> dict[str, Any]:
    """Return everything a viewer needs before the first frame: description, status, frame records, events, palette."""
    about = run.about
    n_classes = int(dataset_of(run).get("n_classes") or 0)
    scalars = run.scalar_records
    return {
        "run": run.name,
        "title": run.title,
        "about": about,
        "status": run.status,
        "records": run.frames.records(),
        "events": run.events,
        "n_scalars": len(scalars),
        "scalars": thinned(scalars, MAX_SCALARS),
        "palette": {
            "clusters": [cluster_colour(cluster) for cluster in range(n_clusters_of(run))],
            "classes": [cluster_colour(number) for number in range(n_classes)],
            "none": cluster_colour(-1),
        },
        "projections": projections_of(run),
        "has_sample": run.folder.sample.exists(),
    }


def thinned(records: Sequence[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """Return at most ``most`` records, evenly spread, the last one among them."""
    if len(records) <= most:
        return list(records)
    return [records[int(at)] for at in np.linspace(0, len(records) - 1, most)]


def projections_of(run: Run) -> list[dict[str, Any]]:
    """Return the projections that a run can be looked at in, the best first, with note and stability if known."""
    names = _available(run)
    names += [name for name in TITLES if name not in names and run.folder.projection(name).is_dir()]
    return [describe_projection(run.folder.projection(name), name) for name in names]


def describe_projection(folder: Path, name: str) -> dict[str, Any]:
    """Return name, title, note and last measured stability of a projection, and how many frames it covers."""
    try:
        about = json.loads((folder / "projection.json").read_text())
    except (OSError, json.JSONDecodeError):
        about = {}
    stability = about.get("stability") or []
    values = list(stability.values()) if isinstance(stability, dict) else list(stability)
    known = [value for value in values if isinstance(value, (int, float))]
    return {
        "name": name,
        "title": TITLES.get(name, name),
        "note": str(about.get("note", "")),
        "stability": float(np.median(known)) if known else None,
        "n_frames": count_projected(folder),
    }


def count_projected(folder: Path) -> int:
    """Return the number of frames whose coordinates are in a projection's folder."""
    return sum(1 for _ in folder.glob("[0-9]*.npz")) if folder.is_dir() else 0


def _available(run: Run) -> list[str]:
    from clustlab import projections  # loads no umap

    if not len(run.frames):
        return []
    with opened_arrays(run.frames[-1].path) as file:
        n, dimension = file["codes"].shape
    return list(projections.available(dimension, n))


def describe_sample(run: Run) -> dict[str, Any]:
    """Return the probe without its pictures: rows, classes, and the shape of the thumbnails.

    Raises
    ------
    RunError
        If the run has recorded no sample yet.
    """
    sample = run.sample
    pictures = sample.get("thumbnails")
    return {
        "n": len(sample["index"]),
        "index": sample["index"].tolist(),
        "y": sample["y"].tolist() if "y" in sample else None,
        "thumbnails": list(pictures.shape) if pictures is not None else None,
        "class_names": [str(name) for name in dataset_of(run).get("class_names") or []],
    }


def thumbnails(run: Run) -> bytes:
    """Return the pictures of the probe as raw uint8, sample after sample; empty if the data has none."""
    pictures = run.sample.get("thumbnails")
    return b"" if pictures is None else np.ascontiguousarray(pictures, dtype=np.uint8).tobytes()


def beliefs(run: Run, number: int) -> bytes:
    """Return Q of a frame as uint8 (n, K), 255 is certain; empty where the phase assigns hard.

    Raises
    ------
    RunError
        If there is no such frame.
    """
    records = run.frames.records()
    if number >= len(records):
        raise RunError(f"the run has no frame {number}")
    with opened_arrays(Frame(run.folder, records[number]).path) as file:
        if "q" not in file:
            return b""
        return bytes(np.round(file["q"].astype(np.float32).clip(0, 1) * 255).astype(np.uint8).tobytes())


def log_tail(run: Run, n_lines: int = 40) -> str:
    """Return the last lines of the worker's output."""
    try:
        content = run.folder.log.read_bytes()[-16_384:]
    except FileNotFoundError:
        return ""
    return "\n".join(content.decode(errors="replace").splitlines()[-n_lines:])


def absence(run: Run, from_phase: str | None) -> str:
    """Return the sentence that stands in the place of a figure which a frame cannot show."""
    if from_phase is None:
        return "This run has recorded nothing for this figure yet." if run.lives else "This run records no such thing."
    titles = {phase["name"]: phase.get("title") or phase["name"] for phase in run.about.get("phases", ())}
    return f"Nothing of it at this moment; it was first recorded in the {titles.get(from_phase, from_phase)} phase."


def pack_frames(run: Run, projection: str, frames: Sequence[Frame]) -> bytes:
    """Return the points of frames as one message; frames without coordinates are left out.

    The message is a header and buffers: the header's length in bytes (uint32, little-endian), the header (JSON,
    padded with spaces to a multiple of four), then for each frame that it lists, at offset ``at`` behind the header:
    ``points`` float32 (n, 2), ``centroids`` float32 (k, 2), ``labels`` uint16 (n,), ``confidence`` uint8 (n,; 255
    is certain), padded to a multiple of four.

    Parameters
    ----------
    run : Run
        The run.
    projection : str
        Name of the projection whose coordinates to send.
    frames : sequence of Frame
        The frames wanted.

    Returns
    -------
    bytes
        The packed message.
    """
    entries: list[dict[str, Any]] = []
    buffers: list[bytes] = []
    at = 0
    for frame in frames:
        packed = _pack(frame, run.folder.projection(projection) / frame.path.name)
        if packed is None:
            continue
        entry, buffer = packed
        entries.append(entry | {"at": at})
        buffers.append(buffer)
        at += len(buffer)
    header = json.dumps({"projection": projection, "frames": entries}).encode()
    header = header.ljust(-(-len(header) // 4) * 4)
    return b"".join([struct.pack("<I", len(header)), header, *buffers])


def _pack(frame: Frame, coordinates: Path) -> tuple[dict[str, Any], bytes] | None:
    """One frame's entry of the header and its buffer; None while it is not projected."""
    try:
        with opened_arrays(coordinates) as file:
            points, centroids = file["points"].astype("<f4"), file["centroids"].astype("<f4")
        with opened_arrays(frame.path) as file:
            labels = file["labels"].astype("<u2")
            confidence = file["confidence"] if "confidence" in file else np.ones(len(labels))
    except FileNotFoundError:
        return None
    shades = np.round(np.nan_to_num(confidence.astype(np.float32)).clip(0, 1) * 255).astype(np.uint8)
    buffer = points.tobytes() + centroids.tobytes() + labels.tobytes() + shades.tobytes()
    entry = {"frame": frame.number, "step": frame.step, "n": len(points), "k": len(centroids)}
    return entry, buffer.ljust(-(-len(buffer) // 4) * 4, b"\0")


def plain(content: Any) -> bytes:
    """Return content as JSON that every browser reads: not-a-number becomes null."""
    try:
        return json.dumps(content, ensure_ascii=False, allow_nan=False, default=_number).encode()
    except ValueError:
        return json.dumps(_finite(content), ensure_ascii=False, default=_number).encode()


def _number(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} cannot be sent")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
