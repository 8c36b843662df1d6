"""Forking a run: a new one that shares its past up to a checkpoint and goes on in another way."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

from clustlab import catalog, discovery
from clustlab.data import load
from clustlab.data.files import is_path
from clustlab.errors import LaunchError, SpecError
from clustlab.launch.submit import submit
from clustlab.launch.unchanged import check_unchanged
from clustlab.runs.layout import RunFolder, write_aside, write_json
from clustlab.runs.reader import JsonLines, Run, open_run
from clustlab.runs.status import now
from clustlab.spec import Parent, RunSpec

__all__ = ["Crossroads", "checkpoint_steps", "crossroads", "fork", "pretraining_steps", "settled"]

KEPT = ("data", "seed", "n_clusters", "network")
"""Parts of the spec that a fork has in common with its parent; a past with others would not be its own."""

OF_PRETRAINING = ("epochs", "learning_rate", "pretraining")
"""Options of :class:`clustlab.spec.Training` that say how pretraining goes, and nothing of what follows."""


class Crossroads(NamedTuple):
    """A checkpoint from which training can go on."""

    step: int
    phase: str
    """Title of the phase that it lies in or ends."""
    ends: bool
    """Whether the phase ends there."""
    methods: tuple[str, ...] = ()
    """What can go on from there: the run's own method, if it still trains anything, and those pretrained alike."""


def crossroads(run: Run) -> list[Crossroads]:
    """Return the checkpoints of a run behind which something can be trained, by rising step."""
    phases = run.about.get("phases", ())
    names = [phase["name"] for phase in phases]
    found: list[Crossroads] = []
    if not names:  # broken off before its networks were ready
        return found
    for step, path in run.folder.checkpoint_files().items():
        inside = [record["phase"] for record in run.frames.records() if _is_past(record, step)]
        at = names.index(inside[-1]) if inside and inside[-1] in names else 0
        ends = path.name.endswith(".phase.pt")
        trains = any(phase.get("trains", True) for phase in phases[at + ends :])
        methods = (*((run.spec.method,) if trains else ()), *_pretrained_alike(run, step))
        if methods:
            found.append(Crossroads(step, str(phases[at].get("title") or names[at]), ends, methods))
    return found


def _pretrained_alike(run: Run, step: int) -> list[str]:
    """Return the other methods whose pretraining is that of a run, as long as it lasts, and that train anything on."""
    known = catalog.described()["methods"]
    own, last = run.spec.method, pretraining_steps(run)
    if own not in known or not known[own]["pretraining"] or step > last:
        return []
    return [
        name
        for name, entry in known.items()
        if name != own
        and entry["pretraining"] == known[own]["pretraining"]
        and any(phase["trains"] and (phase["stage"] == "clustering" or step < last) for phase in entry["phases"])
    ]


def checkpoint_steps(run: Run) -> list[int]:
    """Return the steps of a run's checkpoints, rising."""
    return list(run.folder.checkpoint_files())


def pretraining_steps(run: Run) -> int:
    """Return how many steps a run's pretraining takes."""
    return sum(phase["steps"] for phase in run.about.get("phases", ()) if phase.get("stage") == "pretraining")


def settled(run: Run, step: int) -> tuple[str, ...]:
    """Return the options of ``training`` that make no difference any more, or would make another past, at a step."""
    return OF_PRETRAINING if step >= pretraining_steps(run) else ("pretraining",)


def fork(
    parent: Run, spec: RunSpec, *, step: int | None = None, runs: str | Path | None = None, alike: bool = False
) -> Run:
    """Return a new, queued run whose past is that of another, up to a checkpoint.

    Frames, curves and events up to there are copied, so that the new run can be watched from its beginning.

    Parameters
    ----------
    parent : Run
    spec : RunSpec
        What goes on; data, seed, clusters, network, probe and what :func:`settled` names must be the parent's.
    step : int, optional
        Step of one of the parent's checkpoints; else the latest at which a phase ended and training went on.
    runs : path, optional
        Folder for the new run.
    alike : bool
        Whether whoever asks knows that the new run would have had the very same past on its own; it is recorded.

    Raises
    ------
    LaunchError
        If the parent has no such checkpoint.
    SpecError, DataError, RunError
        If the spec does not fit the parent, the file of its data has changed, or as :func:`clustlab.launch.submit`.
    """
    there = parent.folder.checkpoint_files()
    if step is None:
        step = _last_crossroads(parent, there, same=parent.spec.method == spec.method)
    if step not in there:
        known = ", ".join(str(each) for each in there) or "none"
        wanted = "at the end of a phase after which anything is trained" if step < 0 else f"of step {step}"
        raise LaunchError(f"{parent.name} has no checkpoint {wanted}; it has {known}")
    _check(parent, spec, step)
    _check_extensions(parent, spec, step)
    dataset = load(spec.data) if is_path(spec.data) else None
    if dataset:
        check_unchanged(parent, dataset)
    child = submit(spec.model_copy(update={"parent": Parent(run=parent.name, step=step, alike=alike)}), runs, dataset)
    try:
        _copy_past(parent, child.folder, there[step], step)
    except BaseException as error:  # a past that is not whole is none
        shutil.rmtree(child.folder.path, ignore_errors=True)
        if isinstance(error, OSError):
            raise LaunchError(f"the past of {parent.name} could not be copied ({error.strerror or error})") from error
        raise
    return open_run(child.folder.path)


def _last_crossroads(parent: Run, there: dict[int, Path], *, same: bool) -> int:
    """Return the latest step at which a phase ended and the same method, or any that is pretrained alike, trains on."""
    ends = [each for each, path in there.items() if path.name.endswith(".phase.pt")]
    phases = parent.about.get("phases", ())
    open_ends = [end for at, end in enumerate(ends, start=1) if any(phase.get("trains", True) for phase in phases[at:])]
    if not same:
        open_ends = [end for end in ends if end <= pretraining_steps(parent)]
    return open_ends[-1] if open_ends else -1


def _check(run: Run, spec: RunSpec, step: int) -> None:
    parent = run.spec
    differing = [part for part in KEPT if getattr(parent, part) != getattr(spec, part)]
    if parent.recording.probe != spec.recording.probe:
        differing.append("recording.probe")
    if differing:
        raise SpecError(f"a fork keeps its parent's {', '.join(KEPT)} and probe; {', '.join(differing)} would change")
    for name in settled(run, step):
        if getattr(parent.training, name) != getattr(spec.training, name):
            raise SpecError(
                f"training.{name} says how pretraining goes, and is settled at step {step} of {run.name}; fork at an "
                "earlier step if there is one, or train anew"
            )
    if parent.method != spec.method:
        known = catalog.described()["methods"]
        was, will_be = known.get(parent.method), discovery.find("method", spec.method, known)
        if was is None or not was["pretraining"] or was["pretraining"] != will_be["pretraining"]:
            raise SpecError(
                f"{spec.method} cannot go on from a run of {parent.method}: the two are not pretrained alike"
            )
        if step > pretraining_steps(run):
            raise SpecError(
                f"{spec.method} cannot go on from step {step} of a run of {parent.method}: what they have in common "
                f"ends with the pretraining, at step {pretraining_steps(run)}"
            )


def _check_extensions(run: Run, spec: RunSpec, step: int) -> None:
    """Refuse an extension that is new to a run and would find nothing to join any more."""
    known = catalog.described()
    phases = [phase for phase in known["methods"][spec.method]["phases"] if phase["trains"]]
    ahead = [phase for phase in phases if phase["stage"] == "clustering" or step < pretraining_steps(run)]
    for name, options in spec.extensions.items():
        extension = discovery.find("extension", name, known["extensions"])
        needs = set(extension["needs"])
        if run.spec.extensions.get(name) != options and not any(needs <= set(phase["offers"]) for phase in ahead):
            raise SpecError(
                f"{extension['card']['title']} would find nothing to join behind step {step} of {run.name}; "
                "fork at an earlier step, or train anew"
            )


def _copy_past(parent: Run, child: RunFolder, checkpoint: Path, step: int) -> None:
    past = parent.folder
    frames = [record for record in parent.frames.records() if _is_past(record, step)]
    phases = {record["phase"] for record in frames}
    child.frames.mkdir()
    child.checkpoints.mkdir()
    for record in frames:
        shutil.copyfile(past.frames / record["file"], child.frames / record["file"])
    shutil.copyfile(checkpoint, child.checkpoints / checkpoint.name)
    shutil.copyfile(past.sample, child.sample)
    scalars = [
        record for record in JsonLines(past.scalars).poll() if record["step"] <= step and record["phase"] in phases
    ]
    events = [event for event in parent.events if event["step"] < step]
    events.append({"step": step, "time": now(), "kind": "forked", "text": parent.name})
    # The rest is the worker's to say; of the data it must know, before it goes on, which ones the past has seen.
    write_json(child.about, {key: parent.about[key] for key in ("dataset", "n_clusters") if key in parent.about})
    for path, lines in ((child.scalars, scalars), (child.events, events), (child.frame_index, frames)):
        _write_lines(path, lines)


def _is_past(record: dict[str, Any], step: int) -> bool:
    """Whether a frame belongs to the past of a checkpoint.

    At the step where a phase ends, the next one has a first frame too, and that does not.
    """
    return bool(record["step"] < step or (record["step"] == step and record["phase_step"] > 0))


def _write_lines(path: Path, lines: list[dict[str, Any]]) -> None:
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    write_aside(path, lambda stream: stream.write(text.encode()))
