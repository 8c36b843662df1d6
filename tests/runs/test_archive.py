from __future__ import annotations

import io
import json
import stat
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clustlab.errors import RunError
from clustlab.runs import Run, archive
from clustlab.runs.archive import export_run, import_run
from clustlab.spec import FORMAT, RunSpec

Record = Callable[..., Run]
Content = dict[str, bytes]


def files(folder: Path) -> Content:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def exported(run: Run) -> Content:
    """Members of a run's archive, by their name in the run folder."""
    stream = io.BytesIO()
    export_run(run, stream)
    with zipfile.ZipFile(stream) as opened:
        return {info.filename.partition("/")[2]: opened.read(info) for info in opened.infolist()}


def zipped(content: Content, top: str = "run/", compression: int = zipfile.ZIP_STORED) -> io.BytesIO:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as opened:
        for name, data in content.items():
            opened.writestr(top + name, data)
    return stream


def arrays(**named: Any) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **named)
    return stream.getvalue()


def refused(source: io.BytesIO, runs: Path, message: str) -> None:
    """Check that an archive is refused in one sentence and leaves nothing behind."""
    before = files(runs)
    with pytest.raises(RunError, match=message) as caught:
        import_run(source, runs)
    assert "\n" not in str(caught.value)
    assert files(runs) == before
    assert not [path for path in runs.iterdir() if path.name.startswith(".") or not any(path.iterdir())]


def test_a_run_comes_back_as_it_was(record: Record, runs: Path) -> None:
    run = record()
    cache = run.folder.projection("pca")
    cache.mkdir(parents=True)
    (cache / "projection.json").write_text("{}")
    (cache / "000050.npz").write_bytes(arrays(points=np.zeros((20, 2), np.float32)))
    run.folder.ask("stop")
    run.folder.lock.write_text("")
    stream = io.BytesIO()
    export_run(run, stream)
    copy = import_run(stream, runs)

    assert copy.folder.path.parent == runs
    assert copy.name != run.name
    assert copy.name.startswith("idec-digits-")
    assert copy.state == "finished"
    assert copy.metrics == run.metrics
    left_out = {"control", "worker.lock", "checkpoints/000000000.pt", "checkpoints/000000050.pt"}
    before, after = files(run.folder.path), files(copy.folder.path)
    assert set(before) - set(after) == left_out
    assert all(before[name] == content for name, content in after.items() if name != "status.json")


def test_a_path_is_written_whole_and_read(record: Record, tmp_path: Path) -> None:
    path = tmp_path / "run.zip"
    export_run(record(), path)
    with zipfile.ZipFile(path) as opened:
        assert {info.compress_type for info in opened.infolist()} == {zipfile.ZIP_STORED}
    assert import_run(str(path), tmp_path / "elsewhere").state == "finished"
    with pytest.raises(RunError, match="cannot be exported"):
        export_run(record(), tmp_path / "no folder" / "run.zip")


def test_a_run_without_a_folder_around_it_is_read(record: Record, runs: Path) -> None:
    assert import_run(zipped(exported(record()), top=""), runs).metrics == {"acc": 1.0}


def test_a_live_run_is_exported_as_far_as_it_has_come_and_shows_as_lost(record: Record, runs: Path) -> None:
    run = record(state="running")
    with run.folder.frame_index.open("ab") as stream:
        stream.write(b'{"frame": 3, "st')
    copy = import_run(zipped(exported(run)), runs)
    assert run.state == "running"
    assert copy.state == "lost"  # though the worker that its status named is alive on this very computer
    assert "pid" not in copy.status
    assert len(copy.frames) == 3


def test_every_name_of_the_layout_is_allowed(record: Record) -> None:
    folder = record().folder
    kept = [folder.spec, folder.status, folder.about, folder.scalars, folder.sample, folder.frame_index, folder.events]
    kept += [folder.result, folder.log, folder.frames / "1000000.npz", folder.checkpoints / "000000120.pt"]
    kept += [folder.projection("umap") / "projection.json", folder.projection("umap") / "000120.npz"]
    for path in kept:
        assert archive.ALLOWED.fullmatch(path.relative_to(folder.path).as_posix()), path
    for path in (folder.control, folder.lock):
        assert not archive.ALLOWED.fullmatch(path.name)


def test_what_is_no_zip_is_refused(runs: Path, tmp_path: Path) -> None:
    refused(io.BytesIO(b"not a zip"), runs, "cannot be read: File is not a zip file")
    refused(io.BytesIO(), runs, "cannot be read")
    with pytest.raises(RunError, match="there is no archive"):
        import_run(tmp_path / "missing.zip", runs)


@pytest.mark.parametrize(
    "name",
    [
        "../evil.json",
        "run/../../evil.json",
        "/etc/cron.d/evil",
        "run/frames/../../../evil.npz",
        "run/frames\\..\\..\\evil.npz",
        "C:/evil.npz",
    ],
)
def test_members_that_lead_out_of_the_folder_are_refused(record: Record, runs: Path, name: str) -> None:
    stream = zipped(exported(record()))
    with zipfile.ZipFile(stream, "a") as opened:
        opened.writestr(zipfile.ZipInfo(name), b"{}")
    refused(stream, runs, "leads out of the run's folder")
    assert not list(runs.parent.glob("evil*"))


@pytest.mark.parametrize(
    "name",
    [
        "run/control",
        "run/worker.lock",
        "run/evil.py",
        "run/frames/evil.pkl",
        "run/frames/deep/000001.npz",
        "run/.hidden",
        "run/checkpoints/000001.pt.exe",
        "run/cache/../spec.json.part",
        "other/status.json",
        "run/spec.json\n",
    ],
)
def test_members_that_are_no_part_of_a_run_are_refused(record: Record, runs: Path, name: str) -> None:
    stream = zipped(exported(record()))
    with zipfile.ZipFile(stream, "a") as opened:
        opened.writestr(name, b"{}")
    with pytest.raises(RunError, match="no part of a run|leads out"):
        import_run(stream, runs)
    assert len(list(runs.iterdir())) == 1


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_links_and_devices_are_refused(record: Record, runs: Path, kind: int) -> None:
    stream = zipped(exported(record()))
    with zipfile.ZipFile(stream, "a") as opened:
        info = zipfile.ZipInfo("run/frames/000007.npz")
        info.external_attr = (kind | 0o777) << 16
        opened.writestr(info, b"/etc/passwd")
    refused(stream, runs, "a link or a device")


def test_encrypted_members_are_refused(record: Record, runs: Path) -> None:
    content = bytearray(zipped(exported(record())).getvalue())
    entry = content.rindex(b"PK\x01\x02")
    content[entry + 8] |= 1
    refused(io.BytesIO(bytes(content)), runs, "which is encrypted")


def test_archives_of_no_run_or_two_are_refused(record: Record, runs: Path) -> None:
    content = exported(record())
    refused(zipped({name: data for name, data in content.items() if name != "spec.json"}), runs, "holds no runs")
    two = {f"{top}/{name}": data for top in ("a", "b") for name, data in content.items()}
    refused(zipped(two, top=""), runs, "holds 2 runs")
    refused(zipped({}), runs, "holds no runs")
    refused(zipped(content, top="deep/run/"), runs, "holds no runs")


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")  # zipfile warns while the test writes it
def test_members_that_come_twice_are_refused(record: Record, runs: Path) -> None:
    stream = zipped(exported(record()))
    with zipfile.ZipFile(stream, "a") as opened:
        opened.writestr("run/about.json", b"{}")
    refused(stream, runs, "twice")


def test_too_many_members_are_refused(record: Record, runs: Path) -> None:
    content = exported(record()) | {f"frames/{number}.npz": b"" for number in range(archive.MEMBERS)}
    refused(zipped(content), runs, "a run has at most 5000")


def test_bombs_are_refused_before_they_are_unpacked(record: Record, runs: Path) -> None:
    content = exported(record()) | {"log.txt": bytes(2**26)}
    refused(zipped(content, compression=zipfile.ZIP_DEFLATED), runs, "too much for a run")


def test_too_large_archives_and_texts_are_refused(record: Record, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = exported(record())
    monkeypatch.setattr(archive, "TEXT_BYTES", 2**16)
    refused(zipped(content | {"log.txt": b"x" * 2**17}), runs, "larger than such a file can be")
    monkeypatch.setattr(archive, "BYTES", 2**12)
    refused(zipped(content), runs, "too much for a run")


def test_a_member_that_lies_about_its_size_is_refused(record: Record, runs: Path) -> None:
    """The directory promises ten bytes; the data inflate to 64 MiB."""
    members = {"spec.json": exported(record())["spec.json"], "log.txt": bytes(2**26)}
    content = bytearray(zipped(members, compression=zipfile.ZIP_DEFLATED).getvalue())
    entry = content.rindex(b"PK\x01\x02")
    assert content[entry + 46 : entry + 57] == b"run/log.txt"
    content[entry + 24 : entry + 28] = struct.pack("<I", 10)
    refused(io.BytesIO(bytes(content)), runs, "cannot be read: Bad CRC-32")


def test_damaged_archives_are_refused(record: Record, runs: Path) -> None:
    whole = zipped(exported(record())).getvalue()
    for share in (0.1, 0.3, 0.5, 0.7, 0.9):  # the end of an inner .npz must not be taken for that of the archive
        refused(io.BytesIO(whole[: int(len(whole) * share)]), runs, "cannot be read")
    flipped = bytearray(whole)
    flipped[whole.index(b"worker's output")] ^= 1
    refused(io.BytesIO(bytes(flipped)), runs, "cannot be read")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (b"{", "not valid JSON"),
        (b"\xff\xfe", "cannot be read"),
        (b"[" * 100_000, "cannot be"),
        (b"[]", "cannot be opened"),
        (b'{"data": "digits"}', "“method” is missing"),
        (json.dumps({"method": "idec", "format": FORMAT + 1}).encode(), "newer clustlab"),
        (b" " * 2**21, "larger than a spec can be"),
    ],
)
def test_specs_that_cannot_be_read_are_refused(record: Record, runs: Path, spec: bytes, message: str) -> None:
    refused(zipped(exported(record()) | {"spec.json": spec}), runs, message)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("frames/000050.npz", arrays(codes=np.array([{"a": 1}], dtype=object))),
        ("sample.npz", arrays(index=np.array([lambda: None, None], dtype=object)[1:])),
        ("result.npz", arrays(labels=np.zeros(3, [("a", "i4")]))),
        ("sample.npz", b"not a zip"),
        ("sample.npz", arrays(index=np.arange(9))[:-30]),
        ("sample.npz", zipped({"index.npy": b"\x80\x04pickle"}, top="").getvalue()),
        ("sample.npz", zipped({"index.pkl": b"\x80\x04."}, top="").getvalue()),
        ("sample.npz", zipped({"index.npy": bytes(2**20)}, "", zipfile.ZIP_DEFLATED).getvalue()),
    ],
)
def test_pickles_and_foreign_arrays_are_refused(record: Record, runs: Path, name: str, data: bytes) -> None:
    refused(zipped(exported(record()) | {name: data}), runs, f"{name} cannot be read")


def test_arrays_that_claim_to_be_huge_are_refused(record: Record, runs: Path) -> None:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"
    member = b"\x93NUMPY\x01\x00" + struct.pack("<H", 118) + header.ljust(117) + b"\n"
    data = zipped({"index.npy": member}, top="").getvalue()
    refused(zipped(exported(record()) | {"sample.npz": data}), runs, "has not the size it says")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("about.json", b"[1, 2]"),
        ("status.json", b"not json"),
        ("status.json", b'"running"'),
        ("scalars.jsonl", b'{"step": 1}\nnonsense\n'),
        ("scalars.jsonl", b'{"step": 1}\n'),
        ("events.jsonl", b"[]\n"),
        ("frames.jsonl", b'{"frame": 0}\n'),
        ("frames.jsonl", b'{"frame": 0, "step": 7, "phase": "p", "file": "000007.npz", "arrays": []}\n'),
        ("frames.jsonl", b'{"frame": 0, "step": 50, "phase": "p", "file": "000050.npz", "arrays": ["q"]}\n'),
        ("frames.jsonl", b'{"frame": 5, "step": 50, "phase": "p", "file": "000050.npz", "arrays": []}\n'),
        ("log.txt/../about.json", b"{}"),
        ("cache/pca/projection.json", b"["),
    ],
)
def test_records_that_a_page_would_stumble_over_are_refused(record: Record, runs: Path, name: str, data: bytes) -> None:
    refused(zipped(exported(record(state="stopped")) | {name: data}), runs, "damaged or foreign|is damaged|leads out")


@pytest.mark.parametrize(
    "wrong", [{"wall_s": "x"}, {"started": 3}, {"error": 5}, {"state": []}, {"heartbeat": "yesterday"}], ids=str
)
def test_a_status_that_makes_no_sense_is_refused(record: Record, runs: Path, wrong: Content) -> None:
    content = exported(record())
    content["status.json"] = json.dumps(json.loads(content["status.json"]) | wrong).encode()
    refused(zipped(content), runs, rf"status\.json is damaged \(in {next(iter(wrong))}\)")


@pytest.mark.parametrize("scores", ['{"acc": "good"}', '{"acc": true}', '{"acc": [1]}', "[1]", "no JSON"])
def test_scores_that_are_no_numbers_are_refused(record: Record, runs: Path, scores: str) -> None:
    result = arrays(labels=np.zeros(20, np.int64), metrics=np.array(scores))
    refused(zipped(exported(record()) | {"result.npz": result}), runs, r"result\.npz is damaged")
    content = exported(record(state="stopped"))
    first, *others = content["frames.jsonl"].splitlines()
    told = json.loads(others[-1]) | {"metrics": {"acc": scores}}
    lines = [first, *others[:-1], json.dumps(told).encode(), b""]
    refused(zipped(content | {"frames.jsonl": b"\n".join(lines)}), runs, r"frames\.jsonl is damaged")


def test_a_foreign_worker_is_forgotten(record: Record, runs: Path) -> None:
    """Nobody may be led to wait for, or stop, the process that an archive names."""
    content = exported(record())
    content["status.json"] = json.dumps({"state": "paused", "pid": 1, "pid_started": time.time(), "step": 1}).encode()
    status = import_run(zipped(content), runs).status
    assert status == {"state": "lost", "step": 1}


def test_the_smallest_run_is_a_spec(runs: Path) -> None:
    run = import_run(zipped({"spec.json": RunSpec(method="dec").to_json().encode()}), runs)
    assert (run.state, len(run.frames)) == ("lost", 0)
