"""Slots: who waits for whom."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from clustlab.errors import LaunchError
from clustlab.launch.slots import slot_count, take_slot


def test_a_ticket_of_a_process_that_is_gone_keeps_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its number may belong to another process by now: one that began after the ticket was drawn, such as this one."""
    monkeypatch.setenv("CLUSTLAB_SLOT_FOLDER", str(tmp_path))
    stale = tmp_path / f"{1:020d}-{os.getpid()}.ticket"
    stale.touch()
    waited: list[int] = []
    with take_slot(waited.append):
        assert waited == []
    assert not stale.exists()


def test_a_user_without_a_name_has_slots_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.delenv("CLUSTLAB_SLOT_FOLDER")
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr("getpass.getuser", nameless)
    with take_slot(lambda ahead: None):
        assert [path.name for path in tmp_path.iterdir()] == [f"clustlab-{os.getuid()}"]


def test_a_ticket_of_a_living_process_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLUSTLAB_SLOT_FOLDER", str(tmp_path))
    earlier = tmp_path / f"{time.time_ns():020d}-{os.getpid()}.ticket"
    earlier.touch()

    def waiting(ahead: int) -> None:
        assert ahead == 1
        earlier.unlink()

    with take_slot(waiting):
        assert not earlier.exists()


def test_a_number_of_slots_that_is_none_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLUSTLAB_SLOTS", "abc")
    with pytest.raises(LaunchError, match="CLUSTLAB_SLOTS = “abc” is not a number of runs"):
        slot_count()
