from __future__ import annotations

from pathlib import Path

import pytest

from clustlab.bench.measured import measured

TABLE = """method,extensions,data,seed,state,acc,nmi,ari
idec,none,digits,0,finished,0.8,0.7,0.6
idec,none,digits,1,finished,0.9,0.7,0.6
idec,acai+mixing-consistency,digits,0,finished,0.5,0.5,0.5
idec,none,digits,2,failed,,,
dec,none,digits,0,finished,0.1,0.1,0.1
"""


def test_seeds_are_summed_up_and_failures_left_out(tmp_path: Path) -> None:
    (tmp_path / "digits.csv").write_text(TABLE)
    alone, joined = measured("idec", tmp_path)
    assert (alone.data, alone.extensions, alone.seeds) == ("digits", (), 2)
    assert alone.mean["acc"] == pytest.approx(0.85)
    assert alone.deviation["acc"] == pytest.approx(0.0707, abs=1e-4)
    assert joined.extensions == ("acai", "mixing-consistency")
    assert joined.deviation == {}


def test_what_was_never_measured_is_an_empty_list(tmp_path: Path) -> None:
    assert measured("idec", tmp_path) == []
    (tmp_path / "digits.csv").write_text(TABLE)
    assert measured("vade", tmp_path) == []
