"""The worker's pen: the only thing that writes a run folder (see ``FORMAT.md``)."""

from __future__ import annotations

import errno
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from clustlab.runs.layout import RunFolder, slug, write_aside, write_json
from clustlab.runs.reader import JsonLines, read_json
from clustlab.runs.status import now, process_identity

__all__ = ["RunWriter", "write_failure", "write_spec"]

STATUS_BYTES = 4096
"""Status is padded to this size, so that it can be overwritten in place when the disk is full."""


def write_spec(folder: RunFolder, spec_json: str, title: str = "") -> None:
    """Put ``spec.json`` and a queued status into a new folder, before anything starts."""
    write_aside(folder.spec, lambda stream: stream.write(spec_json.encode()))
    status = {"state": "queued", "title": title, "step": 0, "heartbeat": now(), "started": now(), "wall_s": 0.0}
    write_json(folder.status, status)


def write_failure(folder: RunFolder, error: str) -> None:
    """Put into the status of a run why it cannot go on, where its records cannot be read."""
    _write_status(folder, read_json(folder.status) | {"state": "failed", "error": error, "message": ""})


class RunWriter:
    """Writes one run folder; opened again after an interruption it appends, and repeats nothing.

    Training that goes on from a checkpoint runs through steps that were recorded before the interruption. What is
    recorded already is kept: scalars and frames of steps up to the last recorded one are passed over.

    Parameters
    ----------
    folder : RunFolder
        An existing folder that holds ``spec.json``.

    Raises
    ------
    RunError
        If what has been recorded cannot be read.
    """

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        folder.frames.mkdir(exist_ok=True)
        folder.checkpoints.mkdir(exist_ok=True)
        for path in (folder.scalars, folder.frame_index, folder.events):
            _drop_torn_line(path)
        self._scalar_step = max((record["step"] for record in JsonLines(folder.scalars).poll()), default=-1)
        frames = JsonLines(folder.frame_index).poll()
        self._frame_step = frames[-1]["step"] if frames else -1
        self._frames_at_step = {record["phase"] for record in frames if record["step"] == self._frame_step}
        self.frame_count = len(frames)
        self._status = read_json(folder.status) | process_identity()

    @property
    def wall_seconds(self) -> float:
        """Seconds of training so far, earlier processes counted in."""
        return float(self._status.get("wall_s", 0.0))

    def status(self, **changes: Any) -> None:
        """Merge changes into ``status.json`` and renew the heartbeat."""
        self._status |= changes | {"heartbeat": now()}
        _write_status(self.folder, self._status)

    def about(self, content: Mapping[str, Any]) -> None:
        """Write ``about.json``: what a viewer needs to know before the first frame."""
        write_json(self.folder.about, dict(content))

    def sample(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Write the probe, unless an earlier process did."""
        if not self.folder.sample.exists():
            write_aside(self.folder.sample, lambda stream: np.savez(stream, allow_pickle=False, **arrays))

    def scalars(self, record: Mapping[str, Any]) -> None:
        """Append a record with ``step``, ``phase`` and ``terms`` or ``values`` to ``scalars.jsonl``."""
        if record["step"] > self._scalar_step:
            _append(self.folder.scalars, {**record, "time": now()})

    def frame(self, record: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
        """Write a frame's arrays, then its line; ``record`` has step, phase, phase_step, metrics, values, terms.

        The step at which a phase ends and the next one begins has a frame of each.
        """
        step, phase = record["step"], record["phase"]
        if step < self._frame_step or (step == self._frame_step and phase in self._frames_at_step):
            return
        if step > self._frame_step:
            self._frame_step, self._frames_at_step = step, set()
        file = f"{step:06d}-{slug(phase)}.npz" if self._frames_at_step else f"{step:06d}.npz"
        write_aside(self.folder.frames / file, lambda stream: np.savez(stream, allow_pickle=False, **arrays))
        line = {"frame": self.frame_count, **record, "file": file, "time": now(), "arrays": sorted(arrays)}
        _append(self.folder.frame_index, line)
        self._frames_at_step.add(phase)
        self.frame_count += 1

    def event(self, kind: str, step: int, text: str = "") -> None:
        """Append a line to ``events.jsonl``; kinds are listed in ``FORMAT.md``."""
        _append(self.folder.events, {"step": step, "time": now(), "kind": kind, "text": text})

    def result(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Write ``result.npz``."""
        write_aside(self.folder.result, lambda stream: np.savez(stream, allow_pickle=False, **arrays))

    def request(self) -> str:
        """Return what somebody asked for through ``control`` (empty if nobody did) and take it off the table."""
        try:
            word = self.folder.control.read_text().strip()
            self.folder.control.unlink(missing_ok=True)
        except FileNotFoundError:
            return ""
        return word

    def asked_to_stop(self) -> bool:
        """Return whether somebody asked to stop, and take that off the table; what else is asked for stays there."""
        try:
            if self.folder.control.read_text().strip() != "stop":
                return False
            self.folder.control.unlink(missing_ok=True)
        except FileNotFoundError:
            return False
        return True


def _write_status(folder: RunFolder, status: Mapping[str, Any]) -> None:
    text = json.dumps(status, indent=1, ensure_ascii=False).encode().ljust(STATUS_BYTES)
    try:
        write_aside(folder.status, lambda stream: stream.write(text))
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        with folder.status.open("r+b") as stream:
            stream.write(text)


def _append(path: Any, record: Mapping[str, Any]) -> None:
    with path.open("ab") as stream:
        stream.write(json.dumps(record, ensure_ascii=False, allow_nan=False).encode() + b"\n")


def _drop_torn_line(path: Any) -> None:
    """Cut off a last line without newline, left by a writer that was killed."""
    if path.exists() and (content := path.read_bytes()) and not content.endswith(b"\n"):
        with path.open("r+b") as stream:
            stream.truncate(content.rfind(b"\n") + 1)
