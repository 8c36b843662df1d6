"""What a replay says of how its run was made, in words: a row each, and the code that makes it again."""

from __future__ import annotations

from typing import Any

from clustlab.runs import Run
from clustlab.sharing.snippet import command_of, python_of, settings_of, without_folders

__all__ = ["code_rows", "protocol_rows"]

SCORES = {"acc": "ACC", "nmi": "NMI", "ari": "ARI", "silhouette": "silhouette"}
TOLD_VERSIONS = ("clustlab", "python", "torch", "numpy", "scikit-learn")


def protocol_rows(run: Run) -> list[tuple[str, str]]:
    """Return rows of a heading and a text: method, data, settings, metrics, when and with which versions."""
    about, status, spec = run.about, run.status, without_folders(run.spec)
    settings = settings_of(spec)
    rows = [
        ("Method", _method(about, spec.method)),
        ("Data", _data(about.get("dataset") or {}, spec.data)),
        ("Clusters", str(about.get("n_clusters") or spec.n_clusters or "as many as classes")),
        ("Seed", str(spec.seed)),
        ("Settings", ", ".join(f"{name} = {value}" for name, value in settings.items()) or "all by default"),
        ("Metrics", _metrics(run)),
        ("Trained", _trained(status)),
    ]
    if spec.parent:
        rows.insert(4, ("Forked", f"from {spec.parent.run} at step {spec.parent.step:,}"))
    rows += [("Note", note) for note in about.get("notes") or ()]
    if run.lives:
        rows.append(("State", "It was still being trained when this was written, and is shown as far as it had come."))
    return rows


def code_rows(run: Run) -> list[tuple[str, str]]:
    """Return the code that makes the run again, a heading and a text each."""
    spec = without_folders(run.spec)
    rows = [("The same run in Python", python_of(spec))]
    if command := command_of(spec):
        rows.append(("The same run on the command line", command))
    return rows


def _method(about: dict[str, Any], name: str) -> str:
    card = about.get("card") or {}
    joined = [str(extension.get("title", key)) for key, extension in (about.get("extensions") or {}).items()]
    paper = f" ({card['paper']})" if card.get("paper") else ""
    return " + ".join([f"{card.get('title', name)}{paper}", *joined])


def _data(dataset: dict[str, Any], name: str) -> str:
    if not dataset:
        return name
    shape = " × ".join(str(side) for side in dataset.get("shape") or ())
    n_classes = dataset.get("n_classes") or 0
    classes = f"{n_classes} classes, which training never sees" if n_classes else "no classes"
    return f"{dataset.get('title', name)}: {int(dataset.get('n') or 0):,} samples of {shape}, {classes}"


def _metrics(run: Run) -> str:
    known = run.metrics
    scores = [f"{title} {known[name]:.4f}" for name, title in SCORES.items() if isinstance(known.get(name), float)]
    if not scores:
        return "none"
    where = "on the whole data set" if run.folder.result.exists() else "on the probe, at the last frame"
    return f"{', '.join(scores)} {where}" + (f"; scored: {run.protocol}" if run.protocol else "")


def _trained(status: dict[str, Any]) -> str:
    started = str(status.get("started", ""))[:16].replace("T", " ")
    versions = status.get("versions") or {}
    parts = [f"{started} UTC" if started else "", f"{float(status.get('wall_s') or 0):,.0f} s"]
    parts += [f"{name} {versions[name]}" for name in TOLD_VERSIONS if name in versions]
    return ", ".join(part for part in parts if part)
