"""The one owner of file names: where each thing of a run lives, and how a file is put there whole."""

from __future__ import annotations

import json
import os
import re
import secrets
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from clustlab.errors import RunError

__all__ = ["RunFolder", "create_run_folder", "runs_folder", "slug", "write_aside"]


@dataclass(frozen=True)
class RunFolder:
    """Paths of a run's files; see ``FORMAT.md``. Knows names only, opens and writes nothing."""

    path: Path

    @property
    def name(self) -> str:
        """The run's identifier: the folder's name."""
        return self.path.name

    @property
    def spec(self) -> Path:
        return self.path / "spec.json"

    @property
    def status(self) -> Path:
        return self.path / "status.json"

    @property
    def about(self) -> Path:
        return self.path / "about.json"

    @property
    def scalars(self) -> Path:
        return self.path / "scalars.jsonl"

    @property
    def sample(self) -> Path:
        return self.path / "sample.npz"

    @property
    def frames(self) -> Path:
        return self.path / "frames"

    @property
    def frame_index(self) -> Path:
        return self.path / "frames.jsonl"

    @property
    def events(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    def checkpoint_files(self) -> dict[int, Path]:
        """Return the checkpoints that are there by training step, rising; where a phase ended, its last one."""
        # “.phase.pt” sorts before “.pt”, so it is the one that stays.
        found = {int(path.name.split(".")[0]): path for path in sorted(self.checkpoints.glob("*.pt"), reverse=True)}
        return dict(sorted(found.items()))

    @property
    def result(self) -> Path:
        return self.path / "result.npz"

    @property
    def log(self) -> Path:
        return self.path / "log.txt"

    @property
    def control(self) -> Path:
        return self.path / "control"

    def ask(self, word: str) -> None:
        """Ask the worker of this run for something: ``pause``, ``resume`` or ``stop``."""
        write_aside(self.control, lambda stream: stream.write(word.encode()))

    @property
    def lock(self) -> Path:
        return self.path / "worker.lock"

    @property
    def cache(self) -> Path:
        """What can be made again, and deleted at any time."""
        return self.path / "cache"

    def projection(self, name: str) -> Path:
        """Folder of a projection's coordinates."""
        return self.cache / name


def runs_folder(given: str | Path | None = None) -> Path:
    """Return the folder that holds runs: the one given, else ``$CLUSTLAB_RUNS``, else ``runs`` here."""
    return Path(given or os.environ.get("CLUSTLAB_RUNS") or "runs").expanduser().resolve()


def slug(text: str) -> str:
    """Return a text as a harmless part of a file name: lower-case letters, digits and hyphens, at most 40."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40] or "run"


def create_run_folder(runs: Path, name: str) -> RunFolder:
    """Create and return a new folder ``<name>-<four hex digits>``; safe against others doing the same.

    Raises
    ------
    RunError
        If the runs folder cannot be written.
    """
    try:
        runs.mkdir(parents=True, exist_ok=True)
        while True:
            folder = RunFolder(runs / f"{slug(name)}-{secrets.token_hex(2)}")
            try:
                folder.path.mkdir()
            except FileExistsError:
                continue
            return folder
    except OSError as error:
        raise RunError(f"the runs folder {runs} cannot be written ({error.strerror or error})") from error


def write_aside(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file beside its place and rename it, so that readers see the old or the new one, never half."""
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            write(stream)
        os.chmod(aside, 0o644)
        os.replace(aside, path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise


def write_json(path: Path, content: Any) -> None:
    """Write JSON atomically."""
    write_aside(path, lambda stream: stream.write(json.dumps(content, indent=1, ensure_ascii=False).encode()))
