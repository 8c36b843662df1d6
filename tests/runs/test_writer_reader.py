from __future__ import annotations

import errno
import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from clustlab.errors import RunError
from clustlab.runs import Run, RunFolder, create_run_folder, list_runs, open_run, runs_folder, writer
from clustlab.runs.layout import slug, write_aside
from clustlab.runs.reader import JsonLines
from clustlab.runs.status import derived_state, now, process_identity
from clustlab.runs.writer import RunWriter, write_spec
from clustlab.spec import FORMAT, RunSpec

Record = Callable[..., Run]

WORKER = """
import sys
from pathlib import Path
import numpy as np
from clustlab.runs import RunFolder
from clustlab.runs.writer import RunWriter

writer = RunWriter(RunFolder(Path(sys.argv[1])))
print("writing", flush=True)
for step in range(100_000):
    codes = np.full((200, 10), step, np.float32)
    writer.scalars({"step": step, "phase": "pretrain", "values": {"x": step}})
    writer.frame({"step": step, "phase": "pretrain"}, {"codes": codes})
    writer.status(state="running", step=step)
"""


def new_run(runs: Path) -> RunFolder:
    folder = create_run_folder(runs, "test")
    write_spec(folder, RunSpec(method="idec").to_json())
    return folder


def assert_readable(run: Run) -> None:
    """Check that every line that counts is whole, in order, and leads to a whole frame."""
    frames = run.frames[:]  # once: the run goes on growing
    assert [frame.number for frame in frames] == list(range(len(frames)))
    for frame in frames[-3:]:
        assert frame.codes.shape == (200, 10)
        assert (frame.codes == frame.step).all()
    steps = [record["step"] for record in run.scalar_records]
    assert steps == sorted(set(steps))
    assert run.status["step"] >= 0


def test_what_was_written_is_read(record: Record) -> None:
    run = record()
    assert run.title == "IDEC on digits · seed 0"
    assert run.state == "finished"
    assert run.metrics == {"acc": 1.0}
    assert [frame.step for frame in run.frames] == [0, 50, 100]
    assert run.frames[-1].codes.shape == (20, 2)
    assert "q" not in run.frames[0]
    with pytest.raises(AttributeError, match="this frame has no “q”"):
        _ = run.frames[0].q
    assert run.scalars[1]["reconstruction (weighted)"] == 1.0
    assert run.sample["index"].tolist() == list(range(20))
    assert run.summary()["metrics_on"] == "data set"
    json.dumps(run.summary())


def test_a_torn_last_line_waits_until_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    lines = JsonLines(path)
    assert lines.poll() == []
    path.write_bytes(b'{"step": 1}\n{"st')
    assert lines.poll() == [{"step": 1}]
    assert lines.poll() == []
    with path.open("ab") as stream:
        stream.write(b'ep": 2}\n')
    assert lines.poll() == [{"step": 2}]


def test_a_torn_last_line_is_cut_off_by_the_next_writer(runs: Path) -> None:
    folder = new_run(runs)
    RunWriter(folder).scalars({"step": 1, "phase": "pretrain", "values": {}})
    with folder.scalars.open("ab") as stream:
        stream.write(b'{"step": 2, "pha')
    RunWriter(folder).scalars({"step": 2, "phase": "pretrain", "values": {}})
    assert [record["step"] for record in Run(folder.path).scalar_records] == [1, 2]


def test_a_file_of_one_torn_line_is_emptied(runs: Path) -> None:
    folder = new_run(runs)
    folder.frame_index.write_bytes(b'{"frame": 0')
    assert RunWriter(folder).frame_count == 0
    assert folder.frame_index.read_bytes() == b""


@pytest.mark.slow
def test_a_killed_writer_leaves_a_readable_run_and_the_next_goes_on(runs: Path) -> None:
    folder = new_run(runs)
    reader = Run(folder.path)  # keeps its offsets through all the deaths
    counts = [0]
    for round_number in range(6):
        wanted = counts[-1] + 10 + 3 * round_number
        command = [sys.executable, "-c", WORKER, str(folder.path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                assert process.stdout.readline() == "writing\n"
                while len(reader.frames) < wanted and process.poll() is None:
                    assert_readable(reader)
            finally:
                process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        assert_readable(reader)
        assert_readable(Run(folder.path))
        assert reader.state == "lost"
        counts.append(len(reader.frames))
    assert counts == sorted(set(counts))
    RunWriter(folder)
    assert [frame.step for frame in Run(folder.path).frames] == list(range(counts[-1]))


def test_going_on_repeats_nothing(runs: Path) -> None:
    folder = new_run(runs)

    def write(first: int, last: int, value: float) -> None:
        writer = RunWriter(folder)
        for step in range(first, last):
            writer.scalars({"step": step, "phase": "pretrain", "values": {"x": value}})
            writer.frame({"step": step, "phase": "pretrain"}, {"codes": np.array([value])})
            writer.sample({"index": np.array([value])})

    write(0, 6, 1.0)
    write(3, 9, 2.0)  # from the checkpoint of step 3
    run = Run(folder.path)
    assert [frame.number for frame in run.frames] == list(range(9))
    assert [frame.codes[0] for frame in run.frames] == [1.0] * 6 + [2.0] * 3
    assert [flat["x"] for flat in run.scalars] == [1.0] * 6 + [2.0] * 3
    assert run.sample["index"] == [1.0]


def test_wall_time_is_carried_on(runs: Path) -> None:
    folder = new_run(runs)
    RunWriter(folder).status(state="running", wall_s=12.5)
    assert RunWriter(folder).wall_seconds == 12.5


def test_a_full_disk_does_not_silence_the_status(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = new_run(runs)
    pen = RunWriter(folder)
    pen.status(state="running", step=1, message="a long sentence " * 20)

    def full(path: Path, write: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(writer, "write_aside", full)
    size = folder.status.stat().st_size
    pen.status(state="failed", error="the disk is full", message="")
    assert folder.status.stat().st_size == size
    assert Run(folder.path).status["error"] == "the disk is full"
    assert Run(folder.path).state == "failed"


def test_other_disk_errors_are_not_swallowed(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pen = RunWriter(new_run(runs))

    def broken(path: Path, write: Any) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(writer, "write_aside", broken)
    with pytest.raises(OSError, match="Input/output error"):
        pen.status(state="running")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_aside(path, lambda stream: stream.write(b"old"))

    def fail(stream: Any) -> None:
        stream.write(b"half of the n")
        raise ValueError("interrupted")

    with pytest.raises(ValueError, match="interrupted"):
        write_aside(path, fail)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_request_is_taken_once(runs: Path) -> None:
    folder = new_run(runs)
    pen = RunWriter(folder)
    assert pen.request() == ""
    folder.control.write_text("pause\n")
    assert not pen.asked_to_stop()  # before training there is nothing to pause: the request waits
    assert pen.request() == "pause"
    assert pen.request() == ""
    folder.control.write_text("stop")
    assert pen.asked_to_stop()
    assert not pen.asked_to_stop()


def status(seconds_ago: float = 0.0, **fields: Any) -> dict[str, Any]:
    heartbeat = (datetime.now(UTC) - timedelta(seconds=seconds_ago)).isoformat()
    return {"state": "running", "heartbeat": heartbeat, **process_identity(), **fields}


@pytest.mark.parametrize("state", ["queued", "starting", "running", "paused"])
def test_a_live_state_needs_a_living_worker(state: str) -> None:
    assert derived_state(status(state=state)) == state
    assert derived_state(status(3600, state=state)) == state  # busy for an hour, but there
    reused = status(state=state, pid_started=psutil.Process().create_time() - 100)
    assert derived_state(reused) == "lost"


@pytest.mark.parametrize("state", ["stopped", "failed", "finished"])
def test_an_ended_run_is_not_lost(state: str) -> None:
    assert derived_state(status(3600, state=state, pid=2**22 + 1)) == state


def test_a_dead_worker_is_lost_at_once() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    identity = {"pid": process.pid, "pid_started": psutil.Process(process.pid).create_time()}
    assert derived_state(status(**identity)) == "running"
    process.kill()
    deadline = time.monotonic() + 30
    while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
        time.sleep(0.01)
    assert derived_state(status(**identity)) == "lost"  # a zombie, not yet waited for
    process.communicate()
    assert derived_state(status(**identity)) == "lost"


def test_a_worker_elsewhere_lives_by_its_heartbeat() -> None:
    elsewhere = f"not-{platform.node()}"
    assert derived_state(status(30, host=elsewhere)) == "running"
    assert derived_state(status(90, host=elsewhere)) == "lost"
    assert derived_state({"state": "queued", "heartbeat": now()}) == "queued"


def test_lists_pass_over_what_is_no_run(runs: Path, record: Record) -> None:
    run = record()
    (runs / "empty").mkdir()
    (runs / ".import-1234").mkdir()
    (runs / ".import-1234" / "spec.json").write_text(RunSpec(method="idec").to_json())
    (runs / "newer").mkdir()
    (runs / "newer" / "spec.json").write_text(json.dumps({"format": FORMAT + 1}))
    (runs / "link").symlink_to(run.folder.path)  # pages open none, since it may lead anywhere
    assert [found.name for found in list_runs(runs)] == [run.name]
    assert list_runs(runs / "nowhere") == []


def test_opening_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="it has no spec.json"):
        open_run(tmp_path)
    (tmp_path / "spec.json").write_text(json.dumps({"format": FORMAT + 1, "method": "idec"}))
    with pytest.raises(RunError, match="newer clustlab"):
        open_run(tmp_path)


def test_a_run_without_result_says_so(record: Record) -> None:
    run = record(state="stopped")
    with pytest.raises(RunError, match="has no result; it is stopped"):
        _ = run.result
    assert run.metrics == {"acc": 1.0}
    assert run.summary()["metrics_on"] == "probe"


@pytest.mark.parametrize("name", ["../../etc", "a/b", "..", "", "Größe & Maß", "x" * 500])
def test_names_of_users_never_become_paths(runs: Path, name: str) -> None:
    folder = create_run_folder(runs, name)
    assert folder.path.parent == runs
    assert set(slug(name)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert len(folder.name) <= 45


def test_the_runs_folder_is_given_or_set_or_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CLUSTLAB_RUNS", raising=False)
    assert runs_folder() == tmp_path / "runs"
    monkeypatch.setenv("CLUSTLAB_RUNS", str(tmp_path / "set"))
    assert runs_folder() == tmp_path / "set"
    assert runs_folder(tmp_path / "given") == tmp_path / "given"


def test_a_runs_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(RunError, match="cannot be written"):
        create_run_folder(tmp_path / "runs", "test")
