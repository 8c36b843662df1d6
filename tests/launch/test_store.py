"""Run folders that travel through a store, here a folder behind fsspec: whole at any time, and with one worker each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from clustlab.errors import LaunchError
from clustlab.launch import store as storing
from clustlab.launch.store import Store, held
from clustlab.runs import Run


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(storing, "RENEW_SECONDS", 0.02)
    return Store(f"file://{tmp_path / 'store'}", lease_seconds=0.5)


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_run_arrives_whole_and_what_concerns_its_worker_stays(
    record: Callable[..., Run], store: Store, tmp_path: Path
) -> None:
    run = record()
    for name in ("worker.lock", "control", "cache/umap/000.npz"):
        (run.folder.path / name).parent.mkdir(parents=True, exist_ok=True)
        (run.folder.path / name).write_text("mine")
    sent: dict[str, tuple[int, int]] = {}
    store.send(run.folder.path, sent)
    fetched = tmp_path / "elsewhere" / run.name
    store.fetch(fetched)
    own = {"worker.lock", "control", "cache/umap/000.npz"}
    assert contents(fetched) == {
        name: content for name, content in contents(run.folder.path).items() if name not in own
    }
    assert Run(fetched).state == "finished"

    first, *_ = run.folder.checkpoints.iterdir()
    first.unlink()
    store.send(run.folder.path, sent)
    store.fetch(fetched)
    assert {path.name for path in (fetched / "checkpoints").iterdir()} == {
        path.name for path in run.folder.checkpoints.iterdir()
    }


def test_what_rests_on_something_else_is_read_before_it_and_sent_after_it(
    record: Callable[..., Run], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that dies while it sends leaves no checkpoint without its records, and no line without its frame."""
    run = record()
    order: dict[str, list[str]] = {"read": [], "sent": []}
    read = Path.read_bytes
    files, root = store._files()

    def noted_read(self: Path) -> bytes:
        order["read"].append(self.relative_to(run.folder.path).as_posix())
        return read(self)

    class Noted:
        protocol = "memory"

        def makedirs(self, path: str, exist_ok: bool) -> None:
            files.makedirs(path, exist_ok=exist_ok)

        def pipe_file(self, path: str, content: bytes) -> None:
            order["sent"].append(path.removeprefix(f"{root}/{run.name}/"))
            files.pipe_file(path, content)

    monkeypatch.setattr(Path, "read_bytes", noted_read)
    monkeypatch.setattr(Store, "_files", lambda self: (Noted(), root))
    store.send(run.folder.path, {})
    assert order["sent"] == order["read"][::-1]
    assert order["sent"][-2:] == ["result.npz", "status.json"]
    kinds = [name.partition("/")[0] for name in order["sent"]]
    assert max(at for at, kind in enumerate(kinds) if kind == "frames") < kinds.index("frames.jsonl")
    for lines in ("scalars.jsonl", "frames.jsonl", "events.jsonl"):
        assert kinds.index(lines) < kinds.index("checkpoints")


def test_the_later_of_two_copies_counts(record: Callable[..., Run], store: Store) -> None:
    run = record("stopped")
    store.offer(run.folder.path)
    store.ask(run.name, "stop")
    before = run.folder.status.read_text()
    run.folder.status.write_text(before.replace("20", "19", 1))  # a heartbeat of another century
    store.offer(run.folder.path)
    assert run.folder.status.read_text() == before
    assert store.requested(run.name) == "", "nobody is asked for what somebody wanted earlier"


def test_requests_reach_the_worker_and_what_it_writes_comes_back(
    record: Callable[..., Run], store: Store, tmp_path: Path
) -> None:
    run = record("stopped")
    store.offer(run.folder.path)
    away = tmp_path / "away" / run.name
    with held(store, away):
        store.ask(run.name, "stop")
        wait_for(lambda: (away / "control").exists())
        assert (away / "control").read_text() == "stop"
        (away / "log.txt").write_text("from away")
    store.bring(run.folder.path)
    assert run.folder.log.read_text() == "from away"
    assert not list((tmp_path / "store").rglob("worker.lease"))


def test_a_run_in_a_store_has_one_worker(record: Callable[..., Run], store: Store, tmp_path: Path) -> None:
    run = record("stopped")
    store.offer(run.folder.path)
    order: list[str] = []

    def second() -> None:
        with held(store, tmp_path / "second" / run.name):
            order.append((tmp_path / "second" / run.name / "log.txt").read_text())

    waiting = threading.Thread(target=second)
    with held(store, tmp_path / "first" / run.name):
        lease = tmp_path / "store" / run.name / "worker.lease"
        waiting.start()
        seen = lease.read_text()
        wait_for(lambda: lease.exists() and lease.read_text() not in ("", seen))  # it is renewed
        order.append("first")
        (tmp_path / "first" / run.name / "log.txt").write_text("left by the first")
    waiting.join()
    assert order == ["first", "left by the first"]


def test_a_lease_that_nobody_renews_is_taken_over_and_its_old_holder_stops(
    record: Callable[..., Run], store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = record("stopped")
    store.offer(run.folder.path)
    old, new = tmp_path / "old" / run.name, tmp_path / "new" / run.name

    def cut_off() -> None:
        with held(store, old):
            with held(store, new):
                wait_for(lambda: (old / "control").exists())
                (new / "log.txt").write_text("from the new one")
            (old / "log.txt").write_text("from the old one")

    renew = Store.renew

    def fails_for_the_old(self: Store, name: str, mine: str, count: int) -> None:
        holders.append(mine) if mine not in holders else None
        if mine == holders[0] and count:
            raise OSError("no network")
        renew(self, name, mine, count)

    holders: list[str] = []
    monkeypatch.setattr(Store, "renew", fails_for_the_old)
    with pytest.raises(LaunchError, match="another worker has taken over"):
        cut_off()
    assert (old / "control").read_text() == "stop"
    store.bring(run.folder.path)
    assert run.folder.log.read_text() == "from the new one"


def test_a_store_that_cannot_be_reached_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    for url in ("nowhere://bucket/runs", f"file://{tmp_path}/file/runs"):
        with pytest.raises(LaunchError, match=f"the store {url} cannot be reached"):
            Store(url).check()
