"""Speed: the pieces measure what they say. Nothing here is timed against a limit."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from clustlab import cli
from clustlab.bench.speed import HEADER, Measurement, Row, Settings, measure, parts
from clustlab.bench.speed import loop as loop_part
from clustlab.bench.speed import recorder as recorder_part
from clustlab.bench.speed.against_clustpy import Journey, measurements, rows
from clustlab.bench.speed.loop import METHODS, contest
from clustlab.bench.speed.measuring import ratio_row, take_turns
from clustlab.bench.speed.memory import FEATURES, own_memory, peak_of_a_run, write_samples
from clustlab.bench.speed.projector import frames_of_a_training, own_motion, points_from
from clustlab.bench.table import protocol_path
from clustlab.data import Dataset, load
from clustlab.errors import ClustlabError, DataError, SpecError

STEPS = 9
"""Steps of the comparison: three epochs of 200 samples."""

A_ROW = Row("loop", "AE", "tiny", 0.0, "s")


def tiny(method: str, dataset: Dataset) -> loop_part.Contest:
    training = {"batch_size": 64, "threads": 1, "device": "cpu"}
    return contest(method, "16", dataset, 1, training=training)


@pytest.mark.parametrize("method", METHODS.values())
def test_the_bare_loop_has_the_losses_of_the_training_loop(digits_small: Dataset, method: str) -> None:
    found = tiny(method, digits_small)
    product, bare = found.product(STEPS), found.bare(STEPS)
    assert bare.losses == pytest.approx(product.losses, rel=2e-5)
    assert len(set(bare.losses)) == STEPS
    assert found.product(STEPS).losses == product.losses, "a turn begins where the one before began"
    assert found.bare(STEPS).losses == bare.losses


def test_loops_that_compute_different_things_are_not_compared(
    digits_small: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = tiny("idec", digits_small)
    monkeypatch.setattr(
        loop_part, "_recipe", lambda work, phase, steps: recipe(work, phase, steps)._replace(weight=50.0)
    )
    with pytest.raises(ClustlabError, match="at step 1 the loss is"):
        loop_part._must_agree("IDEC", found)


recipe = loop_part._recipe


def test_whoever_begins_changes_from_round_to_round() -> None:
    order: list[str] = []

    def runner(name: str) -> Callable[[], float]:
        return lambda: float(order.append(name) or len(order))

    said = take_turns({name: runner(name) for name in "abc"}, 4)
    assert "".join(order) == "abcbcacababc"
    assert said == {"a": [1.0, 6.0, 8.0, 10.0], "b": [2.0, 4.0, 9.0, 11.0], "c": [3.0, 5.0, 7.0, 12.0]}


def test_a_ratio_is_the_median_of_the_rounds_own_ratios() -> None:
    row = ratio_row(A_ROW, [2.0, 9.0, 4.0], [1.0, 3.0, 4.0], limit=1.5)
    assert (row.value, row.reference, row.ratio, row.low, row.high, row.repeats) == (4.0, 3.0, 2.0, 1.0, 3.0, 3)
    assert row.met is False
    assert ratio_row(A_ROW, [1.5], [1.0], limit=1.5).met is True
    assert ratio_row(A_ROW, [1.5], [1.0]).met is None


def test_the_table_is_written_after_every_measurement_and_an_interrupt_leaves_it_whole(tmp_path: Path) -> None:
    def interrupted() -> list[Row]:
        raise KeyboardInterrupt

    table, seen = tmp_path / "new" / "speed.csv", list[tuple[str, float]]()
    planned = [Measurement("one", 3.0, lambda: [A_ROW]), Measurement("two", 5.0, interrupted)]
    with pytest.raises(KeyboardInterrupt):
        measure(planned, Settings(), ["loop"], table, lambda each, done: seen.append((each.title, done)))
    assert seen == [("one", 0.0), ("two", 3.0)]
    with table.open(newline="") as stream:
        reader = csv.DictReader(stream)
        assert tuple(reader.fieldnames or ()) == HEADER
        (record,) = reader
    assert (record["part"], record["ratio"], record["met"]) == ("loop", "", "")
    protocol = json.loads(protocol_path(table).read_text())
    assert protocol["complete"] is False
    assert protocol["threads"] == 1
    assert protocol["versions"]["torch"] == torch.__version__
    assert sorted(path.name for path in table.parent.iterdir()) == ["speed.csv", "speed.protocol.json"]


def test_a_part_that_is_not_there_is_refused() -> None:
    with pytest.raises(SpecError, match="no part “luck”; parts are loop, recorder, projector, memory, clustpy"):
        parts.planned(["luck"], Settings())


def test_every_part_says_how_long_it_will_take() -> None:
    for name, plan in parts.PARTS.items():
        assert all(each.seconds > 0 and each.title for each in plan(Settings())), name


def test_frames_come_at_the_rate_asked_for_and_their_cost_is_counted(
    digits_small: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_part, "load", lambda name: digits_small)
    work, phase = recorder_part._ready("cluster", "16", "digits", 1)
    often = recorder_part.turn(work, phase, 60, tmp_path, 1e6)
    assert often.frames == 59, "one a step, but for the first"
    assert 0 < often.inside < often.seconds
    never = recorder_part.turn(work, phase, 60, tmp_path, 1e-6)
    assert never.frames == 0
    alone = recorder_part.turn(work, phase, 60, None)
    assert (alone.frames, alone.inside) == (0, 0.0)
    assert alone.seconds > 0


def test_a_turned_cloud_of_codes_has_not_moved() -> None:
    generator = np.random.default_rng(0)
    codes = generator.normal(size=(50, 4))
    turn, _ = np.linalg.qr(generator.normal(size=(4, 4)))
    assert own_motion(codes, codes @ turn + 3) == pytest.approx(0, abs=1e-9)
    assert own_motion(codes, codes + generator.normal(size=codes.shape)) > 0.3


def test_points_beyond_the_data_are_shifted_copies(digits_small: Dataset) -> None:
    more = points_from(digits_small, 450)
    assert more.x.shape == (450, 8, 8)
    assert np.array_equal(more.x[:200], digits_small.x)
    assert len(np.unique(more.x.reshape(450, -1), axis=0)) > 440


def test_frames_for_the_map_are_those_of_a_training(digits_small: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clustlab.bench.speed.projector.STEPS_BETWEEN", 2)
    frames = frames_of_a_training(digits_small, 3, 1)
    assert [(codes.shape, centroids.shape) for codes, centroids in frames] == [((200, 10), (10, 10))] * 3
    moved = [own_motion(before, after) for (before, _), (after, _) in zip(frames, frames[1:], strict=False)]
    assert all(0 < each < 0.5 for each in moved)


def test_the_samples_of_the_memory_part_are_bytes_that_a_run_can_read(tmp_path: Path) -> None:
    write_samples(tmp_path / "samples.npz", 30)
    with np.load(tmp_path / "samples.npz") as file:
        assert (file["X"].dtype, file["X"].shape) == (np.uint8, (30, FEATURES))
    assert load(str(tmp_path / "samples.npz")).n == 30
    assert [path.name for path in tmp_path.iterdir()] == ["samples.npz"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere mapped pages cannot be told from own memory")
def test_what_is_held_counts_and_what_is_mapped_does_not(tmp_path: Path) -> None:
    before = own_memory()
    held = np.ones(2**26 // 8)
    assert before + 2**25 <= own_memory() <= before + 2**27
    del held
    write_samples(tmp_path / "samples.npy", 2**27 // FEATURES)
    mapped = np.load(tmp_path / "samples.npy", mmap_mode="r")
    before = own_memory()
    assert mapped[:, ::64].max() > 0, "every page has been looked at"
    assert own_memory() < before + 2**26


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere mapped pages cannot be told from own memory")
def test_samples_that_stay_in_their_file_take_no_memory() -> None:
    """60,000 × 784 take 188 MB as 32-bit numbers; more than two thirds of that would mean that they were read in."""
    few, many = (peak_of_a_run(n, threads=1, suffix=".npy") for n in (1_000, 60_000))
    assert many - few < 60_000 * FEATURES * 4 * 2 / 3


def test_time_to_quality_is_that_of_the_first_look_which_is_as_good() -> None:
    mine = Journey([1.0, 2.0, 3.0], [0.5, 0.8, 0.7])
    assert mine.until(0.75) == 2.0
    assert mine.until(0.9) is None
    total, quality = rows([(mine, Journey([40.0], [0.75])), (mine, Journey([50.0], [0.9]))], "Moons")
    assert total.setting == "Moons, seeds 0–1"
    assert (total.value, total.reference) == (3.0, 45.0)
    assert (quality.value, quality.reference, quality.repeats) == (2.0, 40.0, 1)
    assert "1 of 2 seeds" in quality.note


def test_without_clustpy_there_is_nothing_to_measure_against_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clustlab.bench.speed.against_clustpy.installed", lambda: False)
    assert measurements(Settings()) == []


def test_data_without_classes_cannot_tell_whose_codes_are_better(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("clustlab.bench.speed.against_clustpy.installed", lambda: True)
    np.save(tmp_path / "mine.npy", np.arange(120, dtype=np.float32).reshape(40, 3))
    with pytest.raises(DataError, match="has no classes"):
        measurements(Settings(data=(str(tmp_path / "mine.npy"),)))


@pytest.fixture
def bench_speed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """A function that runs the command with a part of one blink: ``loop`` gives the row of a measurement."""

    def call(take: Callable[[], list[Row]], *arguments: Any) -> tuple[int, str, str]:
        monkeypatch.setitem(parts.PARTS, "loop", lambda settings: [Measurement("a blink", 1.0, take)])
        monkeypatch.setattr("clustlab.bench.command.installed", lambda: False)
        monkeypatch.setattr(sys, "argv", ["clustlab", "bench", "speed", *map(str, arguments)])
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def test_the_command_prints_the_table_and_writes_it(
    bench_speed: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    row = ratio_row(A_ROW, [1.2], [1.0], limit=1.1)
    code, out, err = bench_speed(lambda: [row], "--part", "loop", "--part", "clustpy", "--out", tmp_path / "s.csv")
    assert code == 0, err
    assert "ratio ≤ 1.1: missed" in out
    assert "ClustPy is not installed" in err
    assert "about 1 minute" in err
    assert Path(out.splitlines()[-1]).read_text().splitlines()[1].startswith("loop,AE,tiny,1.2,s,1")


def test_an_interrupted_command_says_so(bench_speed: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    def interrupted() -> list[Row]:
        raise KeyboardInterrupt

    code, _, err = bench_speed(interrupted, "--part", "loop", "--out", tmp_path / "s.csv")
    assert code == 130
    assert "stopped" in err
    assert list(tmp_path.iterdir()) == []
