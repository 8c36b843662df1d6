"""A run as one zip file: sent to a student, opened by a stranger. What comes in is taken for hostile until checked."""

from __future__ import annotations

import json
import math
import re
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO

from numpy.lib import format as npy

from clustlab.errors import RunError, SpecError
from clustlab.runs.arrays import DAMAGED
from clustlab.runs.layout import create_run_folder, write_aside, write_json
from clustlab.runs.reader import Run
from clustlab.runs.status import LIVE
from clustlab.spec import RunSpec

__all__ = ["export_run", "import_run"]

NUMBER = r"\d{1,15}"
FRAME = rf"{NUMBER}(-[a-z0-9-]{{1,40}})?\.npz"
CHECKPOINT = re.compile(rf"checkpoints/({NUMBER})(\.phase)?\.pt")
ALLOWED = re.compile(
    r"(spec|status|about)\.json|(scalars|frames|events)\.jsonl|(sample|result)\.npz|log\.txt"
    rf"|frames/{FRAME}|{CHECKPOINT.pattern}|cache/[a-z0-9_-]{{1,40}}/(projection\.json|{FRAME})"
)
"""Names that ``FORMAT.md`` gives, as they stand in an archive; ``control`` and ``worker.lock`` stay at home."""

MEMBERS = 5000
BYTES = 4 * 2**30
TEXT_BYTES = 2**28
RATIO = 200
"""Bounds of an archive: members, bytes when unpacked, of one text, and unpacked for each packed one (past 16 MiB)."""


def export_run(run: Run, target: str | Path | IO[bytes]) -> None:
    """Write a run as a zip file: everything that can be looked at, and the latest checkpoint.

    Members are stored as they are (arrays hardly shrink) under one folder named like the run. A run that still lives
    is exported as far as it has come; whole lines and whole files only.

    Parameters
    ----------
    run : Run
        The run, live or ended.
    target : str, Path or binary stream
        The zip file.

    Raises
    ------
    RunError
        If the run cannot be read or the file cannot be written.
    """
    try:
        if isinstance(target, (str, Path)):
            write_aside(Path(target), lambda stream: _export(run, stream))
        else:
            _export(run, target)
    except OSError as error:
        raise RunError(f"the run {run.name} cannot be exported ({error.strerror or error})") from error


def _export(run: Run, stream: IO[bytes]) -> None:
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        # The indices first: what they name is in place by then, whatever the worker goes on to write.
        for path in sorted(run.folder.path.glob("*.jsonl")):
            content = path.read_bytes()
            archive.writestr(f"{run.name}/{path.name}", content[: content.rfind(b"\n") + 1])
        for name, path in _exported(run.folder.path):
            with suppress(FileNotFoundError):  # a checkpoint gives way to the next, and the cache may go at any time
                archive.writestr(f"{run.name}/{name}", path.read_bytes())


def _exported(folder: Path) -> Iterator[tuple[str, Path]]:
    """Name in the archive and path of each file but the indices."""
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    steps = [int(found[1]) for name in files if (found := CHECKPOINT.fullmatch(name))]
    for name, path in files.items():
        checkpoint = CHECKPOINT.fullmatch(name)
        if ALLOWED.fullmatch(name) and path.suffix != ".jsonl" and (not checkpoint or int(checkpoint[1]) == max(steps)):
            yield name, path


def import_run(source: str | Path | IO[bytes], runs: Path) -> Run:
    """Return the run in a zip file, unpacked as a new folder among the runs.

    Nothing of the archive is believed: see :data:`ALLOWED` for what it may hold. A run that was at work when it was
    exported shows as lost, because its worker is not here.

    Parameters
    ----------
    source : str, Path or seekable binary stream
        The zip file.
    runs : Path
        The folder that holds runs.

    Raises
    ------
    RunError
        If it is not the archive of exactly one run, or is damaged or dangerous. Nothing is left behind then.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            members = _members(archive)
            spec = _spec(archive, members)
            with _hidden_folder(runs) as aside:
                for name, member in members.items():
                    _unpack(archive, member, aside / name)
                    _check(aside / name, name)
                _disown(aside / "status.json")
                _look_through(Run(aside))
                return _placed(aside, runs, f"{spec.method}-{Path(spec.data).stem}")
    except FileNotFoundError as error:
        raise RunError(f"there is no archive {source}") from error
    except (OSError, *DAMAGED) as error:
        raise RunError(f"the archive cannot be read: {error}") from error


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the files of the archive by their name in a run folder, after checking names, kinds and sizes."""
    infos = [info for info in archive.infolist() if not info.is_dir()]
    if len(archive.infolist()) > MEMBERS:
        raise RunError(f"the archive has {len(archive.infolist())} members; a run has at most {MEMBERS}")
    for info in infos:
        path = PurePosixPath(info.filename)
        # zipfile turns backslashes into slashes on Windows only; a name with one has no business here anyway.
        if path.is_absolute() or ".." in path.parts or "\\" in info.orig_filename or ":" in info.filename:
            raise RunError(f"the archive holds “{info.filename}”, a path that leads out of the run's folder")
        if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
            raise RunError(f"the archive holds “{info.filename}”, which is a link or a device, not a file")
        if info.flag_bits & 0x1:
            raise RunError(f"the archive holds “{info.filename}”, which is encrypted")
    if infos and min(info.header_offset for info in infos) > 0:
        raise RunError("the archive cannot be read: it is cut off or something stands before it; copy it again")
    unpacked, packed = sum(info.file_size for info in infos), sum(info.compress_size for info in infos)
    if unpacked > BYTES or unpacked > RATIO * packed + 2**24:
        raise RunError(f"the archive would unpack to {unpacked / 2**20:,.0f} MiB; that is too much for a run")
    return _by_name(infos)


def _by_name(infos: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    tops = [
        info.filename.removesuffix("spec.json") for info in infos if re.fullmatch(r"([^/]+/)?spec\.json", info.filename)
    ]
    if len(tops) != 1:
        raise RunError(
            f"the archive holds {len(tops) or 'no'} runs (folders with a spec.json); it must hold exactly one"
        )
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        name = info.filename.removeprefix(tops[0])
        if not info.filename.startswith(tops[0]) or not ALLOWED.fullmatch(name):
            raise RunError(f"the archive holds “{info.filename}”, which is no part of a run")
        if not name.endswith((".npz", ".pt")) and info.file_size > TEXT_BYTES:
            raise RunError(f"the archive holds “{info.filename}”, which is larger than such a file can be")
        if name in members:
            raise RunError(f"the archive holds “{info.filename}” twice")
        members[name] = info
    return members


def _spec(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo]) -> RunSpec:
    if members["spec.json"].file_size > 2**20:
        raise RunError("the archive's spec.json is larger than a spec can be")
    try:
        return RunSpec.parse(archive.read(members["spec.json"]).decode())
    except SpecError as error:
        raise RunError(f"the archived run cannot be opened: {error}") from error


@contextmanager
def _hidden_folder(runs: Path) -> Iterator[Path]:
    """Make a folder beside the runs that listings pass over; it is gone afterwards unless it was renamed."""
    runs.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=runs, prefix=".import-"))
    try:
        yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _placed(aside: Path, runs: Path, name: str) -> Run:
    """Give the unpacked run its name; the run is there as a whole or not at all."""
    aside.chmod(0o755)
    folder = create_run_folder(runs, name)
    folder.path.rmdir()
    aside.rename(folder.path)
    return Run(folder.path)


def _disown(status: Path) -> None:
    """Forget the worker: its number belongs to some other process here, and nobody may wait for or stop that one."""
    if status.exists():
        content = json.loads(status.read_text())
        ours = {key: value for key, value in content.items() if key not in ("pid", "pid_started")}
        write_json(status, ours | ({"state": "lost"} if str(content.get("state", "queued")) in LIVE else {}))


def _look_through(run: Run) -> None:
    """Read all that a page reads at once, so that a record without its keys is refused here and not found there."""
    try:
        summary = run.summary()
        if summary["state"] == "damaged":
            raise RunError(f"the archived run is damaged: {summary['error']}")
        for frame in run.frames:
            with zipfile.ZipFile(frame.path) as arrays:
                if {f"{name}.npy" for name in frame.array_names} != set(arrays.namelist()):
                    raise RunError(f"the archived run is damaged: frame {frame.number} has other arrays than it says")
        if [frame.number for frame in run.frames] != list(range(len(run.frames))):
            raise RunError("the archived run is damaged: its frames are not numbered 0, 1, 2 …")
        _ = run.scalars, run.events
    except (OSError, *DAMAGED, LookupError, TypeError, AttributeError) as error:
        raise RunError(f"the archived run is damaged or foreign: its records lack something ({error})") from error


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> None:
    """Write a member to its place; zipfile inflates no more than the announced size, and then checks the sum."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(member) as packed, path.open("wb") as stream:
        shutil.copyfileobj(packed, stream)


def _check(path: Path, name: str) -> None:
    """Read what a page would read; checkpoints are opened by the worker only, which refuses pickled code."""
    try:
        if path.suffix == ".npz":
            _check_arrays(path)
        elif path.suffix == ".json" and not isinstance(json.loads(path.read_text()), dict):
            raise ValueError("it is not a JSON object")
        elif path.suffix == ".jsonl":
            with path.open(encoding="utf-8") as lines:
                if not all(isinstance(json.loads(line), dict) for line in lines if line.strip()):
                    raise ValueError("a line is not a JSON object")
    except (OSError, *DAMAGED) as error:
        raise RunError(f"the archived run is damaged or foreign: {name} cannot be read ({error})") from error


def _check_arrays(path: Path) -> None:
    """Read the header of each array of an ``.npz`` file: plain numbers or text, as many bytes as it says."""
    with zipfile.ZipFile(path) as arrays:
        infos = arrays.infolist()
        if sum(info.file_size for info in infos) > path.stat().st_size:
            raise ValueError("its arrays are larger than the file")
        for info in infos:
            if not info.filename.endswith(".npy") or info.compress_type != zipfile.ZIP_STORED:
                raise ValueError(f"“{info.filename}” is not an uncompressed array")
            with arrays.open(info) as stream:
                readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
                version = npy.read_magic(stream)
                if version not in readers:
                    raise ValueError(f"“{info.filename}” has an unknown version")
                shape, _, dtype = readers[version](stream)
                if dtype.kind not in "buifU" or dtype.names is not None:
                    raise ValueError(f"“{info.filename}” is not an array of plain numbers or text")
                if math.prod(shape) * dtype.itemsize != info.file_size - stream.tell() or min(shape, default=0) < 0:
                    raise ValueError(f"“{info.filename}” has not the size it says")
